# SPDX-License-Identifier: Apache-2.0
import ctypes
import errno
import json
import platform
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP = {"x86_64": 317, "aarch64": 277}[platform.machine()]
NEW_LISTENER = 8
FLAGS = {"TSYNC": 1, "LOG": 2, "SPEC_ALLOW": 4, "WAIT_KILLABLE_RECV": 32 | NEW_LISTENER}


def test_is_json_of_the_spec(berth):
    features = json.loads(berth.ok("features"))
    assert features["ociVersionMin"] == "1.0.0"
    assert features["ociVersionMax"].startswith("1.")
    assert "rro" in features["mountOptions"] and "user" in features["linux"]["namespaces"]
    assert len(features["hooks"]) == 6


def test_needs_neither_root_nor_state(berth):
    done = subprocess.run([berth.path, "features"], env={}, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_write_error_is_told(berth):
    with open("/dev/full", "w") as full:
        done = subprocess.run([berth.path, "features"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "standard output: write: no space left on device" in done.stderr


def test_seccomp_flags_are_the_kernels(berth):
    seccomp = json.loads(berth.ok("features"))["linux"]["seccomp"]
    known = set()
    for name, value in FLAGS.items():
        assert LIBC.syscall(SECCOMP, 1, value, None) == -1
        known |= {f"SECCOMP_FILTER_FLAG_{name}"} if ctypes.get_errno() == errno.EFAULT else set()
    assert set(seccomp["supportedFlags"]) == known and known <= set(seccomp["knownFlags"])
