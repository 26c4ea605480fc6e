#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From Python, by ctypes over the shared library: runs the container of a bundle, runs a command in it with its output
in a pipe, changes a limit, kills and deletes it.

python_interface.py LIBBERTH_SO STATE_ROOT BUNDLE ID COMMAND...
"""
import ctypes
import json
import os
import select
import signal
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint16, c_uint32, c_void_p


class CreateOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("bundle", c_char_p), ("config_file", c_char_p), ("config_json", c_char_p),
                ("console_socket", c_char_p), ("pid_file", c_char_p), ("pidfd_socket", c_char_p),
                ("notify_socket", c_char_p), ("foreground", c_int), ("no_pivot", c_int), ("no_new_keyring", c_int),
                ("preserve_fds", c_int), ("streams", POINTER(c_int)), ("rows", c_uint16), ("columns", c_uint16)]


class FactoryOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("state_root", c_char_p), ("cgroup_manager", c_int), ("on_warning", c_void_p),
                ("data", c_void_p)]


class ExecOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("process_json", c_char_p), ("args", POINTER(c_char_p)),
                ("env", POINTER(c_char_p)), ("cwd", c_char_p), ("user", c_char_p),
                ("additional_gids", POINTER(c_uint32)), ("additional_gid_count", c_size_t),
                ("capabilities", POINTER(c_char_p)), ("apparmor_profile", c_char_p), ("selinux_label", c_char_p),
                ("no_new_privileges", c_int), ("terminal", c_int), ("cgroups", POINTER(c_char_p)),
                ("ignore_paused", c_int), ("console_socket", c_char_p), ("pid_file", c_char_p),
                ("pidfd_socket", c_char_p), ("foreground", c_int), ("preserve_fds", c_int),
                ("streams", POINTER(c_int)), ("rows", c_uint16), ("columns", c_uint16)]


class UpdateOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("resources_json", c_char_p), ("l3_cache_schema", c_char_p),
                ("mem_bw_schema", c_char_p), ("force", c_int), ("process_json", c_char_p)]


class ExitStatus(ctypes.Structure):
    _fields_ = [("code", c_int), ("signal", c_int)]


class BerthError(Exception):
    """kind and errno are numbers of berth.h; pointer names the place in config.json."""

    def __init__(self, library, error):
        self.kind = library.berth_error_kind(error)
        self.errno = library.berth_error_errno(error)
        self.pointer = library.berth_error_pointer(error).decode()
        super().__init__(library.berth_error_message(error).decode())
        library.berth_error_free(error)


class Library:
    """The functions of berth.h. Those that fail raise, strings come back as str."""
    HANDLES = ("factory_open", "factory_create", "factory_run", "factory_load", "container_exec", "container_events")
    TEXTS = ("factory_list", "container_state", "container_stats", "container_wait", "container_exit_record",
             "container_attach_interfaces", "container_interfaces", "container_add_mounts", "container_replace_mounts",
             "container_mounts")

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name in ("version", "error_message", "error_pointer"):
            getattr(self.library, "berth_" + name).restype = c_char_p
        for name in (*self.HANDLES, *self.TEXTS):
            getattr(self.library, "berth_" + name).restype = c_void_p

    def __getattr__(self, name):
        function = getattr(self.library, "berth_" + name)

        def call(*arguments):
            error = c_void_p()
            result = function(*arguments, byref(error))
            if error.value:
                raise BerthError(self.library, error)
            if name in self.TEXTS:
                text = ctypes.string_at(result).decode()
                self.library.berth_string_free(c_void_p(result))
                return text
            return c_void_p(result) if name in self.HANDLES else result
        return call


def options(kind, **members):
    return kind(size=ctypes.sizeof(kind), **members)


def words(texts):
    return (c_char_p * (len(texts) + 1))(*(text.encode() for text in texts), None)


def output_of(berth, container, command):
    """What the command writes, and how it ended."""
    reader, writer = os.pipe()
    streams = (c_int * 3)(-1, writer, -1)
    process = berth.container_exec(container, byref(options(ExecOptions, args=words(command), streams=streams)))
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    status = ExitStatus()
    berth.process_wait(process, byref(status))
    berth.library.berth_process_close(process)
    return text, status


def main(path, state_root, bundle, name, *command):
    berth = Library(path)
    factory = berth.factory_open(byref(options(FactoryOptions, state_root=state_root.encode())))
    process = c_void_p()
    container = berth.factory_run(factory, name.encode(), byref(options(CreateOptions, bundle=bundle.encode())),
                                  byref(process))
    print("status", json.loads(berth.container_state(container))["status"])
    text, status = output_of(berth, container, command)
    print("command", repr(text), status.code, status.signal)
    limit = json.dumps({"pids": {"limit": 77}}).encode()
    files = json.dumps({"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 99}]}).encode()
    berth.container_update(container, byref(options(UpdateOptions, resources_json=limit, process_json=files)))
    print("limit", json.loads(berth.container_stats(container))["pids"]["limit"])
    print("files", output_of(berth, container, ("sh", "-c", "ulimit -n"))[0].strip())
    try:
        berth.factory_load(factory, b"no-such")
    except BerthError as error:
        print("error", error.kind, error)
    berth.container_signal(container, signal.SIGKILL, 0)
    select.select([berth.library.berth_process_pidfd(process)], [], [])
    berth.process_wait(process, byref(status))
    print("signal", status.signal)
    berth.container_destroy(container, 0)
    print("list", berth.factory_list(factory))
    berth.library.berth_process_close(process)
    berth.library.berth_container_close(container)
    berth.library.berth_factory_close(factory)
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
