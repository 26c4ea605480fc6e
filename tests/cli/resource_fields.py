# SPDX-License-Identifier: Apache-2.0
"""Each field of /linux/resources: which file of the kernel says it on cgroup v1 and on v2, and which property of a scope."""
import pathlib
import typing

import pytest

from cgroup_files import folders, kernel_has
from machine import ON_V2

MEBIBYTE = 1 << 20
IGNORED, REFUSED, ALWAYS = "is ignored", "is refused", "is always so"


class Field(typing.NamedTuple):
    """v1 and v2: (file, one of its lines), or several such pairs of which a kernel has one; else what berth does with the
    field there. unit: on v2, the property of systemd's unit and what it says; nothing where systemd has no word for it."""
    pointer: str
    resources: dict
    v1: typing.Any
    v2: typing.Any
    unit: typing.Optional[tuple] = None

    def here(self):
        return self.v2 if ON_V2 else self.v1

    def file(self):
        """The file and its line on this machine; skips where its kernel or its devices cannot have it."""
        if isinstance(self.here(), str):
            pytest.skip(f"on this version of cgroups it {self.here()}")
        self.needs()
        pairs = self.here() if isinstance(self.here(), list) else [self.here()]
        has = next((pair for pair in pairs if kernel_has(pair[0])), None)
        return has or pytest.skip(f"this machine has no {pairs[0][0]}")

    def needs(self):
        """The fields of a device want one that the kernel can limit."""
        if self.pointer.startswith("rdma/") and RDMA == "none":
            pytest.skip("this machine has no RDMA device")
        if self.pointer.startswith("cpu/realtime") and not has_realtime():
            pytest.skip("the cgroups above the tests have no real time to give")
        if "throttle" in self.pointer and not disks():
            pytest.skip("this machine has no disk")
        if "weightDevice" in self.pointer and not weighed_disks():
            pytest.skip("no disk of this machine is scheduled by weights (bfq)")


def disks():
    """The kernel takes limits for whole devices only."""
    return [path.parent for path in sorted(pathlib.Path("/sys/block").glob("[!lr]*/dev"))]


def weighed_disks():
    files = [disk / "queue/scheduler" for disk in disks()]
    return [file.parents[1] for file in files if file.exists() and "[bfq]" in file.read_text()]


def has_realtime():
    """v1 gives a cgroup of what those above it have."""
    files = [folder / "cpu.rt_runtime_us" for folder in folders("self")]
    return all(int(file.read_text()) > 0 for file in files if file.exists())


def numbers(found):
    """MAJOR, MINOR of the first of them; the kernel is asked for none where there is none."""
    return tuple(map(int, (found[0] / "dev").read_text().strip().split(":"))) if found else (0, 0)


def block_device():
    return numbers(disks()) if disks() else pytest.skip("this machine has no disk")


def named(field):
    """For the name of a test."""
    return f"{field.pointer}={list(field.resources.values())[0]}"[:60]


def throttled(kind, word, short):
    major, minor = numbers(disks())
    pairs = {"rbps": "max", "wbps": "max", "riops": "max", "wiops": "max"} | {short: "123456"}
    line = " ".join(f"{key}={value}" for key, value in pairs.items())
    return Field(f"blockIO/throttle{kind}Device/0",
                 {"blockIO": {f"throttle{kind}Device": [{"major": major, "minor": minor, "rate": 123456}]}},
                 (f"blkio.throttle.{word}_device", f"{major}:{minor} 123456"), ("io.max", f"{major}:{minor} {line}"))


def weighed(member):
    major, minor = numbers(weighed_disks())
    return {"blockIO": {"weightDevice": [{"major": major, "minor": minor, member: 300}]}}, f"{major}:{minor}"


def number(pointer, value, v1, v2, unit=None):
    """A field of one number or word, that the kernel says as it is."""
    outer, inner = pointer.split("/")
    return Field(pointer, {outer: {inner: value}}, (v1, str(value)), v2 if v2 == IGNORED else (v2, str(value)), unit)


def unified(file, value, line=None, unit=None):
    return Field(f"unified/{file}", {"unified": {file: value}}, REFUSED, (file, line or value), unit)


RDMA = next((path.name for path in pathlib.Path("/sys/class/infiniband").glob("*")), "none")
QUOTA = {"quota": 40000, "period": 80000}
HUGE = {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MEBIBYTE}]}
LIMITED = {"limit": 64 * MEBIBYTE, "swap": 96 * MEBIBYTE}
WEIGHT, DISK = weighed("weight")
LEAF_WEIGHT, _ = weighed("leafWeight")

FIELDS = [
    number("memory/limit", 64 * MEBIBYTE, "memory.limit_in_bytes", "memory.max", ("MemoryMax", str(64 * MEBIBYTE))),
    number("memory/reservation", 32 * MEBIBYTE, "memory.soft_limit_in_bytes", "memory.low",
           ("MemoryLow", str(32 * MEBIBYTE))),
    # v1 counts memory and swap, v2 swap alone.
    Field("memory/swap", {"memory": LIMITED}, ("memory.memsw.limit_in_bytes", str(96 * MEBIBYTE)),
          ("memory.swap.max", str(32 * MEBIBYTE)), ("MemorySwapMax", str(32 * MEBIBYTE))),
    Field("memory/kernel", {"memory": {"kernel": 16 * MEBIBYTE}}, IGNORED, IGNORED),
    number("memory/kernelTCP", 16 * MEBIBYTE, "memory.kmem.tcp.limit_in_bytes", IGNORED),
    number("memory/swappiness", 7, "memory.swappiness", IGNORED),
    Field("memory/disableOOMKiller", {"memory": {"disableOOMKiller": True}}, ("memory.oom_control", "oom_kill_disable 1"),
          IGNORED),
    Field("memory/useHierarchy", {"memory": {"useHierarchy": True}}, ("memory.use_hierarchy", "1"), ALWAYS),
    Field("memory/useHierarchy", {"memory": {"useHierarchy": False}}, IGNORED, IGNORED),
    Field("cpu/shares", {"cpu": {"shares": 512}}, ("cpu.shares", "512"), ("cpu.weight", "59"), ("CPUWeight", "59")),
    Field("cpu/quota", {"cpu": QUOTA}, ("cpu.cfs_quota_us", "40000"), ("cpu.max", "40000 80000"),
          ("CPUQuotaPerSecUSec", "500ms")),
    Field("cpu/period", {"cpu": QUOTA}, ("cpu.cfs_period_us", "80000"), ("cpu.max", "40000 80000"),
          ("CPUQuotaPeriodUSec", "80ms")),
    Field("cpu/burst", {"cpu": QUOTA | {"burst": 20000}}, ("cpu.cfs_burst_us", "20000"), ("cpu.max.burst", "20000")),
    number("cpu/idle", 1, "cpu.idle", "cpu.idle", ("CPUWeight", "idle")),
    number("cpu/cpus", "0", "cpuset.cpus", "cpuset.cpus", ("AllowedCPUs", "0")),
    number("cpu/mems", "0", "cpuset.mems", "cpuset.mems", ("AllowedMemoryNodes", "0")),
    Field("cpu/realtimeRuntime", {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}},
          ("cpu.rt_runtime_us", "1000"), IGNORED),
    Field("cpu/realtimePeriod", {"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}},
          ("cpu.rt_period_us", "500000"), IGNORED),
    number("pids/limit", 55, "pids.max", "pids.max", ("TasksMax", "55")),
    Field("pids/limit", {"pids": {"limit": -1}}, ("pids.max", "max"), ("pids.max", "max"), ("TasksMax", "infinity")),
    # runc 1.1.5 takes 0 for no limit; later ones write 1, as crun.
    Field("pids/limit", {"pids": {"limit": 0}}, ("pids.max", "1"), ("pids.max", "1"), ("TasksMax", "1")),
    Field("blockIO/weight", {"blockIO": {"weight": 300}}, [("blkio.bfq.weight", "300"), ("blkio.weight", "300")],
          [("io.bfq.weight", "default 300"), ("io.weight", "default 2930")]),
    number("blockIO/leafWeight", 300, "blkio.leaf_weight", IGNORED),
    Field("blockIO/weightDevice/0/weight", WEIGHT, ("blkio.bfq.weight_device", f"{DISK} 300"),
          ("io.bfq.weight", f"{DISK} 300")),
    Field("blockIO/weightDevice/0/leafWeight", LEAF_WEIGHT, ("blkio.leaf_weight_device", f"{DISK} 300"), IGNORED),
    throttled("ReadBps", "read_bps", "rbps"),
    throttled("WriteBps", "write_bps", "wbps"),
    throttled("ReadIOPS", "read_iops", "riops"),
    throttled("WriteIOPS", "write_iops", "wiops"),
    Field("hugepageLimits/0", HUGE, ("hugetlb.2MB.limit_in_bytes", str(4 * MEBIBYTE)),
          ("hugetlb.2MB.max", str(4 * MEBIBYTE))),
    Field("hugepageLimits/0", HUGE, ("hugetlb.2MB.rsvd.limit_in_bytes", str(4 * MEBIBYTE)),
          ("hugetlb.2MB.rsvd.max", str(4 * MEBIBYTE))),
    number("network/classID", 1048577, "net_cls.classid", IGNORED),
    Field("network/priorities", {"network": {"priorities": [{"name": "lo", "priority": 7}]}},
          ("net_prio.ifpriomap", "lo 7"), IGNORED),
    Field(f"rdma/{RDMA}", {"rdma": {RDMA: {"hcaHandles": 3, "hcaObjects": 10000}}},
          ("rdma.max", f"{RDMA} hca_handle=3 hca_object=10000"), ("rdma.max", f"{RDMA} hca_handle=3 hca_object=10000")),
    unified("memory.high", "32M", str(32 * MEBIBYTE), ("MemoryHigh", str(32 * MEBIBYTE))),
    unified("memory.min", str(8 * MEBIBYTE), unit=("MemoryMin", str(8 * MEBIBYTE))),
    unified("memory.oom.group", "1"),
    unified("cpu.max", "20000 50000", unit=("CPUQuotaPerSecUSec", "400ms")),
    unified("pids.max", "44", unit=("TasksMax", "44")),
    unified("cgroup.max.descendants", "5"),
]
