# SPDX-License-Identifier: Apache-2.0
"""What a container can reach of the runtime's own program can not be written (CVE-2019-5736)."""
import errno
import fcntl
import os

import pytest

F_GET_SEALS = 1034
F_SEAL_WRITE = 8


def is_protected(path):
    """On a read-only mount, or a memfd sealed against writing."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return True
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return bool(fcntl.fcntl(descriptor, F_GET_SEALS) & F_SEAL_WRITE)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def test_the_waiting_init_runs_from_a_protected_copy(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    program = f"/proc/{berth.state(container)['pid']}/exe"
    assert is_protected(program)
    with pytest.raises(OSError) as refused:
        os.open(program, os.O_WRONLY)
    assert refused.value.errno in (errno.EROFS, errno.ETXTBSY, errno.EPERM)


def test_the_marker_alone_protects_nothing(berth):
    """Whoever sets the environment can not make berth believe that it is the copy."""
    told = berth.fails("create", "none", env=os.environ | {"_BERTH_PROTECTED": "1"})
    assert "not protected" in told


def test_the_container_does_not_see_the_marker(berth):
    container = berth.new_id()
    assert "_BERTH_PROTECTED" not in berth.ok("run", "-b", berth.bundle("env"), container)
