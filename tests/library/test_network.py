# SPDX-License-Identifier: Apache-2.0
"""Interfaces of a container by the C interface, in a network namespace of the test's own."""
import sys

from conftest import EXAMPLES, run
from networks import Network

CALLS = """
import json
import sys
sys.path.insert(0, sys.argv[1])
from ctypes import byref, sizeof
from python_interface import BerthError, FactoryOptions, Library
library = Library(sys.argv[2])
options = FactoryOptions(size=sizeof(FactoryOptions), state_root=sys.argv[3].encode())
factory = library.factory_open(byref(options))
container = library.factory_load(factory, sys.argv[4].encode())
try:
    library.container_attach_interfaces(container, b'[{"type": "bridge", "link": "missing"}]')
except BerthError as error:
    print(error.kind, error.pointer)
print(library.container_attach_interfaces(container, b'[{"type": "bridge", "link": "br-test", "makeLink": true, "mtu": 1400}]'))
print([(each["name"], each["mtu"]) for each in json.loads(library.container_interfaces(container)) if each["made"]])
library.container_detach_interface(container, b"eth0")
"""


def test_by_the_c_interface(berth, libraries):
    host = Network()
    try:
        container = berth.running()
        told = run("nsenter", f"--net={host.path}", sys.executable, "-c", CALLS, EXAMPLES, libraries / "libberth.so", berth.root,
                   container).splitlines()
        assert told == ["3 /0/link", '["eth0"]', "[('eth0', 1400)]"]
        assert host.names() == {"lo"}
    finally:
        host.close()
