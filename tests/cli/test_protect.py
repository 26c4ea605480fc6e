# SPDX-License-Identifier: Apache-2.0
"""What a container can reach of the runtime's own program can not be written (CVE-2019-5736)."""
import errno
import fcntl
import os
import subprocess

import pytest

from machine import reads_init

F_GET_SEALS = 1034
F_SEAL_WRITE = 8


def is_protected(path):
    """On a read-only mount, or a memfd sealed against writing."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return True
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return bool(fcntl.fcntl(descriptor, F_GET_SEALS) & F_SEAL_WRITE)
    except OSError:
        return False
    finally:
        os.close(descriptor)


@reads_init
def test_the_waiting_init_runs_from_a_protected_copy(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    program = f"/proc/{berth.state(container)['pid']}/exe"
    assert is_protected(program)
    with pytest.raises(OSError) as refused:
        os.open(program, os.O_WRONLY)
    assert refused.value.errno in (errno.EROFS, errno.ETXTBSY, errno.EPERM)


def with_hook(berth, kind, *args):
    """A bundle with one hook, which looks at the program that init is before its own runs."""
    seen = berth.folder / "seen"
    script = berth.folder / "look"
    script.write_text(f"""#!/usr/bin/python3
import json, os, sys
state = json.load(sys.stdin)
sys.path.insert(0, {os.path.dirname(__file__)!r})
import test_protect
open({str(seen)!r}, "w").write(str(test_protect.is_protected(f"/proc/{{state['pid']}}/exe")))
""")
    script.chmod(0o755)
    bundle = berth.bundle(*args)
    config = berth.read_config(bundle)
    config["hooks"] = {kind: [{"path": str(script)}]}
    berth.write_config(bundle, config)
    return bundle, seen


@pytest.mark.parametrize("kind", ["prestart", "createRuntime"])
def test_run_is_protected_while_hooks_could_look(berth, kind):
    bundle, seen = with_hook(berth, kind, "true")
    berth.ok("run", "-b", bundle, berth.new_id())
    assert seen.read_text() == "True"


def test_run_is_protected_in_a_shared_pid_namespace(berth):
    """Init waits in a host hook's place: the seccomp agent's. Its executable is looked at from outside."""
    container = berth.new_id()
    bundle, seen = with_hook(berth, "createRuntime", "true")
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "pid"]
    config["mounts"] = [m for m in config["mounts"] if m["type"] != "proc"]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}
    berth.write_config(bundle, config)
    berth.ok("run", "-b", bundle, container)
    assert seen.read_text() == "True"


def test_the_marker_alone_protects_nothing(berth):
    """Whoever sets the environment can not make berth believe that it is the copy."""
    bundle, _ = with_hook(berth, "prestart", "true")
    told = berth.fails("run", "-b", bundle, berth.new_id(), env=os.environ | {"_BERTH_PROTECTED": "1"})
    assert "not protected" in told


def test_the_container_does_not_see_the_marker(berth):
    bundle, _ = with_hook(berth, "prestart", "env")
    assert "_BERTH_PROTECTED" not in berth.ok("run", "-b", bundle, berth.new_id())


def test_nobody_enters_before_the_program_runs(berth):
    """Without a start gate init is berth's own program until its execve, and nobody may look at it."""
    container = berth.new_id()
    shared = berth.folder / "shared"
    shared.mkdir()
    for name in ("inside", "go"):
        os.mkfifo(shared / name)
        (shared / name).chmod(0o666)  # for the user of a user namespace too
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/tmp", "source": str(shared), "options": ["rbind"]})
    wait = "echo > /tmp/inside; read line < /tmp/go"
    config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", wait]}]}
    berth.write_config(bundle, config)
    with subprocess.Popen(berth.command("run", "-b", bundle, container), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as process:
        (shared / "inside").read_text()
        assert berth.state(container)["status"] == "creating"
        assert "being created" in berth.fails("exec", container, "true", code=255)
        (shared / "go").write_text("go\n")
        assert process.wait(60) == 0


@reads_init
def test_waiting_process_is_closed_to_the_container(berth):
    """Before its execve a process still holds what is berth's. Another of the same user and capabilities, but without
    CAP_SYS_PTRACE, as in a container, must not look into it."""
    def look(container):
        words = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "readlink"]
        return subprocess.run([*words, f"/proc/{berth.state(container)['pid']}/fd/0"], capture_output=True).returncode

    waiting = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), waiting)
    assert look(waiting) != 0 and look(berth.running()) == 0
