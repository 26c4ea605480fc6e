# SPDX-License-Identifier: Apache-2.0
"""Wrong input is refused, with the place; each node of the full config.json in turn."""
import copy
import json
import pathlib

import pytest

FULL = pathlib.Path(__file__).resolve().parents[1] / "unit/spec/full_config.json"
# Keys of these objects are free names.
FREE = ("/annotations", "/linux/sysctl", "/linux/resources/unified", "/linux/resources/rdma", "/linux/netDevices")


def nodes(value, pointer=""):
    """Every node but the document: (pointer, value)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield place, child
        yield from nodes(child, place)


def replaced(document, pointer, value):
    changed = copy.deepcopy(document)
    *parents, last = [word.replace("~1", "/").replace("~0", "~") for word in pointer[1:].split("/")]
    node = changed
    for word in parents:
        node = node[int(word) if isinstance(node, list) else word]
    node[int(last) if isinstance(node, list) else last] = value
    return changed


def wrong_types(value):
    """Values of the other kinds of JSON."""
    kinds = {bool: True, int: 7, str: "odd", list: [], dict: {}}
    return [other for kind, other in kinds.items() if not isinstance(value, kind) or
            (kind is int and isinstance(value, bool))] + [None]


def pointers(section):
    document = json.loads(FULL.read_text())
    return [place for place, _ in nodes(document) if place.split("/")[1] == section]


@pytest.mark.parametrize("section", json.loads(FULL.read_text()))
def test_wrong_type_anywhere(berth, section):
    document = json.loads(FULL.read_text())
    values = dict(nodes(document))
    bundle = berth.folder / "full"
    bundle.mkdir()
    log = berth.folder / "log"
    wrong = []
    for place in pointers(section):
        odd = wrong_types(values[place])
        for value in odd[len(place) % len(odd):][:1] + [None]:
            (bundle / "config.json").write_text(json.dumps(replaced(document, place, value)))
            log.write_text("")
            done = berth("--log", log, "--log-format=json", "plan", bundle)
            if done.returncode != 1 or json.loads(log.read_text()).get("pointer") != place:
                wrong.append(f"{place} = {json.dumps(value)}: exit {done.returncode}: {log.read_text()}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("text, place", (
    ("", "1:1"), ("{", "1:2"), ('{"ociVersion": "1.0.2"', "1:23"), ('{"a": 1,}', "1:9"), ('{"a": 01}', "1:8"),
    ('{"a": 1} {}', "1:10"), ('{"a": 1, "a": 2}', '"a"'), ('{\n  "a": tru\n}', "2:8")))
def test_malformed_json(berth, text, place):
    bundle = berth.bundle("true")
    (bundle / "config.json").write_text(text)
    told = berth.fails("create", "-b", bundle, "x")
    assert "config.json" in told and place in told


def test_unknown_capability_is_warned_of(berth):
    bundle = berth.bundle("true", capabilities={"bounding": ["CAP_MOON"]})
    done = berth("run", "-b", bundle, berth.new_id())
    assert done.returncode == 0 and "CAP_MOON" in done.stderr


def test_unknown_mount_option(berth):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["moon"]})
    berth.write_config(bundle, config)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert f"/mounts/{len(config['mounts']) - 1}" in told and "moon" in told


def test_program_is_not_there(berth):
    text = "executable file not found in $PATH"
    assert text in berth.fails("run", "-b", berth.bundle("moon"), berth.new_id(), code=1)
    container = berth.running()
    assert text in berth.fails("exec", container, "moon", code=255)


def broken(berth, change, name="broken"):
    """What berth says of a config that is changed."""
    bundle = berth.bundle("true", name=name)
    config = berth.read_config(bundle)
    change(config)
    berth.write_config(bundle, config)
    return berth.fails("run", "-b", bundle, berth.new_id())


def notifies(name):
    return {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such",
            "syscalls": [{"names": [name], "action": "SCMP_ACT_NOTIFY"}]}


def test_words_that_are_looked_for(berth):
    """Engines and tests know these from runc."""
    def without_proc(config):
        config["mounts"] = [{"destination": "/bin/sh", "type": "proc", "source": "proc"}]

    assert "must be mounted on ordinary directory" in broken(berth, without_proc, "link")
    told = broken(berth, lambda config: config["linux"].update(seccomp=notifies("mkdir")), "agent")
    assert "failed to connect with seccomp agent" in told
    told = broken(berth, lambda config: config["linux"].update(seccomp=notifies("write")), "write")
    assert "SCMP_ACT_NOTIFY cannot be used for the write syscall" in told
    killed = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "kill -SYS $$"]}]}
    told = broken(berth, lambda config: config.update(hooks=killed), "hook")
    assert "error running hook" in told and "bad system call" in told


@pytest.mark.skipif(pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists(), reason="the host has cgroup v2")
def test_unified_limits_on_version_1(berth):
    told = broken(berth, lambda config: config["linux"].update(resources={"unified": {"pids.max": "9"}}))
    assert "invalid configuration" in told and "/linux/resources/unified" in told
