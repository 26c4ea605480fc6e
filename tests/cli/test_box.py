# SPDX-License-Identifier: Apache-2.0
"""`berth box`: a command in a container from a short description."""
import json
import os
import pathlib
import signal

import pytest

import boxes
from machine import any_ids, host_ids, needs_cgroup, needs_root
from shapes import SHAPE

GIVEN_BY_DOCKER = 0xa80425fb


def listed(berth):
    if not berth.root.exists():
        return []
    return [each["id"] for each in json.loads(berth.ok("list", "--format=json")) or []]


def test_exit_code_and_streams(berth, box):
    done = box("sh", "-c", "cat; echo error >&2; exit 6", input="text")
    assert (done.stdout, done.stderr, done.returncode) == ("text", "error\n", 6)
    assert listed(berth) == []


def test_killed_by_a_signal(berth, box):
    process, name = box.popen("sh", "-c", "echo ready; read line")
    assert process.stdout.readline() == b"ready\n"
    berth.ok("kill", name, "KILL")
    assert process.wait(boxes.TIMEOUT) == 128 + signal.SIGKILL
    process.communicate()


def test_signals_are_passed_on(box):
    process, _ = box.popen("sh", "-c", "trap 'exit 9' TERM; echo ready; sleep 1000 & wait")
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.wait(boxes.TIMEOUT) == 9
    process.communicate()


def test_words_of_the_command(box):
    assert box.ok("--entrypoint=/bin/echo", "a", "-n", "b") == "a -n b\n"
    assert box.ok("--", "echo", "-x") == "-x\n"
    assert "there is no command to run" in box.fails()


def test_environment(box):
    text = box.ok("--env=A=1", "-e", "A=2", "-e", "TERM=odd", "env", env=os.environ | {"BERTH_SECRET": "1"})
    lines = text.splitlines()
    assert "A=2" in lines and "A=1" not in lines and "TERM=odd" in lines and "BERTH_SECRET" not in text
    assert any(line.startswith("PATH=/usr/local/sbin:") for line in lines)
    assert "\"A\" is not NAME=VALUE" in box.fails("--env=A", "true")


def test_working_directory_and_host_name(berth, box):
    name, words = box.words("--cwd=/etc", "sh", "-c", "pwd; hostname")
    assert berth.ok(*words) == f"/etc\n{name}\n"
    assert box.ok("--hostname=other", "hostname") == "other\n"


@any_ids
@host_ids
@pytest.mark.parametrize("user, identity", [("guest", "1000:1000"), ("1000", "1000:1000"), ("guest:root", "1000:0"),
                                            ("7:8", "7:8"), ("7", "7:0")])
def test_user(box, user, identity):
    assert box.ok("--user", user, "sh", "-c", 'echo "$(id -u):$(id -g)"') == identity + "\n"


@any_ids
@host_ids
def test_user_has_his_groups(berth, box, image):
    (image / "etc/group").write_text("root:x:0:\nguest:x:1000:\nwheel:x:10:root,guest\nother:x:11:root\n")
    berth.rootfs = image
    assert box.ok("--user=guest", "id", "-G").split() == ["1000", "10"]
    assert set(box.ok("--user=guest:guest", "--additional-gids=77", "id", "-G").split()) == {"1000", "77"}


@pytest.mark.parametrize("user", ["nobody-there", "root:nobody-there", "-1", "4294967295", "guest:"])
def test_unknown_user(berth, box, user):
    assert "no such name in the root filesystem's /etc/" in box.fails(f"--user={user}", "true")
    assert listed(berth) == []


def test_user_database_is_read_inside_the_root(berth, box, image, tmp_path):
    (tmp_path / "passwd").write_text("trap:x:99:99::/:/bin/sh\n")
    (image / "etc/passwd").unlink()
    (image / "etc/passwd").symlink_to(tmp_path / "passwd")
    berth.rootfs = image
    assert "no such name" in box.fails("--user=trap", "true")
    (image / "etc/passwd").unlink()
    os.mkfifo(image / "etc/passwd")
    assert "no such name" in box.fails("--user=trap", "true")


def capabilities(text):
    return int(next(line for line in text.splitlines() if line.startswith("CapEff")).split()[1], 16)


@pytest.mark.parametrize("options, expected", [
    ((), GIVEN_BY_DOCKER), (("--cap-drop=ALL",), 0), (("--cap-drop=all", "--cap-add=net_raw"), 1 << 13),
    (("--cap-add=CAP_SYS_ADMIN",), GIVEN_BY_DOCKER | 1 << 21), (("--cap-drop=CHOWN",), GIVEN_BY_DOCKER & ~1)])
def test_capabilities(box, options, expected):
    assert capabilities(box.ok(*options, "cat", "/proc/self/status")) == expected


def test_unknown_capability(box):
    assert "there is none with the name \"CAP_FLY\"" in box.fails("--cap-add=fly", "true")


def test_confined_unless_privileged(box):
    script = "cat /proc/self/status; wc -c < /proc/keys"
    text = box.ok("sh", "-c", script)
    assert "Seccomp:\t2" in text and "NoNewPrivs:\t0" in text and text.endswith("\n0\n")
    text = box.ok("--privileged", "sh", "-c", script)
    assert "Seccomp:\t0" in text and not text.endswith("\n0\n")
    assert capabilities(text) == capabilities(pathlib.Path("/proc/self/status").read_text()) or SHAPE
    assert "NoNewPrivs:\t1" in box.ok("--no-new-privs", "cat", "/proc/self/status")


def test_privileged_has_the_devices_of_the_host(box):
    nodes = {path for path in pathlib.Path("/dev").rglob("*")
             if not str(path).startswith(("/dev/pts/", "/dev/shm", "/dev/mqueue"))
             and (path.is_char_device() or path.is_block_device()) and not path.is_symlink()}
    nodes -= {pathlib.Path("/dev/console"), pathlib.Path("/dev/ptmx")}
    seen = box.ok("--privileged", "sh", "-c", f"for each in {' '.join(map(str, nodes))}; do ls -d $each; done")
    assert set(map(pathlib.Path, seen.split())) == nodes
    assert "a privileged command has all of them" in box.fails("--privileged", "--cap-drop=chown", "true")


def test_device(box):
    assert box.ok("--device=/dev/null:/dev/hole:rw", "sh", "-c", "echo x > /dev/hole; ls /dev/hole") == "/dev/hole\n"
    assert "this is no device node" in box.fails("--device=/etc/passwd", "true")
    assert "No such file or directory" in box.fails("--device=/dev/none", "true")


@needs_root
def test_root_filesystem(berth, box, image):
    berth.rootfs = image
    assert box("--read-only", "touch", "/x").returncode == 1 and not (image / "x").exists()
    box.ok("--copy-on-write", "sh", "-c", "echo text > /x; cat /x")
    assert not (image / "x").exists()
    box.ok("touch", "/x")
    assert (image / "x").exists()


def test_mounts(box, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "file").write_text("inside\n")
    box_words = ("--mount", f"{tmp_path}:/mnt:ro", "--tmpfs=/srv:size=1m", "--shm-size=2m")
    text = box.ok(*box_words, "sh", "-c", "cat /mnt/file; touch /mnt/x; touch /srv/x; grep -e ' /srv ' -e shm /proc/mounts")
    assert text.startswith("inside\n") and "size=1024k" in text and "size=2048k" in text
    assert not (tmp_path / "x").exists()
    for bad in ("/srv", ":/x", "a:b:c:d"):
        assert "is not SOURCE:DEST[:OPTION,...]" in box.fails("--mount", bad, "true")
    assert "mounts: \"x\" is no absolute path" in box.fails("--mount=/srv:x", "true")


def test_host_view_is_thrown_away(berth, box):
    marker = f"/var/{berth.prefix}"
    done = box("sh", "-c", f"echo x > {marker} && cat {marker}; ls -A /tmp", rootfs=False)
    if "read-only file system" in done.stderr.lower():
        pytest.skip("no overlay here: the root is read-only")
    assert done.stdout == "x\n", done.stderr
    assert not pathlib.Path(marker).exists()


def test_network(box):
    interfaces = "tail -n +3 /proc/net/dev | wc -l; readlink /proc/self/ns/net"
    count, own = box.ok("sh", "-c", interfaces, rootfs=False).split()
    host = os.readlink("/proc/self/ns/net")
    assert (count, own != host) == ("1", True)
    assert box.ok("--net=host", "readlink", "/proc/self/ns/net") == host + "\n"
    if SHAPE != "rootless":  # whose user namespace does not own it
        assert box.ok("--net=/proc/self/ns/net", "readlink", "/proc/self/ns/net") == host + "\n"
    assert "no such file" in box.fails("--net=/none", "true").lower()


@needs_cgroup
def test_limits(berth, box):
    name = box.start("--memory=64m", "--pids-limit=50", "sh", "-c", "read line < /dev/zero; sleep 1000")
    stats = json.loads(berth.ok("events", "--stats", name))["data"]
    assert (stats["memory"]["usage"]["limit"], stats["pids"]["limit"]) == (64 << 20, 50)


def test_process_limits(box):
    text = box.ok("--rlimit=nofile=100:200", "--oom-score-adj=500", "sh", "-c",
                  "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj")
    assert text.split() == ["100", "200", "500"]


@needs_root
def test_remapped_root(berth, box, image):
    berth.rootfs = image
    image.chmod(0o777)
    text = box.ok("--remap=0:100000:65536", "sh", "-c", "id -u; cat /proc/self/uid_map; touch /x")
    assert text.split() == ["0", "0", "100000", "65536"]
    assert (image / "x").stat().st_uid == 100000
    assert "is not INSIDE:OUTSIDE:COUNT" in box.fails("--remap=0:1", "true")


def test_detached(berth, box):
    name = box.start("sh", "-c", "sleep 1000; true")
    assert berth.state(name)["status"] == "running" and listed(berth) == [name]
    assert berth.ok("exec", name, "hostname") == name + "\n"
    berth.ok("kill", "--all", name, "KILL")
    assert berth("wait", name).returncode == 128 + signal.SIGKILL
    assert berth.state(name)["status"] == "stopped"
    berth.ok("delete", name)
    assert listed(berth) == []


def test_exit_status_is_kept(berth, box):
    name = box.start("sh", "-c", "exit 7")
    berth.wait_stopped(name)
    assert berth("wait", name).returncode == 7
    record = json.loads(berth("wait", "--format=json", name).stdout)
    assert record["exitCode"] == 7


def test_removed_at_its_end(berth, box):
    name = box.start("--rm", "sh", "-c", "sleep 1000; true")
    berth.ok("kill", "--all", name, "KILL")
    boxes.await_keepers(name)
    assert listed(berth) == []


def test_kept(berth, box):
    name, words = box.words("--keep", "sh", "-c", "exit 3")
    assert berth(*words).returncode == 3
    assert berth("wait", name).returncode == 3 and listed(berth) == [name]


def test_label(berth, box):
    name = box.start("--label=a=b=c", "sleep", "1000")
    assert berth.state(name)["annotations"] == {"a": "b=c", "run.berth.box": "kept"}
    assert "is not NAME=VALUE" in box.fails("--label=a", "true")


@needs_cgroup
def test_killed_for_want_of_memory(berth, box):
    name, words = box.words("--keep", "--memory=8m", "--memory-swap=8m", "sh", "-c",
                            "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done")
    assert berth(*words).returncode == 128 + signal.SIGKILL
    record = json.loads(berth("wait", "--format=json", name).stdout)
    assert record["signal"] == signal.SIGKILL and record["oom"]["kills"] >= 1


def test_failure_leaves_nothing(berth, box):
    assert "executable file not found in $PATH" in box.fails("no-such-command")
    assert "no such file or directory" in box.fails("/no/such").lower()
    assert listed(berth) == [] and list(boxes.keepers(berth.prefix)) == []
    name = box.start("sleep", "1000")
    assert "exists" in berth.fails("box", "--id", name, "--rootfs", berth.rootfs, "true")
    assert berth.state(name)["status"] == "running"


def test_rootfs_that_is_not_there(box, tmp_path):
    for bad in (tmp_path / "none", "/etc/passwd"):
        assert str(bad) in box.fails("--rootfs", bad, "true", rootfs=False)


def test_keeper_that_is_killed(berth, box):
    name = box.start("sleep", "1000")
    for pid in boxes.keepers(name):
        os.kill(pid, signal.SIGKILL)
    boxes.await_keepers(name)
    assert berth.state(name)["status"] == "running"
    assert "no keeper" in berth.fails("attach", name)
    berth.ok("kill", name, "KILL")
    berth.wait_stopped(name)
    berth.ok("delete", name)
