# SPDX-License-Identifier: Apache-2.0
import json
import subprocess


def test_is_json_of_the_spec(berth):
    features = json.loads(berth.ok("features"))
    assert features["ociVersionMin"] == "1.0.0"
    assert features["ociVersionMax"].startswith("1.")
    assert "rro" in features["mountOptions"] and "user" in features["linux"]["namespaces"]
    assert len(features["hooks"]) == 6


def test_needs_neither_root_nor_state(berth):
    done = subprocess.run([berth.path, "features"], env={}, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_write_error_is_told(berth):
    with open("/dev/full", "w") as full:
        done = subprocess.run([berth.path, "features"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "standard output: write: no space left on device" in done.stderr
