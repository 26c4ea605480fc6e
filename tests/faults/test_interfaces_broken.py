# SPDX-License-Identifier: Apache-2.0
"""Each state-changing system call of making, attaching and detaching interfaces fails, or berth is killed there: afterwards not
one device, bridge or address more than before, and the same request again succeeds."""
import errno
import json
import random

import pytest
from conftest import LONG
from injector import Injector
from test_injected import sweep

from networks import Network

WANTED = [{"type": "bridge", "link": "br-test", "makeLink": True, "addresses": ["10.1.0.2/24", "fd00:1::2/64"],
           "gateways": ["10.1.0.1", "fd00:1::1"], "routes": [{"to": "10.9.0.0/16", "via": "10.1.0.9"}], "subnets": ["10.4.0.0/24"], "nat": True,
           "ports": [{"hostPort": 8080, "port": 80}]},
          {"type": "bridge", "link": "own", "mtu": 1400}]
MORE = ("bridge=br-more,make,ip=10.2.0.2/24,route=10.8.0.0/16@10.2.0.1,name=more,publish=8081:80", "bridge=own,ip=10.3.0.2/24,name=last")


THIRDS = {errno.EPERM: 0, errno.ENOMEM: 1, "main": 2}


@pytest.fixture
def host(berth):
    """berth runs in it."""
    network = Network()
    network.ip("link", "set", "lo", "up")
    network.ip("link", "add", "own", "type", "bridge")
    if not network.translates():
        pytest.skip("this kernel translates no addresses (nftables)")
    berth.before = ["nsenter", f"--net={network.path}"]
    yield network
    berth.before = []
    network.close()


def annotate(config):
    config.setdefault("annotations", {})["run.berth.interfaces"] = json.dumps(WANTED)
    config["hooks"] = {}


def whole(host):
    """All that the host's network has, without what changes by itself, and what the ledger says of it."""
    devices = {link["ifname"]: (link["mtu"], link.get("master"), sorted(item["local"] for item in link["addr_info"] if item["scope"] == "global"))
               for link in host.ip("addr", "show")}
    return devices | {"rules": host.run("nft", "list", "ruleset").stdout, "ledger": host.ledger()}


def inside(berth, container):
    return sorted(each["name"] for each in json.loads(berth.ok("net", "list", "-f", "json", container)))


@pytest.mark.parametrize("fault", (errno.EPERM, errno.ENOMEM, "main"))
def test_create(berth, driver, host, fault):
    inject = Injector(berth, driver, annotate)
    before = whole(host)
    container = berth.new_id()
    first = inject("create", "-b", inject.bundle, container)
    assert first.status == 0, first
    assert set(whole(host)) > set(before)
    berth.ok("delete", "--force", container)

    def check(container, number):
        if not LONG and number % 3 != THIRDS[fault]:  # the way is long with nft
            return
        result = inject("create", "-b", inject.bundle, container, at=number, fault=fault)
        assert not result.hung, result
        if result.status == 0:
            assert inside(berth, container) == ["eth0", "eth1", "lo"], result
        if fault == "main":
            berth("delete", "--force", container)
        else:
            assert result.status == 0 or result.told.strip(), f"no message: {result}"
            if result.status == 0:
                berth.ok("delete", "--force", container)
        assert whole(host) == before, f"{result}"

    sweep(berth, first.points, check, first=1 + 2 * (fault == errno.ENOMEM))


@pytest.fixture
def running(berth, driver, host):
    inject = Injector(berth, driver, annotate)
    container = berth.new_id()
    assert inject("run", "-d", "-b", inject.bundle, container).status == 0
    return inject, container


@pytest.mark.parametrize("fault", (errno.EPERM, "main"))
def test_attach(berth, host, running, fault):
    inject, container = running
    before = whole(host), inside(berth, container)
    first = inject("net", "attach", container, *MORE)
    assert first.status == 0, first
    after = inside(berth, container)
    berth.ok("net", "detach", container, "more", "last")
    assert (whole(host), inside(berth, container)) == before
    for number in range(1, first.points + 1, 1 if LONG else 5):
        result = inject("net", "attach", container, *MORE, at=number, fault=fault)
        assert not result.hung, result
        if fault != "main" and result.status != 0:
            assert result.told.strip() and (whole(host), inside(berth, container)) == before, str(result)
        made = [name for name in inside(berth, container) if name in ("more", "last")]
        if made:  # killed in the middle, or a success: what is there can be taken away
            berth.ok("net", "detach", container, *made)
        berth.ok("net", "attach", container, *MORE)
        assert inside(berth, container) == after, f"{result}"
        berth.ok("net", "detach", container, "more", "last")
        assert (whole(host), inside(berth, container)) == before, f"{result}"


@pytest.mark.parametrize("fault", (errno.EPERM, "main"))
def test_detach(berth, host, running, fault):
    inject, container = running
    before = whole(host), inside(berth, container)
    berth.ok("net", "attach", container, *MORE)
    first = inject("net", "detach", container, "more")
    assert first.status == 0, first
    for number in range(1, first.points + 1, 1 if LONG else 2):
        berth.ok("net", "attach", container, MORE[0])
        result = inject("net", "detach", container, "more", at=number, fault=fault)
        assert not result.hung, result
        if "more" in inside(berth, container):
            berth.ok("net", "detach", container, "more")
    berth.ok("net", "detach", container, "last")
    assert (whole(host), inside(berth, container)) == before


def test_a_hundred(berth, driver, host):
    """Every other one is killed somewhere on its way. A network namespace goes with its processes and mounts, which leaks()
    counts."""
    inject = Injector(berth, driver, annotate)
    before = whole(host), host.ip("route", "show")
    container = berth.new_id()
    points = inject("run", "-d", "-b", inject.bundle, container).points
    berth.ok("delete", "--force", container)
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    for number in range(100):
        container = berth.new_id("h")
        at = chance.randrange(1, points + 1) if number % 2 else 0
        result = inject("run", "-d", "-b", inject.bundle, container, at=at, fault="main")
        assert not result.hung, f"seed {seed}, {number}: {result}"
        assert at or result.status == 0, f"seed {seed}, {number}: {result}"
        berth("delete", "--force", container)
        berth.ids.remove(container)
    assert list(berth.leaks()) == [], f"seed {seed}"
    assert (whole(host), host.ip("route", "show")) == before, f"seed {seed}"


# Of CNI: a device in the container, and a lease outside. It undoes what is there, and says what it could not do.
PLUGIN = r"""#!/bin/sh
fail() { printf '{"code": 100, "msg": "%s"}' "$1"; exit 1; }
device() { nsenter --net="$CNI_NETNS" ip link "$@" 2>&1; }
lease=${0%/*}/$CNI_CONTAINERID-$CNI_IFNAME
case $CNI_COMMAND in
  ADD) : > "$lease" && said=$(device add "$CNI_IFNAME" type bridge) && printf '{"cniVersion": "1.0.0"}' || fail add ;;
  DEL) if [ -n "$CNI_NETNS" ]; then said=$(device del "$CNI_IFNAME") || case $said in *"Cannot find device"*) ;; *) fail del ;; esac; fi
       rm -f "$lease" ;;
esac
"""


@pytest.fixture
def leases(berth, host, tmp_path, monkeypatch):
    """Those of a CNI network "net"."""
    (tmp_path / "net.conflist").write_text(json.dumps({"cniVersion": "1.0.0", "name": "net", "plugins": [{"type": "made"}]}))
    (tmp_path / "made").write_text(PLUGIN)
    (tmp_path / "made").chmod(0o755)
    monkeypatch.setenv("NETCONFPATH", str(tmp_path))
    monkeypatch.setenv("CNI_PATH", str(tmp_path))
    return lambda: {file.name.rpartition("-")[2] for file in tmp_path.glob("*-eth*")}


@pytest.mark.parametrize("fault", (errno.EPERM, "main"))
def test_cni(berth, driver, leases, fault):
    inject = Injector(berth, driver, lambda config: config.update({"hooks": {}}))
    container = berth.new_id()
    assert inject("run", "-d", "-b", inject.bundle, container).status == 0
    first = inject("net", "attach", container, "cni=net")
    assert first.status == 0 and inside(berth, container) == ["eth0", "lo"] and leases() == {"eth0"}
    points = {"attach": first.points, "detach": inject("net", "detach", container, "eth0").points}
    for action, number in [(action, number) for action, count in points.items() for number in range(1, count + 1, 1 if LONG else 2)]:
        if action == "detach":
            berth.ok("net", "attach", container, "cni=net")
        result = inject("net", action, container, "eth0" if action == "detach" else "cni=net", at=number, fault=fault)
        assert not result.hung and (fault == "main" or result.status == 0 or result.told.strip()), result
        if fault != "main" and action == "attach" and result.status != 0:
            assert inside(berth, container) == ["lo"] and leases() == set(), result
        if "eth0" in inside(berth, container):
            berth.ok("net", "detach", container, "eth0")
        else:  # killed before it was made: the name is free; or when it was removed: it is, once that is repeated
            if action == "detach" and result.status != 0:
                berth("net", "detach", container, "eth0")
            assert berth.ok("net", "attach", container, "cni=net") == "eth0\n"
            berth.ok("net", "detach", container, "eth0")
        assert inside(berth, container) == ["lo"] and leases() == set(), result
    berth.ok("net", "attach", container, "cni=net")
    berth.ok("delete", "--force", container)
    assert leases() == set()
