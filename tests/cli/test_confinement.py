# SPDX-License-Identifier: Apache-2.0
"""The annotations run.berth.* (docs/extensions.md), seen by a program inside: of `run` and of `exec`."""
import ctypes
import json
import platform
import re
import subprocess

import pytest

from machine import any_ids, enters_created, needs_ksm

LIBC = ctypes.CDLL(None, use_errno=True)
LANDLOCK_CREATE_RULESET, SCHED_CORE, GET_COOKIE = 444, 62, 0
PROGRAMS = "/bin:/lib:/lib64:/probe"
# What a process can say of itself, and whether it gets memory that is writable and executable.
PROBE = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
int main(void) {
  unsigned long cookie = 0;
  void* memory = mmap(0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int shared = prctl(62, 0UL, 0UL, 0UL, &cookie);
  printf("mdwe %d thp %d ksm %d core %d %lu mapping %s\n", prctl(66, 0, 0, 0, 0), prctl(42, 0, 0, 0, 0),
         prctl(68, 0, 0, 0, 0), shared, cookie, memory == MAP_FAILED ? strerror(errno) : "made");
  return 0;
}
"""

needs_landlock = pytest.mark.skipif(LIBC.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) < 1,
                                    reason="this kernel has no Landlock")


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    (folder / "probe.c").write_text(PROBE)
    subprocess.run(["gcc", "-static", "-O1", "-o", folder / "probe", folder / "probe.c"], check=True)
    return folder / "probe"


def configured(berth, *words, annotations, change=lambda config: None, **process):
    bundle = berth.bundle(*words, **process)
    config = berth.read_config(bundle)
    config["annotations"] = {f"run.berth.{name}": value for name, value in annotations.items()}
    config["root"]["readonly"] = False
    change(config)
    berth.write_config(bundle, config)
    return bundle


@pytest.fixture
def house(berth, image, probe):
    """An image with places to read, to write and to leave alone."""
    for name in ("open", "closed", "work"):
        (image / name).mkdir()
        (image / name / "file").write_text(f"{name}\n")
    for name in ("lib", "lib64"):
        (image / name).mkdir(exist_ok=True)
    (image / "link").symlink_to("/open")
    (image / "probe").write_bytes(probe.read_bytes())
    (image / "probe").chmod(0o755)
    berth.rootfs = image
    return berth


TRIES = """
for place in open closed work; do
  (cat /$place/file) 2>&1; (echo new > /$place/new) 2>/dev/null && echo written; (ls /$place) > /dev/null 2>&1 && echo listed
done; true
"""
LANDLOCK = {"landlock.execute": PROGRAMS, "landlock.read": "/link:/proc:/dev", "landlock.write": "/work:/dev/null"}
CONFINED = ["open", "listed", "cat: can't open '/closed/file': Permission denied", "work", "written", "listed"]


@needs_landlock
def test_landlock(house):
    text = house.ok("run", "-b", configured(house, "sh", "-c", TRIES, annotations=LANDLOCK), house.new_id())
    assert text.splitlines() == CONFINED


def held(berth, annotations, **process):
    """A container that was made and waits."""
    container = berth.new_id()
    berth.ok("create", "-b", configured(berth, "cat", "/dev/null", annotations=annotations, **process), container)
    return container


@needs_landlock
@enters_created
def test_landlock_holds_for_exec(house, tmp_path):
    container = held(house, LANDLOCK)
    assert house.ok("exec", container, "sh", "-c", TRIES).splitlines() == CONFINED
    process = {"args": ["sh", "-c", TRIES], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}}
    house.write_config(tmp_path, process | {"noNewPrivileges": True})
    assert house.ok("exec", "--process", tmp_path / "config.json", container).splitlines() == CONFINED
    house.write_config(tmp_path, process)
    told = house.fails("exec", "--process", tmp_path / "config.json", container, code=255)
    assert "noNewPrivileges" in told and "/annotations/run.berth.landlock." in told


@needs_landlock
@pytest.mark.parametrize("place,code", [("open", 0), ("closed", 1)])
def test_landlock_holds_for_the_hook_inside(house, place, code):
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"read line < /{place}/file"]}
    bundle = configured(house, "true", annotations=LANDLOCK, change=lambda config: config.update(
        hooks={"startContainer": [hook]}))
    done = house("run", "-b", bundle, house.new_id())
    assert done.returncode == code and ("Permission denied" in done.stderr) == bool(code), done.stderr


@needs_landlock
@any_ids
def test_landlock_in_a_user_namespace(house):
    def change(config):
        config["linux"]["namespaces"] += [{"type": "user"}]
        for kind in ("uid", "gid"):
            config["linux"][f"{kind}Mappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]
    bundle = configured(house, "sh", "-c", TRIES, annotations=LANDLOCK, change=change)
    assert house.ok("run", "-b", bundle, house.new_id()).splitlines() == CONFINED


@needs_landlock
def test_landlock_is_not_the_users_own(house, image):
    """A path that only root may reach can be left open: it is found before the privileges are dropped."""
    (image / "closed").chmod(0o700)
    (image / "closed/inner").mkdir()
    wanted = LANDLOCK | {"landlock.read": "/closed/inner:/open"}
    bundle = configured(house, "cat", "/open/file", annotations=wanted, user={"uid": 1000, "gid": 1000})
    assert house.ok("run", "-b", bundle, house.new_id()) == "open\n"


@needs_landlock
def test_landlock_stays_in_the_root(house, image, tmp_path):
    """A link of the image that climbs leads to the image's own root."""
    (tmp_path / "secret").write_text("of the host\n")
    (image / "up").symlink_to(f"../../../../..{tmp_path}")
    told = house.fails("run", "-b", configured(house, "true", annotations=LANDLOCK | {"landlock.read": "/up"}),
                       house.new_id())
    assert "leave /up open to Landlock" in told and "/annotations/run.berth.landlock.read" in told


@needs_landlock
def test_program_that_landlock_denies(house):
    bundle = configured(house, "true", annotations={"landlock.read": "/bin:/lib:/lib64"})
    assert "permission denied" in house.fails("run", "-b", bundle, house.new_id()).lower()


@needs_landlock
@pytest.mark.parametrize("value", ["open", "/open/../closed", "/open:", "/open:x"])
def test_landlock_wants_paths(house, value):
    done = house("run", "-b", configured(house, "true", annotations=LANDLOCK | {"landlock.read": value}), house.new_id())
    if value == "/open:":
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 1 and "/annotations/run.berth.landlock.read" in done.stderr


@needs_landlock
def test_landlock_wants_no_new_privileges(house):
    told = house.fails("run", "-b", configured(house, "true", annotations=LANDLOCK, noNewPrivileges=False), house.new_id())
    assert "noNewPrivileges" in told


def both(house, annotations, **process):
    """What a program says of itself, and one that enters its container."""
    bundle = configured(house, "/probe", annotations=annotations, **process)
    of_run = house.ok("run", "-b", bundle, house.new_id())
    config = house.read_config(bundle)
    config["process"]["args"] = ["cat", "/dev/null"]
    house.write_config(bundle, config)
    container = house.new_id()
    house.ok("create", "-b", bundle, container)
    return of_run, house.ok("exec", container, "/probe")


@pytest.mark.parametrize("no_new_privileges", [True, False])
@enters_created
def test_memory_deny_write_execute(house, no_new_privileges):
    for text in both(house, {"mdwe": "true"}, noNewPrivileges=no_new_privileges):
        assert text.startswith("mdwe 1 ") and not text.endswith("mapping made\n")


@enters_created
def test_nothing_by_itself(house):
    for text in both(house, {"mdwe": "false", "ksm": "false", "core-sched": "false"}):
        assert re.match("mdwe 0 thp 0 ksm (0|-1) core", text) and text.endswith("mapping made\n")


def test_mdwe_under_a_filter_that_denies_it(house):
    """The filter comes after."""
    def change(config):
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 65, "op": "SCMP_CMP_EQ"}]}]}
    for no_new_privileges in (True, False):
        bundle = configured(house, "/probe", annotations={"mdwe": "true"}, change=change,
                            noNewPrivileges=no_new_privileges)
        assert "mdwe 1 " in house.ok("run", "-b", bundle, house.new_id())
        subprocess.run(["rm", "-r", bundle], check=True)


@enters_created
def test_huge_pages_never(house):
    for text in both(house, {"thp": "never"}):
        assert " thp 1 " in text


@enters_created
def test_huge_pages_where_advised(house):
    """PR_THP_DISABLE_EXCEPT_ADVISED is Linux 6.18."""
    bundle = configured(house, "/probe", annotations={"thp": "advised"})
    done = house("run", "-b", bundle, house.new_id())
    if tuple(map(int, platform.release().split("-")[0].split(".")[:2])) >= (6, 18):
        assert " thp 3 " in done.stdout
    else:
        assert "/annotations/run.berth.thp" in done.stderr and "6.18" in done.stderr


@needs_ksm
@enters_created
def test_merging_of_pages(house):
    for text in both(house, {"ksm": "true"}, user={"uid": 1000, "gid": 1000}):
        assert " ksm 1 " in text


def test_core_scheduling(house):
    """A cookie of its own, which who enters shares; or the words that say what the kernel lacks."""
    if LIBC.prctl(SCHED_CORE, GET_COOKIE, 0, 0, ctypes.byref(ctypes.c_ulong())) == 0:
        first, second = (text.split() for text in both(house, {"core-sched": "true"}))
        assert first[7] == second[7] == "0" and first[8] != "0" and second[8] != "0"
        return
    told = house.fails("run", "-b", configured(house, "/probe", annotations={"core-sched": "true"}), house.new_id())
    assert "/annotations/run.berth.core-sched" in told and "CONFIG_SCHED_CORE" in told


@pytest.mark.parametrize("name,value,words", [
    ("landlok.read", "/", "did you mean run.berth.landlock.read?"), ("xyz-unlike", "1", "unknown annotation of berth"),
    ("mdwe", "1", '"true" or "false"'), ("thp", "always", '"never" or "advised"')])
def test_what_is_wrong_is_refused(house, name, value, words):
    told = house.fails("run", "-b", configured(house, "true", annotations={name: value}), house.new_id())
    assert words in told and f"/annotations/run.berth.{name}" in told


def test_they_are_listed_as_unsafe(house):
    listed = json.loads(house.ok("features"))["potentiallyUnsafeConfigAnnotations"]
    own = [name for name in listed if name.startswith("run.berth.")]
    assert own == [f"run.berth.{name}" for name in ("box", "core-sched", "interfaces", "ksm", "landlock.execute", "landlock.read",
                                                      "landlock.write", "mdwe", "thp")]


def test_the_plan_shows_them(house):
    text = house.ok("plan", configured(house, "true", annotations={"mdwe": "true", "thp": "never"}))
    assert "confine process" in text and "denyWriteExecute" in text and "never" in text
