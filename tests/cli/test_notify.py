# SPDX-License-Identifier: Apache-2.0
"""sd_notify through the runtime: a program says that it is ready, and the service manager hears it."""
import array
import os
import socket
import subprocess

import pytest

from machine import any_ids

SECONDS = 20
# Sends each of its arguments to $NOTIFY_SOCKET, then waits for the end of its input.
TELL = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int count, char** words) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof address.sun_path - 1);
  puts(address.sun_path);
  fflush(stdout);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) < 0) return 9;
  for (int i = 1; i < count; ++i)
    if (write(fd, words[i], strlen(words[i])) < 0) return 8;
  char byte;
  return read(0, &byte, 1) < 0;
}
"""


@pytest.fixture(scope="session")
def tell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tell")
    (folder / "tell.c").write_text(TELL)
    subprocess.run(["gcc", "-static", "-o", folder / "tell", folder / "tell.c"], check=True)
    folder.chmod(0o755)
    return folder


class Manager:
    """What systemd is for a service of Type=notify."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(SECONDS)
        self.environment = os.environ | {"NOTIFY_SOCKET": str(path)}

    def hear(self):
        """One message: its lines, and the descriptors that came with it."""
        text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        descriptors = array.array("i")
        for _, _, payload in control:
            descriptors.frombytes(payload[:len(payload) - len(payload) % 4])
        return text.decode().split(), list(descriptors)


@pytest.fixture
def manager(tmp_path):
    listener = Manager(tmp_path / "manager")
    yield listener
    listener.socket.close()


def telling(berth, tell, *words, change=lambda config: None):
    bundle = berth.bundle("/run/tell/tell", *words)
    config = berth.read_config(bundle)
    config["mounts"] += [{"destination": "/run", "type": "tmpfs", "source": "tmpfs"},
                         {"destination": "/run/tell", "type": "bind", "source": str(tell), "options": ["bind"]}]
    change(config)
    berth.write_config(bundle, config)
    return bundle


def popen(berth, manager, *words):
    return subprocess.Popen(berth.command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            env=manager.environment, text=True)


def hear_ready(manager):
    """Until READY and MAINPID were heard and the barrier is taken."""
    lines = []
    while not {"BARRIER=1"} & set(lines):
        text, descriptors = manager.hear()
        lines += text
        for descriptor in descriptors:
            os.close(descriptor)
    return lines


def test_run_detached(berth, tell, manager):
    container = berth.new_id()
    run = popen(berth, manager, "run", "-d", "-b", telling(berth, tell, "STATUS=no\nX=1", "READY=1\nSTATUS=yes"), container)
    assert run.stdout.readline() == "/run/notify/notify.sock\n"
    assert hear_ready(manager) == ["READY=1", f"MAINPID={berth.state(container)['pid']}", "BARRIER=1"]
    assert run.wait(SECONDS) == 0
    run.communicate("x")
    berth.wait_stopped(container)


def test_run_returns_only_when_ready_was_taken(berth, tell, manager):
    container = berth.new_id()
    run = popen(berth, manager, "run", "-d", "-b", telling(berth, tell, "READY=1"), container)
    assert manager.hear()[0][0] == "READY=1"
    _, barrier = manager.hear()
    assert berth.state(container)["status"] == "running"
    assert run.poll() is None
    os.close(barrier[0])
    assert run.wait(SECONDS) == 0
    run.communicate("x")


def test_start(berth, tell, manager):
    container = berth.new_id()
    bundle = telling(berth, tell, "READY=1")
    create = popen(berth, manager, "create", "-b", bundle, container)
    assert create.wait(SECONDS) == 0
    start = subprocess.Popen(berth.command("start", container), env=manager.environment)
    assert hear_ready(manager) == ["READY=1", f"MAINPID={berth.state(container)['pid']}", "BARRIER=1"]
    assert start.wait(SECONDS) == 0
    create.communicate("x")


def test_run_in_foreground(berth, tell, manager):
    """It stays, so that it remains the service's process."""
    run = popen(berth, manager, "run", "-b", telling(berth, tell, "MAINPID=1", "READY=1"), berth.new_id())
    assert manager.hear() == (["READY=1"], [])
    run.communicate("x", timeout=SECONDS)
    assert run.returncode == 0


def test_program_that_ends_without_a_word(berth, tell, manager):
    container = berth.new_id()
    run = popen(berth, manager, "run", "-d", "-b", telling(berth, tell), container)
    run.communicate("x", timeout=SECONDS)
    assert run.returncode == 0


@any_ids
def test_in_a_user_namespace(berth, tell, manager):
    def map_ids(config):
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 100000, "size": 65536}]

    run = popen(berth, manager, "run", "-b", telling(berth, tell, "READY=1", change=map_ids), berth.new_id())
    assert manager.hear() == (["READY=1"], [])
    run.communicate("x", timeout=SECONDS)
    assert run.returncode == 0


def test_manager_that_is_gone(berth, tell, manager):
    """A warning: the program runs."""
    manager.socket.close()
    command = berth.command("run", "-d", "-b", telling(berth, tell, "READY=1"), berth.new_id())
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=manager.environment, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "connect to $NOTIFY_SOCKET" in done.stderr
    berth.ok("delete", "--force", berth.ids[-1])


def test_exec_is_not_told_of_it(berth, tell, manager):
    container = berth.new_id()
    run = popen(berth, manager, "run", "-d", "-b", telling(berth, tell, "READY=1"), container)
    hear_ready(manager)
    assert run.wait(SECONDS) == 0
    assert "NOTIFY_SOCKET" not in berth.ok("exec", container, "env", env=manager.environment)
    run.communicate("x")
