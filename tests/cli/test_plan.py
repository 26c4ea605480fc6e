# SPDX-License-Identifier: Apache-2.0
import json

from machine import needs_root


def test_changes_nothing(berth):
    bundle = berth.bundle("true")
    assert berth.ok("plan", bundle) != ""
    assert not berth.root.exists()


def test_json(berth):
    bundle = berth.bundle("true")
    text = berth.ok("plan", "--format=json", bundle)
    assert isinstance(json.loads(text), dict)
    assert '"/mounts/0"' in text


def test_text_names_the_places(berth):
    text = berth.ok("plan", berth.bundle("true"))
    assert "from: /mounts/0" in text and "/proc" in text
    assert "{" not in text.splitlines()[0]


def test_current_directory_and_id(berth):
    bundle = berth.bundle("true")
    assert "my-id" in berth.ok("plan", "--id", "my-id", cwd=bundle)


@needs_root
def test_needs_no_privileges(berth):
    bundle = berth.bundle("true")
    berth.lend()
    bundle.chmod(bundle.stat().st_mode | 0o055)
    done = berth("plan", bundle, user=65534, group=65534, extra_groups=[])
    assert done.returncode == 0, done.stderr


def test_bad_config(berth):
    bundle = berth.bundle("true", args=[])
    assert "/process/args" in berth.fails("plan", bundle)
