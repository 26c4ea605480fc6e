# SPDX-License-Identifier: Apache-2.0
import json
import os
import pwd
import subprocess

from machine import needs_root


def test_empty(berth):
    berth.root.mkdir()
    assert berth.ok("list") == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"
    assert berth.ok("list", "-f", "json") == "null\n"
    assert berth.ok("list", "-q") == ""


def test_root_that_is_not_there(berth):
    assert "no such file or directory" in berth.fails("list")


@needs_root
def test_default_root_that_is_not_there(berth, tmp_path):
    """Nothing has been created since the start of the machine: /run is empty."""
    apart = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" list -q', berth.path]
    done = subprocess.run(apart, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_two_containers(berth):
    ids = [berth.new_id(), berth.new_id()]
    bundle = berth.bundle("true")
    berth.ok("create", "-b", bundle, ids[0])
    berth.ok("run", "--keep", "-b", bundle, ids[1])
    assert berth.ok("list", "-q").split() == ids
    states = json.loads(berth.ok("list", "--format=json"))
    owner = pwd.getpwuid(os.geteuid()).pw_name
    assert [(s["id"], s["status"], s["owner"]) for s in states] == [(ids[0], "created", owner), (ids[1], "stopped", owner)]
    header, first, second = berth.ok("list").splitlines()
    assert first.split() == [ids[0], str(states[0]["pid"]), "created", str(bundle), states[0]["created"], owner]
    assert second.split()[:3] == [ids[1], "0", "stopped"]
    assert header.index("BUNDLE") == first.index(str(bundle)) == second.index(str(bundle))


def test_one_broken_record_hides_nothing(berth):
    ids = [berth.new_id(), berth.new_id()]
    bundle = berth.bundle("true")
    berth.ok("run", "--keep", "-b", bundle, ids[1])
    (berth.root / ids[0]).mkdir()
    (berth.root / ids[0] / "state.json").write_text("{")
    done = berth("list", "-q")
    assert (done.returncode, done.stdout) == (0, ids[1] + "\n")
    assert f"berth: warning: container {ids[0]}: " in done.stderr
