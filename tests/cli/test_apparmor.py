# SPDX-License-Identifier: Apache-2.0
"""process.apparmorProfile and exec --apparmor: a profile that the kernel has, seen by the program inside."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from machine import enters_created, needs_root

POLICY = pathlib.Path("/sys/kernel/security/apparmor")
ENABLED = pathlib.Path("/sys/module/apparmor/parameters/enabled")
CURRENT = "/proc/self/attr/current"
PROFILE = """profile {name} flags=(attach_disconnected,mediate_deleted) {{
  capability,
  file,
  mount,
  network,
  ptrace,
  signal,
  deny /tmp/closed r,
}}
"""

pytestmark = [needs_root, pytest.mark.skipif(not ENABLED.exists() or ENABLED.read_text() != "Y\n" or not POLICY.exists(),
                                             reason="this kernel has no AppArmor (the emulated guest's has)")]


def parser(*options, text):
    program = shutil.which("apparmor_parser") or "/sbin/apparmor_parser"
    subprocess.run([program, *options], input=text, text=True, check=True, timeout=60)


@pytest.fixture(scope="session")
def profiles():
    """Two, the kernel's while the tests run."""
    names = [f"berth-test-{os.getpid()}-{number}" for number in range(2)]
    text = "".join(PROFILE.format(name=name) for name in names)
    parser("--skip-cache", "--replace", text=text)
    yield names
    parser("--remove", text=text)


@pytest.fixture
def house(berth, image):
    """An image with a file that the profiles deny."""
    for name in ("open", "closed"):
        (image / "tmp" / name).write_text(f"{name}\n")
    berth.rootfs = image
    return berth


def with_user_namespace(berth, bundle):
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] += [{"type": "user"}]
    for kind in ("uid", "gid"):
        config["linux"][f"{kind}Mappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]
    berth.write_config(bundle, config)
    return bundle


LOOK = ("sh", "-c", f"cat {CURRENT}; cat /tmp/open; cat /tmp/closed 2>&1; true")
DENIED = "open\ncat: can't open '/tmp/closed': Permission denied\n"


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_program_is_confined(house, profiles, no_new_privileges):
    bundle = house.bundle(*LOOK, apparmorProfile=profiles[0], noNewPrivileges=no_new_privileges)
    assert house.ok("run", "-b", bundle, house.new_id()) == f"{profiles[0]} (enforce)\n{DENIED}"


def test_a_user_without_privileges_is_confined(house, profiles):
    bundle = house.bundle(*LOOK, apparmorProfile=profiles[0], user={"uid": 1000, "gid": 1000})
    assert house.ok("run", "-b", bundle, house.new_id()) == f"{profiles[0]} (enforce)\n{DENIED}"


def test_in_a_user_namespace(house, profiles):
    bundle = with_user_namespace(house, house.bundle(*LOOK, apparmorProfile=profiles[0]))
    assert house.ok("run", "-b", bundle, house.new_id()) == f"{profiles[0]} (enforce)\n{DENIED}"


def test_nobody_is_confined_unasked(house):
    for process in ({}, {"apparmorProfile": "unconfined"}):
        bundle = house.bundle("cat", CURRENT, "/tmp/closed", name=f"bundle{len(process)}", **process)
        assert house.ok("run", "-b", bundle, house.new_id()) == "unconfined\nclosed\n"


def confined(berth, profile):
    """A container that was made with the profile and waits."""
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("cat", "/dev/null", apparmorProfile=profile), container)
    return container


@enters_created
def test_who_enters_is_confined(house, profiles):
    """By the container's profile, or the one that is asked for."""
    container = confined(house, profiles[0])
    assert house.ok("exec", container, *LOOK) == f"{profiles[0]} (enforce)\n{DENIED}"
    assert house.ok("exec", "--apparmor", profiles[1], container, *LOOK) == f"{profiles[1]} (enforce)\n{DENIED}"
    assert house.ok("exec", "--apparmor=unconfined", container, *LOOK) == "unconfined\nopen\nclosed\n"


@enters_created
def test_profile_of_a_process_file(house, profiles, tmp_path):
    container = confined(house, profiles[0])
    process = {"args": LOOK, "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
    (tmp_path / "process.json").write_text(json.dumps(process | {"apparmorProfile": profiles[1]}))
    assert house.ok("exec", "--process", tmp_path / "process.json", container) == f"{profiles[1]} (enforce)\n{DENIED}"
    (tmp_path / "process.json").write_text(json.dumps(process))
    assert house.ok("exec", "--process", tmp_path / "process.json", container) == "unconfined\nopen\nclosed\n"


def test_profile_that_the_kernel_does_not_have(house):
    told = house.fails("run", "-b", house.bundle("true", apparmorProfile="no-such-profile"), house.new_id())
    assert "/process/apparmorProfile" in told and "no-such-profile" in told, told


@enters_created
def test_exec_with_a_profile_that_the_kernel_does_not_have(house, profiles):
    container = confined(house, profiles[0])
    told = house.fails("exec", "--apparmor", "no-such-profile", container, "true", code=255)
    assert "no-such-profile" in told, told
