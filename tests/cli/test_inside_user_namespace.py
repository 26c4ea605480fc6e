# SPDX-License-Identifier: Apache-2.0
"""berth as root of a user namespace whose other namespaces are not its own: what Podman runs for an ordinary user."""
import itertools
import os
import subprocess

import pytest

from machine import SHAPE

TIMEOUT = 60
NUMBERS = itertools.count()
INSIDE = ["unshare", "--user", "--map-root-user"]


def can_enter():
    return subprocess.run([*INSIDE, "true"], capture_output=True).returncode == 0


pytestmark = [pytest.mark.skipif(not can_enter(), reason="this machine makes no user namespace here"),
              pytest.mark.skipif(SHAPE != "", reason="it has a user namespace of its own")]


def inside(berth, script, *words):
    """Runs script in one user namespace; $B is berth with its state directory."""
    program = " ".join(berth.command())
    done = subprocess.run([*INSIDE, "sh", "-ec", f"B='{program}'; {script}", "sh", *map(str, words)],
                          capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bundle_of(berth, *words, joined=()):
    bundle = berth.bundle(*words, name=f"bundle{next(NUMBERS)}")
    config = berth.read_config(bundle)
    namespaces = {item["type"]: item for item in config["linux"]["namespaces"]}
    namespaces |= {kind: {"type": kind, "path": path} for kind, path in joined}
    config["linux"]["namespaces"] = list(namespaces.values())
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] in ("proc", "tmpfs")]
    for capability in config["process"]["capabilities"].values():
        capability.clear()
    berth.write_config(bundle, config)
    return bundle


def test_new_network_and_exec(berth):
    container = berth.new_id()
    bundle = bundle_of(berth, "sh", "-c", "ls /sys/class/net >/dev/null 2>&1; exec sleep 1000")
    told = inside(berth, """$B run -d -b "$1" "$2" >/dev/null 2>&1 </dev/null
        $B exec "$2" sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; cat /proc/1/comm'
        $B delete --force "$2" """, bundle, container)
    network, pid, first = told.split()
    assert first == "sleep"
    assert network != os.readlink("/proc/self/ns/net") and pid != os.readlink("/proc/self/ns/pid")


def test_exec_before_start(berth):
    container = berth.new_id()
    assert inside(berth, """$B create -b "$1" "$2" >/dev/null 2>&1 </dev/null
        $B exec "$2" echo in; $B start "$2"; $B delete --force "$2" """, bundle_of(berth, "true"), container) == "in\n"


def test_joined_pid_namespace(berth):
    """A container that is made into the pid namespace of another."""
    first, second = berth.new_id(), berth.new_id()
    other = bundle_of(berth, "sleep", "1000")
    told = inside(berth, """$B run -d --pid-file "$1/pid" -b "$1" "$2" >/dev/null 2>&1 </dev/null
        sed -i "s,@PID@,/proc/$(cat "$1/pid")/ns/pid," "$3/config.json"
        $B run -b "$3" "$4"
        $B delete --force "$2" """, other, first, bundle_of(berth, "cat", "/proc/1/comm", joined=[("pid", "@PID@")]), second)
    assert told == "sleep\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else in a user namespace of its own")
@pytest.mark.parametrize("name, place", [("tester", "XDG"), ("", "XDG"), ("root", "/run/berth")])
def test_where_the_state_is(berth, tmp_path, name, place):
    """runc's rule: $USER says whether it is an ordinary user's namespace or a container's."""
    user = {"USER": name} if name else {}
    environment = {key: value for key, value in os.environ.items() if key != "USER"} | user
    done = subprocess.run([*INSIDE, "--mount", "sh", "-c", f"mount -t tmpfs none /run && "
                           f"{berth.path} run -b {bundle_of(berth, 'true')} {berth.new_id()}; ls -d /run/berth {tmp_path}/berth"],
                          env=environment | {"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=TIMEOUT)
    expected = f"{tmp_path}/berth" if place == "XDG" else place
    assert done.stdout == expected + "\n", done.stderr
