# SPDX-License-Identifier: Apache-2.0
"""Where the specification leaves a choice, or runtimes differ (docs/conformance.md): what berth does, seen from inside."""
import os
import pathlib

import pytest

from test_config_linux import mounts, run

ON_V1 = pathlib.Path("/sys/fs/cgroup/memory").exists()


def told(berth, *words, change):
    """Output and what was said on standard error of a container that ends well."""
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    change(config)
    berth.write_config(bundle, config)
    done = berth("run", "-b", bundle, berth.new_id())
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("of_caller", [0, 0o077])
def test_umask_is_not_the_callers(berth, of_caller):
    bundle = berth.bundle("sh", "-c", "umask")
    text = berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=lambda: os.umask(of_caller))
    assert text == "0022\n"


@pytest.mark.skipif(ON_V1, reason="this machine has cgroup v1")
def test_limit_of_v1_on_v2(berth):
    output, said = told(berth, "echo", "ran", change=lambda config: config["linux"].update(
        resources={"memory": {"swappiness": 60}}))
    assert output == "ran\n" and "/linux/resources/memory/swappiness" in said


def test_unknown_capability(berth):
    def change(config):
        for names in config["process"]["capabilities"].values():
            names.append("CAP_MOON")
    output, said = told(berth, "grep", "CapBnd", "/proc/self/status", change=change)
    assert int(output.split()[1], 16) == 1 << 29 | 1 << 5 | 1 << 10  # those of the template
    assert "CAP_MOON" in said


@pytest.mark.parametrize("target", ["/", "//", "/.", "/tmp/..", ""])
def test_nothing_is_mounted_over_the_root(berth, tmp_path, target):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["mounts"].insert(0, {"destination": target, "type": "bind", "source": str(tmp_path), "options": ["bind"]})
    berth.write_config(bundle, config)
    berth.fails("run", "-b", bundle, berth.new_id())


def test_relative_target(berth):
    wanted = {"destination": "tmp", "type": "tmpfs", "source": "x", "options": ["size=64k"]}
    output, said = told(berth, "grep", " /tmp ", "/proc/self/mounts", change=mounts(wanted))
    assert "size=64k" in output and ("relative" in said or "not absolute" in said)


def test_the_runtimes_devices_are_allowed_last(berth):
    rules = {"resources": {"devices": [{"allow": False, "access": "rwm"}]}}
    text = run(berth, "sh", "-c", "echo x > /dev/null && dd if=/dev/zero bs=1 count=1 2>/dev/null | wc -c", linux=rules)
    assert text == "1\n"


def test_last_of_a_variable(berth):
    text = run(berth, "env", env=["PATH=/bin", "A=1", "B=2", "A=3", "PATH=/no/such", "PATH=/bin"])
    assert {"A=3", "B=2", "PATH=/bin"} <= set(text.splitlines()) and "A=1" not in text
