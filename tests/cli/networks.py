# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of the tests' own: what berth makes on "the host" is made in one of them."""
import ctypes
import json
import os
import pathlib
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
LEDGERS = pathlib.Path("/run/berth-network")
CALL = """
import socket
import sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as server:
    print(server.makefile().read(), end="")
"""


class Joined:
    """The network namespace of a process."""

    def __init__(self, process):
        self.path = f"/proc/{process}/ns/net"

    def enter(self):
        descriptor = os.open(self.path, os.O_RDONLY)
        assert LIBC.setns(descriptor, CLONE_NEWNET) == 0
        os.close(descriptor)

    def ip(self, *words):
        done = subprocess.run(["ip", "-json", *words], preexec_fn=self.enter, capture_output=True, text=True, check=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def names(self):
        return {link["ifname"] for link in self.ip("addr", "show")}

    def portrait(self, device):
        """What must be the same again; addresses of the link itself are the kernel's."""
        (link,) = self.ip("addr", "show", "dev", device)
        kept = {f"{item['local']}/{item['prefixlen']}" for item in link["addr_info"] if item["scope"] == "global"}
        return link["mtu"], "UP" in link["flags"], kept

    def run(self, *words, check=True, **options):
        return subprocess.run(words, preexec_fn=self.enter, capture_output=True, text=True, check=check, timeout=30, **options)

    def translates(self):
        """Whether rules such as berth's can be made there."""
        rule = ("add table inet probe; add chain inet probe p { type nat hook output priority -100; }; add rule inet probe p "
                "meta nfproto ipv4 fib daddr type local tcp dport 1 dnat ip to 127.0.0.1:2; add chain inet probe m "
                "{ type nat hook postrouting priority 100; }; add rule inet probe m ct status dnat masquerade; delete table inet probe")
        return self.run("nft", rule, check=False).returncode == 0

    def ledger(self):
        """What berth has written down of this namespace; None: nothing. SO_NETNS_COOKIE is 71."""
        cookie = self.run("python3", "-c", "import socket\nprint(int.from_bytes(socket.socket().getsockopt(1, 71, 8), 'little'))").stdout
        path = LEDGERS / f"{cookie.strip()}.json"
        return json.loads(path.read_text()) if path.exists() else None

    def call(self, address, port):
        """What a server of TCP says there; None when there is none."""
        done = self.run("python3", "-c", CALL, address, str(port), check=False)
        return done.stdout if done.returncode == 0 else None


class Network(Joined):
    """One that lives as long as its holder."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        super().__init__(self.holder.pid)

    def close(self):
        self.holder.communicate(b"\n")


def serve(berth, container, port, answer):
    """A server of TCP in a container, that listens when this returns."""
    script = f"""busybox=/bin/busybox
$busybox nc -ll -p {port} -e $busybox echo {answer} &
while ! $busybox netstat -ltn | $busybox grep -q :{port}; do :; done"""
    berth.ok("exec", container, "/bin/busybox", "sh", "-c", script)
