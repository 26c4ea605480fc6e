# SPDX-License-Identifier: Apache-2.0
import json
import pathlib

import pytest


def limit(berth, container, file):
    """The value of a file of the container's cgroup, on v1 or v2."""
    pid = berth.state(container)["pid"]
    found = []
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for mount in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            fields = mount.split()
            kind = fields[fields.index("-") + 1:]
            fits = kind[0] == "cgroup2" if not controllers else kind[0] == "cgroup" and set(
                controllers.split(",")) <= set(kind[2].split(","))
            if fits:
                found.append(pathlib.Path(fields[4] + path, file))
    values = [path.read_text().strip() for path in found if path.exists()]
    return values[0] if values else pytest.skip(f"this machine has no {file}")


@pytest.mark.parametrize("text,value", [("64m", 64 << 20), ("1.5M", 3 << 19), ("67108864", 64 << 20), ("65536KiB", 64 << 20)])
def test_memory(berth, text, value):
    container = berth.running()
    berth.ok("update", "--memory", text, container)
    file = "memory.limit_in_bytes" if pathlib.Path("/sys/fs/cgroup/memory").exists() else "memory.max"
    assert limit(berth, container, file) == str(value)


def test_pids_limit(berth):
    container = berth.running()
    berth.ok("update", "--pids-limit=20", container)
    assert limit(berth, container, "pids.max") == "20"
    berth.ok("update", container, "--pids-limit=-1")
    assert limit(berth, container, "pids.max") == "max"


@pytest.mark.parametrize("source", ["-", "file"])
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
    ("blkio-weight", "70000", "too large"), ("l3-cache-schema", "x", "not supported")])
def test_bad_values(berth, option, value, words):
    told = berth.fails("update", f"--{option}={value}", berth.running())
    assert f"option --{option}: " in told and words in told


def test_bad_resources(berth):
    container = berth.running()
    assert "/memory/limit" in berth.fails("update", "-r", "-", container, input='{"memory": {"limit": "1"}}')
    assert "/no/such" in berth.fails("update", "-r", "/no/such", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("update", "--memory=1g", "no-such")
