# SPDX-License-Identifier: Apache-2.0
"""What the machine and its kernel have: a test that needs something says so, and is skipped where it is not there."""
import ctypes
import mmap
import os
import pathlib
import subprocess

import pytest

from shapes import SHAPE

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


def own_tree():
    """The highest cgroup v2 that is this user's: the root for root."""
    if os.geteuid() == 0:
        return CGROUPS
    own = CGROUPS / pathlib.Path("/proc/self/cgroup").read_text().rpartition("::/")[2].strip()
    return [own, *(place for place in own.parents if place.stat().st_uid == os.geteuid())][-1]


def has_32_bit_calls():
    """Whether a process of x86-64 may use int 0x80 (CONFIG_IA32_EMULATION): getpid by it, in a child that may be killed."""
    if USER_MODE or os.uname().machine != "x86_64":
        return False
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov $20, %eax; int $0x80; ret
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    child = os.fork()
    if child == 0:
        os._exit(0 if call() == os.getpid() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def host_mounts(berth):
    """Of the host's mount namespace, without those that other tests have there meanwhile."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(berth.folder) in line or "pytest-of-" not in line]


def has_controller(file):
    """Of cgroup v2, by the name of one of its files."""
    controller = file.split(".")[0]
    return controller in (own_tree() / "cgroup.controllers").read_text().split() or controller == "cgroup"


own_users = pytest.mark.skipif(SHAPE != "", reason="the test says itself who its users are")
makes_nodes = pytest.mark.skipif(SHAPE != "", reason="no device node is made in a user namespace")
host_ids = pytest.mark.skipif(SHAPE != "", reason="it is about a container with the ids of the host")
any_ids = pytest.mark.skipif(SHAPE == "rootless", reason="an ordinary user may not map the ids that it names")
needs_cgroup = pytest.mark.skipif(SHAPE == "rootless" and not ON_V2, reason="an ordinary user can make no cgroup on v1")
chooses_cgroup = pytest.mark.skipif(SHAPE == "rootless", reason="an ordinary user's cgroups are below their own")
has_device_rules = pytest.mark.skipif(SHAPE == "rootless", reason="a container of an ordinary user has no rules for devices")
enters_created = pytest.mark.skipif(SHAPE == "rootless", reason="an ordinary user enters only what is started")
reads_init = pytest.mark.skipif(SHAPE == "rootless", reason="only root may look into what waits to be started")
needs_controllers = pytest.mark.skipif(ON_V2 and not all(map(has_controller, ("cpu.max", "memory.max", "pids.max"))),
                                       reason="the controllers of this machine are not on v2")
needs_root = pytest.mark.usefixtures("as_root")
as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can prepare it")  # of one parameter, which takes no fixtures
needs_cpus = pytest.mark.skipif(os.cpu_count() < 2, reason="this machine has one CPU")
HAS_32_BIT_CALLS = has_32_bit_calls()
needs_32_bit_calls = pytest.mark.skipif(not HAS_32_BIT_CALLS, reason="this kernel has one kind of system calls")
needs_realtime = pytest.mark.skipif(os.geteuid() == 0 and not gives_realtime(),
                                    reason="this kernel has no real time in cgroup v2")
needs_ksm = pytest.mark.skipif(LIBC.prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) < 0, reason="this kernel merges no pages")
needs_ps = pytest.mark.skipif(subprocess.run(["ps", "-ef"], capture_output=True).returncode != 0,
                              reason="ps does not work on this machine")
needs_memory_policy = pytest.mark.skipif(LIBC.syscall(SYS_GET_MEMPOLICY, None, None, 0, None, 0) < 0,
                                         reason="this kernel has no memory policy")
