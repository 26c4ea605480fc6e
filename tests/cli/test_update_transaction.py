# SPDX-License-Identifier: Apache-2.0
"""update is all or nothing, and the record says what holds afterwards."""
import json
import os
import pathlib
import platform
import resource

import pytest

from cgroup_files import limit
from machine import LIBC, ON_V2, has_controller, has_device_rules, host_ids, needs_cgroup, needs_controllers
from shapes import SHAPE
from resource_fields import block_device
from test_resources import DENIED, FUSE, NOTHING

pytestmark = needs_cgroup

MEBIBYTE = 1 << 20
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}[platform.machine()]
NO_DEVICE = [{"major": 250, "minor": 250, "rate": 5}]
# Its rules cannot be said on any version: one device out of all.
HOLE = [{"allow": True, "type": "c", "major": 10, "access": "rw"}, FUSE | {"allow": False, "access": "w"}]
FILES = ["memory.max", "memory.swap.max", "cpu.weight", "cpu.max", "cpu.max.burst", "pids.max", "io.max"] if ON_V2 else [
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swappiness",
    "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.cfs_burst_us", "cpuset.cpus", "pids.max",
    "blkio.throttle.read_bps_device", "net_cls.classid"]


def values(berth, container):
    found = {}
    for file in FILES:
        try:
            found[file] = limit(berth, container, file)
        except pytest.skip.Exception:
            continue
    return found


def process_of(berth, container):
    pid = berth.state(container)["pid"]
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(), stat[16], stat[38],
            LIBC.syscall(IOPRIO_GET, 1, pid), resource.prlimit(pid, resource.RLIMIT_NOFILE),
            os.sched_getaffinity(pid))


def record(berth, container):
    """What the record says of limits and of the process."""
    *_, config = (berth.root / container / "state.json").read_text().split("\n", 3)
    return json.loads(config)


CHANGES = {"memory": {"limit": 64 * MEBIBYTE, "reservation": 5 * MEBIBYTE},
           "cpu": {"shares": 512, "quota": 50000, "period": 70000, "burst": 1000}, "pids": {"limit": 30}}
# What an ordinary user may undo: no score below the one that systemd gives a session, no nice value.
NICE = 0 if SHAPE == "rootless" else 5
ATTRIBUTES = ["--oom-score-adj=277", f"--scheduler=batch:{NICE}", "--io-priority=be:7", "--cpu-affinity=0"]


@pytest.mark.parametrize("blocking,options,pointer", [
    ({"blockIO": {"throttleReadBpsDevice": NO_DEVICE}}, [], "/linux/resources/blockIO/throttleReadBpsDevice/0"),
    pytest.param({"devices": HOLE}, [], "/linux/resources/devices", marks=has_device_rules),
    ({}, ["--rlimit=nofile=4000000000"], "/process/rlimits/0"),  # more than fs.nr_open
])
@needs_controllers
def test_nothing_stays_when_something_is_refused(berth, blocking, options, pointer):
    if "blockIO" in blocking:
        block_device()
        if ON_V2 and not has_controller("io.max"):
            pytest.skip("this user has no io.max")
    container = berth.running()
    berth.ok("update", "--memory=128m", "--cpu-quota=40000", "--cpu-share=333", container)
    before, process, written = values(berth, container), process_of(berth, container), record(berth, container)
    told = berth.fails("update", "-r", "-", *ATTRIBUTES, *options, container, input=json.dumps(CHANGES | blocking))
    assert "nothing was changed: " in told and f"(update {pointer})" in told
    assert values(berth, container) == before
    assert process_of(berth, container) == process
    assert record(berth, container) == written
    berth.ok("update", "-r", "-", *ATTRIBUTES, container, input=json.dumps(CHANGES))  # it was what blocked
    after = values(berth, container)
    assert after["pids.max"] == "30" and process_of(berth, container) != process


@needs_controllers
def test_nothing_stays_when_the_record_cannot_be_written(berth):
    container = berth.running()
    before, process = values(berth, container), process_of(berth, container)
    (berth.root / container / "state.json.next").mkdir()
    told = berth.fails("update", "-r", "-", *ATTRIBUTES, container, input=json.dumps(CHANGES))
    assert "nothing was changed: write the state of container" in told
    assert values(berth, container) == before and process_of(berth, container) == process


def test_limits_of_other_devices_come_back(berth):
    """A line of a device that had one, and of one that had none."""
    major, minor = block_device()
    container = berth.running()
    file = "io.max" if ON_V2 else "blkio.throttle.read_bps_device"
    limit(berth, container, file)
    for limited in (False, True):
        if limited:
            berth.ok("update", f"--device-read-bps={major}:{minor}:7777", container)
        before = limit(berth, container, file)
        devices = [{"major": major, "minor": minor, "rate": 5}]
        berth.fails("update", "-r", "-", container, input=json.dumps(
            {"blockIO": {"throttleReadBpsDevice": devices + NO_DEVICE}}))
        assert limit(berth, container, file) == before


@pytest.mark.parametrize("resources,words", [
    ({"blockIO": {"throttleReadBpsDevice": NO_DEVICE}},
     ["write 250:250 ", "no such device", "/linux/resources/blockIO/throttleReadBpsDevice/0"]),
    ({"pids": {"limit": 1 << 40}}, ["to pids.max: Invalid argument (current usage: 1, peak usage: ",
                                    "(update /linux/resources/pids/limit)"]),
    ({"cpu": {"cpus": "8000"}}, ["write 8000 to cpuset.cpus: ", " (in force: 0", "/linux/resources/cpu/cpus"]),
    ({"unified": {"memory.high": "x"}}, ["write x to memory.high: Invalid argument (current usage: ",
                                         "/linux/resources/unified/memory.high"]),
])
@needs_controllers
def test_a_rejected_write_says_what_it_was(berth, resources, words):
    container = berth.running()
    if "unified" in resources and not ON_V2:
        words = ["unified needs cgroup v2", "/linux/resources/unified"]
    elif "cpu" in resources:
        limit(berth, container, "cpuset.cpus")
    elif "blockIO" in resources:
        limit(berth, container, "io.max" if ON_V2 else "blkio.throttle.read_bps_device")
    told = berth.fails("update", "-r", "-", container, input=json.dumps(resources))
    assert all(word in told for word in words), told


@needs_controllers
def test_the_record_says_what_holds(berth):
    container = berth.running()
    berth.ok("update", "-r", "-", *ATTRIBUTES, "--rlimit=nofile=99", container, input=json.dumps(CHANGES))
    berth.ok("update", "--pids-limit=40", "--cpu-share=600", container)
    config = record(berth, container)
    assert config["linux"]["resources"]["pids"] == {"limit": 40}
    assert config["linux"]["resources"]["cpu"] == CHANGES["cpu"] | {"shares": 600}
    assert config["linux"]["resources"]["memory"] == CHANGES["memory"]
    assert config["process"]["oomScoreAdj"] == 277
    assert config["process"]["scheduler"] == {"policy": "SCHED_BATCH"} | ({"nice": NICE} if NICE else {})
    assert config["process"]["args"][0] == "sh" and config["hostname"]
    assert berth.state(container)["status"] == "running"
    seen = berth.ok("exec", container, "sh", "-c", "ulimit -n; cat /proc/self/oom_score_adj")
    assert seen.split() == ["99", "277"]


def test_an_update_of_nothing_leaves_the_record(berth):
    container = berth.running()
    before = (berth.root / container / "state.json").stat()
    berth.ok("update", container)
    after = (berth.root / container / "state.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.fixture
def device():
    """One that no container has by itself, and that everybody may open."""
    for line in pathlib.Path("/proc/misc").read_text().splitlines():
        minor, name = line.split()
        if name in ("fuse", "autofs"):
            return {"type": "c", "major": 10, "minor": int(minor)}
    return pytest.skip("this kernel has neither FUSE nor autofs")


def with_device(berth, device, rules):
    """A container that has the device, and these rules."""
    container = berth.new_id()
    bundle = berth.bundle("sleep", "1000")
    config = berth.read_config(bundle)
    config["linux"]["devices"] = [device | {"path": "/dev/own", "fileMode": 0o666}]
    config["linux"]["resources"] = {"devices": rules}
    berth.write_config(bundle, config)
    berth.ok("run", "-d", "-b", bundle, container)
    return container


def can_read(berth, container):
    told = berth.ok("exec", container, "sh", "-c", "(: < /dev/own) 2>&1 && echo reads; true")
    assert ("reads" in told) != (DENIED in told)
    return "reads" in told


def update_devices(berth, container, rules):
    berth.ok("update", "-r", "-", container, input=json.dumps({"devices": rules}))


@host_ids
def test_device_rules_change(berth, device):
    allowed = [NOTHING, device | {"allow": True, "access": "r"}]
    container = with_device(berth, device, [NOTHING])
    assert not can_read(berth, container)
    update_devices(berth, container, allowed)
    assert can_read(berth, container)
    assert record(berth, container)["linux"]["resources"]["devices"] == allowed
    berth.ok("exec", container, "sh", "-c", "echo > /dev/null")
    update_devices(berth, container, [NOTHING])
    assert not can_read(berth, container)


@host_ids
def test_device_rules_that_are_sent_back_change_nothing(berth, device):
    """containerd sends the whole of the resources, whatever it changes: what a driver's hook has allowed meanwhile
    stays."""
    if ON_V2:
        pytest.skip("nothing but a program adds to the rules of cgroup v2")
    container = with_device(berth, device, [NOTHING])
    pathlib.Path(f"/sys/fs/cgroup/devices/{container}/devices.allow").write_text(f"c 10:{device['minor']} rw")
    assert can_read(berth, container)
    update_devices(berth, container, [NOTHING])
    assert can_read(berth, container)
    berth.ok("update", "--pids-limit=30", container)
    assert can_read(berth, container)


@pytest.mark.parametrize("option", ["--l3-cache-schema=L3:0=f", "--mem-bw-schema=MB:0=50"])
@needs_controllers
def test_a_container_without_a_class(berth, option):
    told = berth.fails("update", "--pids-limit=30", option, berth.running())
    assert "nothing was changed" in told and "no class of resctrl" in told and "/linux/intelRdt" in told


@has_device_rules
def test_class_of_its_own_is_changed(berth, tmp_path):
    """No machine of ours has resctrl: a folder stands in for the class, as the record names it."""
    container = berth.running()
    place = tmp_path / "resctrl/one"
    place.mkdir(parents=True)
    (place / "schemata").write_text("    L3:0=fffff\n    MB:0=100\n")
    state = berth.root / container / "state.json"
    process, start, first, config = state.read_text().split("\n", 3)
    first = json.loads(first) | {"rdtTasks": [str(place)], "rdtRemoved": [str(place)]}
    state.write_text("\n".join((process, start, json.dumps(first), config)))
    berth.ok("update", "--l3-cache-schema=L3:0=f", "--mem-bw-schema=MB:0=50", container)
    assert (place / "schemata").read_text().startswith("L3:0=f\nMB:0=50\n")
    assert record(berth, container)["linux"]["intelRdt"] == {"l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=50"}
    (place.parent / "info/L3").mkdir(parents=True)
    told = json.loads(berth.ok("events", "--stats", container))["data"]["intel_rdt"]
    assert told["l3_cache_schema"] == "L3:0=f" and told["l3_cache_info"] == {} and "mem_bw_info" not in told
    before = (place / "schemata").read_text()
    berth.fails("update", "-r", "-", "--l3-cache-schema=L3:0=3", container, input=json.dumps({"devices": HOLE}))
    assert (place / "schemata").read_text()[:len("L3:0=f\n")] == before[:len("L3:0=f\n")]
    (place / "schemata").unlink()
