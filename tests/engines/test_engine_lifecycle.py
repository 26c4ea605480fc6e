# SPDX-License-Identifier: Apache-2.0
"""A container in the background from its start to its removal."""
import concurrent.futures
import os
import signal

from engine import IMAGE, wait_until


def forever(engine, *options):
    """Ends by itself at a TERM."""
    container = engine.start(*options, IMAGE, "sh", "-c",
                             "trap 'echo ending; exit 3' TERM; echo ready; while true; do sleep 0.1; done")
    engine.logs(container, "ready")
    return container


def test_logs_and_wait(engine):
    container = engine.start(IMAGE, "sh", "-c", "echo one; echo two; exit 4")
    assert engine.must("wait", container) == "4"
    assert engine.must("logs", container) == "one\ntwo"
    assert engine.inspect(container, "{{.State.ExitCode}}") == "4"
    engine.must("rm", container)


def test_stop_sends_term(engine):
    container = forever(engine)
    assert engine.status(container) == "running"
    engine.must("stop", "--time", "20", container)
    assert engine.inspect(container, "{{.State.Status}} {{.State.ExitCode}}") == "exited 3"
    assert "ending" in engine.must("logs", container)


def test_stop_kills_in_the_end(engine):
    container = engine.start(IMAGE, "sh", "-c", "trap '' TERM; echo ready; while true; do sleep 0.1; done")
    engine.logs(container, "ready")
    engine.must("stop", "--time", "1", container)
    assert engine.inspect(container, "{{.State.ExitCode}}") == "137"


def test_kill(engine):
    container = forever(engine)
    engine.must("kill", container)
    engine.must("wait", container)
    assert engine.inspect(container, "{{.State.ExitCode}}") == "137"


def test_kill_with_a_signal(engine):
    container = engine.start(IMAGE, "sh", "-c", "trap 'echo got; exit 0' USR1; echo ready; while true; do sleep 0.1; done")
    engine.logs(container, "ready")
    engine.must("kill", "--signal", "USR1", container)
    engine.must("wait", container)
    engine.logs(container, "got")


def test_payload_is_killed_from_outside(engine):
    container = engine.start(IMAGE, "sleep", "1000")
    os.kill(engine.pid(container), signal.SIGKILL)
    assert engine.must("wait", container) == "137"
    assert engine.status(container) == "exited"


def test_remove_while_running(engine):
    container = forever(engine)
    refused = engine("rm", container)
    assert refused.returncode != 0 and "running" in refused.stderr
    engine.must("rm", "--force", container)
    assert container not in engine.must("ps", "--all", "--quiet", "--no-trunc")


def test_create_then_start(engine):
    engine.ids.add(container := engine.must(*engine.arguments("create", IMAGE, "sh", "-c", "echo started")))
    assert engine.status(container) == "created"
    engine.must("start", container)
    assert engine.must("wait", container) == "0"
    engine.logs(container, "started")


def test_start_attached(engine):
    engine.ids.add(container := engine.must(*engine.arguments("create", IMAGE, "sh", "-c", "echo here; exit 9")))
    done = engine("start", "--attach", container)
    assert (done.returncode, done.stdout) == (9, "here\n")


def test_restart(engine):
    container = forever(engine)
    before = engine.pid(container)
    engine.must("restart", "--time", "5", container)
    assert engine.status(container) == "running"
    assert engine.pid(container) != before
    assert engine.must("exec", container, "echo", "alive") == "alive"


def test_start_again_after_the_end(engine):
    container = engine.start(IMAGE, "sh", "-c", "echo again >>/tmp/times; wc -l </tmp/times")
    engine.must("wait", container)
    engine.must("start", container)
    engine.must("wait", container)
    engine.logs(container, "2")


def test_restart_policy(engine):
    container = engine.start("--restart", "on-failure:2", IMAGE, "false")
    wait_until(lambda: engine.inspect(container, "{{.RestartCount}} {{.State.Status}}") == "2 exited")


def test_pause_and_unpause(engine):
    container = engine.start(IMAGE, "sh", "-c", "while true; do echo beat; sleep 0.05; done")
    engine.logs(container, "beat")
    engine.must("pause", container)
    assert engine.status(container) == "paused"
    before = len(engine.must("logs", container))
    wait_until(lambda: engine.cgroup(container, "freezer", "freezer.state" if v1() else "cgroup.freeze") in ("FROZEN", "1"))
    assert len(engine.must("logs", container)) == before
    engine.must("unpause", container)
    assert engine.status(container) == "running"
    wait_until(lambda: len(engine.must("logs", container)) > before)


def v1():
    return not os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def test_remove_while_paused(engine):
    container = forever(engine)
    engine.must("pause", container)
    engine.must("rm", "--force", container)


def test_list_and_inspect(engine):
    container = forever(engine, "--label", "shown=yes")
    assert engine.must("ps", "--quiet", "--no-trunc", "--filter", "label=shown=yes") == container
    assert engine.inspect(container, "{{.State.Running}} {{.State.Paused}}") == "true false"
    assert os.path.exists(f"/proc/{engine.pid(container)}")


def test_top(engine):
    container = engine.start("--init", IMAGE, "sleep", "1234")
    assert "sleep 1234" in engine.must("top", container)


def test_stats(engine):
    container = engine.start(IMAGE, "sleep", "1000")
    shown = engine.must("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", container)
    assert shown.split()[-1] == "1", shown


def test_copy(engine, tmp_path):
    container = engine.start(IMAGE, "sleep", "1000")
    (source := tmp_path / "file").write_text("copied\n")
    engine.must("cp", source, f"{container}:/tmp/file")
    assert engine.must("exec", container, "cat", "/tmp/file") == "copied"


def test_attach(engine):
    container = engine.start("--interactive", IMAGE, "sh", "-c", "read line; echo \"<$line>\"; exit 6")
    engine("attach", container, input="typed\n")  # podman 4.3 may give 0 when the end comes first
    assert engine.must("wait", container) == "6"
    assert engine.must("logs", container) == "<typed>"


def test_ten_at_once(engine):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        containers = list(pool.map(lambda n: engine.start(IMAGE, "sh", "-c", f"echo {n}; exec sleep 1000"), range(10)))
        for number, container in enumerate(containers):
            engine.logs(container, str(number))
        assert set(containers) <= set(engine.must("ps", "--quiet", "--no-trunc").split())
        answers = list(pool.map(lambda c: engine.must("exec", c, "cat", "/proc/1/cmdline"), containers))
        assert answers == ["sleep\0001000\0"] * 10
        list(pool.map(lambda container: engine.must("rm", "--force", container), containers))
    assert engine.must("ps", "--all", "--quiet") == ""


def test_twenty_in_a_row(engine):
    assert [engine.output(IMAGE, "echo", str(number)) for number in range(20)] == [str(n) for n in range(20)]


def test_children_die_with_the_container(engine):
    """In the host's pid namespace only the cgroup tells whose they are; the fixture looks for processes in it."""
    container = engine.start("--pid=host", IMAGE, "sh", "-c", "sleep 4321 & sleep 4321 & echo ready; wait")
    engine.logs(container, "ready")
    engine.must("rm", "--force", container)
