# SPDX-License-Identifier: Apache-2.0
"""The examples, compiled against the installed library in each way, on the real kernel."""
import json
import signal
import subprocess
import sys

from conftest import EXAMPLES, TIMEOUT, run


def test_run_container(berth, examples):
    bundle = berth.bundle("sh", "-c", "echo from inside; exit 7")
    done = subprocess.run([examples["run_container"], berth.root, bundle, berth.new_id()], env=examples.environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (7, "from inside\n", "")
    assert list(berth.root.iterdir()) == []


def test_run_container_says_why_not(berth, examples):
    bundle = berth.bundle("no-such-program")
    done = subprocess.run([examples["run_container"], berth.root, bundle, berth.new_id()], env=examples.environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert "no-such-program" in done.stderr and "/process/args/0" in done.stderr


def test_exec_stream(berth, examples):
    container = berth.running()
    assert examples("exec_stream", berth.root, container, "sh", "-c", "echo one; echo two >&2; printf three") == \
        "out: one\nout: two\nout: three\n"


def test_tiny_engine(berth, examples):
    """Three at once: one ends by itself, two are ended by the signal that ends the engine."""
    short, long = berth.bundle("sh", "-c", "exit 3", name="short"), berth.bundle("sleep", "1000", name="long")
    names = [berth.new_id() for _ in range(3)]
    engine = subprocess.Popen([examples["tiny_engine"], berth.root, f"{names[0]}={long}", f"{names[1]}={short}",
                               f"{names[2]}={long}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              env=examples.environment)
    ends = {}
    for line in engine.stdout:
        name, what, data = line.split(" ", 2)
        if what == "ended":
            ends[name] = json.loads(data)
        if name == names[1] and what == "ended":
            engine.send_signal(signal.SIGTERM)
    assert engine.wait(TIMEOUT) == 0
    assert ends[names[1]]["exitCode"] == 3
    assert [ends[name]["signal"] for name in (names[0], names[2])] == [9, 9]
    assert list(berth.root.iterdir()) == []


def test_c_interface(berth, examples):
    bundle = berth.bundle("sleep", "1000")
    container = berth.new_id()
    told = dict(line.split(" ", 1) for line in
                examples("c_interface", berth.root, bundle, container, "sh", "-c", "exit 5").splitlines()
                if line.split(" ", 1)[0] in ("stats", "command", "event", "exit", "list"))
    assert told["command"] == "code=5 signal=0"
    assert json.loads(told["stats"])["pids"]["current"] == 1
    assert json.loads(told["event"])["type"] == "exit"
    assert json.loads(told["exit"])["signal"] == 9
    assert told["list"] == "[]"


def test_python_interface(berth, libraries):
    bundle = berth.bundle("sleep", "1000")
    told = run(sys.executable, EXAMPLES / "python_interface.py", libraries / "libberth.so", berth.root, bundle,
               berth.new_id(), "sh", "-c", "echo from inside; exit 4").splitlines()
    assert told == ["status running", r"command 'from inside\n' 4 0", "limit 77", "files 99",
                    "error 3 container does not exist: no-such", "signal 9", "list []"]
