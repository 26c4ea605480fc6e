# SPDX-License-Identifier: Apache-2.0
import json
import re


def test_members_in_their_order(berth):
    container = berth.new_id()
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["annotations"] = {"one": "1"}
    berth.write_config(bundle, config)
    berth.ok("create", "-b", bundle, container)
    text = berth.ok("state", container)
    state = json.loads(text)
    assert list(state) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations", "owner"]
    assert state["rootfs"] == str(berth.rootfs) and state["annotations"] == {"one": "1"} and state["owner"] == ""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", state["created"])
    assert text.startswith('{\n  "ociVersion": "')


def test_pid_is_zero_after_the_end(berth):
    container = berth.running("read line")
    berth.ok("kill", container, "KILL")
    berth.wait_stopped(container)
    assert berth.state(container)["status"] == "stopped" and berth.state(container)["pid"] == 0


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("state", "no-such")
