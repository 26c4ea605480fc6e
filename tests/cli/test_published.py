# SPDX-License-Identifier: Apache-2.0
"""Addresses that berth chooses, ports of the host that lead into a container, and NAT (docs/networking.md). "The host" is a network
namespace of the test's own, with a neighbour "far" behind a cable."""
import json
import subprocess

import pytest

from machine import needs_root
from networks import LEDGERS, Joined, Network, serve
from test_interfaces import configured, delete, listed, net, start

pytestmark = needs_root
SUBNETS = {"type": "bridge", "link": "br-test", "makeLink": True, "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
WEB = {"hostPort": 8080, "port": 700}


@pytest.fixture
def host():
    network = Network()
    network.ip("link", "set", "lo", "up")
    network.ip("link", "add", "own", "type", "bridge")
    network.ip("addr", "add", "10.2.0.1/24", "dev", "own")
    network.ip("link", "set", "own", "up")
    before = network.names()
    yield network
    assert network.names() == before and rules(network) == "" and network.ledger() is None
    network.close()


@pytest.fixture
def far(host):
    """Reaches the host by 192.0.2.1 and fd00:9::1, and no container."""
    network = Network()
    network.ip("link", "add", "cable", "type", "veth", "peer", "name", "outside", "netns", str(host.holder.pid))
    for place, name, number in ((network, "cable", 2), (host, "outside", 1)):
        place.ip("addr", "add", f"192.0.2.{number}/24", "dev", name)
        place.ip("addr", "add", f"fd00:9::{number}/64", "dev", name, "nodad")
        place.ip("link", "set", name, "up")
    yield network
    host.ip("link", "del", "outside")
    network.close()


@pytest.fixture(autouse=True)
def nftables(host):
    if not host.translates():
        pytest.skip("this kernel translates no addresses (nftables)")


def rules(host):
    return host.run("nft", "list", "ruleset", check=False).stdout


def addresses(berth, host, container, name="eth0"):
    return listed(berth, host, container)[name]["addresses"]


def test_addresses_of_a_subnet(berth, host):
    first, second = start(berth, host, [SUBNETS], "one"), start(berth, host, [SUBNETS], "two")
    assert addresses(berth, host, first) == ["10.1.0.2/24", "fd00:1::2/64"]
    assert addresses(berth, host, second) == ["10.1.0.3/24", "fd00:1::3/64"]
    for address in ("10.1.0.3", "fd00:1::3", "10.1.0.1", "fd00:1::1"):  # the other one, and the bridge
        berth.ok("exec", "--cap", "CAP_NET_RAW", first, "/bin/busybox", "ping", "-c", "1", "-W", "5", address)
    assert "default via 10.1.0.1 dev eth0" in berth.ok("exec", first, "/bin/busybox", "ip", "route")
    delete(berth, host, first)
    third = start(berth, host, [SUBNETS], "three")  # not what has just been given back: neighbours still know it
    assert addresses(berth, host, third) == ["10.1.0.4/24", "fd00:1::4/64"]
    delete(berth, host, second, third)


def test_no_address_that_somebody_has(berth, host):
    fixed = start(berth, host, [SUBNETS | {"subnets": [], "addresses": ["10.1.0.2/24"]}], "one")
    gateway = SUBNETS | {"subnets": ["10.1.0.0/24"], "gateways": ["10.1.0.3"], "addresses": ["10.1.0.4/24"]}
    chosen = start(berth, host, [gateway], "two")
    assert addresses(berth, host, chosen) == ["10.1.0.4/24", "10.1.0.1/24"]
    other = start(berth, host, [SUBNETS | {"subnets": ["10.1.0.0/24"], "gateways": ["10.1.0.3"]}], "four")
    assert addresses(berth, host, other) == ["10.1.0.5/24"]  # .3 is the gateway, the others are taken
    full = {"type": "bridge", "link": "own", "subnets": ["10.2.0.0/30"], "gateways": ["10.2.0.2"]}  # the bridge itself is .1
    said = berth.fails("run", "-d", "-b", configured(berth, [full], name="three"), berth.new_id(), preexec_fn=host.enter)
    assert "no address of 10.2.0.0/30 is left" in said
    delete(berth, host, fixed, chosen, other)


def test_a_subnet_without_an_address_left(berth, host):
    small = SUBNETS | {"subnets": ["10.1.0.0/29"]}
    containers = [start(berth, host, [small], f"b{number}") for number in range(5)]
    said = berth.fails("run", "-d", "-b", configured(berth, [small], name="more"), berth.new_id(), preexec_fn=host.enter)
    assert "no address of 10.1.0.0/29 is left" in said and "/0/subnets" in said
    delete(berth, host, containers.pop(2))
    containers.append(start(berth, host, [small], "again"))
    assert addresses(berth, host, containers[-1]) == ["10.1.0.4/29"]
    delete(berth, host, *containers)


def test_attached_with_an_address_of_a_subnet(berth, host):
    container = berth.running()
    assert net(berth, host, "attach", container, "bridge=br-test,make,subnet=10.1.0.0/24,name=more") == "more\n"
    assert addresses(berth, host, container, "more") == ["10.1.0.2/24"]
    net(berth, host, "detach", container, "more")
    assert host.ledger() is None
    delete(berth, host, container)


def test_published(berth, host, far):
    container = start(berth, host, [SUBNETS | {"ports": [WEB]}], "one")
    other = start(berth, host, [SUBNETS], "two")
    serve(berth, container, 700, "heard")
    for address in ("127.0.0.1", "10.1.0.1", "fd00:1::1", "192.0.2.1"):
        assert host.call(address, 8080) == "heard\n", address
    for address in ("192.0.2.1", "fd00:9::1"):
        assert far.call(address, 8080) == "heard\n", address
    for reader in (other, container):  # by the bridge and back again
        for address in ("10.1.0.1", "fd00:1::1", "192.0.2.1"):
            told = berth.ok("exec", reader, "/bin/busybox", "nc", "-w", "5", address, "8080")
            assert told == "heard\n", (reader, address)
    assert host.call("127.0.0.1", 700) is None
    delete(berth, host, container)
    assert host.call("127.0.0.1", 8080) is None
    delete(berth, host, other)


def test_published_at_one_address(berth, host, far):
    outside = [{"host": "192.0.2.1", "hostPort": 8080, "port": 700}, {"host": "fd00:9::1", "hostPort": 8081, "port": 700}]
    one = start(berth, host, [SUBNETS | {"ports": outside}], "one")
    serve(berth, one, 700, "outside")
    two = start(berth, host, [SUBNETS | {"ports": [{"host": "127.0.0.1", "hostPort": 8080, "port": 700}]}], "two")
    serve(berth, two, 700, "inside")
    assert far.call("192.0.2.1", 8080) == far.call("fd00:9::1", 8081) == "outside\n" and far.call("192.0.2.1", 8081) is None
    assert host.call("127.0.0.1", 8080) == "inside\n" and host.call("192.0.2.1", 8080) == "outside\n"
    delete(berth, host, one, two)


def test_the_hosts_loopback_is_not_reached_from_a_bridge(berth, host):
    """As route_localnet would allow it (CVE-2020-8558): somebody in a container says that 127.0.0.1 is behind the gateway."""
    def knob():
        return host.run("cat", "/proc/sys/net/ipv4/conf/own/route_localnet").stdout.strip()

    wanted = {"type": "bridge", "link": "own", "subnets": ["10.2.0.0/24"]}
    one = start(berth, host, [wanted | {"ports": [WEB]}], "one")
    two = start(berth, host, [wanted | {"ports": [WEB | {"hostPort": 8081}]}], "two")
    assert knob() == "1"
    server = serve_udp(host, "127.0.0.1", "while (word := s.recv(9)) != b'end': print(word)")
    send = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'%s', ('127.0.0.1', 900))"
    for container in (one, two):
        inside = ["nsenter", "-t", str(berth.state(container)["pid"]), "-n"]
        for words in (("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1"), ("ip", "addr", "del", "127.0.0.1/8", "dev", "lo"),
                      ("ip", "route", "add", "127.0.0.0/8", "via", "10.2.0.1"), ("python3", "-c", send % "attack")):
            host.run(*inside, *words)
    host.run("python3", "-c", send % "end")
    assert server.communicate()[0] == b""
    delete(berth, host, one)
    assert knob() == "1"  # the other one still needs it
    delete(berth, host, two)
    assert knob() == "0"


def serve_udp(host, address, answer, port=900):
    program = f"import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('{address}', {port}))\nprint(flush=True)\n{answer}"
    server = subprocess.Popen(["python3", "-c", program], preexec_fn=host.enter, stdout=subprocess.PIPE)
    server.stdout.readline()
    return server


def serve_tcp(host, address, answer):
    """A server in the host's network, or the neighbour's, on port 900."""
    program = f"import socket\ns = socket.create_server(('{address}', 900))\nprint(flush=True)\n" \
              f"while True:\n  c, who = s.accept()\n  c.sendall({answer})\n  c.close()"
    server = subprocess.Popen(["python3", "-c", program], preexec_fn=host.enter, stdout=subprocess.PIPE)
    server.stdout.readline()
    return server


def end(server):
    server.kill()
    server.communicate()


def test_a_port_has_one_holder(berth, host):
    container = start(berth, host, [SUBNETS | {"ports": [WEB]}], "one")
    for name, port in (("any", WEB), ("loopback", WEB | {"host": "127.0.0.1"})):
        said = berth.fails("create", "-b", configured(berth, [SUBNETS | {"ports": [port]}], name=name), berth.new_id(),
                           preexec_fn=host.enter)
        assert f"port 8080/tcp of the host is taken by container {container}" in said and "/0/ports/0" in said
    said = berth.fails("net", "attach", container, "bridge=own,subnet=10.2.0.0/24,publish=8080:1", preexec_fn=host.enter)
    assert "port 8080/tcp of the host is taken by container" in said
    udp = start(berth, host, [SUBNETS | {"ports": [WEB | {"protocol": "udp"}]}], "three")
    server = serve_tcp(host, "127.0.0.1", "b''")
    said = berth.fails("net", "attach", udp, "bridge=own,subnet=10.2.0.0/24,publish=900:1", preexec_fn=host.enter)
    assert "port 900/tcp of the host is taken by a program that listens there" in said
    end(server)
    delete(berth, host, container, udp)


def test_udp(berth, host):
    container = start(berth, host, [SUBNETS | {"ports": [WEB | {"protocol": "udp"}]}])
    inside = Joined(berth.state(container)["pid"])
    server = serve_udp(inside, "", "word, who = s.recvfrom(9)\ns.sendto(word.upper(), who)", 700)
    told = host.run("python3", "-c", "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(9)\n"
                    "s.sendto(b'word', ('127.0.0.1', 8080))\nprint(s.recv(9))").stdout
    assert told == "b'WORD'\n" and server.wait() == 0
    delete(berth, host, container)


def test_nat(berth, host, far):
    """The neighbour knows no way back to the container."""
    server = serve_tcp(far, "", "(who[0] + '\\n').encode()")
    plain, hidden = start(berth, host, [SUBNETS], "one"), start(berth, host, [SUBNETS | {"nat": True}], "two")
    assert berth.ok("exec", hidden, "/bin/busybox", "nc", "-w", "5", "192.0.2.2", "900") == "192.0.2.1\n"
    assert berth("exec", plain, "/bin/busybox", "nc", "-w", "1", "192.0.2.2", "900").returncode != 0
    end(server)
    delete(berth, host, plain, hidden)


def test_the_tables_of_others_stay(berth, host):
    host.run("nft", "add table inet other; add chain inet other mine")
    before = rules(host)
    container = start(berth, host, [SUBNETS | {"nat": True}])
    assert "table inet berth" in rules(host)
    delete(berth, host, container)
    assert rules(host) == before
    host.run("nft", "delete table inet other")


@pytest.mark.parametrize("members,told,pointer", [
    ({"subnets": ["10.1.0.0"]}, "10.1.0.0/24", "subnets/0"), ({"subnets": ["10.1.0.5/24"]}, "is an address, not a network", "subnets/0"),
    ({"subnets": ["10.1.0.0/31"]}, "has no address to give", "subnets/0"), ({"ports": [{"hostPort": 0, "port": 1}]}, "0 is no port", "ports/0/hostPort"),
    ({"ports": [{"hostPort": 1, "port": 70000}]}, "65535", "ports/0/port"), ({"ports": [{"port": 1}]}, "hostPort", "ports/0"),
    ({"ports": [WEB, WEB]}, "8080 is published twice", "ports/1/hostPort"),
    ({"ports": [WEB | {"protocol": "icmp"}]}, "icmp", "ports/0/protocol"), ({"ports": [WEB | {"host": "here"}]}, "is no IP address", "ports/0/host"),
    ({"subnets": ["10.1.0.0/24"], "ports": [WEB | {"host": "::1"}]}, "no address of the kind of ::1", "ports/0/host"),
    ({"subnets": [], "ports": [WEB]}, "the interface has no address", "ports"), ({"subnets": [], "nat": True}, "the interface has no address", "nat"),
    ({"type": "macvlan", "link": "own", "makeLink": False, "nat": True}, "only an interface of a bridge", "nat")])
def test_what_is_wrong(berth, host, members, told, pointer):
    said = berth.fails("create", "-b", configured(berth, [SUBNETS | members]), berth.new_id(), preexec_fn=host.enter)
    assert told in said and f"/annotations/run.berth.interfaces/0/{pointer}" in said, said


@pytest.mark.parametrize("word,told", [
    ("publish=80", "is not [ADDRESS:]HOSTPORT:PORT"), ("publish=x:80", "x"), ("publish=80:0", "0 is no port"),
    ("publish=1:2/icmp", "none of tcp, udp and sctp"), ("publish=::1:80:80", "no address of the kind of ::1"), ("publish=here:80:80", "is no IP address")])
def test_box_refuses(berth, host, word, told):
    said = berth.fails("box", "--rootfs", berth.rootfs, "--net", f"bridge=own,subnet=10.2.0.0/24,{word}", "true", preexec_fn=host.enter)
    assert told in said


def test_box(berth, host):
    container = berth.new_id()
    berth.ok("box", "--detach", "--rootfs", berth.rootfs, "--id", container, "--net",
             "bridge=own,subnet=10.2.0.0/24,subnet=fd00:2::/64,nat,publish=[::1]:81:701/udp,publish=127.0.0.1:80:700",
             "/bin/busybox", "nc", "-ll", "-p", "700", "-e", "/bin/busybox", "echo", "heard", preexec_fn=host.enter)
    while "0.0.0.0:700" not in (text := berth.ok("exec", container, "/bin/busybox", "netstat", "-ltn")) and ":::700" not in text:
        pass
    assert host.call("127.0.0.1", 80) == "heard\n"
    delete(berth, host, container)


def test_without_nft(berth, host):
    bundle = configured(berth, [SUBNETS | {"nat": True}])
    said = berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter, env={"PATH": "/nowhere"})
    assert "there is no program nft" in said and "package nftables" in said and "/annotations/run.berth.interfaces/0" in said


def test_leftovers(berth, host):
    """Of containers whose directories somebody has removed, while their network namespace stays."""
    other = Network()
    wanted = (SUBNETS | {"subnets": ["10.1.0.0/24"], "ports": [WEB], "nat": True, "name": "n0"},
              SUBNETS | {"subnets": [], "addresses": ["10.1.0.77/24"], "ports": [WEB | {"hostPort": 80}], "name": "n1"})
    lost = []
    for number, interface in enumerate(wanted):
        bundle = configured(berth, [interface], name=f"b{number}")
        config = berth.read_config(bundle)
        (space,) = [each for each in config["linux"]["namespaces"] if each["type"] == "network"]
        space["path"] = other.path
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "sysfs"]
        berth.write_config(bundle, config)
        lost.append(berth.new_id())
        berth.ok("run", "--detach", "-b", bundle, lost[-1], preexec_fn=host.enter)
        berth.ok("kill", lost[-1], "KILL")
        assert berth("wait", lost[-1]).returncode in (137, 254)  # before Linux 6.15 nobody knows how it ended
    held = {each["hostName"] for each in host.ledger()["interfaces"]}
    assert len(held) == 2 and held < host.names()
    kept = [(berth.root / container).rename(berth.root / f".{container}") for container in lost]
    assert set(net(berth, host, "prune").split()) == held
    assert host.ledger() is None and rules(host) == "" and not held & host.names() and other.names() == {"lo"}
    assert net(berth, host, "prune") == ""
    assert str(berth.root) not in "".join(each.read_text() for each in LEDGERS.glob("*.json"))
    for container, place in zip(lost, kept):
        place.rename(berth.root / container)
        delete(berth, host, container)  # nothing to be done is no error
    other.close()


def test_prune_takes_no_container(berth, host):
    assert "net prune" in berth.fails("net", "prune", "web", preexec_fn=host.enter)
    assert "no container is named" in berth.fails("net", "list", preexec_fn=host.enter)
