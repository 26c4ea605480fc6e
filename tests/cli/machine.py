# SPDX-License-Identifier: Apache-2.0
"""What the machine and its kernel have: a test that needs something says so, and is skipped where it is not there."""
import ctypes
import os
import pathlib
import subprocess

import pytest

LIBC = ctypes.CDLL(None, use_errno=True)
CGROUPS = pathlib.Path("/sys/fs/cgroup")
ON_V2 = (CGROUPS / "cgroup.controllers").exists()
USER_MODE = "User Mode Linux" in pathlib.Path("/proc/cpuinfo").read_text()
PR_GET_MEMORY_MERGE, SYS_GET_MEMPOLICY = 68, 239


def gives_realtime():
    """A kernel with CONFIG_RT_GROUP_SCHED lets no process of a cgroup v2 be scheduled in real time."""
    if not ON_V2:
        return True
    place = CGROUPS / f"berth-realtime-{os.getpid()}"
    place.mkdir()
    try:
        child = os.fork()
        if child == 0:
            try:
                (place / "cgroup.procs").write_text("0")
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
                os._exit(0)
            except OSError:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        place.rmdir()


def has_controller(file):
    """Of cgroup v2, by the name of one of its files."""
    controller = file.split(".")[0]
    return controller in (CGROUPS / "cgroup.controllers").read_text().split() or controller == "cgroup"


needs_cpus = pytest.mark.skipif(os.cpu_count() < 2, reason="this machine has one CPU")
needs_32_bit_calls = pytest.mark.skipif(USER_MODE, reason="user-mode Linux has one kind of system calls")
needs_realtime = pytest.mark.skipif(os.geteuid() == 0 and not gives_realtime(),
                                    reason="this kernel has no real time in cgroup v2")
needs_ksm = pytest.mark.skipif(LIBC.prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) < 0, reason="this kernel merges no pages")
needs_ps = pytest.mark.skipif(subprocess.run(["ps", "-ef"], capture_output=True).returncode != 0,
                              reason="ps does not work on this machine")
needs_memory_policy = pytest.mark.skipif(LIBC.syscall(SYS_GET_MEMPOLICY, None, None, 0, None, 0) < 0,
                                         reason="this kernel has no memory policy")
