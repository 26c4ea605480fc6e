# SPDX-License-Identifier: Apache-2.0
"""sysfs, mqueue and procfs in a user namespace that shares the namespace which they show: the kernel makes none there, and
the host's are bound."""
import os
import pathlib

import pytest

import shapes
from machine import any_ids

MQUEUE = {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]}


def bundle_sharing(berth, kind, script):
    """In a user namespace, and in the host's namespace of that kind."""
    bundle = berth.bundle("sh", "-c", script)
    config = berth.read_config(bundle)
    if shapes.SHAPE == "":
        shapes.add_user_namespace(config)
    linux = config["linux"]
    linux["namespaces"] = [each for each in linux["namespaces"] if each["type"] != kind]
    berth.write_config(bundle, config)
    return bundle


def run(berth, kind, script, code=0):
    done = berth("run", "-b", bundle_sharing(berth, kind, script), berth.new_id())
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def flags_at(target, text):
    """Of each mount there or below."""
    mounts = [line.split() for line in text.splitlines() if " - " in line]
    return {words[4]: set(words[5].split(",")) for words in mounts if (words[4] + "/").startswith(target + "/")}


def test_sysfs_of_the_hosts_network(berth):
    """Its devices are seen, and nothing of the host's /sys can be written, wherever it is mounted."""
    text = run(berth, "network", "ls /sys/class/net; cat /proc/self/mountinfo")
    found = flags_at("/sys", text)
    assert {path.name for path in pathlib.Path("/sys/class/net").iterdir()} <= set(text.split("\n"))
    assert {"ro", "nosuid", "nodev", "noexec"} <= found["/sys"]
    assert all("ro" in flags for flags in found.values())


def test_sysfs_of_its_own_network_is_new(berth):
    bundle = berth.bundle("ls", "/sys/class/net")
    config = berth.read_config(bundle)
    if shapes.SHAPE == "":
        shapes.add_user_namespace(config)
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id()) == "lo\n"


def test_processes_of_the_host(berth):
    assert run(berth, "pid", f"cat /proc/{os.getpid()}/comm") == pathlib.Path("/proc/self/comm").read_text()


# In a mount namespace where the host's message queues are in sight, or are not.
WITH_QUEUES = ["unshare", "--mount", "sh", "-c",
               'grep -q " /dev/mqueue " /proc/mounts || mount -t mqueue mqueue /dev/mqueue || exit; exec "$@"', "sh"]
WITHOUT_QUEUES = ["unshare", "--mount", "sh", "-c", 'while umount /dev/mqueue; do :; done 2>&-; exec "$@"', "sh"]


@pytest.fixture
def queues(as_root):
    """A place for them."""
    place = pathlib.Path("/dev/mqueue")
    made = not place.exists()
    place.mkdir(exist_ok=True)
    yield
    if made:
        place.rmdir()


def test_message_queues_of_the_host(berth, queues):
    name = f"{berth.prefix}-queue"
    touch = ["sh", "-c", f'touch /dev/mqueue/{name}; "$@"; status=$?; rm /dev/mqueue/{name}; exit $status', "sh"]
    berth.before = WITH_QUEUES + touch
    assert name in run(berth, "ipc", "ls /dev/mqueue").split()


def test_message_queues_that_are_not_mounted(berth, queues):
    berth.before = WITHOUT_QUEUES
    told = run(berth, "ipc", "true", code=1)
    assert "the host has none at /dev/mqueue that could be bound" in told and "/mounts/" in told


@any_ids
def test_joined_network_shows_nothing_of_the_host(berth):
    """Of a namespace that is neither its own nor the host's there is no sysfs to bind."""
    other = berth.running()
    bundle = bundle_sharing(berth, "network", "true")
    config = berth.read_config(bundle)
    config["linux"]["namespaces"].append({"type": "network", "path": f"/proc/{berth.state(other)['pid']}/ns/net"})
    berth.write_config(bundle, config)
    assert "make the filesystem sysfs" in berth.fails("run", "-b", bundle, berth.new_id())
