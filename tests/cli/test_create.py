# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from machine import reads_init


@reads_init
def test_created_and_not_started(berth, tmp_path):
    container = berth.new_id()
    bundle = berth.bundle("true")
    assert berth.ok("create", "--bundle", bundle, "--pid-file", tmp_path / "pid", container) == ""
    state = berth.state(container)
    assert state["status"] == "created" and state["bundle"] == str(bundle)
    assert (tmp_path / "pid").read_text() == str(state["pid"])
    assert os.stat(f"/proc/{state['pid']}/ns/pid").st_ino != os.stat("/proc/self/ns/pid").st_ino


def test_bundle_is_the_current_directory(berth):
    container = berth.new_id()
    bundle = berth.bundle("true")
    berth.ok("create", container, cwd=bundle)
    assert berth.state(container)["bundle"] == str(bundle)


def test_id_is_taken(berth):
    container = berth.new_id()
    bundle = berth.bundle("true")
    berth.ok("create", "-b", bundle, container)
    assert "container with given ID already exists" in berth.fails("create", "-b", bundle, container)
    assert berth.state(container)["status"] == "created"


def test_invalid_ids(berth):
    bundle = berth.bundle("true")
    for name in ("a/b", "..", ".", "a b", "é"):
        assert "invalid container id" in berth.fails("create", "-b", bundle, name)


def test_no_bundle(berth, tmp_path):
    told = berth.fails("create", "-b", tmp_path / "no-such", "x")
    assert "config.json" in told or "no such file or directory" in told
    told = berth.fails("create", "-b", tmp_path, "x")
    assert "not found" in told and "config.json" in told


def test_malformed_config(berth):
    bundle = berth.bundle("true")
    (bundle / "config.json").write_text('{"ociVersion": "1.0.2",\n  "process": }')
    assert "config.json: 2:14: " in berth.fails("create", "-b", bundle, "x")


def test_wrong_type_names_the_place(berth):
    bundle = berth.bundle("true", cwd=7)
    assert "/process/cwd" in berth.fails("create", "-b", bundle, "x")


def test_other_config_file(berth, tmp_path):
    container = berth.new_id()
    bundle = berth.bundle("true")
    (bundle / "config.json").rename(tmp_path / "other.json")
    berth.ok("create", "-b", bundle, "--config", tmp_path / "other.json", container)
    assert berth.state(container)["status"] == "created"


def test_missing_rootfs_leaves_nothing(berth):
    container = berth.new_id()
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["root"]["path"] = "/no/such/rootfs"
    berth.write_config(bundle, config)
    assert "/no/such/rootfs" in berth.fails("create", "-b", bundle, container)
    assert "does not exist" in berth.fails("state", container)


def test_program_is_not_there(berth, tmp_path):
    container = berth.new_id()
    bundle = berth.bundle("no-such-program")
    told = berth.fails("create", "--pid-file", tmp_path / "pid", "-b", bundle, container)
    assert 'exec: "no-such-program": executable file not found in $PATH' in told
    assert not (tmp_path / "pid").exists()


def test_terminal_needs_a_console_socket(berth):
    bundle = berth.bundle("true", terminal=True)
    assert "without setting console socket" in berth.fails("create", "-b", bundle, berth.new_id())


def test_console_socket_needs_a_terminal(berth, tmp_path):
    bundle = berth.bundle("true")
    assert "cannot use console socket" in berth.fails("create", "--console-socket", tmp_path / "s", "-b", bundle,
                                                      berth.new_id())


@pytest.mark.skipif(os.path.exists("/run/systemd/system"), reason="this machine runs systemd: tests/guest/systemd")
@pytest.mark.parametrize("option", ["--systemd-cgroup", "--cgroup-manager=systemd"])
def test_no_systemd(berth, option):
    told = berth.fails(option, "create", "-b", berth.bundle("true"), berth.new_id())
    manager, socket = ("user", "/bus") if os.geteuid() else ("system", "/run/dbus/system_bus_socket")
    assert f"systemd cgroup flag passed, but systemd's {manager} manager cannot be reached" in told
    assert socket in told and "--cgroup-manager=cgroupfs" in told
