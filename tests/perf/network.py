# SPDX-License-Identifier: Apache-2.0
"""What TCP moves from one container to another over a bridge that berth has made, and over one that ip(8) has made the same way:
only who made the devices differs. In a network namespace of its own."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess

SECONDS = 10
ROUNDS = 5
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def run(*words: str) -> str:
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL).stdout


@contextlib.contextmanager
def holder():
    """A process in a network namespace of its own."""
    process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process.pid
    process.communicate(b"\n")


@contextlib.contextmanager
def made_by_ip():
    """The addresses 10.1.0.2 and 10.1.0.3, by the process that is there."""
    with holder() as first, holder() as second:
        run("ip", "link", "add", "br-ip", "type", "bridge")
        run("ip", "link", "set", "br-ip", "up")
        for number, pid in ((2, first), (3, second)):
            run("ip", "link", "add", f"ip{number}", "master", "br-ip", "type", "veth", "peer", "eth0", "netns", str(pid))
            run("ip", "link", "set", f"ip{number}", "up")
            inside = ("nsenter", f"--net=/proc/{pid}/ns/net", "ip")
            run(*inside, "addr", "add", f"10.1.0.{number}/24", "dev", "eth0")
            run(*inside, "link", "set", "eth0", "up")
        yield first, second
        for name in ("ip2", "ip3", "br-ip"):  # the namespaces go in their own time
            run("ip", "link", "del", name)


@contextlib.contextmanager
def made_by_berth(berth: str, root: pathlib.Path):
    names = ("bench-network-2", "bench-network-3")
    command = (berth, f"--root={root}")
    try:
        for name in names:
            address = f"10.1.0.{name[-1]}/24"
            run(*command, "box", "--detach", "--id", name, "--net", f"bridge=br-berth,make,ip={address}", "sleep", "1000")
        yield tuple(json.loads(run(*command, "state", name))["pid"] for name in names)
    finally:
        for name in names:
            subprocess.run([*command, "delete", "--force", name], check=False, **QUIET)


def places() -> list[str]:
    """Each end on a processor of its own: where the kernel moves them to differs more than anything else."""
    processors = sorted(os.sched_getaffinity(0))
    return ["--affinity", f"{processors[0]},{processors[1]}"] if len(processors) > 1 else []


def throughput(pids: tuple[int, int]) -> float:
    """Bits in a second from the first to the second."""
    enter = [["nsenter", f"--net=/proc/{pid}/ns/net", "iperf3"] for pid in pids]
    server = subprocess.Popen([*enter[1], "--server", "--one-off", "--forceflush"], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE)
    while "listening" not in server.stdout.readline():
        pass
    told = json.loads(run(*enter[0], "--client", "10.1.0.3", "--time", str(SECONDS), "--json", *places()))
    server.communicate()
    return told["end"]["sum_received"]["bits_per_second"]


def measure(berth: str, root: pathlib.Path) -> dict[str, float]:
    """The median of each, in turns, of which each is the first as often as the other."""
    found = {"berth": [], "ip": []}
    made = {"berth": lambda: made_by_berth(berth, root), "ip": made_by_ip}
    for number in range(ROUNDS):
        for name in sorted(made, reverse=number % 2 == 0):
            with made[name]() as pids:
                found[name].append(throughput(pids))
    return {name: statistics.median(rates) for name, rates in found.items()}
