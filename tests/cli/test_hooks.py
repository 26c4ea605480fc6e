# SPDX-License-Identifier: Apache-2.0
"""What hooks are given, where they run, and what becomes of those that fail or take too long."""
import json
import os
import pathlib
import signal

import pytest

HOST = ("prestart", "createRuntime", "poststart", "poststop")
BEFORE = ("prestart", "createRuntime", "createContainer", "startContainer")
PATHS = "PATH=/bin:/usr/bin"


def shell(script, **more):
    return {"path": "/bin/sh", "args": ["sh", "-c", script]} | more


def bundle_with(berth, hooks, *args, change=None, **process):
    bundle = berth.bundle(*args, **process)
    config = berth.read_config(bundle) | {"hooks": hooks}
    if change:
        change(config)
    berth.write_config(bundle, config)
    return bundle


def in_pid_namespace_of_the_host(config):
    """Where a user namespace may mount no procfs."""
    config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "pid"]
    config["mounts"] = [each for each in config["mounts"] if each["type"] != "proc"]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}


def refuses(*names):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": list(names), "action": "SCMP_ACT_ERRNO"}]}

    def change(config):
        config["linux"]["seccomp"] = profile
    return change


@pytest.fixture
def shared(tmp_path):
    """A directory that is at the same path in the container and outside."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)

    def change(config):
        config["mounts"].append({"source": str(folder), "destination": str(folder), "type": "bind", "options": ["bind"]})
    yield folder, change
    for path in folder.glob("pid-*"):  # left by a runtime that fails the test
        pid = path.read_text().strip()
        words = pathlib.Path("/proc", pid, "cmdline")
        if words.exists() and words.read_bytes() == b"sleep\x001000\x00":
            os.kill(int(pid), signal.SIGKILL)


def test_namespaces_and_pids(berth, shared):
    """Each hook says where it is, which root it sees, and what it read."""
    folder, mounted = shared
    script = (f"readlink /proc/self/ns/mnt > {folder}/$0; readlink /proc/self/ns/uts >> {folder}/$0; "
              f"hostname >> {folder}/$0; cat >> {folder}/$0")
    hooks = {kind: [shell(script, args=["sh", "-c", script, kind], env=[PATHS])] for kind in (*HOST, *BEFORE[2:])}
    container = berth.new_id()
    berth.ok("run", "-b", bundle_with(berth, hooks, "readlink", "/proc/self/ns/mnt", change=mounted), container)
    said = {kind: (folder / kind).read_text().split("\n", 3) for kind in hooks}
    mine = os.readlink("/proc/self/ns/mnt")
    assert all(said[kind][0] == mine for kind in HOST)
    assert said["createContainer"][0] == said["startContainer"][0] != mine
    assert said["createContainer"][1] == said["startContainer"][1] != said["poststop"][1]
    states = {kind: json.loads(said[kind][3]) for kind in hooks}
    assert all(states[kind]["id"] == container and states[kind]["bundle"] for kind in hooks)
    pids = {states[kind]["pid"] for kind in ("prestart", "createRuntime", "poststart")}
    assert len(pids) == 1 and pids.pop() > 1
    assert states["createContainer"]["pid"] == states["startContainer"]["pid"] == 1
    assert states["poststop"].get("pid", 0) == 0
    order = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
             "startContainer": "created", "poststart": "running", "poststop": "stopped"}
    assert {kind: states[kind]["status"] for kind in hooks} == order


def test_paths_are_looked_up_on_their_side(berth, image, shared):
    """createContainer runs a file of the host, startContainer one of the image."""
    folder, mounted = shared
    (image / "only-inside").write_text(f"#!/bin/sh\necho inside > {folder}/inside\n")
    (image / "only-inside").chmod(0o755)
    outside = folder.parent / "only-outside"
    outside.write_text(f"#!/bin/sh\necho outside > {folder}/outside\n")
    outside.chmod(0o755)

    def change(config):
        mounted(config)
        config["root"]["path"] = str(image)

    hooks = {"createContainer": [{"path": str(outside)}], "startContainer": [{"path": "/only-inside"}]}
    berth.ok("run", "-b", bundle_with(berth, hooks, change=change), berth.new_id())
    assert {path.name for path in folder.iterdir()} == {"inside", "outside"}


def test_environment(berth, shared):
    """Exactly env; without it nothing of the caller's or of the container's, but for startContainer, which runs a
    program of the image in the container: there it is the program's."""
    folder, mounted = shared
    kinds = (*HOST, *BEFORE[2:])

    def hook(name, **more):
        words = ["busybox", "cp", "/proc/self/environ", f"{folder}/{name}"]
        return {"path": "/bin/busybox", "args": words} | more

    hooks = {kind: [hook(f"{kind}-none"), hook(f"{kind}-own", env=["A=1", "B=2"])] for kind in kinds}
    bundle = bundle_with(berth, hooks, change=mounted, env=["PATH=/bin", "LD_PRELOAD=/evil.so", "EVIL=1"])
    berth.ok("run", "-b", bundle, berth.new_id(), env=os.environ | {"OF_THE_CALLER": "1"})

    def variables(name):
        return set(filter(None, (folder / name).read_text().split("\0")))

    assert all(variables(f"{kind}-own") == {"A=1", "B=2"} for kind in kinds)
    assert all(variables(f"{kind}-none") == set() for kind in kinds if kind != "startContainer")
    assert {"LD_PRELOAD=/evil.so", "EVIL=1"} <= variables("startContainer-none")


def test_no_signal_is_blocked_or_ignored(berth, shared):
    """berth itself blocks them while it stays in the foreground."""
    folder, mounted = shared
    hooks = {kind: [{"path": "/bin/cp", "args": ["cp", "/proc/self/status", f"{folder}/{kind}"]}] for kind in HOST}
    bundle = bundle_with(berth, hooks, change=mounted)
    berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    for kind in HOST:
        lines = dict(line.split(":\t", 1) for line in (folder / kind).read_text().splitlines())
        assert int(lines["SigBlk"], 16) == 0 and int(lines["SigIgn"], 16) == 0, kind


@pytest.mark.parametrize("kind", BEFORE)
def test_error_has_what_the_hook_wrote(berth, kind):
    hooks = {kind: [shell("echo of the first"), shell("echo why not >&2; exit 3")]}
    told = berth.fails("run", "-b", bundle_with(berth, hooks), berth.new_id())
    assert "why not" in told and "of the first" not in told and f"/hooks/{kind}/1" in told


def test_start_tells_what_the_hook_wrote(berth):
    container = berth.new_id()
    bundle = bundle_with(berth, {"startContainer": [shell("echo of the first"), shell("echo why not >&2; exit 3")]})
    berth.ok("create", "-b", bundle, container)
    told = berth.fails("start", container)
    assert "exit status 3: why not" in told and "of the first" not in told and "/hooks/startContainer/1" in told


def processes_of(folder):
    """The processes that wrote their pid to a file of that directory and live."""
    living = []
    for path in folder.glob("pid-*"):
        stat = pathlib.Path("/proc", path.read_text().strip(), "stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
            living.append(path.name)
    return living


LEAVES_ITS_SESSION = ("for name in one two; do setsid sh -c 'echo $$ > %s/pid-'$name'; exec sleep 1000' x & done; "
                      "echo $$ > %s/pid-three; while ! [ -s %s/pid-two ]; do :; done; exec sleep 1000")


@pytest.mark.parametrize("change", [None, in_pid_namespace_of_the_host], ids=["own", "host"])
@pytest.mark.parametrize("kind", BEFORE)
def test_time_limit_ends_all_that_the_hook_started(berth, shared, kind, change):
    folder, mounted = shared
    # Pids as the host has them are seen only without a pid namespace; with one all die with it.
    script = LEAVES_ITS_SESSION.replace("%s", str(folder))

    def both(config):
        mounted(config)
        if change:
            change(config)

    for limit in (1, 10, 60):  # an emulated machine needs longer to start them all
        container = berth.new_id()
        hooks = {kind: [shell(script, timeout=limit, env=[PATHS])]}
        told = berth.fails("run", "-b", bundle_with(berth, hooks, change=both, name=f"bundle{limit}"), container)
        assert "did not end" in told and f"/hooks/{kind}/0" in told
        assert "does not exist" in berth.fails("state", container)
        started = len(list(folder.glob("pid-*")))
        if started == 3 or not (change or kind in HOST):
            break
    assert started == 3 or not (change or kind in HOST)
    assert not (change or kind in HOST) or processes_of(folder) == []


@pytest.mark.parametrize("words", [[], ["--cgroup-manager=disabled"]], ids=["cgroup", "no-cgroup"])
def test_time_limit_at_the_start(berth, shared, words):
    """Of a container whose processes do not end with its first one: before `start` returns, and whatever deletes it."""
    folder, mounted = shared

    def both(config):
        mounted(config)
        in_pid_namespace_of_the_host(config)

    container = berth.new_id()
    hooks = {"startContainer": [shell(LEAVES_ITS_SESSION.replace("%s", str(folder)), timeout=10, env=[PATHS])]}
    berth.ok(*words, "create", "-b", bundle_with(berth, hooks, change=both), container)
    told = berth.fails("start", container)
    assert "did not end" in told and "/hooks/startContainer/0" in told
    assert len(list(folder.glob("pid-*"))) == 3 and processes_of(folder) == []


@pytest.mark.parametrize("kind", ["createRuntime", "startContainer"])
def test_hook_in_time_leaves_what_it_started(berth, shared, kind):
    """A daemon of a hook is not the runtime's to end, nor a child of the program."""
    folder, mounted = shared

    def both(config):
        mounted(config)
        in_pid_namespace_of_the_host(config)

    script = f"setsid sh -c 'echo $$ > {folder}/pid-daemon; exec sleep 1000' & while ! [ -s {folder}/pid-daemon ]; do :; done"
    container = berth.new_id()
    hooks = {kind: [shell(script, timeout=30, env=[PATHS])]}
    berth.ok("create", "-b", bundle_with(berth, hooks, "sleep", "1000", change=both), container)
    berth.ok("start", container)
    assert processes_of(folder) == ["pid-daemon"]
    pid = berth.state(container)["pid"]
    assert pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""
    os.kill(int((folder / "pid-daemon").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("script, words", [("exit 5", "exit status 5"), ("kill -TERM $$", "killed by signal 15"), ("exit 0", None)])
def test_how_a_hook_with_a_time_limit_ended(berth, script, words):
    bundle = bundle_with(berth, {"createRuntime": [shell(script, timeout=30)]})
    if words:
        assert words in berth.fails("run", "-b", bundle, berth.new_id())
    else:
        berth.ok("run", "-b", bundle, berth.new_id())


@pytest.mark.parametrize("names", [["pidfd_send_signal"], ["poll", "ppoll"], ["pidfd_send_signal", "kill"], ["waitid"]],
                         ids="-".join)
def test_time_limit_under_a_profile_that_refuses_what_init_needs(berth, names):
    """The profile is in force for startContainer hooks. No hook may outlive its limit, nor pass for done."""
    bundle = bundle_with(berth, {"startContainer": [shell("sleep 1000", timeout=1)]}, change=refuses(*names))
    assert "/hooks/startContainer/0" in berth.fails("run", "-b", bundle, berth.new_id(), timeout=30)


def test_large_time_limit_is_not_over_at_once(berth):
    # In milliseconds 704 above what 32 bits hold.
    hooks = {kind: [shell("sleep 1", timeout=4294968)] for kind in ("createRuntime", "startContainer")}
    berth.ok("run", "-b", bundle_with(berth, hooks), berth.new_id())


@pytest.mark.parametrize("kind", BEFORE)
def test_failed_hook_leaves_nothing_and_poststop_runs(berth, shared, kind):
    folder, mounted = shared
    hooks = {kind: [shell("exit 3"), shell(f"touch {folder}/second", env=[PATHS])],
             "poststop": [shell(f"touch {folder}/poststop", env=[PATHS])]}
    container = berth.new_id()
    bundle = bundle_with(berth, hooks, "touch", f"{folder}/program", change=mounted)
    berth.fails("run", "-b", bundle, container)
    assert "does not exist" in berth.fails("state", container)
    assert [path.name for path in folder.iterdir()] == ["poststop"]


def test_poststop_goes_on_after_a_failure(berth, shared):
    folder, _ = shared
    hooks = {"poststop": [shell("echo bad >&2; exit 3"), shell(f"touch {folder}/second", env=[PATHS])]}
    container = berth.new_id()
    berth.ok("create", "-b", bundle_with(berth, hooks), container)
    done = berth("delete", "--force", container)
    assert done.returncode == 0 and "bad" in done.stderr and (folder / "second").exists()


def test_arguments_are_kept_as_given(berth, shared):
    folder, mounted = shared
    kinds = (*HOST, *BEFORE[2:])
    # busybox goes by the name that it is called by, dash by none.
    hooks = {kind: [shell(None, args=[name, "-c", f"echo \"$0|$1\" > {folder}/{kind}", "a b", ""])]
             for kind, name in zip(kinds, [*["other name"] * 5, "sh"])}
    berth.ok("run", "-b", bundle_with(berth, hooks, change=mounted), berth.new_id())
    assert {path.read_text() for path in folder.iterdir()} == {"a b|\n"} and len(list(folder.iterdir())) == len(kinds)


@pytest.mark.parametrize("kind", (*BEFORE, "poststop"))
def test_hook_that_is_not_there(berth, kind):
    container = berth.new_id()
    bundle = bundle_with(berth, {kind: [{"path": "/no/such/hook"}]})
    done = berth("run", "-b", bundle, container)
    assert done.returncode == (0 if kind == "poststop" else 1)
    assert "/no/such/hook" in done.stderr and "no such file or directory" in done.stderr.lower()


@pytest.mark.parametrize("kind", ["poststart", "poststop"])
def test_time_limit_after_the_start(berth, shared, kind):
    folder, _ = shared
    hooks = {kind: [shell(LEAVES_ITS_SESSION.replace("%s", str(folder)), timeout=5, env=[PATHS])]}  # slow machines
    done = berth("run", "-b", bundle_with(berth, hooks), berth.new_id())
    assert "did not end within 5 s" in done.stderr and (done.returncode == 0) == (kind == "poststop")
    assert len(list(folder.glob("pid-*"))) == 3 and processes_of(folder) == []
