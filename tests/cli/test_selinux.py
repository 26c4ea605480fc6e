# SPDX-License-Identifier: Apache-2.0
"""process.selinuxLabel, linux.mountLabel and exec --process-label where SELinux is on, enforcing or not."""
import os

import pytest

from machine import enters_created, needs_root

pytestmark = [needs_root, pytest.mark.skipif(not os.path.exists("/sys/fs/selinux/enforce"),
                                             reason="SELinux is not on (the guest has it with --lsm selinux)")]
# Two that Debian's policy knows, with categories of a container's own.
LABEL, OTHER = "system_u:system_r:initrc_t:s0:c1,c2", "system_u:system_r:initrc_t:s0:c3,c4"
FILES = "system_u:object_r:tmp_t:s0:c1,c2"
CURRENT = "/proc/self/attr/current"


def label(text):
    return text.rstrip("\0\n")


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_program_has_the_label(berth, no_new_privileges):
    bundle = berth.bundle("cat", CURRENT, selinuxLabel=LABEL, noNewPrivileges=no_new_privileges)
    assert label(berth.ok("run", "-b", bundle, berth.new_id())) == LABEL


@enters_created
def test_who_enters_has_the_label(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("cat", "/dev/null", selinuxLabel=LABEL), container)
    assert label(berth.ok("exec", container, "cat", CURRENT)) == LABEL
    assert label(berth.ok("exec", "--process-label", OTHER, container, "cat", CURRENT)) == OTHER


def test_label_that_the_policy_does_not_know(berth):
    told = berth.fails("run", "-b", berth.bundle("true", selinuxLabel="no:such:label:s0"), berth.new_id())
    assert "/process/selinuxLabel" in told and "no:such:label:s0" in told, told


def test_new_filesystems_have_the_mount_label(berth):
    bundle = berth.bundle("cat", "/proc/self/mountinfo")
    config = berth.read_config(bundle)
    config["linux"]["mountLabel"] = FILES
    berth.write_config(bundle, config)
    lines = {line.split()[4]: line for line in berth.ok("run", "-b", bundle, berth.new_id()).splitlines()}
    for place in ("/dev", "/dev/pts", "/dev/shm"):
        assert f'context="{FILES}"' in lines[place]
