# SPDX-License-Identifier: Apache-2.0
"""/linux/resources, seen from inside: the container's own cgroup is mounted at /sys/fs/cgroup."""
import pathlib

import pytest

from machine import has_controller
from test_config_linux import run

MEBIBYTE = 1 << 20
CGROUPS = pathlib.Path("/sys/fs/cgroup")
ON_V1 = (CGROUPS / "memory").exists()


def block_device():
    """MAJOR, MINOR of a disk: the kernel takes limits for whole devices only."""
    for device in sorted(pathlib.Path("/sys/block").glob("[!lr]*/dev")):
        return tuple(map(int, device.read_text().strip().split(":")))
    pytest.skip("this machine has no disk")


def own_cgroup(v1, v2):
    """Where the program finds the file of its cgroup."""
    return f"/sys/fs/cgroup/{v1.split('.')[0] if '/' not in v1 else v1.split('/')[0]}/{v1.split('/')[-1]}" if ON_V1 \
        else f"/sys/fs/cgroup/{v2}"


def seen(berth, resources, v1, v2):
    file = own_cgroup(v1, v2)
    hierarchy = pathlib.Path(file).parent
    if ON_V1 and not hierarchy.exists():
        pytest.skip(f"this machine has no {hierarchy}")
    if v2 is None and not ON_V1:
        pytest.skip("only cgroup v1 has that")
    if not ON_V1 and not has_controller(v2):
        pytest.skip(f"this machine has no {v2}")
    namespaces = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")]
    text = run(berth, "sh", "-c", f"test -e {file} && cat {file} || echo none",
               linux={"resources": resources, "namespaces": namespaces})
    return text.strip()


@pytest.mark.parametrize("resources,v1,v2,value", [
    ({"memory": {"limit": 64 * MEBIBYTE}}, "memory.limit_in_bytes", "memory.max", str(64 * MEBIBYTE)),
    ({"memory": {"reservation": 32 * MEBIBYTE}}, "memory.soft_limit_in_bytes", "memory.low", str(32 * MEBIBYTE)),
    ({"memory": {"swappiness": 7}}, "memory.swappiness", None, "7"),
    ({"memory": {"kernelTCP": 16 * MEBIBYTE}}, "memory/memory.kmem.tcp.limit_in_bytes", None, str(16 * MEBIBYTE)),
    ({"memory": {"useHierarchy": True}}, "memory.use_hierarchy", None, "1"),
    ({"cpu": {"shares": 512}}, "cpu.shares", None, "512"),
    ({"cpu": {"quota": 40000, "period": 80000}}, "cpu.cfs_quota_us", None, "40000"),
    ({"cpu": {"quota": 40000, "period": 80000}}, "cpu.cfs_period_us", "cpu.max", "80000" if ON_V1 else "40000 80000"),
    ({"cpu": {"quota": 40000, "period": 80000, "burst": 20000}}, "cpu.cfs_burst_us", "cpu.max.burst", "20000"),
    ({"cpu": {"idle": 1}}, "cpu.idle", "cpu.idle", "1"),
    ({"cpu": {"cpus": "0"}}, "cpuset.cpus", "cpuset.cpus", "0"),
    ({"cpu": {"mems": "0"}}, "cpuset.mems", "cpuset.mems", "0"),
    ({"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}}, "cpu.rt_runtime_us", None, "1000"),
    ({"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}}, "cpu.rt_period_us", None, "500000"),
    ({"pids": {"limit": 55}}, "pids.max", "pids.max", "55"),
    ({"network": {"classID": 1048577}}, "net_cls.classid", None, "1048577"),
    ({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEBIBYTE}]}, "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max",
     str(4 * MEBIBYTE)),
])
def test_number(berth, resources, v1, v2, value):
    assert seen(berth, resources, v1, v2) == value


def test_no_processes_is_one(berth):
    """runc 1.1.5 takes 0 for no limit; later ones write 1, as crun."""
    file = own_cgroup("pids.max", "pids.max")
    assert run(berth, "cat", file, linux={"resources": {"pids": {"limit": 0}}}) == "1\n"


def test_memory_and_swap(berth):
    wanted = {"memory": {"limit": 64 * MEBIBYTE, "swap": 96 * MEBIBYTE}}
    found = seen(berth, wanted, "memory.memsw.limit_in_bytes", "memory.swap.max")
    assert found in ((str(96 * MEBIBYTE),) if ON_V1 else (str(32 * MEBIBYTE), "none"))


def test_out_of_memory_killer(berth):
    assert "oom_kill_disable 1" in seen(berth, {"memory": {"disableOOMKiller": True}}, "memory.oom_control", None)


@pytest.mark.parametrize("kind,word,v2_word", [("ReadBps", "read_bps", "rbps"), ("WriteBps", "write_bps", "wbps"),
                                               ("ReadIOPS", "read_iops", "riops"), ("WriteIOPS", "write_iops", "wiops")])
def test_throttle(berth, kind, word, v2_word):
    major, minor = block_device()
    wanted = {"blockIO": {f"throttle{kind}Device": [{"major": major, "minor": minor, "rate": 123456}]}}
    text = seen(berth, wanted, f"blkio/blkio.throttle.{word}_device", "io.max")
    assert text.startswith(f"{major}:{minor} ") and (f" {v2_word}=123456" in text or text.endswith(" 123456"))


def test_weight(berth):
    if not list(CGROUPS.glob("blkio/*/blkio.bfq.weight") if ON_V1 else CGROUPS.glob("*/io.bfq.weight")):
        pytest.skip("no cgroup of this machine has a weight for block I/O")
    found = seen(berth, {"blockIO": {"weight": 300}}, "blkio/blkio.bfq.weight", "io.bfq.weight")
    assert found.split()[-1] == "300"


def test_network_priority(berth):
    wanted = {"network": {"priorities": [{"name": "lo", "priority": 7}]}}
    assert "lo 7" in seen(berth, wanted, "net_prio/net_prio.ifpriomap", None).splitlines()


FUSE = {"type": "c", "major": 10, "minor": 229}
NOTHING = {"allow": False, "access": "rwm"}
DENIED = "Operation not permitted"


@pytest.mark.parametrize("rules,reads,writes", [
    ([NOTHING], False, False),
    ([NOTHING, FUSE | {"allow": True, "access": "r"}], True, False),
    ([NOTHING, FUSE | {"allow": True, "access": "rw"}], True, True),
    ([NOTHING, {"allow": True, "type": "c", "access": "rw"}], True, True),
    ([NOTHING, {"allow": True, "type": "c", "major": 10, "access": "w"}], False, True),
    ([NOTHING, {"allow": True, "type": "b", "access": "rw"}], False, False),
])
def test_device_rules(berth, rules, reads, writes):
    """A device that no container has by itself, and that everybody may open."""
    if "229 fuse" not in pathlib.Path("/proc/misc").read_text():
        pytest.skip("this kernel has no FUSE")
    script = "(: < /dev/own) 2>&1 && echo reads; (: >> /dev/own) 2>&1 && echo writes; true"
    text = run(berth, "sh", "-c", script,
               linux={"resources": {"devices": rules}, "devices": [FUSE | {"path": "/dev/own", "fileMode": 0o666}]})
    assert ("reads" in text.split(), "writes" in text.split()) == (reads, writes)
    assert text.count(DENIED) == (not reads) + (not writes)


def test_rule_that_would_be_half_done(berth):
    """v1 holds a list of what is allowed: one device cannot be left out of all."""
    if not ON_V1:
        pytest.skip("only cgroup v1 cannot")
    all_of_major = {"allow": True, "type": "c", "major": 10, "access": "rw"}
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["resources"] = {"devices": [NOTHING, all_of_major, FUSE | {"allow": False, "access": "w"}]}
    berth.write_config(bundle, config)
    assert "punch" in berth.fails("run", "-b", bundle, berth.new_id())
