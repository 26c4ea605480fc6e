# SPDX-License-Identifier: Apache-2.0
"""Mounts of config.json, one by one: seen from inside the container."""
import os
import shutil

import pytest


@pytest.fixture
def image(tmp_path, rootfs):
    """A root filesystem of this test's own, that may be filled."""
    root = tmp_path / "image"
    shutil.copytree(rootfs, root, symlinks=True)
    return root


@pytest.fixture
def source(tmp_path):
    """A directory of the host's."""
    place = tmp_path / "source"
    place.mkdir()
    (place / "file").write_text("of the host\n")
    return place


def bundle_of(berth, image, mounts, *words):
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    config["root"] = {"path": str(image), "readonly": True}
    config["mounts"] += mounts
    berth.write_config(bundle, config)
    return bundle


def run(berth, image, mounts, script):
    return berth.ok("run", "-b", bundle_of(berth, image, mounts, "sh", "-c", script), berth.new_id())


def refused(berth, image, *mounts):
    """What is said; the first of mounts is the one that is refused."""
    bundle = bundle_of(berth, image, mounts, "true")
    index = len(berth.read_config(bundle)["mounts"]) - len(mounts)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert f"/mounts/{index}" in told, told
    return told


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": str(source), "options": ["bind", *options]}


def test_directory_onto_a_file(berth, image, source):
    told = refused(berth, image, bind(source, "/etc/passwd"))
    assert "not a directory" in told and "/etc/passwd" in told and "a directory cannot be mounted onto a file" in told


def test_file_onto_a_directory(berth, image, source):
    told = refused(berth, image, bind(source / "file", "/etc"))
    assert "not a directory" in told and "a file cannot be mounted onto a directory" in told


def test_tmpfs_onto_a_file(berth, image):
    told = refused(berth, image, {"destination": "/etc/passwd", "type": "tmpfs", "source": "tmpfs"})
    assert "not a directory" in told and "a directory cannot be mounted onto a file" in told
