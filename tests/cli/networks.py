# SPDX-License-Identifier: Apache-2.0
"""Network namespaces of the tests' own: what berth makes on "the host" is made in one of them."""
import ctypes
import json
import os
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Network:
    """A network namespace that lives as long as its holder."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.path = f"/proc/{self.holder.pid}/ns/net"

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

    def close(self):
        self.holder.communicate(b"\n")
