# SPDX-License-Identifier: Apache-2.0
"""A memory limit below the usage: refused with both numbers, unless the memory can be had back or force is given."""
import json
import os
import re

import pytest

from cgroup_files import limit
from machine import ON_V2, needs_cgroup

pytestmark = needs_cgroup

MEBIBYTE = 1 << 20
LIMIT = "memory.max" if ON_V2 else "memory.limit_in_bytes"
USAGE = "memory.current" if ON_V2 else "memory.usage_in_bytes"
# 32 MiB that nothing but an end of the container frees: the kernel has no place to put them.
HELD = "dd if=/dev/zero of=/dev/shm/held bs=1M count=32 2>/dev/null"


def usage(berth, container):
    return int(limit(berth, container, USAGE))


def holding(berth):
    """A container whose memory cannot be reclaimed, also not by swapping."""
    container = berth.running(first=HELD)
    berth.ok("update", "--memory=64m", "--memory-swap=64m", container)
    assert usage(berth, container) > 32 * MEBIBYTE
    return container


def caching(berth):
    """A container that has a file of 40 MiB in the page cache, written out."""
    container = berth.new_id()
    data = berth.folder / "data"
    data.mkdir()
    for fifo in ("done", "never"):
        os.mkfifo(data / fifo)
    bundle = berth.bundle("sh", "-c", "dd if=/dev/zero of=/data/file bs=1M count=40 conv=fsync 2>/dev/null; "
                                      "echo > /data/done; read never < /data/never")
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/data", "type": "bind", "source": str(data), "options": ["bind", "rw"]})
    berth.write_config(bundle, config)
    berth.ok("create", "-b", bundle, container)
    limit(berth, container, LIMIT)
    berth.ok("start", container)
    (data / "done").read_text()
    if usage(berth, container) < 40 * MEBIBYTE:
        pytest.skip("this filesystem has no page cache of the container")
    return container


def alive(berth, container):
    return berth.state(container)["status"] == "running"


def test_more_in_use_than_can_be_reclaimed(berth):
    container = holding(berth)
    told = berth.fails("update", "--memory=8m", "--memory-swap=8m", "--pids-limit=9", container)
    found = re.search(r"write 8388608 to (\S+): .*current usage: (\d+), peak usage: (\d+|unknown)", told)
    assert found and found[1] == LIMIT and int(found[2]) > 32 * MEBIBYTE
    assert "nothing was changed" in told and "(update /linux/resources/memory/limit)" in told
    assert limit(berth, container, LIMIT) == str(64 * MEBIBYTE)
    assert limit(berth, container, "pids.max") == "max"
    assert alive(berth, container)
    if ON_V2:
        assert limit(berth, container, "memory.high") == "max"


def test_force(berth):
    container = holding(berth)
    if not ON_V2:
        told = berth.fails("update", "--force", "--memory=8m", container)  # the kernel of v1 has no way
        assert "current usage" in told and alive(berth, container)
        return
    berth.ok("update", "--force", "--memory=8m", "--memory-swap=8m", container)
    berth.wait_stopped(container)


def test_what_can_be_reclaimed_is(berth):
    container = caching(berth)
    berth.ok("update", "--memory=16m", container)
    assert limit(berth, container, LIMIT) == str(16 * MEBIBYTE)
    assert usage(berth, container) <= 16 * MEBIBYTE
    assert alive(berth, container)
    if ON_V2:
        assert limit(berth, container, "memory.high") == "max"


def test_unified_limit_is_held_to_the_same(berth):
    if not ON_V2:
        pytest.skip("only cgroup v2 has that")
    container = holding(berth)
    assert "could not be reclaimed" in berth.fails("update", "--unified=memory.max=8M", container)
    assert limit(berth, container, LIMIT) == str(64 * MEBIBYTE) and alive(berth, container)


def test_high_of_the_container_itself_comes_back(berth):
    if not ON_V2:
        pytest.skip("only cgroup v2 has that")
    container = caching(berth)
    berth.ok("update", "--unified=memory.high=100M", container)
    berth.ok("update", "--memory=16m", container)
    assert limit(berth, container, "memory.high") == str(100 * MEBIBYTE)


@pytest.mark.parametrize("force", [False, True])
def test_check_before_update(berth, force):
    """runc's member asks for no attempt at all."""
    if not ON_V2:
        pytest.skip("the kernel of v1 checks")
    container = caching(berth)
    text = json.dumps({"memory": {"limit": 16 * MEBIBYTE, "checkBeforeUpdate": True}})
    if force:
        berth.ok("update", "--force", "-r", "-", container, input=text)
        assert limit(berth, container, LIMIT) == str(16 * MEBIBYTE)
        return
    before = usage(berth, container)
    told = berth.fails("update", "-r", "-", container, input=text)
    assert "the limit is below memory.current" in told
    assert limit(berth, container, LIMIT) == "max" and usage(berth, container) > before // 2
