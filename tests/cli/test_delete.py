# SPDX-License-Identifier: Apache-2.0
from machine import needs_cgroup


def test_stopped(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert berth.ok("delete", container) == ""
    assert "container does not exist" in berth.fails("delete", container)


def test_created(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    berth.ok("delete", container)
    assert "does not exist" in berth.fails("state", container)


def test_running_needs_force(berth):
    container = berth.running()
    assert f"cannot delete container {container} that is not stopped: running" in berth.fails("delete", container)
    berth.ok("delete", "--force", container)
    assert "does not exist" in berth.fails("state", container)


@needs_cgroup
def test_paused(berth):
    container = berth.running()
    berth.ok("pause", container)
    assert "that is not stopped: paused" in berth.fails("delete", container)
    berth.ok("delete", "-f", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("delete", "no-such")
    assert berth.ok("delete", "--force", "no-such") == ""


def test_half_made_record(berth):
    folder = berth.root / berth.new_id()
    folder.mkdir(parents=True)
    berth.ok("delete", "-f", folder.name)
    assert not folder.exists()


def test_damaged_record(berth):
    folder = berth.root / berth.new_id()
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{")
    assert "is damaged" in berth.fails("delete", folder.name)
    berth.ok("delete", "-f", folder.name)
    assert not folder.exists()


def test_record_of_a_newer_berth(berth):
    """It may name what this one does not know to remove."""
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle(), container)
    file = berth.root / container / "state.json"
    text = file.read_text()
    file.write_text(text.replace('"version":2', '"version":9'))
    for words in (["state"], ["delete"], ["delete", "-f"]):
        told = berth.fails(*words, container)
        assert "a newer berth has made it" in told and "damaged" not in told
    file.write_text(text)
    berth.ok("delete", container)
