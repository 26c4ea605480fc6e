# SPDX-License-Identifier: Apache-2.0
"""The commands that documents show an operator, run as they stand there."""
import pathlib
import re
import subprocess

import pytest

from machine import needs_root
from networks import Network

pytestmark = needs_root
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def commands(document, heading):
    """The first block of shell commands below a heading."""
    below = (DOCS / document).read_text().split(f"\n## {heading}\n", 1)[1]
    return re.search(r"```sh\n(.*?)```", below, re.DOTALL)[1]


@pytest.fixture
def host():
    network = Network()
    network.ip("link", "set", "lo", "up")
    yield network
    network.close()


def run(berth, host, text):
    """With ids of this test's own, and a `berth` in $PATH that keeps its state where the test does."""
    folder = berth.folder / "path"
    folder.mkdir()
    program = folder / "berth"
    program.write_text(f'#!/bin/sh\nexec {berth.path} --root={berth.root} "$@"\n')
    program.chmod(0o755)
    text = text.replace("web", berth.new_id("web"))
    return subprocess.run(["sh", "-euxc", f"PATH={folder}:$PATH\n{text}"], preexec_fn=host and host.enter, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def test_live_operations(berth, host):
    done = run(berth, host, commands("live-operations.md", "Mounts, in a minute"))
    assert done.returncode == 0, done.stderr
    assert "hello\n" in done.stdout and "/mnt/scratch" in done.stdout


def test_networking(berth, host):
    if not host.translates():
        pytest.skip("this kernel translates no addresses (nftables)")
    before = host.names()
    done = run(berth, host, commands("networking.md", "In a minute"))
    assert done.returncode == 0, done.stderr
    assert "1 received" in done.stdout and "\nmore\n" in done.stdout and "br-demo" in done.stdout
    assert host.names() == before


def test_networks_of_cni(berth, host):
    if not pathlib.Path("/usr/lib/cni/bridge").exists():
        pytest.skip("the plugins of containernetworking-plugins are not installed")
    done = run(berth, host, f"cd {berth.folder}\n" + commands("networking.md", "Networks of CNI"))
    assert done.returncode == 0, done.stderr
    assert "eth1\n" in done.stdout and '"10.79.0.77/24"' in done.stdout and '"mtu": 1400' in done.stdout
    assert host.names() == {"lo", "cni-demo"} and not list((berth.folder / "leases").glob("demo/10.*"))
