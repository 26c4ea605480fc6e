# SPDX-License-Identifier: Apache-2.0
"""Mounts and the files of lxcfs of a container that runs, by the C interface."""
import sys

from conftest import EXAMPLES, run

CALLS = """
import ctypes
import json
import sys
sys.path.insert(0, sys.argv[1])
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p, sizeof
from python_interface import BerthError, FactoryOptions, Library
library = Library(sys.argv[2])
options = FactoryOptions(size=sizeof(FactoryOptions), state_root=sys.argv[3].encode())
container = library.factory_load(library.factory_open(byref(options)), sys.argv[4].encode())


def refused(call, *arguments):
    try:
        call(*arguments)
    except BerthError as error:
        return error.kind, error.pointer
    return None


def mounts():
    return [(each["token"], each["destination"], "ro" in each["options"], each["there"]) for each in json.loads(library.container_mounts(container))]


def wanted(source, *options):
    return json.dumps([{"destination": "/tmp", "type": "tmpfs", "source": source, "options": options}]).encode()


print(refused(library.container_add_mounts, container, b'[{"destination": "tmp"}]', None))
print(library.container_add_mounts(container, wanted("first"), b"mine"))
print(library.container_add_mounts(container, wanted("first"), b"mine"), mounts())
print(library.container_change_mounts(container, wanted("", "ro"), 0), mounts())
print(library.container_replace_mounts(container, wanted("second"), b"other", 0), mounts())
print(refused(library.container_remove_mounts, container, b"/proc", 0))
print(library.container_remove_mounts(container, b"other", 0), mounts())


class LxcfsOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("directory", c_char_p), ("timeout_ms", c_int)]


report = c_void_p()
seen = library.lxcfs_change(0, byref(LxcfsOptions(size=sizeof(LxcfsOptions), timeout_ms=20000)), byref(report))
print(seen in (0, 1), sys.argv[4] in [each["id"] for each in json.loads(ctypes.string_at(report))])
library.library.berth_string_free(report)
print(refused(library.lxcfs_change, 4, None, None), refused(library.lxcfs_change, 0, byref(LxcfsOptions(size=1)), None))
"""


def test_by_the_c_interface(berth, libraries):
    container = berth.running()
    told = run(sys.executable, "-c", CALLS, EXAMPLES, libraries / "libberth.so", berth.root, container).splitlines()
    assert told == ["(1, '/mounts/0')", "mine", "mine [('mine', '/tmp', False, True)]", "0 [('mine', '/tmp', True, True)]",
                    "other [('other', '/tmp', False, True)]", "(3, '')", "0 []", "True True", "(2, '') (2, '')"]
