# SPDX-License-Identifier: Apache-2.0
"""What /linux/resources does to the container; that the kernel knows each field is in test_resource_fields.py."""
import os
import pathlib
import stat

import pytest

from cgroup_files import kernel_has
from machine import ON_V2, needs_cgroup, needs_root
from test_config_linux import run

MEBIBYTE = 1 << 20


@needs_cgroup
@pytest.mark.skipif(not (kernel_has("memory.max") or kernel_has("memory.limit_in_bytes")), reason="this machine has no memory controller")
def test_a_mebibyte_is_enough(berth):
    """Nothing of berth's own is charged to the container; runc 1.1 needs two."""
    resources = {"memory": {"limit": MEBIBYTE, "swap": MEBIBYTE}}
    assert run(berth, "true", linux={"resources": resources}) == ""


FUSE = {"type": "c", "major": 10, "minor": 229}
NOTHING = {"allow": False, "access": "rwm"}
DENIED = "Operation not permitted"


@pytest.mark.parametrize("rules,reads,writes", [
    ([NOTHING], False, False),
    ([NOTHING, FUSE | {"allow": True, "access": "r"}], True, False),
    ([NOTHING, FUSE | {"allow": True, "access": "rw"}], True, True),
    ([NOTHING, {"allow": True, "type": "c", "access": "rw"}], True, True),
    ([NOTHING, {"allow": True, "type": "c", "major": 10, "access": "w"}], False, True),
    ([NOTHING, {"allow": True, "type": "b", "access": "rw"}], False, False),
])
@needs_root
def test_device_rules(either, image, rules, reads, writes):
    """A device that no container has by itself, and that everybody may open; on the host too, for a user namespace."""
    if "229 fuse" not in pathlib.Path("/proc/misc").read_text():
        pytest.skip("this kernel has no FUSE")
    own = either.folder / "own"
    os.mknod(own, stat.S_IFCHR, os.makedev(FUSE["major"], FUSE["minor"]))
    own.chmod(0o666)
    script = f"(: < {own}) 2>&1 && echo reads; (: >> {own}) 2>&1 && echo writes; true"
    text = run(either, "sh", "-c", script, change=lambda config: config["root"].update(path=str(image), readonly=False),
               linux={"resources": {"devices": rules}, "devices": [FUSE | {"path": str(own), "fileMode": 0o666}]})
    assert ("reads" in text.split(), "writes" in text.split()) == (reads, writes)
    assert text.count(DENIED) == (not reads) + (not writes)


@needs_cgroup
def test_rule_that_would_be_half_done(berth):
    """v1 holds a list of what is allowed: one device cannot be left out of all."""
    if ON_V2:
        pytest.skip("only cgroup v1 cannot")
    all_of_major = {"allow": True, "type": "c", "major": 10, "access": "rw"}
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["resources"] = {"devices": [NOTHING, all_of_major, FUSE | {"allow": False, "access": "w"}]}
    berth.write_config(bundle, config)
    assert "punch" in berth.fails("run", "-b", bundle, berth.new_id())
