# SPDX-License-Identifier: Apache-2.0
"""Interfaces that CNI's plugins make (docs/networking.md): Debian's, and programs of our own that write down how they were run."""
import json
import os
import pathlib
import stat
import tempfile

import pytest

from machine import needs_root
from networks import Network, serve

DEBIAN = pathlib.Path("/usr/lib/cni")
pytestmark = needs_root

# Says how it was run, and does what a file beside it, named after itself and the command, says.
RECORDER = r"""#!/bin/sh
place=${0%/*} self=${0##*/}
read -r config
inside=$(test -z "$CNI_NETNS" || stat -Lc %i "$CNI_NETNS")
printf '{"plugin": "%s", "command": "%s", "id": "%s", "name": "%s", "path": "%s", "netns": "%s", "other": "%s", "config": %s}\n' \
  "$self" "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_IFNAME" "$CNI_PATH" "$inside" "$CNI_ARGS$CNI_REST" "$config" >> "$place/calls"
[ ! -e "$place/$self.$CNI_COMMAND" ] || . "$place/$self.$CNI_COMMAND"
[ "$CNI_COMMAND" != ADD ] || printf '%s' '{"cniVersion": "1.0.0", "by": "'"$self"'", "text": "\u00e9\n", "number": -1.5}'
"""


class Plugins:
    """Networks and plugins of the test's own."""

    def __init__(self, berth, host, place):
        self.berth, self.host, self.place = berth, host, place
        self.networks, self.programs = place / "net.d", place / "bin"
        self.networks.mkdir()
        self.programs.mkdir()
        self.environment = os.environ | {"NETCONFPATH": str(self.networks), "CNI_PATH": f"/nowhere:{self.programs}:{DEBIAN}",
                                         "CNI_REST": "no"}
        self.options = {"env": self.environment, "preexec_fn": host.enter}

    def network(self, name, *plugins, file=None, **more):
        text = {"cniVersion": "1.0.0", "name": name, "plugins": plugins} | more
        (self.networks / (file or f"{name}.conflist")).write_text(json.dumps(text))

    def recorder(self, name):
        program = self.programs / name
        program.write_text(RECORDER)
        program.chmod(0o755)
        return {"type": name}

    def does(self, plugin, command, script):
        (self.programs / f"{plugin}.{command}").write_text(script)

    def calls(self):
        file = self.programs / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def ok(self, *words):
        return self.berth.ok(*words, **self.options)

    def fails(self, *words):
        return self.berth.fails(*words, **self.options)

    def start(self, *interfaces):
        bundle = self.bundle(*interfaces)
        container = self.berth.new_id()
        self.ok("run", "--detach", "-b", bundle, container)
        return container

    def bundle(self, *interfaces, script="exec sleep 1000"):
        bundle = self.berth.bundle("sh", "-c", script, name=f"bundle{len(self.berth.ids)}")
        config = self.berth.read_config(bundle)
        config.setdefault("annotations", {})["run.berth.interfaces"] = json.dumps(
            [{"type": "cni"} | interface for interface in interfaces])
        self.berth.write_config(bundle, config)
        return bundle

    def kept(self, container):
        return {file.name: json.loads(file.read_text()) for file in (self.berth.root / container).glob("cni-*.json")}

    def listed(self, container):
        return {each["name"]: each for each in json.loads(self.ok("net", "list", "--format", "json", container))}


@pytest.fixture
def cni(berth):
    network = Network()
    network.ip("link", "set", "lo", "up")
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as place:
        plugins = Plugins(berth, network, pathlib.Path(place))
        yield plugins
        for container in berth.ids:
            berth("delete", "--force", container, **plugins.options)
    network.close()


@pytest.fixture
def web(cni):
    """A bridge of Debian's plugins."""
    if not (DEBIAN / "bridge").exists():
        pytest.skip("the plugins of containernetworking-plugins are not installed")
    cni.network("web", {"type": "bridge", "bridge": "br-cni", "isGateway": True, "capabilities": {"ips": True, "mac": True}, "ipam": {
        "type": "host-local", "dataDir": str(cni.place / "leases"), "ranges": [[{"subnet": "10.6.0.0/24"}], [{"subnet": "fd00:6::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "tuning", "mtu": 1400})
    cni.leases = lambda: {file.name for file in (cni.place / "leases" / "web").glob("[0-9f]*")}
    return cni


def test_debians_plugins(berth, web):
    first, second = web.start({"link": "web"}), web.start({"link": "web"})
    seen = web.listed(first)["eth0"]
    assert seen | {"made": True, "link": "web", "mtu": 1400, "up": True, "type": "veth", "hostName": ""} == seen
    assert {address.partition("/")[0] for address in seen["addresses"]} >= {"10.6.0.2", "fd00:6::2"}
    assert {each["address"] for each in seen["cni"]["ips"]} == {"10.6.0.2/24", "fd00:6::2/64"}
    assert web.leases() == {"10.6.0.2", "10.6.0.3", "fd00:6::2", "fd00:6::3"}
    serve(berth, first, 80, "from the first")
    assert berth.ok("exec", second, "/bin/busybox", "nc", "10.6.0.2", "80").strip() == "from the first"
    assert web.host.call("10.6.0.2", 80).strip() == "from the first"
    web.ok("kill", first, "KILL")  # its network namespace is gone before its lease is
    for container in (first, second):
        web.ok("delete", "--force", container)
    assert web.leases() == set() and web.host.names() == {"lo", "br-cni"}


def test_attached_while_it_runs(berth, web):
    container = web.start()
    assert web.ok("net", "attach", container, "cni=web,ip=10.6.0.77/24,mac=02:42:0a:01:00:02", "cni=web,name=more") == "eth0\nmore\n"
    seen = web.listed(container)
    assert seen["eth0"]["mac"] == "02:42:0a:01:00:02" and "10.6.0.77/24" in seen["eth0"]["addresses"] and seen["more"]["up"]
    web.ok("net", "detach", container, "eth0")
    assert set(web.listed(container)) == {"lo", "more"} and set(web.kept(container)) == {"cni-more.json"}
    assert "10.6.0.77" not in web.leases()
    leases = web.leases()
    assert "CNI plugin bridge (ADD): " in web.fails("net", "attach", container, "bridge=br-cni", "cni=web,ip=10.9.0.1/24")
    assert set(web.listed(container)) == {"lo", "more"} and web.leases() == leases
    web.ok("delete", "--force", container)
    assert web.leases() == set() and web.host.names() == {"lo", "br-cni"}


def test_box(web):
    text = web.ok("box", "--rootfs", web.berth.rootfs, "--id", web.berth.new_id(), "--net", "cni=web,name=net7", "sh", "-c",
                  "/bin/busybox ip -o addr; /bin/busybox ip route")
    assert "net7    inet 10.6.0.2/24" in text and "default via 10.6.0.1 dev net7" in text
    assert web.leases() == set() and web.host.names() == {"lo", "br-cni"}


def test_how_plugins_are_run(berth, cni):
    """The specification's sections 2 to 4."""
    extra = {"ipam": {"type": "x", "range": [1, -2, 0.5, None, True, "\u00e9\"\n"]}}
    cni.network("net", cni.recorder("one") | extra | {"capabilities": {"portMappings": True, "mac": False}},
                cni.recorder("two") | {"capabilities": {"mac": True}}, cni.recorder("three"))
    container = cni.start({"link": "net", "mac": "02:42:0a:01:00:02", "name": "net9",
                           "ports": [{"hostPort": 8080, "port": 80}, {"host": "10.0.0.1", "hostPort": 53, "port": 53, "protocol": "udp"}]})
    inside = os.stat(f"/proc/{berth.state(container)['pid']}/ns/net").st_ino
    added = cni.calls()
    for call in added:
        assert call["config"]["cniVersion"] == "1.0.0" and call["config"]["name"] == "net" and "capabilities" not in call["config"]
        assert (call["command"], call["id"], call["name"], call["netns"], call["other"]) == ("ADD", container, "net9", str(inside), "")
        assert call["path"] == cni.environment["CNI_PATH"]
    one, two, three = added
    assert [each["plugin"] for each in added] == ["one", "two", "three"] and one["config"]["ipam"] == extra["ipam"]
    assert one["config"]["runtimeConfig"] == {"portMappings": [
        {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
        {"hostPort": 53, "containerPort": 53, "protocol": "udp", "hostIP": "10.0.0.1"}]}
    assert two["config"]["runtimeConfig"] == {"mac": "02:42:0a:01:00:02"} and three["config"].get("runtimeConfig", {}) == {}
    answers = [{"cniVersion": "1.0.0", "by": name, "text": "\u00e9\n", "number": -1.5} for name in ("one", "two", "three")]
    assert ["prevResult" in each["config"] for each in added] == [False, True, True]
    assert [two["config"]["prevResult"], three["config"]["prevResult"]] == answers[:2]
    assert cni.kept(container)["cni-net9.json"]["result"] == answers[2]
    # Later changes of the network do not matter to what was made by it.
    cni.network("net", {"type": "gone"})
    cni.ok("delete", "--force", container)
    removed = cni.calls()[3:]
    assert [(each["plugin"], each["command"]) for each in removed] == [("three", "DEL"), ("two", "DEL"), ("one", "DEL")]
    assert all(each["config"]["prevResult"] == answers[2] and each["config"]["name"] == "net" for each in removed)
    assert removed[1]["config"]["runtimeConfig"] == two["config"]["runtimeConfig"]


def test_plugins_that_make_no_device(cni):
    """What they have done stays until it is detached, and so does its name."""
    cni.network("net", cni.recorder("one"))
    container = cni.start({"link": "net"})
    assert cni.ok("net", "attach", container, "cni=net") == "eth1\n"
    assert "another network device eth0" in cni.fails("net", "attach", container, "cni=net,name=eth0")
    assert [each["command"] for each in cni.calls()] == ["ADD", "ADD"]
    cni.ok("net", "detach", container, "eth0")
    assert [(each["command"], each["name"]) for each in cni.calls()][2:] == [("DEL", "eth0")]
    assert cni.ok("net", "attach", container, "cni=net") == "eth0\n"


def test_after_the_namespace_has_gone(cni):
    cni.network("net", cni.recorder("one"))
    container = cni.start({"link": "net"})
    cni.ok("kill", container, "KILL")
    cni.ok("delete", "--force", container)
    assert [(each["command"], each["netns"]) for each in cni.calls()][1:] == [("DEL", "")]


def test_one_plugins_own_file(cni):
    """*.conf: older than lists. The first of a name counts, and a list before it."""
    (cni.networks / "20.conf").write_text(json.dumps({"cniVersion": "0.3.1", "name": "net", "second": 2} | cni.recorder("one")))
    (cni.networks / "10.json").write_text(json.dumps({"cniVersion": "0.3.1", "name": "net", "first": 1} | cni.recorder("one")))
    cni.start({"link": "net"})
    (call,) = cni.calls()
    assert call["config"] | {"cniVersion": "0.3.1", "name": "net", "first": 1, "type": "one"} == call["config"]
    cni.network("net", cni.recorder("two"), file="99.conflist")
    cni.start({"link": "net"})
    assert cni.calls()[1]["plugin"] == "two"


FAILURES = {"an error": ("echo '{\"code\": 7, \"msg\": \"no more addresses\", \"details\": \"of 10.6.0.0/24\"}'; exit 1",
                         "CNI plugin two (ADD): no more addresses: of 10.6.0.0/24"),
            "a crash": ("kill -SEGV $$", "CNI plugin two (ADD): ended by signal 11"),
            "a complaint": ("echo it is broken >&2; exit 3", "CNI plugin two (ADD): it is broken"),
            "nothing said": ("exit 3", "CNI plugin two (ADD): exit status 3"),
            "no answer": ("exit 0", "CNI plugin two (ADD) has answered no JSON object"),
            "no object": ("echo '[]'; exit 0", "CNI plugin two (ADD) has answered no JSON object")}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("live", (False, True))
def test_a_plugin_fails(berth, cni, failure, live):
    """All of the list are told to undo it."""
    script, told = FAILURES[failure]
    for name in ("one", "two", "three"):
        cni.recorder(name)
    cni.network("net", *({"type": name} for name in ("one", "two", "three")))
    container = cni.start() if live else berth.new_id()
    cni.does("two", "ADD", script)
    said = cni.fails("net", "attach", container, "cni=net") if live else cni.fails("create", "-b", cni.bundle({"link": "net"}), container)
    assert told in said and ("/annotations/run.berth.interfaces/0" in said) is not live
    assert [(each["plugin"], each["command"]) for each in cni.calls()] == [
        ("one", "ADD"), ("two", "ADD"), ("three", "DEL"), ("two", "DEL"), ("one", "DEL")]
    if live:
        assert set(cni.listed(container)) == {"lo"} and cni.kept(container) == {}
    else:
        assert not (berth.root / container).exists()


def test_a_plugin_does_not_undo(berth, cni):
    """The others do, and it can be asked again: nothing is forgotten."""
    cni.network("net", cni.recorder("one"), cni.recorder("two"))
    container = cni.start({"link": "net"})
    cni.does("two", "DEL", "echo '{\"code\": 11, \"msg\": \"not now\"}'; exit 1")
    said = cni.fails("delete", "--force", container)
    assert "remove network interface eth0: CNI plugin two (DEL): not now" in said
    assert [each["plugin"] for each in cni.calls()] == ["one", "two", "two", "one"] and set(cni.kept(container)) == {"cni-eth0.json"}
    cni.does("two", "DEL", "")
    cni.ok("delete", "--force", container)
    assert [each["command"] for each in cni.calls()][4:] == ["DEL", "DEL"]


@pytest.mark.parametrize("live", (False, True))
def test_killed_in_the_middle(berth, cni, live):
    """delete finds what was begun."""
    cni.network("net", cni.recorder("one"), cni.recorder("two"))
    container = cni.start() if live else berth.new_id()
    cni.does("two", "ADD", "kill -KILL $PPID; exit 0")
    words = ("net", "attach", container, "cni=net") if live else ("create", "-b", cni.bundle({"link": "net"}), container)
    assert berth(*words, **cni.options).returncode == -9
    cni.ok("delete", "--force", container)
    assert [(each["plugin"], each["command"]) for each in cni.calls()] == [
        ("one", "ADD"), ("two", "ADD"), ("two", "DEL"), ("one", "DEL")]
    assert not (berth.root / container).exists()


WRONG = {"no such network": ({"link": "missing"}, {}, "there is no CNI network missing in "),
         "another file is broken": ({"link": "missing"}, {"raw": "{"}, "raw.conflist: "),
         "no plugins": ({"link": "net"}, {"plugins": []}, "/plugins is empty"),
         "plugins are no array": ({"link": "net"}, {"plugins": {}}, "/plugins is no array"),
         "a path as a type": ({"link": "net"}, {"plugins": [{"type": "../one"}]}, "/plugins/0/type is not the name of a plugin"),
         "no type": ({"link": "net"}, {"plugins": [{}]}, "/plugins/0/type is not the name of a plugin"),
         "no such plugin": ({"link": "net"}, {"plugins": [{"type": "nobody"}]}, "there is no CNI plugin nobody in /nowhere:"),
         "no capability": ({"link": "net", "ports": [{"hostPort": 1, "port": 2}]}, {}, 'has the capability "portMappings"'),
         "no address": ({"link": "net", "addresses": ["10.1.0.2/24"]}, {}, 'has the capability "ips"'),
         "no mac": ({"link": "net", "mac": "02:42:0a:01:00:02"}, {}, 'has the capability "mac"'),
         "a subnet": ({"link": "net", "subnets": ["10.1.0.0/24"]}, {}, "an interface of CNI has it from the network's configuration"),
         "an mtu": ({"link": "net", "mtu": 1400}, {}, "an interface of CNI has it from the network's configuration"),
         "a file": ({"link": "/etc/cni/net.d/x.conflist"}, {}, "is no name of a CNI network"),
         "the same name": ({"link": "net", "name": "lo"}, {}, "another network device lo")}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong(berth, cni, wrong):
    interface, network, told = WRONG[wrong]
    cni.network("net", cni.recorder("one"))
    if "raw" in network:
        (cni.networks / "raw.conflist").write_text(network["raw"])
    elif network:
        cni.network("net", **network)
    container = berth.new_id()
    said = cni.fails("create", "-b", cni.bundle(interface), container)
    assert told in said and "/annotations/run.berth.interfaces/0" in said, said
    assert not (berth.root / container).exists() and cni.calls() == []


def test_a_name_that_cni_does_not_have(berth, cni):
    cni.network("net", cni.recorder("one"))
    container = berth.new_id() + "+1"
    berth.ids.append(container)
    assert f"CNI cannot have a container of the name {container}" in cni.fails("create", "-b", cni.bundle({"link": "net"}), container)


def test_kept_from_others(cni):
    """A network's configuration may have a password in it."""
    cni.network("net", cni.recorder("one"))
    container = cni.start({"link": "net"})
    (file,) = (cni.berth.root / container).glob("cni-*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
