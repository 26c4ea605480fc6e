# SPDX-License-Identifier: Apache-2.0
"""Mounts that are added to a container that runs (docs/live-operations.md), seen from inside and in its mountinfo."""
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from machine import host_mounts, needs_root

pytestmark = needs_root


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


LOOP = """cd /dev/shm; mkdir -p real x; ln -s /proc/1/root/tmp trap; ln -s ../../../../../../tmp trap2
while true; do mv x y; mv trap x; mv x trap; mv y x; mv real z; ln -s / real; rm real; mv z real; done"""


def test_links_that_come_and_go(berth, source):
    """A container that exchanges a directory and links to elsewhere: nothing lands outside, nothing is doubled. As often as
    $BERTH_LIVE_MOUNTS says."""
    host = host_mounts(berth)
    container = berth.running(script="exec sleep 1000")
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
