# SPDX-License-Identifier: Apache-2.0
"""The N-th state-changing system call of an update fails, for every N: the old values are back or the new ones are
there, nothing between."""
import errno
import json
import os
import pathlib
import resource

import pytest
from injector import Injector
from test_injected import points_of

MEBIBYTE = 1 << 20
ON_V1 = pathlib.Path("/sys/fs/cgroup/memory").exists()


def change(number):
    """Two sets of values that have nothing in common."""
    resources = {"memory": {"limit": (64 + number) * MEBIBYTE, "swap": (128 + number) * MEBIBYTE,
                            "reservation": (8 + number) * MEBIBYTE},
                 "cpu": {"shares": 500 + number, "quota": 50000 + number * 1000, "period": 90000 + number * 1000},
                 "pids": {"limit": 30 + number},
                 "devices": [{"allow": False, "access": "rwm"},
                             {"allow": True, "type": "c", "major": 10, "minor": 200 + number, "access": "rw"}]}
    options = [f"--oom-score-adj={70 + number}", f"--scheduler=batch:{5 + number}", f"--io-priority=be:{1 + number}",
               f"--rlimit=nofile={77 + number}:1024"]
    return json.dumps(resources), options


def files():
    if ON_V1:
        return ["memory/memory.limit_in_bytes", "memory/memory.memsw.limit_in_bytes", "memory/memory.soft_limit_in_bytes",
                "cpu/cpu.shares", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "pids/pids.max", "devices/devices.list"]
    return ["memory.max", "memory.swap.max", "memory.low", "cpu.weight", "cpu.max", "pids.max"]


def values(berth, container):
    """All that an update of these changes, and what the record says."""
    pid = berth.state(container)["pid"]
    found = [resource.prlimit(pid, resource.RLIMIT_NOFILE), os.sched_getscheduler(pid), os.getpriority(os.PRIO_PROCESS, pid),
             pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text(), (berth.root / container / "state.json").read_text()]
    for file in files():
        folder, _, name = file.rpartition("/")
        path = pathlib.Path("/sys/fs/cgroup", folder, container, name)
        found.append(sorted(path.read_text().splitlines()) if path.exists() else None)
    return found


def test_all_or_nothing(berth, driver, tmp_path):
    container = berth.running()
    inject = Injector(berth, driver)
    sets = []
    for number in (0, 1):
        text, options = change(number)
        file = tmp_path / f"resources-{number}"
        file.write_text(text)
        sets.append(["update", "-r", file, *options, container])
    berth.ok(*sets[1])
    new = values(berth, container)
    berth.ok(*sets[0])
    old = values(berth, container)
    total = inject(*sets[1]).points
    assert values(berth, container) == new != old and total > 20
    wrong = []
    for number in points_of(total):
        berth.ok(*sets[0])
        assert values(berth, container) == old
        result = inject(*sets[1], at=number, fault=errno.EIO)
        expected = new if result.status == 0 else old
        if result.hung or values(berth, container) != expected:
            wrong.append(f"{number}: {result}: {values(berth, container)}")
        if result.status != 0 and not result.told.strip():
            wrong.append(f"{number}: no message: {result}")
    assert wrong == [], "\n".join(wrong)
