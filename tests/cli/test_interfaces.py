# SPDX-License-Identifier: Apache-2.0
"""Interfaces that berth makes for a container (docs/networking.md), seen from inside and from "the host", which is a network
namespace of the test's own."""
import concurrent.futures
import json

import pytest

from machine import needs_root
from networks import Network, serve

pytestmark = needs_root

ANNOTATION = "run.berth.interfaces"
SHOW = "/bin/busybox ip -o addr; /bin/busybox ip -o link; /bin/busybox ip route; /bin/busybox ip -6 route"
WHOLE = {"type": "bridge", "link": "br-test", "makeLink": True, "name": "net7", "mtu": 1400, "mac": "02:42:0a:01:00:02",
         "addresses": ["10.1.0.2/24", "fd00:1::2/64"], "gateways": ["10.1.0.1", "fd00:1::1"],
         "routes": [{"to": "10.9.0.0/16", "via": "10.1.0.9"}, {"to": "10.8.0.0/16"}]}


@pytest.fixture
def host(berth):
    """Has two bridges' worth of nothing: a cable "wire" and a bridge "own" that is somebody else's."""
    network = Network()
    network.ip("link", "add", "wire", "type", "veth", "peer", "name", "far")
    network.ip("link", "add", "own", "type", "bridge")
    for name in ("lo", "wire", "far", "own"):
        network.ip("link", "set", name, "up")
    yield network
    for container in berth.ids:  # in their own network, which takes its ledger along
        berth("delete", "--force", container, preexec_fn=network.enter)
    network.close()


def configured(berth, interfaces, script="exec sleep 1000", name="bundle"):
    bundle = berth.bundle("sh", "-c", script, name=name)
    config = berth.read_config(bundle)
    text = interfaces if isinstance(interfaces, str) else json.dumps(interfaces)
    config.setdefault("annotations", {})[ANNOTATION] = text
    berth.write_config(bundle, config)
    return bundle


def names_made(host):
    return host.names() - {"lo", "wire", "far", "own"}


def start(berth, host, interfaces, name="bundle"):
    container = berth.new_id()
    berth.ok("run", "--detach", "-b", configured(berth, interfaces, name=name), container, preexec_fn=host.enter)
    return container


def inside(berth, container, *words):
    return berth.ok("exec", "--cap", "CAP_NET_RAW", container, "/bin/busybox", *words)


def delete(berth, host, *containers):
    for container in containers:
        berth.ok("delete", "--force", container, preexec_fn=host.enter)


def test_as_it_was_asked_for(berth, host):
    text = berth.ok("run", "-b", configured(berth, [WHOLE], SHOW), berth.new_id(), preexec_fn=host.enter)
    assert " net7 " in text and "inet 10.1.0.2/24 brd 10.1.0.255" in text and "inet6 fd00:1::2/64" in text
    (link,) = [line for line in text.splitlines() if ": net7" in line and " mtu " in line]
    assert "mtu 1400" in link and "02:42:0a:01:00:02" in link and ",UP" in link
    for route in ("default via 10.1.0.1 dev net7", "10.9.0.0/16 via 10.1.0.9 dev net7", "10.8.0.0/16 dev net7",
                  "default via fd00:1::1 dev net7"):
        assert route in text
    assert names_made(host) == set()  # the bridge went with its last container


def test_seen_from_the_host(berth, host):
    container = start(berth, host, [WHOLE])
    (end,) = names_made(host) - {"br-test"}
    (link,) = host.ip("link", "show", "dev", end)
    assert end.startswith("berth") and link["master"] == "br-test" and link["ifalias"] == f"berth:{container}"
    (bridge,) = host.ip("addr", "show", "dev", "br-test")
    assert {"10.1.0.1", "fd00:1::1"} <= {address["local"] for address in bridge["addr_info"]}
    delete(berth, host, container)
    assert names_made(host) == set()


def peer(number, **members):
    return {"type": "bridge", "link": "br-test", "makeLink": True, "addresses": [f"10.1.0.{number}/24", f"fd00:1::{number}/64"],
            "gateways": ["10.1.0.1", "fd00:1::1"]} | members


def test_two_on_a_bridge(berth, host):
    first = start(berth, host, [peer(2)], "one")
    second = start(berth, host, [peer(3)], "two")
    for address in ("10.1.0.3", "fd00:1::3", "10.1.0.1", "fd00:1::1"):
        inside(berth, first, "ping", "-c", "1", "-W", "5", address)
    serve(berth, second, 700, "heard")
    for address in ("10.1.0.3", "fd00:1::3"):
        assert inside(berth, first, "nc", "-w", "5", address, "700") == "heard\n"
        assert host.call(address, 700) == "heard\n"
    delete(berth, host, first)
    assert "br-test" in host.names()  # still used
    delete(berth, host, second)
    assert names_made(host) == set()


def test_a_bridge_is_not_removed_under_somebody(berth, host):
    """Three at a time make it, reach it and leave it."""
    bundles = []
    for number in range(3):
        bundle = configured(berth, [peer(2 + number)], "/bin/busybox ping -c 1 -W 5 10.1.0.1", name=f"b{number}")
        config = berth.read_config(bundle)
        for kind in ("bounding", "effective", "permitted"):
            config["process"]["capabilities"][kind].append("CAP_NET_RAW")
        berth.write_config(bundle, config)
        bundles.append(bundle)

    def work(bundle):
        for _ in range(12):
            berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=host.enter)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(work, bundles))
    assert names_made(host) == set()


def test_a_bridge_of_somebody_else_stays_as_it_is(berth, host):
    before = host.portrait("own")
    container = start(berth, host, [peer(2, link="own")])
    assert host.portrait("own") == before
    delete(berth, host, container)
    assert host.portrait("own") == before and names_made(host) == set()


def test_names_that_are_left_out(berth, host):
    wanted = [peer(2), {"type": "bridge", "link": "own", "name": "eth0"}, {"type": "bridge", "link": "own"}]
    text = berth.ok("run", "-b", configured(berth, wanted, SHOW), berth.new_id(), preexec_fn=host.enter)
    assert all(f" {name} " in text or f" {name}@" in text for name in ("eth0", "eth1", "eth2"))
    assert names_made(host) == set()


def test_macvlan(berth, host):
    wanted = {"type": "macvlan", "link": "wire", "addresses": ["10.2.0.2/24"]}
    done = berth("run", "-b", configured(berth, [wanted], SHOW), berth.new_id(), preexec_fn=host.enter)
    if "no network devices of the kind macvlan" in done.stderr:
        pytest.skip("this kernel has no macvlan")
    assert done.returncode == 0 and "inet 10.2.0.2/24" in done.stdout and names_made(host) == set()


@pytest.mark.parametrize("member,value,told", [
    ("link", "missing", "there is no network device missing"), ("link", "wire", "wire is no bridge"),
    ("link", "x" * 16, "is no name of a network device"), ("name", "a/b", "is no name of a network device"),
    ("addresses", ["10.1.0.2"], "10.1.0.2/24"), ("addresses", ["10.1.0.2/33"], "33 bits"),
    ("addresses", ["10.1.0.300/24"], "is no IP address"), ("gateways", ["10.2.0.1"], "could not be reached"),
    ("routes", [{"to": "10.9.0.1/16"}], "is an address, not a network"), ("routes", [{"to": "default"}], "needs \"via\""),
    ("mtu", 60, "is not from 1280"), ("mac", "01:00:00:00:00:00", "address of a group"), ("mac", "2:3", "is no address"),
    ("type", "vxlan", "vxlan"), ("speed", 10, "no such member")])
def test_what_is_wrong(berth, host, member, value, told):
    wanted = peer(2, link="own", makeLink=False) | {member: value}
    said = berth.fails("create", "-b", configured(berth, [wanted]), berth.new_id(), preexec_fn=host.enter)
    assert told in said and f"/annotations/{ANNOTATION}/0" in said, said
    assert names_made(host) == set()


def test_two_ways_to_everywhere(berth, host):
    bundle = configured(berth, [peer(2), peer(3, link="br-other")])
    said = berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter)
    assert "there is a default route already" in said and f"/annotations/{ANNOTATION}/1" in said
    assert names_made(host) == set()


def test_text_that_is_no_json(berth, host):
    said = berth.fails("create", "-b", configured(berth, "[{"), berth.new_id(), preexec_fn=host.enter)
    assert f"/annotations/{ANNOTATION}" in said


def test_needs_a_network_of_its_own(berth, host):
    bundle = configured(berth, [peer(2)])
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "network"]
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "sysfs"]
    berth.write_config(bundle, config)
    assert "needs a network namespace" in berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter)


def test_nothing_stays_of_a_create_that_fails(berth, host):
    bundle = configured(berth, [peer(2), peer(3, link="br-other", name="eth1", gateways=[])])
    config = berth.read_config(bundle)
    config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}
    berth.write_config(bundle, config)
    assert "exit status 3" in berth.fails("create", "-b", bundle, berth.new_id(), preexec_fn=host.enter)
    assert names_made(host) == set()


def test_nothing_stays_of_a_create_that_was_killed(berth, host):
    bundle = configured(berth, [peer(2)])
    config = berth.read_config(bundle)
    config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "kill -9 $PPID"]}]}
    berth.write_config(bundle, config)
    container = berth.new_id()
    assert berth("create", "-b", bundle, container, preexec_fn=host.enter).returncode == -9
    assert "br-test" in host.names()
    delete(berth, host, container)
    assert names_made(host) == set()


def test_box(berth, host):
    text = berth.ok("box", "--rootfs", berth.rootfs, "--id", berth.new_id(), "--net",
                    "bridge=br-test,make,ip=10.1.0.2/24,ip=fd00:1::2/64,gateway=10.1.0.1,route=10.9.0.0/16@10.1.0.9,name=net7,mtu=1400",
                    "sh", "-c", SHOW, preexec_fn=host.enter)
    assert "inet 10.1.0.2/24" in text and "default via 10.1.0.1 dev net7" in text and "mtu 1400" in text
    assert "10.9.0.0/16 via 10.1.0.9" in text and "fd00:1::2/64" in text


def test_box_with_a_device_of_the_host(berth, host):
    host.ip("addr", "add", "192.0.2.1/24", "dev", "wire")
    text = berth.ok("box", "--rootfs", berth.rootfs, "--id", berth.new_id(), "--net", "device=wire,name=net0", "--net", "bridge=own",
                    "sh", "-c", SHOW, preexec_fn=host.enter)
    assert "inet 192.0.2.1/24" in text and " net0" in text and " eth0" in text


@pytest.mark.parametrize("text,told", [
    ("here", "is none of none, host, an absolute path"), ("device=", "is not device=NAME"), ("device=wire,speed=3", "is not device=NAME"), ("device=missing", "no network device missing"),
    ("bridge=own,speed=3", "no \"speed\", but name, ip, subnet, gateway, route, mtu, mac, publish, nat, make"), ("bridge=own,ip", "ip=..."),
    ("bridge=own,make=1", "has no value"), ("bridge=own,mtu=x", "mtu"), ("bridge=,ip=10.1.0.2/24", "no name"),
    ("macvlan=wire,make", "only a bridge can be made")])
def test_box_refuses(berth, host, text, told):
    said = berth.fails("box", "--rootfs", berth.rootfs, "--id", berth.new_id(), "--net", text, "true", preexec_fn=host.enter)
    assert told in said and names_made(host) == set()


def test_box_of_two_networks(berth, host):
    said = berth.fails("box", "--rootfs", berth.rootfs, "--net", "host", "--net", "none", "true", preexec_fn=host.enter)
    assert "one network namespace" in said
    said = berth.fails("box", "--rootfs", berth.rootfs, "--net", "host", "--net", "bridge=own", "true", preexec_fn=host.enter)
    assert "not into the host's" in said


def net(berth, host, *words):
    return berth.ok("net", *words, preexec_fn=host.enter)


def listed(berth, host, container):
    return {each["name"]: each for each in json.loads(net(berth, host, "list", "--format", "json", container))}


def test_attached_and_detached_while_it_runs(berth, host):
    container = start(berth, host, [peer(2)])
    added = net(berth, host, "attach", container, "bridge=own,ip=10.2.0.2/24", "bridge=br-more,make,name=more,mac=02:00:00:00:00:07")
    assert added == "eth1\nmore\n"
    seen = listed(berth, host, container)
    assert set(seen) == {"lo", "eth0", "eth1", "more"} and seen["eth1"]["addresses"] == ["10.2.0.2/24"]
    assert seen["more"] | {"link": "br-more", "made": True, "mac": "02:00:00:00:00:07", "up": True, "type": "veth"} == seen["more"]
    assert not seen["lo"]["made"] and seen["more"]["hostName"] in host.names()
    net(berth, host, "detach", container, "more", "eth0")
    assert set(listed(berth, host, container)) == {"lo", "eth1"}
    assert "br-more" not in host.names() and "br-test" not in host.names()
    delete(berth, host, container)
    assert names_made(host) == set()


def test_nothing_stays_in_a_network_that_does(berth, host):
    """It was joined, so that the kernel removes nothing by itself."""
    other = Network()
    bundle = configured(berth, [])
    config = berth.read_config(bundle)
    (space,) = [each for each in config["linux"]["namespaces"] if each["type"] == "network"]
    space["path"] = other.path
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "sysfs"]
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "--detach", "-b", bundle, container, preexec_fn=host.enter)
    done = berth("net", "attach", container, "macvlan=wire,name=wireless", preexec_fn=host.enter)
    if "no network devices of the kind macvlan" in done.stderr:
        pytest.skip("this kernel has no macvlan")
    net(berth, host, "attach", container, "bridge=own")
    assert other.names() == {"lo", "wireless", "eth0"}
    berth.ok("kill", container, "KILL")
    delete(berth, host, container)
    assert other.names() == {"lo"} and names_made(host) == set()
    other.close()


def test_attach_is_all_or_nothing(berth, host):
    container = start(berth, host, [peer(2)])
    before = listed(berth, host, container).keys(), names_made(host), (berth.root / container / "state.json").read_text()
    for second, told in (("bridge=missing", "there is no network device missing"), ("bridge=own,name=eth0", "another network device eth0"),
                         ("bridge=own,ip=10.1.0.9/24,route=10.1.0.0/24,route=10.1.0.0/24", "a route to 10.1.0.0/24 already"),
                         ("bridge=own,gateway=10.5.0.1", "could not be reached")):
        said = berth.fails("net", "attach", container, "bridge=br-more,make", second, preexec_fn=host.enter)
        assert told in said and "config.json" not in said, said
        after = listed(berth, host, container).keys(), names_made(host), (berth.root / container / "state.json").read_text()
        assert after == before, told


def test_only_what_is_ours_is_detached(berth, host):
    container = start(berth, host, [peer(2)])
    assert "has no interface lo" in berth.fails("net", "detach", container, "eth0", "lo", preexec_fn=host.enter)
    assert set(listed(berth, host, container)) == {"lo", "eth0"}
    assert "there is no \"move\"" in berth.fails("net", "move", container, preexec_fn=host.enter)
    assert "no interface is named" in berth.fails("net", "detach", container, preexec_fn=host.enter)


def test_what_was_removed_inside(berth, host):
    """Its name is free again, and what is left of it outside goes."""
    container = start(berth, host, [peer(2)])
    berth.ok("exec", "--cap", "CAP_NET_ADMIN", container, "/bin/busybox", "ip", "link", "del", "eth0")
    assert net(berth, host, "attach", container, "bridge=br-test,make,ip=10.1.0.2/24") == "eth0\n"
    net(berth, host, "detach", container, "eth0")
    assert set(listed(berth, host, container)) == {"lo"} and names_made(host) == set()


def test_not_of_a_container_that_has_ended(berth, host):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", configured(berth, [peer(2)], "true"), container, preexec_fn=host.enter)
    for words in (("attach", container, "bridge=own"), ("detach", container, "eth0"), ("list", container)):
        assert "not running" in berth.fails("net", *words, preexec_fn=host.enter)
    delete(berth, host, container)
    assert names_made(host) == set()


def test_counters(berth, host):
    first = start(berth, host, [peer(2)], "one")
    before = listed(berth, host, first)["eth0"]
    inside(berth, first, "ping", "-c", "3", "-s", "1000", "10.1.0.1")
    after = listed(berth, host, first)["eth0"]
    assert after["txBytes"] - before["txBytes"] >= 3000 and after["rxPackets"] - before["rxPackets"] >= 3
    (told,) = json.loads(berth.ok("events", "--stats", first))["data"]["network_interfaces"]
    assert told["Name"] == "eth0" and told["TxBytes"] >= after["txBytes"] and set(told) == {"Name"} | {
        way + what for way in ("Rx", "Tx") for what in ("Bytes", "Packets", "Errors", "Dropped")}
    metrics = berth.ok("events", "--format", "openmetrics", first)
    assert f'container_network_transmit_bytes_total{{id="{first}",interface="eth0"}} ' in metrics
