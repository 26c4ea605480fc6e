# SPDX-License-Identifier: Apache-2.0
"""Mounts that are added to a container that runs (docs/live-operations.md), seen from inside and in its mountinfo."""
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from conftest import Berth
from machine import host_ids, host_mounts, needs_root

pytestmark = needs_root
FOREIGN = pathlib.Path("/run/berth-mounts")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "file").write_text("of the host\n")
    return folder


def add(berth, container, *words, **options):
    return berth.ok("mounts", "add", container, *map(str, words), **options).strip()


def listed(berth, container):
    return json.loads(berth.ok("mounts", "list", "--format", "json", container))


def mountinfo(berth, container):
    return pathlib.Path(f"/proc/{berth.state(container)['pid']}/mountinfo").read_text()


def places(berth, container):
    return [line.split()[4] for line in mountinfo(berth, container).splitlines()]


def cat(berth, container, path):
    return berth.ok("exec", container, "cat", path)


def test_a_directory_and_a_file(berth, source):
    container = berth.running()
    before = mountinfo(berth, container)
    token = add(berth, container, f"{source}:/dev/shm/live:ro,nosuid", f"{source}/file:/dev/shm/one")
    assert cat(berth, container, "/dev/shm/live/file") == cat(berth, container, "/dev/shm/one") == "of the host\n"
    assert "Read-only" in berth.fails("exec", container, "touch", "/dev/shm/live/new") and (source / "file").exists()
    (line,) = [line for line in mountinfo(berth, container).splitlines() if " /dev/shm/live " in line]
    assert {"ro", "nosuid"} <= set(line.split()[5].split(",")) and "shared:" not in line and "master:" not in line
    first, second = listed(berth, container)
    assert first == {"token": token, "there": True, "destination": "/dev/shm/live", "type": "bind", "source": str(source),
                     "options": ["rbind", "ro", "nosuid"]}
    assert second["destination"] == "/dev/shm/one" and second["token"] == token
    berth.ok("mounts", "remove", container, "/dev/shm/one", "/dev/shm/live")
    assert mountinfo(berth, container) == before and listed(berth, container) == []
    assert "live" not in berth.ok("exec", container, "ls", "/dev/shm")  # the mount points went, too


def test_a_filesystem(berth):
    container = berth.running()
    token = add(berth, container, "tmpfs::/dev/shm/new:size=64k,mode=0700,noexec")
    line = next(line for line in mountinfo(berth, container).splitlines() if " /dev/shm/new " in line)
    assert "noexec" in line and "size=64k" in line and " tmpfs " in line
    berth.ok("mounts", "remove", container, token)
    assert "/dev/shm/new" not in places(berth, container)


def test_cruns_form(berth, source, tmp_path):
    container = berth.running()
    wanted = [{"destination": "/dev/shm/a", "source": str(source), "type": "bind", "options": ["bind", "ro"]},
              {"destination": "/dev/shm/b", "source": "tmpfs", "type": "tmpfs"}]
    file = tmp_path / "mounts.json"
    file.write_text(json.dumps(wanted))
    add(berth, container, file)
    assert places(berth, container)[-2:] == ["/dev/shm/a", "/dev/shm/b"]
    berth.ok("mounts", "remove", container, file)
    berth.ok("mounts", "add", container, "-", input=json.dumps(wanted))
    assert len(listed(berth, container)) == 2


def test_of_a_container_with_a_read_only_root(berth, source):
    """Where a mount point is there it can be used, and none can be made."""
    bundle = berth.bundle("sh", "-c", "exec sleep 1000")
    config = berth.read_config(bundle)
    config["root"]["readonly"] = True
    config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/tmp"]
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-d", "-b", bundle, container)
    assert "make the mount point /new: read-only file system" in berth.fails("mounts", "add", container, f"{source}:/new")
    add(berth, container, f"{source}:/proc/../etc")
    assert cat(berth, container, "/etc/file") == "of the host\n"


@pytest.mark.parametrize("second,told,pointer", [
    ("/nowhere:/dev/shm/b", "no such file", "/mounts/1"), ("nofs::/dev/shm/b", "nofs", "/mounts/1"),
    ("tmpfs::/dev/shm/b:size=x", "size", "/mounts/1"), ("proc::/dev/shm/b", "would show the host's", "/mounts/1"),
    ("tmpfs::/proc/self", "must not be covered", "/mounts/1"), ("tmpfs::/", "over the root", "/mounts/1"),
    ("tmpfs::/bin/busybox", "not a directory", "/mounts/1"), ("tmpfs::/dev/shm/b:tmpcopyup", "only a new container", "/mounts/1")])
def test_all_or_nothing(berth, source, second, told, pointer):
    container = berth.running()
    before = mountinfo(berth, container), (berth.root / container / "state.json").read_text()
    said = berth.fails("mounts", "add", container, f"{source}:/dev/shm/a", second)
    assert told in said and pointer in said and "config.json" not in said, said
    assert (mountinfo(berth, container), (berth.root / container / "state.json").read_text()) == before
    assert "a" not in berth.ok("exec", container, "ls", "/dev/shm").split()


@pytest.mark.parametrize("word,told", [("/a", "is none of"), (":/a", "is none of"), ("/a:b:c:d", "is none of"), ("/nowhere.json", "no such file")])
def test_words_that_are_no_mount(berth, word, told):
    assert told in berth.fails("mounts", "add", berth.running(), word)


def test_the_same_request_again(berth, source):
    container = berth.running()
    words = ("--token", "mine", container, f"{source}:/dev/shm/a", "tmpfs::/dev/shm/b")
    assert berth.ok("mounts", "add", *words) == berth.ok("mounts", "add", *words) == "mine\n"
    assert places(berth, container).count("/dev/shm/a") == 1
    assert "token mine is another request's" in berth.fails("mounts", "add", "--token", "mine", container, "tmpfs::/dev/shm/c")
    assert "is mounted by request mine" in berth.fails("mounts", "add", container, "tmpfs::/dev/shm//a")
    berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "/bin/busybox", "umount", "/dev/shm/b")
    assert [each["there"] for each in listed(berth, container)] == [True, False]
    berth.ok("mounts", "add", *words)  # whole again
    assert [each["there"] for each in listed(berth, container)] == [True, True]
    berth.ok("mounts", "remove", container, "mine")


def test_one_place_twice_and_one_below_the_other(berth, source):
    container = berth.running()
    before = mountinfo(berth, container)
    assert "/dev/shm/a is named twice" in berth.fails("mounts", "add", container, "tmpfs::/dev/shm/a", f"{source}:/dev/shm/x/../a/")
    assert mountinfo(berth, container) == before
    token = add(berth, container, "tmpfs::/dev/shm/./a", f"{source}:/dev/shm/a/b")
    assert cat(berth, container, "/dev/shm/a/b/file") == "of the host\n"
    berth.ok("mounts", "remove", container, token)
    assert mountinfo(berth, container) == before and berth.ok("exec", container, "ls", "/dev/shm") == ""


def test_only_what_was_added_is_removed(berth, source):
    container = berth.running()
    add(berth, container, f"{source}:/dev/shm/a")
    for name in ("/tmp", "/dev/shm", "other"):
        assert f"has no mount {name} that berth has added" in berth.fails("mounts", "remove", container, "/dev/shm/a", name)
    berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "/bin/busybox", "mount", "-t", "tmpfs", "x", "/dev/shm/a")
    assert "something else is mounted on /dev/shm/a" in berth.fails("mounts", "remove", container, "/dev/shm/a")
    berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "/bin/busybox", "umount", "/dev/shm/a")
    berth.ok("mounts", "remove", container, "/dev/shm/a")


def test_not_of_a_container_that_has_ended(berth, source):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    for words in (("add", container, f"{source}:/a"), ("remove", container, "/a"), ("list", container)):
        assert "not running" in berth.fails("mounts", *words)


def test_words(berth):
    assert "there is no \"move\"" in berth.fails("mounts", "move", "x")
    container = berth.running()
    assert "no mount is named" in berth.fails("mounts", "add", container)
    assert "no mount is named" in berth.fails("mounts", "remove", container)


def test_replace(berth, source, tmp_path):
    """By another one, without a moment in which the mount point shows."""
    (other := tmp_path / "other").mkdir()
    (other / "file").write_text("another\n")
    container = berth.running()
    before = mountinfo(berth, container)
    add(berth, container, f"{source}:/dev/shm/a:ro", f"{source}/file:/dev/shm/b")
    script = "while test ! -e /dev/shm/end; do cat /dev/shm/a/file || echo missing; done"
    reader = subprocess.Popen(berth.command("exec", container, "sh", "-c", script), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for folder in (other, source, other):
        token = berth.ok("mounts", "replace", container, f"{folder}:/dev/shm/a:ro", f"{folder}/file:/dev/shm/b").strip()
    berth.ok("exec", container, "touch", "/dev/shm/end")
    seen = set(reader.communicate(timeout=30)[0].splitlines())
    assert {"of the host", "another"} >= seen or tuple(map(int, os.uname().release.split(".")[:2])) < (6, 5), seen
    assert cat(berth, container, "/dev/shm/a/file") == cat(berth, container, "/dev/shm/b") == "another\n"
    assert sorted(places(berth, container))[-2:] != [] and places(berth, container).count("/dev/shm/a") == 1
    assert [(each["token"], each["source"]) for each in listed(berth, container)] == [(token, str(other)), (token, f"{other}/file")]
    berth.ok("mounts", "remove", container, token)
    berth.ok("exec", container, "/bin/busybox", "rm", "/dev/shm/end")
    assert mountinfo(berth, container) == before and berth.ok("exec", container, "ls", "/dev/shm") == ""


def test_replace_again(berth, source):
    container = berth.running()
    add(berth, container, f"{source}:/dev/shm/a")
    words = ("mounts", "replace", "--token", "mine", container, "tmpfs::/dev/shm/a:size=1m")
    assert berth.ok(*words) == berth.ok(*words) == "mine\n"
    assert places(berth, container).count("/dev/shm/a") == 1 and [each["token"] for each in listed(berth, container)] == ["mine"]
    assert "token mine is another request's" in berth.fails("mounts", "replace", "--token", "mine", container, f"{source}:/dev/shm/a")


def test_replace_is_all_or_nothing(berth, source):
    container = berth.running()
    add(berth, container, f"{source}:/dev/shm/a", f"{source}/file:/dev/shm/b")
    before = mountinfo(berth, container), (berth.root / container / "state.json").read_text()
    for second, told in (("tmpfs::/dev/shm/b", "not a directory"), ("tmpfs::/dev/shm/c", "no such file"), ("tmpfs::/dev", "nothing that berth has added"),
                         ("/nowhere:/dev/shm/b", "no such file"), ("tmpfs::/etc", "nothing is mounted on /etc"), ("tmpfs::/dev/shm/a", "named twice")):
        assert told in berth.fails("mounts", "replace", container, "tmpfs::/dev/shm/a", second), second
        assert (mountinfo(berth, container), (berth.root / container / "state.json").read_text()) == before, second


def test_replace_and_remove_by_force(berth, source):
    """What config.json has mounted."""
    container = berth.running()
    assert "/dev/mqueue" in places(berth, container)
    berth.ok("mounts", "replace", "--force", container, f"{source}:/dev/mqueue:ro")
    assert cat(berth, container, "/dev/mqueue/file") == "of the host\n"
    berth.ok("mounts", "remove", container, "/dev/mqueue")
    assert "/dev/mqueue" not in places(berth, container)
    assert "that berth has added" in berth.fails("mounts", "remove", container, "/dev/shm")
    berth.ok("mounts", "remove", "--force", container, "/dev/shm")
    assert "/dev/shm" not in places(berth, container)
    for place in ("/", "/etc"):
        assert f"nothing is mounted on {place}" in berth.fails("mounts", "remove", "--force", container, place)


def attributes(berth, container, place):
    (line,) = [line for line in mountinfo(berth, container).splitlines() if line.split()[4] == place]
    return set(line.split()[5].split(","))


def test_change(berth, source):
    container = berth.running()
    add(berth, container, f"{source}:/dev/shm/a:nosuid", "tmpfs::/dev/shm/b")
    assert {"rw", "nosuid", "relatime"} == attributes(berth, container, "/dev/shm/a")
    berth.ok("mounts", "change", container, "/dev/shm/a:ro,noexec,noatime,suid", "/dev/shm/b:nodev")
    assert {"ro", "noexec", "noatime"} == attributes(berth, container, "/dev/shm/a")
    assert {"rw", "nodev", "relatime"} == attributes(berth, container, "/dev/shm/b")
    assert "Read-only" in berth.fails("exec", container, "touch", "/dev/shm/a/new")
    assert listed(berth, container)[0]["options"] == ["rbind", "nosuid", "ro", "noexec", "noatime", "suid"]
    berth.ok("mounts", "change", container, "/dev/shm/a:rw,exec,relatime")
    assert {"rw", "relatime"} == attributes(berth, container, "/dev/shm/a")
    before = mountinfo(berth, container), (berth.root / container / "state.json").read_text()
    for words, told in ((("/dev/shm/a:ro", "/dev:ro"), "nothing that berth has added"), (("/dev/shm/a:ro", "/etc:ro"), "nothing is mounted on /etc"),
                        (("/dev/shm/a:rro",), "attributes of one mount"), (("/dev/shm/a:size=1m",), "has no options of a filesystem) (mounts /mounts/0"),
                        (("/dev/shm/a:shared",), "attributes of one mount"), (("/dev/shm/a",), "is no DEST:OPTION")):
        assert told in berth.fails("mounts", "change", container, *words), words
        assert (mountinfo(berth, container), (berth.root / container / "state.json").read_text()) == before
    berth.ok("mounts", "change", "--force", container, "/dev/shm:noexec")
    assert "noexec" in attributes(berth, container, "/dev/shm")


@host_ids
def test_ids_of_a_mount(berth, source):
    os.chown(source / "file", 4000, 4001)
    container = berth.running()
    told = berth("mounts", "add", container, f"{source}:/dev/shm/a:bind,idmap=uids=4000-0-1;gids=4001-0-1")
    if "map the ids of the mount" in told.stderr and "invalid argument" in told.stderr:
        pytest.skip("this kernel or filesystem maps no ids of mounts")
    assert told.returncode == 0, told.stderr
    assert berth.ok("exec", container, "ls", "-ln", "/dev/shm/a/file").split()[2:4] == ["0", "0"]


def test_containers_of_others(berth, source, tmp_path, rootfs):
    """berth with another state root stands for another runtime: the container is found in the kernel."""
    (tmp_path / "elsewhere").mkdir()
    other = Berth(tmp_path / "elsewhere", rootfs)
    container = other.running()
    pid = other.state(container)["pid"]
    before = mountinfo(other, container)
    kept = set(FOREIGN.iterdir()) if FOREIGN.exists() else set()
    try:
        assert "does not exist" in berth.fails("mounts", "add", container, f"{source}:/dev/shm/a")
        words = ("--engine-scan", "--token", "mine", container, f"{source}:/dev/shm/a:ro", f"{source}/file:/dev/shm/b")
        assert berth.ok("mounts", "add", *words) == berth.ok("mounts", "add", *words) == "mine\n"
        assert cat(other, container, "/dev/shm/a/file") == cat(other, container, "/dev/shm/b") == "of the host\n"
        berth.ok("mounts", "replace", "--pid", pid, "tmpfs::/dev/shm/a:size=64k")
        berth.ok("mounts", "change", "--pid", pid, "/dev/shm/b:ro")
        found = json.loads(berth.ok("mounts", "list", "--pid", pid, "--format", "json"))
        assert [(each["destination"], each["there"]) for each in found] == [("/dev/shm/b", True), ("/dev/shm/a", True)]
        assert places(other, container).count("/dev/shm/a") == 1 and "ro" in attributes(other, container, "/dev/shm/b")
        assert berth.ok("mounts", "list", "--engine-scan", container) == berth.ok("mounts", "list", "--pid", pid)
        berth.ok("mounts", "remove", "--engine-scan", container, "/dev/shm/a", "/dev/shm/b")
        assert mountinfo(other, container) == before and set(FOREIGN.iterdir()) - kept == set()
        berth.ok("mounts", "add", "--pid", pid, "tmpfs::/dev/shm/c")
        assert len(set(FOREIGN.iterdir()) - kept) == 1
    finally:
        other.clean()
    assert "not running" in berth.fails("mounts", "list", "--pid", pid)
    berth.ok("mounts", "list", "--pid", other_process := str(other_init(berth)))
    assert other_process and set(FOREIGN.iterdir()) - kept == set()  # of those that have ended nothing stays
    for words, told in ((("list", "--pid", os.getpid()), "those of the host"), (("list", "--pid", "x"), "--pid"), (("list",), "no container is named"),
                        (("list", "--engine-scan", "nobody"), "no container nobody runs")):
        assert told in berth.fails("mounts", *words), words


def other_init(berth):
    return berth.state(berth.running())["pid"]


LOOP = """cd /dev/shm; mkdir -p real x; ln -s /proc/1/root/tmp trap; ln -s ../../../../../../tmp trap2
while true; do mv -T x y; mv -T trap x; mv -T x trap; mv -T y x; mv -T real z; ln -sn / real; rm real; mv -T z real; done"""


def test_links_that_come_and_go(berth, source):
    """A container that exchanges a directory and links to elsewhere: nothing lands outside, nothing is doubled. As often as
    $BERTH_LIVE_MOUNTS says."""
    host = host_mounts(berth)
    container = berth.running(script="exec sleep 100000")
    before = mountinfo(berth, container)
    loop = subprocess.Popen([berth.path, f"--root={berth.root}", "exec", container, "sh", "-c", LOOP], stderr=subprocess.DEVNULL)
    try:
        while not berth("exec", container, "test", "-L", "/dev/shm/trap2").returncode == 0:
            pass
        end = time.monotonic() + (3600 if "BERTH_LIVE_MOUNTS" in os.environ else 20)  # less often where each takes long
        for number in range(int(os.environ.get("BERTH_LIVE_MOUNTS", "150"))):
            if time.monotonic() > end:
                break
            done = berth("mounts", "add", "--token", f"t{number}", container, f"{source}:/dev/shm/x/there", f"{source}/file:/dev/shm/real/one")
            inside = [line for line in mountinfo(berth, container).splitlines() if str(source) in line or "/there" in line or "/one" in line]
            assert len(inside) == (2 if done.returncode == 0 else 0), (number, done.stderr, inside)
            if done.returncode == 0:
                while berth("mounts", "remove", container, f"t{number}").returncode != 0:  # moved away: until it is back
                    pass
        assert host_mounts(berth) == host
    finally:
        loop.kill()
        loop.wait()
    assert mountinfo(berth, container) == before


def test_many_at_once(berth, source):
    """Several callers: each request is whole, one after the other."""
    container = berth.running()
    failures = []

    def work(number):
        for again in range(5):
            token = f"{number}-{again}"
            for words in (("add", "--token", token, container, f"{source}:/dev/shm/{number}"), ("remove", container, token)):
                done = berth("mounts", *words)
                if done.returncode != 0:
                    failures.append(done.stderr)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == [] and listed(berth, container) == [] and not [place for place in places(berth, container) if "/dev/shm/" in place]


def test_of_a_container_with_a_user_namespace(berth, source):
    bundle = berth.bundle("sh", "-c", "exec sleep 1000")
    config = berth.read_config(bundle)
    if "user" not in [each["type"] for each in config["linux"]["namespaces"]]:
        maps = [{"containerID": 0, "hostID": 200000, "size": 65536}]
        config["linux"] |= {"uidMappings": maps, "gidMappings": maps, "namespaces": [*config["linux"]["namespaces"], {"type": "user"}]}
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-d", "-b", bundle, container)
    add(berth, container, f"{source}:/dev/shm/live:ro")
    assert cat(berth, container, "/dev/shm/live/file") == "of the host\n"
    berth.ok("mounts", "remove", container, "/dev/shm/live")
    assert os.path.exists(source / "file")
    add(berth, container, "tmpfs::/dev/shm/own:mode=0755")
    assert berth.ok("exec", container, "ls", "-lnd", "/dev/shm/own").split()[2:4] == ["0", "0"]
    berth.ok("exec", container, "touch", "/dev/shm/own/file")
    berth.ok("mounts", "replace", container, f"{source}:/dev/shm/own:ro")
    berth.ok("mounts", "change", container, "/dev/shm/own:rw")
