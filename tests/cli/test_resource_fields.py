# SPDX-License-Identifier: Apache-2.0
"""Each field of /linux/resources, read back from the kernel inside the container and outside, by both kinds of managers."""
import ctypes
import os
import pathlib
import subprocess
import typing

import pytest

from cgroup_files import folders
from machine import LIBC, ON_V2, has_device_rules, needs_cgroup
from resource_fields import FIELDS, IGNORED, REFUSED, named

pytestmark = needs_cgroup
BPF, PROG_QUERY, CGROUP_DEVICE = 321, 16, 6


class Seen(typing.NamedTuple):
    inside: list  # lines
    outside: list


def configured(berth, resources, *words):
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    config["linux"]["resources"] = resources
    config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "cgroup"]
    config["linux"]["namespaces"].append({"type": "cgroup"})  # its own cgroup is what it finds at /sys/fs/cgroup
    berth.write_config(bundle, config)
    return bundle


def look(berth, resources, file):
    """A container with these resources that reads the file, as only process of it, and its cgroup from outside."""
    place = "" if ON_V2 or file.startswith("cgroup.") else f"{file.split('.')[0]}/"
    script = f'while read -r line; do echo "$line"; done </sys/fs/cgroup/{place}{file}; echo end; read line'
    number = berth.folder / "pid"
    bundle = configured(berth, resources, "sh", "-c", script)
    process = subprocess.Popen(berth.command("run", "-b", bundle, "--pid-file", number, berth.new_id()),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    inside = []
    for line in process.stdout:
        if line == "end\n":
            break
        inside.append(line.rstrip("\n"))
    pid = number.read_text() if number.exists() else ""
    found = [folder / file for folder in folders(pid) if (folder / file).exists()] if pid else []
    outside = [line.strip() for path in found for line in path.read_text().splitlines()]
    _, told = process.communicate("\n", timeout=60)
    assert process.returncode == 0, told
    return Seen(inside, outside)


def said(berth, resources):
    """What is told about resources, and the exit status."""
    done = berth("run", "-b", configured(berth, resources, "true"), berth.new_id())
    return done.stderr, done.returncode


@pytest.mark.parametrize("field", FIELDS, ids=named)
def test_field(either, field):
    if field.here() == IGNORED:
        told, status = said(either, field.resources)
        assert told.count(f"/linux/resources/{field.pointer} is ignored") == 1 and status == 0
    elif field.here() == REFUSED:
        told, status = said(either, field.resources)
        assert "/linux/resources/unified" in told and "needs cgroup v2" in told and status == 1
    else:
        file, line = field.file()
        seen = look(either, field.resources, file)
        assert line in seen.inside and line in seen.outside


class Query(ctypes.Structure):
    """union bpf_attr of BPF_PROG_QUERY."""
    _fields_ = [("target_fd", ctypes.c_uint32), ("attach_type", ctypes.c_uint32), ("query_flags", ctypes.c_uint32),
                ("attach_flags", ctypes.c_uint32), ("prog_ids", ctypes.c_uint64), ("prog_cnt", ctypes.c_uint32)]


def device_programs(pid):
    """How many programs for devices the kernel runs for the cgroup of a process: its own, not those of cgroups above."""
    fd = os.open(next(folders(pid)), os.O_RDONLY | os.O_DIRECTORY)
    query = Query(fd, CGROUP_DEVICE)
    result = LIBC.syscall(BPF, PROG_QUERY, ctypes.byref(query), ctypes.sizeof(query))
    os.close(fd)
    assert result == 0, os.strerror(ctypes.get_errno())
    return query.prog_cnt


@has_device_rules
@pytest.mark.skipif(os.geteuid() != 0, reason="the rules for devices are the host's root's to make")
def test_devices_outside(either):
    """What they do inside is in test_resources.py."""
    rules = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "r"}]
    bundle = configured(either, {"devices": rules}, "sleep", "1000")
    container = either.new_id()
    either.ok("create", "-b", bundle, container)
    pid = either.state(container)["pid"]
    if ON_V2:
        assert device_programs(pid) == 1
        return
    lists = [folder / "devices.list" for folder in folders(pid) if (folder / "devices.list").exists()]
    lines = pathlib.Path(lists[0]).read_text().splitlines()
    assert "c 10:229 r" in lines and "a *:* rwm" not in lines
