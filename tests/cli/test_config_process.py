# SPDX-License-Identifier: Apache-2.0
"""What /process and the top level of config.json ask for, seen from inside the container."""
import ctypes
import json
import os
import platform
import subprocess

import pytest

SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}[platform.machine()]
NET_BIND_SERVICE, KILL = 1 << 10, 1 << 5


def run(berth, *words, **process):
    return berth.ok("run", "-b", berth.bundle(*words, **process), berth.new_id())


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_args_env_and_cwd(berth):
    text = run(berth, "sh", "-c", "echo $1-$X; pwd", "name", "one two", env=["PATH=/bin", "X=5", "X=6"], cwd="/tmp")
    assert text == "one two-6\n/tmp\n"


def test_user_groups_and_umask(berth):
    user = {"uid": 1000, "gid": 7, "additionalGids": [8, 9], "umask": 0o27}
    assert run(berth, "sh", "-c", "id -u; id -G; umask", user=user) == "1000\n7 8 9\n0027\n"


def test_capabilities(berth):
    wanted = {name: ["CAP_NET_BIND_SERVICE"] for name in SETS} | {"bounding": ["CAP_NET_BIND_SERVICE", "CAP_KILL"]}
    found = status(run(berth, "cat", "/proc/self/status", capabilities=wanted, user={"uid": 1000, "gid": 1000}))
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(found[name], 16) == NET_BIND_SERVICE, name
    assert int(found["CapBnd"], 16) == NET_BIND_SERVICE | KILL


@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges(berth, wanted):
    found = status(run(berth, "cat", "/proc/self/status", noNewPrivileges=wanted))
    assert found["NoNewPrivs"] == str(int(wanted))


def test_rlimits(berth):
    limits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096}]
    lines = run(berth, "cat", "/proc/self/limits", rlimits=limits).splitlines()
    found = {line[:26].strip(): line[26:].split()[:2] for line in lines}
    assert found["Max open files"] == ["100", "200"] and found["Max core file size"] == ["0", "4096"]


def test_oom_score(berth):
    assert run(berth, "cat", "/proc/self/oom_score_adj", oomScoreAdj=123) == "123\n"


def created(berth, **process):
    """The pid of a waiting init."""
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true", **process), container)
    return berth.state(container)["pid"]


def test_scheduler(berth):
    pid = created(berth, scheduler={"policy": "SCHED_BATCH", "nice": 5})
    assert os.sched_getscheduler(pid) == os.SCHED_BATCH and os.getpriority(os.PRIO_PROCESS, pid) == 5


def test_io_priority(berth):
    pid = created(berth, ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6})
    assert ctypes.CDLL(None).syscall(IOPRIO_GET, 1, pid) == 2 << 13 | 6


def test_console_size(berth):
    bundle = berth.bundle("stty", "size", consoleSize={"height": 11, "width": 22}, terminal=True)
    assert berth.ok("run", "-b", bundle, berth.new_id()).split() == ["11", "22"]


@pytest.mark.parametrize("user,env,home", [
    (1000, [], "/home/guest"), (0, ["HOME="], "/root"), (4321, [], "/"), (1000, ["HOME=/x", "HOME=/y"], "/y")])
def test_home(berth, user, env, home):
    assert run(berth, "sh", "-c", "echo $HOME", user={"uid": user, "gid": 0}, env=["PATH=/bin", *env]) == home + "\n"


def test_path_is_the_containers(berth):
    """Nothing is found without one, whatever the caller's is."""
    bundle = berth.bundle("true", env=["A=1"])
    assert "executable file not found in $PATH" in berth.fails("run", "-b", bundle, berth.new_id())
    assert run_again(berth, bundle, env=["PATH=/nowhere::/bin"]) == ""
    assert run_again(berth, bundle, env=["A=1"], args=["/bin/true"]) == ""


def run_again(berth, bundle, **process):
    config = berth.read_config(bundle)
    config["process"] |= process
    berth.write_config(bundle, config)
    return berth.ok("run", "-b", bundle, berth.new_id())


@pytest.mark.parametrize("member,module", [("apparmorProfile", "/sys/module/apparmor"),
                                           ("selinuxLabel", "/sys/fs/selinux/enforce")])
def test_label_without_its_module(berth, member, module):
    if os.path.exists(module):
        pytest.skip(f"there is {module}")
    told = berth.fails("run", "-b", berth.bundle("true", **{member: "some_profile"}), berth.new_id())
    assert f"/process/{member}" in told and "not enabled" in told


def test_unconfined_is_no_label(berth):
    assert run(berth, "echo", "ran", apparmorProfile="unconfined") == "ran\n"


def activated(berth, tmp_path, *words, of="$$", preserve=0):
    """Run as a service manager does: sockets (here files) from 3 on, named by the environment."""
    for name in ("first", "second", "third"):
        (tmp_path / name).write_text(name + "\n")
    bundle = berth.bundle(*words, env=["PATH=/bin", "LISTEN_FDS=7", "LISTEN_PID=7"])
    script = f"export LISTEN_FDS=2 LISTEN_FDNAMES=a:b LISTEN_PID={of}; cd {tmp_path}; exec \"$@\" 3<first 4<second 5<third"
    command = berth.command("run", f"--preserve-fds={preserve}", "-b", bundle, berth.new_id())
    done = subprocess.run(["bash", "-c", script, "bash", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


SHOW = ("sh", "-c", "ls /proc/$$/fd; env | grep LISTEN; echo $$; cat <&3; cat <&4; true")


def test_sockets_of_the_service_manager(berth, tmp_path):
    lines = activated(berth, tmp_path, *SHOW)
    assert {"LISTEN_FDS=2", "LISTEN_PID=1", "LISTEN_FDNAMES=a:b"} < set(lines) and "LISTEN_FDS=7" not in lines
    assert "first" in lines and "second" in lines and "5" not in lines


def test_preserved_descriptors_come_after_sockets(berth, tmp_path):
    lines = activated(berth, tmp_path, "sh", "-c", "cat <&5; ls /proc/$$/fd; true", preserve=1)
    assert lines[0] == "third" and "6" not in lines


def test_sockets_through_an_engine(berth, tmp_path):
    """LISTEN_PID names the engine or 1 then; neither runc nor crun looks at it."""
    lines = activated(berth, tmp_path, *SHOW, of="1")
    assert {"LISTEN_FDS=2", "LISTEN_PID=1"} < set(lines) and "first" in lines and "second" in lines


def test_sockets_that_are_not_there(berth):
    """Announced as they were, but nothing of berth's own is in their place."""
    bundle = berth.bundle("sh", "-c", "ls /proc/$$/fd; env")
    done = berth("run", "-b", bundle, berth.new_id(), env=os.environ | {"LISTEN_FDS": "3"})
    assert done.returncode == 0, done.stderr
    assert {"LISTEN_FDS=3", "LISTEN_PID=1"} < set(done.stdout.splitlines())
    assert not {"3", "4", "5"} & set(done.stdout.splitlines())


def test_preserved_descriptors_that_are_berths_own(berth):
    """berth has descriptors of its own at these numbers when it looks."""
    told = berth.fails("run", "--preserve-fds=1", "-b", berth.bundle("true"), berth.new_id())
    assert "descriptor 3 is not open" in told


def test_host_and_domain_name(berth):
    bundle = berth.bundle("cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname")
    config = berth.read_config(bundle) | {"hostname": "inside", "domainname": "example.org"}
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id()) == "inside\nexample.org\n"


def test_readonly_root(berth):
    bundle = berth.bundle("sh", "-c", "touch /x 2>/dev/null; echo $?")
    assert berth.ok("run", "-b", bundle, berth.new_id()) == "1\n"


def test_a_root_that_may_be_written(berth, image):
    bundle = berth.bundle("sh", "-c", "echo text > /x")
    config = berth.read_config(bundle)
    config["root"] = {"path": os.path.relpath(image, bundle)}
    berth.write_config(bundle, config)
    berth.ok("run", "-b", bundle, berth.new_id())
    assert (image / "x").read_text() == "text\n"


def test_the_state_is_json(berth):
    container = berth.running()
    state = json.loads(berth.ok("state", container))
    assert state["id"] == container and state["status"] == "running" and state["ociVersion"].startswith("1.")


def test_environment_variable_without_a_value(berth):
    bundle = berth.bundle("true", env=["PATH=/bin", "MOON"])
    assert "/process/env/1" in berth.fails("run", "-b", bundle, berth.new_id())
    container = berth.running()
    assert "invalid environment variable" in berth.fails("exec", "--env", "MOON", container, "true", code=255)
