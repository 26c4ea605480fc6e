# SPDX-License-Identifier: Apache-2.0
import json
import subprocess


def spec(berth, folder, *arguments):
    return subprocess.run([berth.path, "spec", *arguments], cwd=folder, capture_output=True, text=True)


def test_writes_a_template(berth, tmp_path):
    assert spec(berth, tmp_path).returncode == 0
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["process"]["args"] == ["sh"] and config["root"]["path"] == "rootfs"


def test_cgroup_namespace_on_pure_v2(berth, tmp_path):
    pure_v2 = subprocess.run(["stat", "-fc", "%T", "/sys/fs/cgroup"], capture_output=True, text=True).stdout.strip() == "cgroup2fs"
    assert spec(berth, tmp_path).returncode == 0
    namespaces = json.loads((tmp_path / "config.json").read_text())["linux"]["namespaces"]
    assert ({"type": "cgroup"} in namespaces) == pure_v2


def test_refuses_to_overwrite(berth, tmp_path):
    (tmp_path / "config.json").write_text("mine")
    done = spec(berth, tmp_path)
    assert (done.returncode, done.stderr) == (1, "berth: File config.json exists. Remove it first\n")
    assert (tmp_path / "config.json").read_text() == "mine"


def test_bundle(berth, tmp_path):
    (tmp_path / "b").mkdir()
    assert spec(berth, tmp_path, "--bundle", "b").returncode == 0
    assert (tmp_path / "b/config.json").exists()
    assert "no/such/config.json" in spec(berth, tmp_path, "-b", "no/such").stderr


def test_rootless(berth, tmp_path):
    assert spec(berth, tmp_path, "--rootless").returncode == 0
    linux = json.loads((tmp_path / "config.json").read_text())["linux"]
    assert {"type": "user"} in linux["namespaces"] and {"type": "network"} not in linux["namespaces"]
    assert linux["uidMappings"][0]["size"] == 1


def test_full_disk_leaves_nothing(berth, tmp_path):
    done = subprocess.run(["bash", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$0" spec', berth.path], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode == 1 and "config.json: write: file too large" in done.stderr
    assert not (tmp_path / "config.json").exists()
