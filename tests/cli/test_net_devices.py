# SPDX-License-Identifier: Apache-2.0
"""Network devices of the host in a container, and back. The "host" is a network namespace of the test's own."""
import pytest

from machine import needs_root
from networks import Network

pytestmark = needs_root

SHOW = "/bin/busybox ip -o addr; /bin/busybox ip -o link"
ADDRESSES = {"192.0.2.1/24", "2001:db8::1/64"}


@pytest.fixture
def host():
    """Has the ends "given" (MTU 1300, two global addresses, one of the link) and "peer" of a cable."""
    network = Network()
    network.ip("link", "add", "given", "type", "veth", "peer", "name", "peer")
    network.ip("link", "set", "given", "mtu", "1300", "up")
    network.ip("link", "set", "peer", "up")
    network.ip("addr", "add", "192.0.2.1/24", "broadcast", "192.0.2.255", "dev", "given")
    network.ip("addr", "add", "2001:db8::1/64", "dev", "given", "nodad")
    network.ip("addr", "add", "169.254.9.9/16", "scope", "link", "dev", "given")
    yield network
    network.close()


@pytest.fixture
def other():
    network = Network()
    yield network
    network.close()


def configured(berth, devices, script=SHOW, path=None, **members):
    bundle = berth.bundle("sh", "-c", script)
    config = berth.read_config(bundle) | members
    spaces = [space for space in config["linux"]["namespaces"] if space["type"] != "network"]
    space = [] if path is False else [{"type": "network"} | ({"path": path} if path else {})]
    config["linux"] |= {"namespaces": spaces + space, "netDevices": devices}
    if path is not None:  # a user namespace may mount no sysfs of another's network
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "sysfs"]
    berth.write_config(bundle, config)
    return bundle


def links(text):
    """The lines of `ip -o link`, by name."""
    lines = (line.split(": ", 2) for line in text.splitlines() if " mtu " in line)
    return {words[1].partition("@")[0]: words[2] for words in lines}


@pytest.mark.parametrize("wanted,seen", [({}, "given"), ({"name": "eth7"}, "eth7"), ({"name": "net%d"}, "net0")])
def test_device_inside(berth, host, wanted, seen):
    bundle = configured(berth, {"given": wanted})
    text = berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=host.enter)
    found = links(text)
    assert set(found) >= {"lo", seen} and "mtu 1300" in found[seen] and ",UP" in found[seen]
    assert all(f" {address} " in text for address in ADDRESSES) and "brd 192.0.2.255" in text
    assert "169.254.9.9" not in text


def test_hooks_find_it(berth, host, tmp_path):
    script = f"read state; pid=${{state##*\\\"pid\\\":}}; nsenter --net=/proc/${{pid%%[,\\}}]*}}/ns/net ip -o link > {tmp_path}/seen"
    hook = {"path": "/bin/bash", "args": ["bash", "-c", script], "env": ["PATH=/usr/bin:/usr/sbin:/bin:/sbin"]}
    bundle = configured(berth, {"given": {"name": "eth7"}}, hooks={"createRuntime": [hook]})
    berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=host.enter)
    assert ",UP" in links((tmp_path / "seen").read_text())["eth7"]


@pytest.mark.parametrize("up", [True, False])
def test_given_back_with_its_addresses(berth, host, up):
    if not up:
        host.ip("link", "set", "given", "down")
        host.ip("addr", "replace", "2001:db8::1/64", "dev", "given", "nodad")
    before = host.portrait("given")
    container = berth.new_id()
    berth.ok("create", "-b", configured(berth, {"given": {"name": "eth7"}}), container, preexec_fn=host.enter)
    assert host.names() == {"lo", "peer"}
    berth.ok("delete", "--force", container, preexec_fn=host.enter)
    assert host.names() == {"lo", "peer", "given"} and host.portrait("given") == before and before[1] == up


def test_given_back_by_a_network_that_stays(berth, host, other):
    before = host.portrait("given")
    container = berth.new_id()
    bundle = configured(berth, {"given": {"name": "net%d"}}, path=other.path)
    other.ip("link", "add", "net0", "type", "veth", "peer", "name", "net1")
    text = berth.ok("run", "--keep", "-b", bundle, container, preexec_fn=host.enter)
    assert "net2" in links(text) and other.names() == {"lo", "net0", "net1", "net2"}
    berth.ok("delete", container, preexec_fn=host.enter)
    assert other.names() == {"lo", "net0", "net1"} and host.portrait("given") == before


def failing(script):
    return {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", script]}]}


def test_given_back_by_a_create_that_fails(berth, host):
    before = host.portrait("given")
    bundle = configured(berth, {"given": {}}, hooks=failing("exit 3"))
    assert "exit status 3" in berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter)
    assert host.portrait("given") == before


def test_given_back_after_a_crash(berth, host, other):
    """In its own network the device of a cable ends with it: nothing could give it back."""
    before = host.portrait("given")
    container = berth.new_id()
    bundle = configured(berth, {"given": {"name": "eth7"}}, path=other.path, hooks=failing("kill -9 $PPID"))
    assert berth("create", "-b", bundle, container, preexec_fn=host.enter).returncode == -9
    assert "eth7" in other.names()
    berth.ok("delete", "--force", container, preexec_fn=host.enter)
    assert host.portrait("given") == before and other.names() == {"lo"}


def test_named_again_when_it_came_home_by_itself(berth, host, other):
    """So does the kernel with devices of hardware, when their network ends; here by hand."""
    before = host.portrait("given")
    container = berth.new_id()
    bundle = configured(berth, {"given": {"name": "eth7"}}, path=other.path)
    berth.ok("run", "--keep", "-b", bundle, container, preexec_fn=host.enter)
    other.ip("link", "set", "eth7", "netns", str(host.holder.pid))
    assert "eth7" in host.names()
    berth.ok("delete", container, preexec_fn=host.enter)
    assert "eth7" not in host.names() and host.portrait("given") == before


def test_delete_of_what_is_gone(berth, host, other):
    container = berth.new_id()
    bundle = configured(berth, {"given": {"name": "eth7"}}, path=other.path)
    berth.ok("run", "--keep", "-b", bundle, container, preexec_fn=host.enter)
    other.ip("link", "del", "eth7")
    berth.ok("delete", container, preexec_fn=host.enter)


def refused(berth, network, *arguments, **options):
    before = network.portrait("given")
    told = berth.fails("create", "-b", configured(berth, *arguments, **options), berth.new_id(),
                       preexec_fn=network.enter)
    assert network.portrait("given") == before
    return told


def test_no_such_device(berth, host):
    told = refused(berth, host, {"given": {}, "missing": {}})
    assert "there is no network device missing" in told and "/linux/netDevices" in told


def test_name_is_taken(berth, host, other):
    other.ip("link", "add", "eth7", "type", "veth", "peer", "name", "eth8")
    told = refused(berth, host, {"given": {"name": "eth7"}}, path=other.path)
    assert "eth7 is in the container's network namespace already" in told and "/linux/netDevices/given" in told


def test_needs_a_network_of_its_own(berth, host):
    assert "needs a network namespace" in refused(berth, host, {"given": {}}, path=False)
    assert "the host's network namespace" in refused_again(berth, host)


def refused_again(berth, host):
    bundle = berth.folder / "bundle"
    config = berth.read_config(bundle)
    config["linux"]["namespaces"].append({"type": "network", "path": host.path})
    berth.write_config(bundle, config)
    return berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter)


def test_not_rootless(berth, host):
    told = berth.fails("--rootless=true", "create", "-b", configured(berth, {"given": {}}), berth.new_id(),
                       preexec_fn=host.enter)
    assert "rootless" in told and "/linux/netDevices" in told
