# SPDX-License-Identifier: Apache-2.0
"""Containers in scopes of systemd: the system's as root, else the user's own."""
import json
import os
import pathlib
import pwd
import select
import socket
import subprocess
import threading

import pytest

from machine import ON_V2, makes_nodes, own_users
from resource_fields import FIELDS
from units import NO_SYSTEMD, RUNS_SYSTEMD, USER, await_end, cgroup_of, show, systemctl, unit_of, units_like

pytestmark = pytest.mark.skipif(not RUNS_SYSTEMD, reason=NO_SYSTEMD)
needs_v2 = pytest.mark.skipif(not ON_V2, reason="this machine has cgroup v1")


def with_linux(berth, bundle, resources=None, path=None, annotations=None):
    config = berth.read_config(bundle)
    if resources:
        config["linux"].setdefault("resources", {}).update(resources)
    if path:
        config["linux"]["cgroupsPath"] = path
    if annotations:
        config["annotations"] = annotations
    berth.write_config(bundle, config)
    return bundle


def created(berth, *words, **changes):
    """A container that is created and not started, with changes of with_linux."""
    container = berth.new_id()
    bundle = with_linux(berth, berth.bundle(*words, name=f"bundle-{container}"), **changes)
    berth.ok("create", "-b", bundle, container)
    return container


def test_container_is_in_a_scope(scopes):
    container = scopes.running("cat /proc/self/cgroup; read line")
    unit = unit_of(container)
    assert show(unit, "ActiveState") == "active"
    assert show(unit, "Description") == f"berth container {container}"
    assert show(unit, "Slice") == ("user.slice" if USER else "system.slice")
    assert show(unit, "Delegate") == "yes"
    assert show(unit, "NeedDaemonReload") == "no"
    pid = scopes.state(container)["pid"]
    place = show(unit, "ControlGroup")
    assert place.endswith(f".slice/{unit}")
    assert place in pathlib.Path(f"/proc/{pid}/cgroup").read_text()
    # What held the scope until init was in it is gone.
    assert (cgroup_of(unit) / "cgroup.procs").read_text() == f"{pid}\n"
    scopes.ok("delete", "--force", container)
    assert units_like(unit) == ""


@needs_v2
def test_program_is_alone_in_its_scope(scopes):
    """While berth stays, too: a process of the host in it would be called 0."""
    inside = scopes.ok("run", "-b", scopes.bundle("cat", "/sys/fs/cgroup/cgroup.procs"), scopes.new_id())
    assert inside == "1\n"


def test_exec_is_in_the_scope(scopes):
    container = scopes.running()
    first, never = os.pipe()
    process = subprocess.Popen(scopes.command("exec", container, "sh", "-c", "echo in; read line"), stdin=first,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "in\n"
    assert len((cgroup_of(unit_of(container)) / "cgroup.procs").read_text().split()) == 2
    os.close(never)
    os.close(first)
    process.stdout.close()
    assert process.wait(60) == 1


@needs_v2
@pytest.mark.parametrize("field", [field for field in FIELDS if field.unit],
                         ids=lambda field: f"{field.unit[0]}-{field.pointer}-{field.unit[1]}")
def test_systemd_and_the_kernel_know_a_limit(scopes, field):
    """And the limit is the same when systemd has looked at the unit again."""
    file, line = field.file()
    name, told = field.unit
    container = created(scopes, "true", resources=field.resources)
    unit = unit_of(container)
    assert (cgroup_of(unit) / file).read_text() == line + "\n"
    assert show(unit, name) in (told, "0" if told == "idle" else told)
    systemctl("daemon-reload")
    assert (cgroup_of(unit) / file).read_text() == line + "\n"


@needs_v2
@pytest.mark.skipif(USER, reason="a user's systemd may have no CPU controller")
def test_quota_is_exact_until_systemd_rounds_it_up(scopes):
    container = created(scopes, "true", resources={"cpu": {"quota": 33333, "period": 100000}})
    assert (cgroup_of(unit_of(container)) / "cpu.max").read_text() == "33333 100000\n"
    assert show(unit_of(container), "CPUQuotaPerSecUSec") == "340ms"


@needs_v2
def test_update_tells_systemd(scopes):
    container = created(scopes, "true", resources={"memory": {"limit": 64 << 20}})
    unit = unit_of(container)
    scopes.ok("update", "--memory", "32m", "--pids-limit", "7", container)
    assert show(unit, "MemoryMax") == str(32 << 20) and show(unit, "TasksMax") == "7"
    systemctl("daemon-reload")
    assert (cgroup_of(unit) / "memory.max").read_text() == f"{32 << 20}\n"
    assert (cgroup_of(unit) / "pids.max").read_text() == "7\n"


@needs_v2
@pytest.mark.skipif(USER, reason="a user's systemd may have no CPU controller")
def test_update_of_a_half_of_the_quota(scopes):
    container = created(scopes, "true", resources={"cpu": {"quota": 20000, "period": 100000}})
    unit = unit_of(container)
    scopes.ok("update", "--cpu-quota", "50000", container)
    assert show(unit, "CPUQuotaPerSecUSec") == "500ms"
    scopes.ok("update", "--cpu-period", "50000", container)
    assert show(unit, "CPUQuotaPerSecUSec") == "1s" and show(unit, "CPUQuotaPeriodUSec") == "50ms"
    systemctl("daemon-reload")
    assert (cgroup_of(unit) / "cpu.max").read_text() == "50000 50000\n"


@needs_v2
@pytest.mark.parametrize("limits", [{"pids": {"limit": 7}}, {"memory": {"limit": 32 << 20}, "pids": {"limit": 7}}])
def test_refused_update_is_undone_in_systemd_too(scopes, limits):
    """The line for a device that is not there is refused, by the kernel, when systemd knows the number of tasks."""
    container = created(scopes, "true", resources={"memory": {"limit": 64 << 20}, "pids": {"limit": 20}})
    unit = unit_of(container)
    place = cgroup_of(unit)
    if not (place / "io.max").exists():
        pytest.skip("this cgroup has no io.max")
    text = json.dumps(limits | {"blockIO": {"throttleReadBpsDevice": [{"major": 250, "minor": 250, "rate": 5}]}})
    assert "nothing was changed: write 250:250" in scopes.fails("update", "-r", "-", container, input=text)
    for _ in range(2):
        assert show(unit, "MemoryMax") == str(64 << 20) and show(unit, "TasksMax") == "20"
        assert (place / "memory.max").read_text() == f"{64 << 20}\n" and (place / "pids.max").read_text() == "20\n"
        systemctl("daemon-reload")


@needs_v2
def test_limit_below_the_usage_is_not_told_to_systemd(scopes):
    """It would write it without a question, and the kernel kill."""
    container = scopes.running(first="dd if=/dev/zero of=/dev/shm/held bs=1M count=32 2>/dev/null")
    unit = unit_of(container)
    scopes.ok("update", "--memory=64m", "--memory-swap=64m", container)
    assert "could not be reclaimed" in scopes.fails("update", "--memory=8m", "--memory-swap=8m", container)
    assert scopes.state(container)["status"] == "running"
    assert show(unit, "MemoryMax") == str(64 << 20)


@makes_nodes
@pytest.mark.skipif(USER, reason="the rules for devices are the host's root's to make")
@pytest.mark.parametrize("event", [("daemon-reload",), ("daemon-reexec",), ("set-property", "--runtime", "UNIT", "TasksMax=99"),
                                   ("set-property", "--runtime", "UNIT", "CPUWeight=33")])
def test_rules_for_devices_outlive_systemd(scopes, event):
    """/dev/zero stays open to the container and /dev/mem's number closed, whatever systemd does."""
    script = 'mknod /dev/secret c 1 1; while read line; do cat /dev/secret; dd if=/dev/zero count=1 of=/dev/null; echo end; done'
    container = scopes.new_id()
    bundle = scopes.bundle("sh", "-c", script)
    config = scopes.read_config(bundle)
    for kind in ("bounding", "effective", "permitted"):
        config["process"]["capabilities"][kind].append("CAP_MKNOD")
    config["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"},
                                                {"allow": True, "type": "c", "major": 1, "minor": 1, "access": "m"}]}
    scopes.write_config(bundle, config)
    process = subprocess.Popen(scopes.command("run", "-b", bundle, container), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ask():
        process.stdin.write("\n")
        process.stdin.flush()
        return "".join(iter(process.stdout.readline, "end\n"))
    before = ask()
    assert "Operation not permitted" in before and "1+0 records" in before
    systemctl(*(unit_of(container) if word == "UNIT" else word for word in event))
    assert ask() == before
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_slices_nest(scopes):
    name = scopes.prefix.replace("-", "_")
    container = created(scopes, "true", path=f"{name}-inner.slice:pre:{scopes.prefix}-name")
    assert show(f"pre-{scopes.prefix}-name.scope", "ControlGroup").endswith(
        f"/{name}.slice/{name}-inner.slice/pre-{scopes.prefix}-name.scope")
    scopes.ok("delete", "--force", container)
    systemctl("stop", f"{name}.slice")


def test_path_of_a_cgroup_is_refused(scopes):
    bundle = with_linux(scopes, scopes.bundle("true"), path="/a/b")
    assert 'expected cgroupsPath to be of format "slice:prefix:name"' in scopes.fails("create", "-b", bundle, scopes.new_id())


def test_annotation_is_a_property(scopes):
    container = created(scopes, "true", annotations={"org.systemd.property.TimeoutStopSec": "11",
                                                     "org.systemd.property.Description": "'of the user'"})
    assert show(unit_of(container), "TimeoutStopUSec") == "11s"
    assert show(unit_of(container), "Description") == "of the user"


@pytest.mark.parametrize("name, value, told", [
    ("Nonsense", "true", "Nonsense"), ("TimeoutStopUSec", "'text'", "systemd says"),
    ("FailureAction", "'reboot'", "cannot be set by an annotation"), ("Description", "no quotes", "GVariant")])
def test_wrong_property_leaves_nothing(scopes, name, value, told):
    container = scopes.new_id()
    bundle = with_linux(scopes, scopes.bundle("true"), annotations={f"org.systemd.property.{name}": value})
    assert told in scopes.fails("create", "-b", bundle, container)
    assert not (scopes.root / container).exists()


def test_failed_unit_of_the_same_name_is_replaced(scopes):
    container = scopes.new_id()
    subprocess.run(["systemd-run", *(["--user"] if USER else []), "--scope", f"--unit={unit_of(container)}",
                    "--property=RuntimeMaxSec=1", "sleep", "1000"], capture_output=True, timeout=60)
    assert show(unit_of(container), "ActiveState") == "failed"
    scopes.ok("create", "-b", scopes.bundle("true"), container)
    assert show(unit_of(container), "ActiveState") == "active"


def test_unit_in_use_is_left_alone(scopes):
    container = scopes.new_id()
    unit = unit_of(container)
    other = subprocess.Popen(["systemd-run", *(["--user"] if USER else []), "--scope", f"--unit={unit}", "sleep", "1000"],
                             stderr=subprocess.PIPE, text=True)
    other.stderr.readline()  # "Running scope as unit: ..."
    told = scopes.fails("create", "-b", scopes.bundle("true"), container)
    assert "exists already" in told and f"systemctl status {unit}" in told
    assert show(unit, "ActiveState") == "active" and other.poll() is None
    systemctl("stop", unit)
    other.wait(60)
    other.stderr.close()


def test_unit_that_is_stopped_stops_the_container(scopes):
    container = scopes.running("trap 'exit 0' TERM; echo $$ >/dev/null; while :; do sleep 1; done")
    systemctl("stop", unit_of(container))
    assert scopes.state(container)["status"] == "stopped"
    scopes.ok("delete", container)


def test_id_is_free_as_soon_as_its_container_is_deleted(scopes):
    container = scopes.new_id()
    bundle = scopes.bundle("true")
    for _ in range(10):
        scopes.ok("run", "-b", bundle, container)
    for _ in range(5):
        scopes.ok("create", "-b", bundle, container)
        scopes.ok("delete", "--force", container)


def test_pause_kill_and_delete(scopes):
    container = scopes.running("read line", first="sleep 1000 & sleep 1001 &")
    scopes.ok("pause", container)
    assert scopes.state(container)["status"] == "paused"
    scopes.ok("resume", container)
    assert len(json.loads(scopes.ok("ps", "--format=json", container))) == 3
    scopes.ok("kill", "--all", container, "KILL")
    scopes.wait_stopped(container)
    scopes.ok("delete", container)


@needs_v2
def test_delete_with_cgroups_below(scopes):
    container = scopes.running("read line", first="sleep 1000 &")
    below = cgroup_of(unit_of(container)) / "below"
    below.mkdir()
    pids = json.loads(scopes.ok("ps", "--format=json", container))
    (below / "cgroup.procs").write_text(str(pids[-1]))
    scopes.ok("delete", "--force", container)
    assert not below.exists()


def test_damaged_record_names_its_scope(scopes):
    container = created(scopes, "true", path=f":berth:{scopes.prefix}-damaged")
    saved = scopes.root / container / "state.json"
    process, start, _, config = saved.read_text().split("\n", 3)
    saved.write_text(f"{process}\n{start}\n{{\n{config}")
    scopes.ok("delete", "--force", container)
    assert units_like(f"*{scopes.prefix}-damaged*") == ""


class Relay:
    """Passes on what berth and the bus say to each other, until `word` is said; then it is dead, or (once) only that
    connection is."""

    def __init__(self, path, word, from_bus, once):
        default = f"/run/user/{os.geteuid()}/bus" if USER else "/run/dbus/system_bus_socket"
        self.bus, self.word, self.from_bus, self.once = default, word, from_bus, once
        self.cut = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.cut and not self.once:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.bus)
            self.relay(client, server)
            client.close()
            server.close()

    def relay(self, client, server):
        while True:
            ready, _, _ = select.select([client, server], [], [], 60)
            for each in ready:
                data = each.recv(65536)
                if not data:
                    return
                hit = not self.cut and self.word in data and (each is server) == self.from_bus
                if hit and self.from_bus:
                    self.cut = True
                    return
                (client if each is server else server).sendall(data)
                if hit:
                    self.cut = True
                    return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.mark.parametrize("once", [True, False], ids=["connection", "bus"])
@pytest.mark.parametrize("word, from_bus", [(b"AUTH", False), (b"OK ", True), (b"StartTransientUnit", False),
                                            (b"/org/freedesktop/systemd1/job/", True), (b"JobRemoved", True)])
def test_connection_that_breaks_leaves_nothing(scopes, tmp_path, word, from_bus, once):
    relay = Relay(tmp_path / "bus", word, from_bus, once)
    container = scopes.new_id()
    bundle = scopes.bundle("true")
    address = "DBUS_SESSION_BUS_ADDRESS" if USER else "DBUS_SYSTEM_BUS_ADDRESS"
    try:
        told = scopes.fails("create", "-b", bundle, container, env=os.environ | {address: f"unix:path={tmp_path / 'bus'}"})
        assert relay.cut
        assert "connection to systemd" in told
        assert not (scopes.root / container).exists()
        await_end(unit_of(container))
    finally:
        relay.close()
    scopes.ok("run", "-b", bundle, container)


def test_bus_that_is_not_there(scopes, tmp_path):
    address = "DBUS_SESSION_BUS_ADDRESS" if USER else "DBUS_SYSTEM_BUS_ADDRESS"
    told = scopes.fails("create", "-b", scopes.bundle("true"), scopes.new_id(),
                        env=os.environ | {address: f"unix:path={tmp_path / 'none'}"})
    assert "systemd cgroup flag passed, but" in told and f"{tmp_path / 'none'}" in told


@pytest.mark.skipif(USER, reason="only root may speak to systemd itself")
def test_without_a_bus_systemd_itself_is_asked(scopes):
    """In an early boot, or after the bus has died: here in a mount namespace without the bus's socket."""
    container = scopes.new_id()
    script = 'mount --bind /dev/null /run/dbus/system_bus_socket && exec "$@"'
    scopes.before = ["unshare", "--mount", "sh", "-c", script, "sh"]
    scopes.ok("run", "-d", "-b", scopes.bundle("sleep", "1000"), container)
    scopes.before = []
    assert show(unit_of(container), "ActiveState") == "active"
    scopes.before = ["unshare", "--mount", "sh", "-c", script, "sh"]
    scopes.ok("delete", "--force", container)
    assert units_like(unit_of(container)) == ""
    scopes.before = []


def tester():
    try:
        return pwd.getpwnam("tester")
    except KeyError:
        return None


@own_users
@pytest.mark.skipif(USER or not tester(), reason="needs root, and the guest's user")
def test_session_that_is_not_below_the_users_systemd(berth):
    """As after a login: the kernel does not let the user clone across, so systemd moves what is made."""
    user = tester()
    systemctl("start", f"user@{user.pw_uid}.service")
    berth.lend()
    berth.root.mkdir()
    container = berth.new_id()
    bundle = berth.bundle("sh", "-c", "grep ^0:: /proc/self/cgroup; exec sleep 1000")
    for place in (berth.folder, berth.root):
        os.chown(place, user.pw_uid, user.pw_gid)
    runtime = f"/run/user/{user.pw_uid}"
    outside = ["systemd-run", "--quiet", "--scope", f"--uid={user.pw_uid}", f"--gid={user.pw_gid}",
               f"--setenv=XDG_RUNTIME_DIR={runtime}", f"--setenv=DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus", "sh", "-c"]
    B = " ".join(berth.command("--systemd-cgroup"))
    done = subprocess.run([*outside, f"{B} run -d -b {bundle} {container} 2>&1 </dev/null | head -1; grep ^0:: /proc/self/cgroup; "
                           f"{B} exec {container} grep ^0:: /proc/self/cgroup; {B} delete --force {container}"],
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 3, done.stdout + done.stderr
    inside, here, entered = done.stdout.splitlines()
    assert here.startswith("0::/system.slice/")
    assert inside == entered and inside.endswith(f"/user@{user.pw_uid}.service/user.slice/berth-{container}.scope")


def test_plan_names_the_unit(scopes):
    plan = json.loads(scopes.ok("plan", "--format=json", scopes.bundle("true")))
    assert "berth-plan.scope" in json.dumps(plan)
