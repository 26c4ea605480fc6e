# SPDX-License-Identifier: Apache-2.0
import json
import pathlib

import pytest

from cgroup_files import inside, limit, skip_without
from machine import ON_V2, needs_cgroup, needs_controllers
from resource_fields import FIELDS, IGNORED, REFUSED, Field, block_device, named

pytestmark = needs_cgroup

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("text,value", [("64m", 64 << 20), ("1.5M", 3 << 19), ("67108864", 64 << 20), ("65536KiB", 64 << 20)])
@needs_controllers
def test_memory(berth, text, value):
    container = berth.running()
    berth.ok("update", "--memory", text, container)
    file = "memory.limit_in_bytes" if pathlib.Path("/sys/fs/cgroup/memory").exists() else "memory.max"
    assert limit(berth, container, file) == str(value)


@needs_controllers
def test_pids_limit(berth):
    container = berth.running()
    berth.ok("update", "--pids-limit=20", container)
    assert limit(berth, container, "pids.max") == "20"
    berth.ok("update", container, "--pids-limit=-1")
    assert limit(berth, container, "pids.max") == "max"


@pytest.mark.parametrize("source", ["-", "file"])
@needs_controllers
def test_resources(berth, tmp_path, source):
    container = berth.running()
    text = json.dumps({"pids": {"limit": 30}})
    if source == "file":
        source = tmp_path / "resources.json"
        source.write_text(text)
        berth.ok("update", "-r", source, container)
    else:
        berth.ok("update", "--resources=-", container, input=text)
    assert limit(berth, container, "pids.max") == "30"


@pytest.mark.parametrize("option,value,words", [
    ("memory", "12q", 'invalid size "12q"'), ("memory", "", 'invalid size ""'), ("memory", "99999999999999999999", "invalid size"),
    ("pids-limit", "x", '"x" is not a whole number'), ("cpu-share", "-1", "from 0 up"),
    ("blkio-weight", "70000", "too large"),
    ("device-read-bps", "8:0", "MAJOR:MINOR:VALUE"), ("device-write-iops", "8:x:1", '"x" is not a whole number'),
    ("blkio-weight-device", "8:0:99999", "too large"), ("unified", "=5", "FILE=VALUE"), ("unified", "a", "FILE=VALUE"),
    ("rlimit", "nofile", "TYPE=SOFT[:HARD]"), ("rlimit", "nofile=x", '"x"'), ("scheduler", "fifo:x", '"x"'),
    ("scheduler", "deadline:5", "5"), ("io-priority", "be:x", '"x"'), ("oom-score-adj", "9999999999", "too large")])
def test_bad_values(berth, option, value, words):
    told = berth.fails("update", f"--{option}={value}", berth.running())
    assert f"option --{option}: " in told and words in told


def test_bad_resources(berth):
    container = berth.running()
    assert "/memory/limit" in berth.fails("update", "-r", "-", container, input='{"memory": {"limit": "1"}}')
    assert "/no/such" in berth.fails("update", "-r", "/no/such", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("update", "--memory=1g", "no-such")


# What nobody writes into a new container's configuration.
MORE = [
    Field("memory/limit", {"memory": {"limit": -1}}, ("memory.limit_in_bytes", str((1 << 63) - 4096)), ("memory.max", "max")),
    Field("cpu/quota", {"cpu": {"quota": 50000}}, ("cpu.cfs_quota_us", "50000"), ("cpu.max", "50000 100000")),
    Field("cpu/realtimeRuntime", {"cpu": {"realtimeRuntime": 0}}, ("cpu.rt_runtime_us", "0"), IGNORED),
    Field("unified", {"unified": {"memory.high": "32M", "pids.max": "44"}}, REFUSED, ("memory.high", str(32 * MEBIBYTE))),
    Field("unified", {"unified": {"memory.high": "32M", "pids.max": "44"}}, REFUSED, ("pids.max", "44")),
]


@pytest.mark.parametrize("field", FIELDS + MORE, ids=named)
def test_each_field(berth, field):
    """Told by the kernel, outside and inside."""
    file, line = field.file()
    container = berth.running()
    berth.ok("update", "-r", "-", container, input=json.dumps(field.resources))
    assert line in limit(berth, container, file).splitlines()
    if field.resources.get("pids") != {"limit": 0}:  # no process may enter then
        assert line in inside(berth, container, file).splitlines()


@pytest.mark.parametrize("options,v1,v2,value", [
    (["--cpu-share=512"], "cpu.shares", "cpu.weight", "59" if ON_V2 else "512"),
    (["--cpu-quota=50000", "--cpu-period=200000"], "cpu.cfs_quota_us", "cpu.max", "50000 200000" if ON_V2 else "50000"),
    (["--cpu-quota=50000", "--cpu-burst=3000"], "cpu.cfs_burst_us", "cpu.max.burst", "3000"),
    (["--cpu-idle=1"], "cpu.idle", "cpu.idle", "1"),
    (["--cpuset-cpus=0"], "cpuset.cpus", "cpuset.cpus", "0"),
    (["--cpuset-mems=0"], "cpuset.mems", "cpuset.mems", "0"),
    (["--memory-reservation=8m"], "memory.soft_limit_in_bytes", "memory.low", str(8 * MEBIBYTE)),
    (["--memory=64m", "--memory-swap=96m"], "memory.memsw.limit_in_bytes", "memory.swap.max",
     str(32 * MEBIBYTE if ON_V2 else 96 * MEBIBYTE)),
    (["--kernel-memory-tcp=16m"], "memory.kmem.tcp.limit_in_bytes", None, str(16 * MEBIBYTE)),
    (["--unified", "memory.high=32M", "--unified", "pids.max=44"], None, "memory.high", str(32 * MEBIBYTE)),
])
def test_each_option(berth, options, v1, v2, value):
    file = skip_without(v1, v2)
    container = berth.running()
    limit(berth, container, file)
    berth.ok("update", *options, container)
    assert limit(berth, container, file) == value


@pytest.mark.parametrize("option,member,v1,v2", [
    ("read-bps", "ReadBps", "read_bps", "rbps"), ("write-bps", "WriteBps", "write_bps", "wbps"),
    ("read-iops", "ReadIOPS", "read_iops", "riops"), ("write-iops", "WriteIOPS", "write_iops", "wiops")])
def test_throttles(berth, option, member, v1, v2):
    """By option and by JSON; the limit of a second kind stays, and is lifted by itself."""
    major, minor = block_device()
    container = berth.running()
    file = "io.max" if ON_V2 else f"blkio.throttle.{v1}_device"
    other = "write" if "read" in option else "read"
    limit(berth, container, file)
    berth.ok("update", f"--device-{option}={major}:{minor}:10k", f"--device-{other}-bps={major}:{minor}:5000", container)
    assert f"{v2}=10240" in limit(berth, container, file) if ON_V2 else \
        limit(berth, container, file) == f"{major}:{minor} 10240"
    text = json.dumps({"blockIO": {f"throttle{member}Device": [{"major": major, "minor": minor, "rate": 0}]}})
    berth.ok("update", "-r", "-", container, input=text)
    left = limit(berth, container, file)
    assert f"{v2}=max" in left and "bps=5000" in left if ON_V2 else left == ""


def test_v1_fields_on_v2_warn_once_each(berth):
    if not ON_V2:
        pytest.skip("cgroup v1 has them")
    resources = {"memory": {"swappiness": 7, "kernelTCP": 4096, "disableOOMKiller": True},
                 "cpu": {"realtimeRuntime": 5, "realtimePeriod": 10}, "network": {"classID": 5}}
    done = berth("update", "-r", "-", berth.running(), input=json.dumps(resources))
    assert done.returncode == 0
    for pointer in ("memory/swappiness", "memory/kernelTCP", "memory/disableOOMKiller", "cpu/realtimeRuntime",
                    "cpu/realtimePeriod", "network/classID"):
        assert done.stderr.count(f"/linux/resources/{pointer} is ignored") == 1
    assert len(done.stderr.splitlines()) == 6


def test_kernel_memory_is_told(berth):
    done = berth("update", "--kernel-memory=1g", berth.running())
    assert done.returncode == 0 and "/linux/resources/memory/kernel is ignored" in done.stderr


@needs_controllers
def test_options_beside_resources(berth):
    container = berth.running()
    done = berth("update", "-r", "-", "--pids-limit=9", container, input='{"pids": {"limit": 30}}')
    assert done.returncode == 0 and "--resources is given" in done.stderr
    assert limit(berth, container, "pids.max") == "30"


@pytest.mark.parametrize("resources,pointer", [
    ({"memory": {"limit": -5}}, "/memory/limit"), ({"cpu": {"idle": 2}}, "/cpu/idle"),
    ({"pids": {"limit": -7}}, "/pids/limit"), ({"devices": [{"allow": True, "access": "x"}]}, "/devices/0/access"),
    ({"blockIO": {"weight": 5}}, "/blockIO/weight"), ({"hugepageLimits": [{"pageSize": "2", "limit": 1}]}, "/pageSize")])
def test_values_out_of_range(berth, resources, pointer):
    assert pointer in berth.fails("update", "-r", "-", berth.running(), input=json.dumps(resources))


def test_quota_and_period_of_a_pod(berth):
    """v1: either of the pair may exceed what the pod has, while the other is old."""
    if ON_V2:
        pytest.skip("only cgroup v1 refuses more than the parent has")
    container = berth.running()
    folder = pathlib.Path(f"/sys/fs/cgroup/cpu/{container}")
    for quota, period in ((3000, 10000), (300000, 1000000), (2000, 2000)):
        berth.ok("update", f"--cpu-quota={quota}", f"--cpu-period={period}", container)
        assert (folder / "cpu.cfs_quota_us").read_text() == f"{quota}\n"
        assert (folder / "cpu.cfs_period_us").read_text() == f"{period}\n"


def test_memory_and_swap_grow_and_shrink(berth):
    """The kernel of v1 holds memory <= memory+swap at every moment."""
    container = berth.running()
    both = "memory.swap.max" if ON_V2 else "memory.memsw.limit_in_bytes"
    limit(berth, container, both)
    for memory, swap in ((64, 128), (256, 512), (32, 48), (300, 300)):
        berth.ok("update", f"--memory={memory}m", f"--memory-swap={swap}m", container)
        assert limit(berth, container, both) == str((swap - memory if ON_V2 else swap) * MEBIBYTE)
    berth.ok("update", "--memory=-1", container)
    assert limit(berth, container, both) == "max" if ON_V2 else int(limit(berth, container, both)) > 1 << 62


def test_sum_of_memory_and_swap_stays(berth):
    """memory+swap is one limit in config.json, also where cgroup v2 has two."""
    container = berth.running()
    both = "memory.swap.max" if ON_V2 else "memory.memsw.limit_in_bytes"
    limit(berth, container, both)
    berth.ok("update", "--memory=64m", "--memory-swap=96m", container)
    berth.ok("update", "--memory=80m", container)
    assert limit(berth, container, both) == str((16 if ON_V2 else 96) * MEBIBYTE)
    assert "/linux/resources/memory" in berth.fails("update", "--memory=128m", container)


@needs_controllers
def test_period_alone_keeps_the_quota(berth):
    container = berth.running()
    berth.ok("update", "--cpu-quota=30000", container)
    berth.ok("update", "--cpu-period=50000", container)
    file = "cpu.max" if ON_V2 else "cpu.cfs_quota_us"
    assert limit(berth, container, file) == ("30000 50000" if ON_V2 else "30000")


def test_burst_can_be_taken_away(berth):
    container = berth.running()
    file = "cpu.max.burst" if ON_V2 else "cpu.cfs_burst_us"
    limit(berth, container, file)
    berth.ok("update", "--cpu-quota=30000", "--cpu-burst=2000", container)
    berth.ok("update", "--cpu-burst=0", container)
    assert limit(berth, container, file) == "0"


def test_shares_of_one_that_is_no_longer_idle(berth):
    container = berth.running()
    limit(berth, container, "cpu.idle")
    berth.ok("update", "--cpu-idle=1", container)
    berth.ok("update", "--cpu-idle=0", "--cpu-share=1024", container)
    assert limit(berth, container, "cpu.weight" if ON_V2 else "cpu.shares") == ("100" if ON_V2 else "1024")


def test_out_of_memory_killer_comes_back(berth):
    if ON_V2:
        pytest.skip("cgroup v2 cannot be without")
    container = berth.running()
    for value in (True, False):
        berth.ok("update", "-r", "-", container, input=json.dumps({"memory": {"disableOOMKiller": value}}))
        assert f"oom_kill_disable {value:d}\n" in limit(berth, container, "memory.oom_control")


@needs_controllers
def test_paused_stays_paused(berth):
    container = berth.running()
    berth.ok("pause", container)
    berth.ok("update", "--pids-limit=30", container)
    assert berth.state(container)["status"] == "paused"
    assert limit(berth, container, "pids.max") == "30"
    berth.ok("resume", container)


@needs_controllers
def test_created_container(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    berth.ok("update", "--pids-limit=30", container)
    assert limit(berth, container, "pids.max") == "30"
    berth.ok("start", container)
    berth.wait_stopped(container)
    assert "container not running" in berth.fails("update", "--pids-limit=30", container)
