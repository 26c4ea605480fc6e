# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import select
import signal
import subprocess

import pytest

from machine import needs_root


def start(berth, *script, **options):
    """A foreground run, its output at a pipe, and what it says first."""
    container = berth.new_id()
    bundle = berth.bundle("sh", "-c", *script, name=f"bundle-{container}")
    process = subprocess.Popen(berth.command("run", "-b", bundle, container), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, **options)
    return container, process, process.stdout.readline()


@pytest.mark.parametrize("script,code", [("exit 0", 0), ("exit 7", 7), ("exit 255", 255)])
def test_exit_code(berth, script, code):
    assert berth("run", "-b", berth.bundle("sh", "-c", script), berth.new_id()).returncode == code


def test_exit_code_of_a_signal(berth):
    container, process, _ = start(berth, "echo; read line")
    os.kill(berth.state(container)["pid"], signal.SIGKILL)
    assert process.wait(60) == 128 + signal.SIGKILL


def test_standard_streams(berth):
    bundle = berth.bundle("sh", "-c", "cat; echo error >&2")
    done = berth("run", "-b", bundle, berth.new_id(), input="text")
    assert (done.stdout, done.stderr) == ("text", "error\n")


@needs_root  # strace would take its rights from newuidmap
def test_a_kernel_that_asks_for_no_pages(berth, tmp_path):
    """Before Linux 5.14 madvise(2) knows nothing of that: docs/decisions/0025-pages-ahead.md."""
    calls = tmp_path / "calls"
    berth.before = ["strace", "-f", "-qq", "-o", calls, "-e", "trace=madvise", "-e", "inject=madvise:error=EINVAL", *berth.before]
    assert berth.ok("run", "-b", berth.bundle("echo", "runs"), berth.new_id()) == "runs\n"
    assert "INJECTED" in calls.read_text()


def test_is_deleted_at_its_end(berth):
    container = berth.new_id()
    berth.ok("run", "-b", berth.bundle("true"), container)
    assert "does not exist" in berth.fails("state", container)


def test_is_deleted_by_somebody_else(berth):
    container, process, _ = start(berth, "echo; read line", stderr=subprocess.PIPE)
    berth.ok("delete", "--force", container)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 128 + signal.SIGKILL


def test_leaves_a_new_container_with_its_id(berth):
    container, process, _ = start(berth, "trap 'echo got' USR1; echo; read line; read line")
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "got\n"  # it waits now, and holds no lock
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    berth.ok("delete", "--force", container)
    berth.ok("create", "-b", berth.bundle("true", name="newer"), container)
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 128 + signal.SIGKILL
    assert berth.state(container)["status"] == "created"


def test_keep(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert berth.state(container)["status"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGTSTP])
def test_signals_are_passed_on(berth, number):
    container, process, line = start(berth, f"trap 'echo got; exit 3' {int(number)}; echo ready; while read line; do :; done")
    assert line == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == "got\n"
    assert process.wait(60) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_that_the_caller_ignores_are_passed_on(berth, number):
    """As a shell's job in the background starts it. The kernel keeps a signal that is blocked, ignored or not."""
    container, process, line = start(berth, f"trap 'echo got; exit 3' {int(number)}; echo ready; while read line; do :; done",
                                     preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    assert line == "ready\n"
    process.send_signal(number)
    assert process.stdout.readline() == "got\n"
    assert process.wait(60) == 3


def test_some_signals_are_not_passed_on(berth):
    container, process, _ = start(berth, "trap 'echo wrong' WINCH URG CHLD; echo ready; read line; echo $line")
    for number in (signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD):
        process.send_signal(number)
    assert process.communicate("end\n", timeout=60)[0] == "end\n"


def test_detached(berth, tmp_path):
    container = berth.running()
    state = berth.state(container)
    assert state["status"] == "running" and state["pid"] > 0


def test_pid_file_is_relative_to_the_caller(berth, tmp_path):
    bundle = berth.bundle("true")
    berth.ok("run", "--pid-file", "pid", "-b", bundle, berth.new_id(), cwd=tmp_path)
    assert (tmp_path / "pid").read_text().isdigit()


@pytest.mark.parametrize("option", ["-no-subreaper", "--no-subreaper", "--no-subreaper=true"])
def test_no_subreaper(berth, option):
    assert berth("run", option, "-b", berth.bundle("true"), berth.new_id()).returncode == 0


def test_orphans_are_adopted_and_reaped(berth):
    """A shared pid namespace: the orphan becomes the child of berth, which must not keep it as a zombie."""
    container = berth.new_id()
    script = "(sleep 0.01 & echo $!); read line"
    bundle = berth.bundle("sh", "-c", script)
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "pid"]
    config["mounts"] = [m for m in config["mounts"] if m["type"] != "proc"]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}
    berth.write_config(bundle, config)
    with subprocess.Popen(berth.command("run", "-b", bundle, container), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        orphan = int(process.stdout.readline())
        try:
            descriptor = os.pidfd_open(orphan)
            select.select([descriptor], [], [], 60)
            os.close(descriptor)
        except ProcessLookupError:
            pass
        process.stdin.close()
        assert process.wait(60) == 1
        assert not pathlib.Path(f"/proc/{orphan}").exists()


def test_ignored_signals_are_not_inherited(berth):
    done = berth("run", "-b", berth.bundle("cat", "/proc/self/status"), berth.new_id(),
                 preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
    status = dict(line.split(":\t") for line in done.stdout.splitlines() if ":\t" in line)
    assert int(status["SigIgn"], 16) == 0 and int(status["SigBlk"], 16) == 0


def test_failure_leaves_nothing(berth):
    container = berth.new_id()
    told = berth.fails("run", "-b", berth.bundle("/no/such"), container)
    assert "no such file or directory" in told and "/no/such" in told
    assert "does not exist" in berth.fails("state", container)


def test_preserved_descriptors(berth, tmp_path):
    (tmp_path / "file").write_text("through\n")
    bundle = berth.bundle("sh", "-c", "cat <&3")
    command = berth.command("run", "--preserve-fds=1", "-b", bundle, berth.new_id())
    done = subprocess.run(["bash", "-c", f'exec 3<{tmp_path}/file; exec "$@"', "bash", *command], capture_output=True,
                          text=True)
    assert done.stdout == "through\n", done.stderr
