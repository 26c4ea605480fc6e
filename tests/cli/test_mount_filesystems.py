# SPDX-License-Identifier: Apache-2.0
"""New filesystems of config.json: overlays, cgroups, labels."""
import os
import pathlib

import pytest

from machine import needs_cgroup


def bundle_of(berth, mounts, *words, linux=None):
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    config["mounts"] += mounts
    config["linux"] |= linux or {}
    berth.write_config(bundle, config)
    return bundle


def run(berth, mounts, script, linux=None):
    return berth.ok("run", "-b", bundle_of(berth, mounts, "sh", "-c", script, linux=linux), berth.new_id())


def overlay(layers, **more):
    words = [f"lowerdir={layers}", *(f"{name}={value}" for name, value in more.items())]
    return {"destination": "/tmp", "type": "overlay", "source": "overlay", "options": words}


@pytest.fixture
def layers(tmp_path):
    """Directories with long names, one of them with what separates layers; the first hides what the last has."""
    made = []
    for number in range(60):
        folder = tmp_path / f"{number}-{'long' * 20}{':x' if number == 30 else ''}"
        folder.mkdir()
        (folder / f"file{number}").write_text(f"{number}")
        (folder / "shared").write_text(f"layer {number}")
        made.append(folder)
    return made


def test_overlay_of_few_layers(berth, layers):
    assert run(berth, [overlay(f"{layers[0]}:{layers[1]}")], "cat /tmp/shared; ls /tmp") == \
        "layer 0file0\nfile1\nshared\n"


def test_overlay_of_many_layers(berth, layers, tmp_path):
    """More than a page of mount(2) would hold."""
    upper, work = tmp_path / "upper", tmp_path / "work"
    for folder in (upper, work):
        folder.mkdir()
        folder.chmod(0o777)  # for a user namespace's root
    text = ":".join(str(layer).replace(":", "\\:") for layer in layers)
    assert len(text) > 4096
    seen = run(berth, [overlay(text, upperdir=upper, workdir=work)],
               "cat /tmp/shared; echo new > /tmp/new; ls /tmp | wc -l; cat /tmp/file30")
    assert seen == "layer 062\n30" and (upper / "new").read_text() == "new\n"


def test_too_long_for_the_kernel(berth, tmp_path):
    told = berth.fails("run", "-b", bundle_of(berth, [overlay(tmp_path, upperdir="/x" * 200, workdir="/y")], "true"),
                       berth.new_id())
    assert "set option upperdir, of which the kernel takes 255 characters" in told and "/mounts/7" in told


HIERARCHIES = [line.split() for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
               if " - cgroup" in line]


def cgroup_mounts(berth, mount, kinds):
    """Of the container's mountinfo: place -> (root, flags), and the container's id."""
    container = berth.new_id()
    bundle = bundle_of(berth, [], "cat", "/proc/self/mountinfo")
    config = berth.read_config(bundle)
    # Its own /dev: the root is that of all tests of the session, which must stay as it is.
    config["mounts"] = [given for given in config["mounts"] if given["destination"] in ("/proc", "/dev")]
    config["mounts"].append({"destination": "/tmp", "source": "cgroup"} | mount)
    config["linux"]["namespaces"] = [{"type": kind} for kind in kinds]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}
    if "user" in kinds:
        config["linux"] |= {name: [{"containerID": 0, "hostID": 100000, "size": 1000}]
                            for name in ("uidMappings", "gidMappings")}
    del config["hostname"]
    berth.write_config(bundle, config)
    lines = [line.split() for line in berth.ok("run", "-b", bundle, container).splitlines()]
    return {words[4]: (words[3], set(words[5].split(","))) for words in lines if words[4].startswith("/tmp")}, container


NAMESPACES = [("mount", "pid"), ("mount", "pid", "cgroup"), ("mount", "pid", "user"),
              ("mount", "pid", "user", "cgroup")]


@pytest.mark.parametrize("kinds", NAMESPACES, ids="-".join)
@pytest.mark.skipif(len(HIERARCHIES) < 2, reason="this host has one hierarchy")
@needs_cgroup
def test_cgroup_v1_is_a_directory_of_hierarchies(berth, kinds):
    """Each shows the container's own cgroup, by its namespace or as a bind, and all are read-only."""
    options = {"type": "cgroup", "options": ["ro", "nosuid", "nodev", "noexec"]}
    found, container = cgroup_mounts(berth, options, kinds)
    assert set(found) == {"/tmp", *("/tmp/" + words[4].rpartition("/")[2] for words in HIERARCHIES)}
    for place, (root, flags) in found.items():
        assert flags >= {"ro", "nosuid", "nodev", "noexec"}, place
        assert place == "/tmp" or root == "/" if "cgroup" in kinds else place == "/tmp" or root.endswith(container)


@pytest.mark.parametrize("kinds", NAMESPACES, ids="-".join)
@pytest.mark.skipif(all(" ".join(words).find(" - cgroup2 ") < 0 for words in HIERARCHIES), reason="no cgroup2 here")
@needs_cgroup
def test_cgroup2(berth, kinds):
    found, container = cgroup_mounts(berth, {"type": "cgroup2", "options": ["nosuid"]}, kinds)
    (root, flags), = found.values()
    assert (root == "/" if "cgroup" in kinds else root.endswith(container)) and {"rw", "nosuid"} <= flags


@pytest.mark.parametrize("kind", ["cgroup", "cgroup2"])
@pytest.mark.skipif(len(HIERARCHIES) < 2, reason="this host has one hierarchy")
def test_propagation_of_cgroups(berth, kind):
    mount = {"destination": "/tmp", "type": kind, "source": "cgroup", "options": ["rshared"]}
    lines = run(berth, [mount], "cat /proc/self/mountinfo").splitlines()
    places = [line for line in lines if line.split()[4].startswith("/tmp")]
    assert places and all(" shared:" in line for line in places)


@pytest.mark.skipif(os.path.exists("/sys/fs/selinux/enforce"), reason="SELinux is on")
def test_mount_label_without_selinux(berth):
    told = berth.fails("run", "-b", bundle_of(berth, [], "true", linux={"mountLabel": "u:r:t:s0"}), berth.new_id())
    assert "/linux/mountLabel" in told and "SELinux is not enabled" in told
