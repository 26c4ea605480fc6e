# SPDX-License-Identifier: Apache-2.0
"""`berth lint`: what it says of a bundle, and that what it calls an error is one for `run`."""
import json

import pytest

from machine import needs_root

FILTER = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["acct"], "action": "SCMP_ACT_ERRNO"}]}


def bundle_of(berth, change=lambda config: None):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["seccomp"] = FILTER
    change(config)
    (bundle / "config.json").write_text(json.dumps(config, indent=2))
    return bundle


def findings(berth, bundle, code=0):
    done = berth("lint", "--format=json", bundle)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_nothing_to_say(berth):
    bundle = bundle_of(berth)
    assert findings(berth, bundle) == []
    assert berth.ok("lint", bundle) == "" == berth.ok("lint", cwd=bundle)
    assert not berth.root.exists()


def test_line_and_column(berth):
    def change(config):
        config["mounts"].append({"destination": "/x", "type": "bind", "source": "/", "options": ["rbind", "ro"]})
    bundle = bundle_of(berth, change)
    (found,) = findings(berth, bundle)
    line = (bundle / "config.json").read_text().splitlines()[found["line"] - 1]
    assert line[found["column"] - 1:].startswith('"/"') and line.strip().startswith('"source"')
    assert (found["severity"], found["code"], found["pointer"]) == ("warning", "host-path", "/mounts/7/source")
    text = berth.ok("lint", bundle)
    assert text == f"config.json:{found['line']}:{found['column']}: warning: /mounts/7/source: {found['text']} [host-path]\n"


def test_unknown_members(berth):
    def change(config):
        config["hostnane"] = "x"
        config["process"]["zzzzzz"] = config["linux"]["resources"]["memmory"] = {}
    found = {each["pointer"]: each for each in findings(berth, bundle_of(berth, change))}
    assert found.keys() == {"/hostnane", "/process/zzzzzz", "/linux/resources/memmory"}
    assert {each["code"] for each in found.values()} == {"unknown-member"}
    assert 'did you mean "hostname"?' in found["/hostnane"]["text"]
    assert 'did you mean "memory"?' in found["/linux/resources/memmory"]["text"]
    assert "did you mean" not in found["/process/zzzzzz"]["text"]


def test_all_of_them_that_differ_in_case(berth):
    def change(config):
        config["Hostname"] = "x"
        config["process"]["noNewprivileges"] = True
    bundle = bundle_of(berth, change)
    found = findings(berth, bundle, code=1)
    assert [(each["code"], each["pointer"]) for each in found] == [
        ("member-case", "/process/noNewprivileges"), ("member-case", "/Hostname")]
    assert "did you mean" in berth.fails("run", "-b", bundle, berth.new_id())


def missing_source(config):
    config["mounts"].append({"destination": "/tmp", "type": "bind", "source": "/no/such", "options": ["bind"]})


def set_linux(**members):
    return lambda config: config["linux"].update(members)


def set_process(**members):
    return lambda config: config["process"].update(members)


@pytest.mark.parametrize("change,code,pointer", [
    (lambda config: config["root"].update(path="/no/such"), "root-missing", "/root/path"),
    (set_process(args=["no-such"]), "program-missing", "/process/args/0"),
    (set_process(args=["/bin/no-such"]), "program-missing", "/process/args/0"),
    (missing_source, "mount-source-missing", "/mounts/7/source"),
    (lambda config: config["linux"]["namespaces"].append({"type": "cgroup", "path": "/no/such"}), "namespace-missing",
     "/linux/namespaces/5/path"),
    (lambda config: config.update(hooks={"prestart": [{"path": "/no/such"}]}), "hook-missing", "/hooks/prestart/0/path"),
    (set_linux(netDevices={"no-such9": {}}), "net-device-missing", "/linux/netDevices/no-such9"),
    (set_linux(sysctl={"fs.mqueue.no_such": "1"}), "sysctl-missing", "/linux/sysctl/fs.mqueue.no_such"),
    (set_process(cwd="relative"), "invalid", "/process/cwd"),
    (set_process(args="true"), "invalid", "/process/args"),
    (lambda config: config.update(annotations={"run.berth.mdw": "true"}), "refused", "/annotations/run.berth.mdw"),
])
def test_an_error_is_one(berth, change, code, pointer):
    """With the same place as create's."""
    bundle = bundle_of(berth, change)
    (found,) = findings(berth, bundle, code=1)
    assert (found["severity"], found["code"], found["pointer"]) == ("error", code, pointer)
    assert pointer.rpartition("/")[0] in berth.fails("run", "-b", bundle, berth.new_id())


def test_every_error_at_once(berth):
    def change(config):
        missing_source(config)
        config["process"] |= {"args": ["no-such"], "apparmorProfile": "x", "selinuxLabel": "y"}
    codes = [each["code"] for each in findings(berth, bundle_of(berth, change), code=1)]
    assert {"mount-source-missing", "program-missing"} <= set(codes)


def test_a_broken_rule_hides_nothing_else(berth):
    def change(config):
        config["process"]["cwd"] = "relative"
        config["root"]["path"] = "missing"
        config["mounts"].append({"destination": "/x", "type": "bind", "source": "/not/there", "options": ["bind"]})
    found = {(each["code"], each["pointer"]) for each in findings(berth, bundle_of(berth, change), code=1)}
    assert {("invalid", "/process/cwd"), ("root-missing", "/root/path"), ("mount-source-missing", "/mounts/7/source")} <= found


def test_a_mount_may_bring_the_program(berth, tmp_path):
    def change(config):
        config["mounts"].append({"destination": "/opt", "type": "bind", "source": str(tmp_path), "options": ["bind"]})
        config["process"]["args"] = ["/opt/program"]
    assert findings(berth, bundle_of(berth, change)) == []


def test_warnings_of_the_plan(berth):
    def change(config):
        config["mounts"].append({"destination": "tmp", "type": "tmpfs", "source": "x"})
    found = findings(berth, bundle_of(berth, change))
    assert [each["code"] for each in found] == ["carried-out-differently"] and "relative" in found[0]["text"]


def test_no_json(berth):
    bundle = bundle_of(berth)
    (bundle / "config.json").write_text('{\n  "a": }')
    (found,) = findings(berth, bundle, code=1)
    assert (found["line"], found["code"]) == (2, "invalid") and found["column"] > 1
    (bundle / "config.json").unlink()
    assert "not found" in berth.fails("lint", bundle)


def test_other_file(berth):
    bundle = bundle_of(berth)
    (bundle / "other.json").write_text("{}")
    done = berth("lint", "--config=other.json", cwd=bundle)
    assert done.returncode == 1 and done.stdout.startswith("other.json:1:1: error: /ociVersion: ")


@needs_root
def test_needs_no_privileges(berth):
    bundle = bundle_of(berth)
    berth.lend()
    bundle.chmod(bundle.stat().st_mode | 0o055)
    done = berth("lint", bundle, user=65534, group=65534, extra_groups=[])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
