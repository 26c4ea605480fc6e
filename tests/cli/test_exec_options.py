# SPDX-License-Identifier: Apache-2.0
"""What a further process of a container is made of: the saved config, the options, or a process file as it is."""
import array
import json
import os
import pathlib
import shutil
import socket
import subprocess

import pytest

import shapes
from machine import any_ids, needs_cgroup, needs_root, own_users

SECONDS = 60
STATUS = ("cat", "/proc/self/status")


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


@pytest.fixture
def container(berth):
    return berth.running()


def started(berth, change=lambda config: None, **members):
    """A running container with another config."""
    bundle = berth.bundle("sh", "-c", "read line", **members)
    config = berth.read_config(bundle)
    change(config)
    berth.write_config(bundle, config)
    return berth.run_waiting(bundle)


def process_file(berth, **members):
    path = berth.folder / "process.json"
    path.write_text(json.dumps({"args": ["true"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}} | members))
    return path


def test_later_edit_of_the_bundle_changes_nothing(berth):
    container = started(berth, env=["PATH=/bin", "A=1"])
    bundle = pathlib.Path(berth.state(container)["bundle"])
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["env"] = ["PATH=/bin", "A=2"]
    config["process"]["cwd"] = "/none"
    (bundle / "config.json").write_text(json.dumps(config))
    assert berth.ok("exec", container, "sh", "-c", "echo $A; pwd") == "1\n/\n"
    shutil.rmtree(bundle)
    assert berth.ok("exec", container, "sh", "-c", "echo $A") == "1\n"


def test_process_file_as_it_is(berth, container):
    """The options that describe a process are ignored with it, and nothing comes from the config."""
    path = process_file(berth, args=["sh", "-c", "env; id -G; cat /proc/self/status"], env=["PATH=/bin", "ONLY=1"],
                        cwd="/tmp")
    told = berth.ok("exec", "-p", path, "--cwd", "/none", "-e", "B=2", "-u", "1:1", "-g", "9", "--cap", "CAP_SYS_TIME",
                    "--no-new-privs", container, "not-this")
    lines = told.splitlines()
    assert {"ONLY=1", "PATH=/bin"} <= set(lines) and not [line for line in lines if line.startswith("B=")]
    seen = status(told)
    assert seen["NoNewPrivs"] == "0" and set(seen["Uid"].split()) == {"0"} and "9" not in seen["Groups"].split()
    assert int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == 0  # no capabilities named, none given


@pytest.mark.parametrize("text, pointer", [('{"args": []}', "/args"), ('{"args": ["true"], "cwd": "tmp"}', "/cwd"),
                                           ('{"args": ["true"], "cwd": "/", "env": [3]}', "/env/0"), ("[", "process file"),
                                           ('{"args": ["true"], "cwd": "/", "moon": 1, "rlimits": 5}', "/rlimits")])
def test_process_file_that_is_wrong(berth, container, text, pointer):
    path = berth.folder / "process.json"
    path.write_text(text)
    told = berth.fails("exec", "-d", "--pid-file", berth.folder / "pid", "-p", path, container, code=255)
    assert pointer in told or "process" in told
    assert not (berth.folder / "pid").exists()


def test_environment_is_added_to_the_configs(berth):
    container = started(berth, env=["PATH=/bin", "A=1", "HOME=/x"])
    told = berth.ok("exec", "-e", "A=2", "-e", "C=", container, "env").splitlines()
    assert {"PATH=/bin", "A=2", "C=", "HOME=/x"} <= set(told) and "A=1" not in told


def test_terminal_is_what_the_option_says(berth, container):
    assert berth.ok("exec", container, "sh", "-c", "test -t 0 || echo none") == "none\n"
    path = process_file(berth, args=["sh", "-c", "test -t 0 && echo terminal"], terminal=True)
    assert berth.ok("exec", "-p", path, container) == "terminal\n"


@any_ids
def test_groups_are_added(berth):
    container = started(berth, user={"uid": 0, "gid": 0, "additionalGids": [5]})
    told = berth.ok("exec", "-u", "1000:1001", "-g", "7", "-g", "65534", container, "id", "-G")
    assert told.split() == ["1001", "5", "7", "65534"]


@pytest.mark.parametrize("group", ["-1", "4294967295", "x", "4294967296"])
def test_bad_group(berth, container, group):
    assert "--additional-gids" in berth.fails("exec", f"--additional-gids={group}", container, "true", code=255)


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "0x10", " 1", "1:", "18446744073709551616", "1:4294967296",
                                  "1:-1", "+1", "01", "1 "])
def test_numbers_of_users_are_strict(berth, container, user):
    """-1 and 2^32-1 would leave the ids as they are: root's."""
    assert "is no user or group id" in berth.fails("exec", "-u", user, container, "true", code=255)


@pytest.mark.parametrize("inheritable", [True, False])
def test_added_capability(berth, inheritable):
    """To ambient only where inheritable is in use: else it would be handed on to every program."""
    sets = {name: ["CAP_KILL"] for name in ("bounding", "effective", "permitted")}
    if inheritable:
        sets |= {"inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}
    container = started(berth, capabilities=sets)
    seen = status(berth.ok("exec", "--cap", "CAP_NET_RAW", container, *STATUS))
    kill, raw = 1 << 5, 1 << 13
    for name in ("CapBnd", "CapEff", "CapPrm"):
        assert int(seen[name], 16) == kill | raw
    for name in ("CapInh", "CapAmb"):
        assert int(seen[name], 16) == (kill | raw if inheritable else 0)


def test_no_new_privileges(berth, container):
    assert status(berth.ok("exec", "--no-new-privs", container, *STATUS))["NoNewPrivs"] == "1"


def test_no_new_privileges_of_the_config_stay(berth):
    container = started(berth, noNewPrivileges=True)
    assert status(berth.ok("exec", container, *STATUS))["NoNewPrivs"] == "1"


def lsm(name):
    modules = pathlib.Path("/sys/kernel/security/lsm")
    return modules.exists() and name in modules.read_text().split(",")


@pytest.mark.skipif(lsm("apparmor"), reason="it is about a kernel without AppArmor")
def test_apparmor_that_is_not_there(berth, container):
    told = berth.fails("exec", "-d", "--pid-file", berth.folder / "pid", "--apparmor", "moon", container, "true", code=255)
    assert "apparmor" in told.lower() and not (berth.folder / "pid").exists()


@pytest.mark.skipif(lsm("selinux"), reason="it is about a kernel without SELinux")
def test_selinux_that_is_not_there(berth, container):
    told = berth.fails("exec", "--process-label", "a:b:c:s0", container, "true", code=255)
    assert "selinux" in told.lower()


def test_preserved_descriptors(berth, container, tmp_path):
    (tmp_path / "three").write_text("3")
    (tmp_path / "four").write_text("4")
    script = 'exec 3<"$1" 4<"$2"; shift 2; exec "$@"'
    command = ["bash", "-c", script, "bash", tmp_path / "three", tmp_path / "four",
               *berth.command("exec", "--preserve-fds=2", container, "sh", "-c", "cat <&3; cat <&4; ls /proc/$$/fd; true")]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    assert told.startswith("34") and told[2:].split() == ["0", "1", "2", "3", "4"]


def test_nothing_of_the_callers_is_open(berth, container):
    with open("/dev/null") as other:
        told = berth.ok("exec", container, "sh", "-c", "ls /proc/$$/fd; true", pass_fds=[other.fileno()])
    assert told.split() == ["0", "1", "2"]


@needs_cgroup
def test_paused_container_that_is_not_looked_at(berth, container):
    """The process waits with the others, until the container is resumed."""
    berth.ok("pause", container)
    words = berth.command("exec", "--ignore-paused", container, "echo", "x")
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert berth.state(container)["status"] == "paused"
        berth.ok("resume", container)
        assert process.stdout.read() == "x\n" and process.wait(SECONDS) == 0


def test_pidfd_socket(berth, container, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listener.settimeout(SECONDS)
        berth.ok("exec", "-d", "--pidfd-socket", tmp_path / "s", "--pid-file", tmp_path / "pid", container, "sleep", "1000")
        connection, _ = listener.accept()
        data, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
        connection.close()
    descriptor = array.array("i", ancillary[0][2])[0]
    pid = (tmp_path / "pid").read_text()
    assert data == b"setns" and f"Pid:\t{pid}\n" in pathlib.Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    os.kill(int(pid), 9)
    os.close(descriptor)


def test_pidfd_socket_that_nobody_listens_to(berth, container, tmp_path):
    berth.fails("exec", "-d", "--pidfd-socket", tmp_path / "none", "--pid-file", tmp_path / "pid", container, "sleep", "1000",
                code=255)
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize("words, text", [
    (("no-such",), 'exec: "no-such": executable file not found in $PATH'),
    (("/no/such",), "no such file or directory"),
    (("/etc/passwd",), "permission denied"),
    (("/etc",), "is a directory"),
    (("--cwd", "/none", "true"), "/none"),
    (("--user", "x", "true"), "is no user"),
    (("--env", "MOON", "true"), "invalid environment variable")])
@pytest.mark.parametrize("detach", [(), ("-d",)])
def test_failure_leaves_no_pid_file(berth, container, words, text, detach):
    """By which conmon tells a runtime that failed from a command that did."""
    options, command = (words[:2], words[2:]) if words[0].startswith("--") else ((), words)
    told = berth.fails("exec", *detach, "--pid-file", berth.folder / "pid", *options, container, *command, code=255)
    assert text in told and not (berth.folder / "pid").exists()


def test_pid_file_that_cannot_be_written(berth, container):
    before = berth.ok("ps", "-f", "json", container) if shapes.SHAPE != "rootless" else ""
    berth.fails("exec", "-d", "--pid-file", "/none/pid", container, "sleep", "1000", code=255)
    assert (berth.ok("ps", "-f", "json", container) if shapes.SHAPE != "rootless" else "") == before


def without_namespace(*kinds):
    def change(config):
        namespaces = config["linux"]["namespaces"]
        config["linux"]["namespaces"] = [each for each in namespaces if each["type"] not in kinds]
    return change


@needs_root
@own_users
def test_container_without_its_own_pid_namespace(berth):
    container = started(berth, without_namespace("pid"))
    pid = int(berth.ok("exec", container, "sh", "-c", "echo $$"))
    assert pid > 1 and berth.ok("exec", container, "readlink", "/proc/self/ns/pid").strip() == os.readlink("/proc/self/ns/pid")


@needs_root
@own_users
def test_container_that_shares_all_but_mounts(berth):
    container = started(berth, without_namespace("pid", "network", "ipc", "cgroup"))
    assert berth.ok("exec", container, "ls", "/").split() == sorted(os.listdir(berth.rootfs))


@needs_root
@own_users
@pytest.mark.parametrize("owner", ["host", "container"])
def test_user_namespaces_in_either_order_of_rights(berth, owner):
    """A network namespace of the host's can be entered only with the host's rights, one that the container's user
    namespace owns with those too: all are entered in one call."""
    with subprocess.Popen(["unshare", "--net", "sleep", "1000"]) as holder:
        try:
            def change(config):
                shapes.add_user_namespace(config)
                if owner == "host":
                    for each in config["linux"]["namespaces"]:
                        if each["type"] == "network":
                            each["path"] = f"/proc/{holder.pid}/ns/net"
                    config["mounts"] = [each for each in config["mounts"] if not each["destination"].startswith("/sys")]

            wait_for_program(holder.pid, "sleep")
            container = started(berth, change)
            pid = berth.state(container)["pid"]
            for name in ("net", "user", "pid", "mnt", "uts", "ipc"):
                inside = berth.ok("exec", container, "readlink", f"/proc/self/ns/{name}").strip()
                assert inside == os.readlink(f"/proc/{pid}/ns/{name}")
        finally:
            holder.kill()


def wait_for_program(pid, name):
    while pathlib.Path(f"/proc/{pid}/comm").read_text().strip() != name:
        os.sched_yield()


@needs_root
def test_pid_that_came_again(berth, container):
    """The record's process has another time of start: nothing of it is entered."""
    record = berth.root / container / "state.json"
    text = record.read_text()
    first, rest = text.split("\n", 1)
    pid = berth.state(container)["pid"]
    start = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    assert start in first
    other = str(int(start) - 1).rjust(len(start), "0")
    record.write_text(first.replace(start, other, 1) + "\n" + rest)
    try:
        assert "cannot exec in a stopped container" in berth.fails("exec", container, "true", code=255)
    finally:
        record.write_text(text)


def test_settings_of_the_config(berth):
    """rlimits, umask, oom score and personality are those of the container's process."""
    container = started(berth, lambda config: config["process"].update(
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 77}], oomScoreAdj=500,
        user=config["process"]["user"] | {"umask": 0o27}))
    told = berth.ok("exec", container, "sh", "-c", "ulimit -n; umask; cat /proc/self/oom_score_adj")
    assert told.split() == ["77", "0027", "500"]
