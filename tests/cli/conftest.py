# SPDX-License-Identifier: Apache-2.0
"""The berth program from outside. BERTH names it, else the release or debug build is taken."""
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile

import pytest

import boxes
import shapes
from units import either, scopes  # noqa: F401 fixtures

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 60  # seconds; for what hangs, never for what is slow
APPLETS = ("sh", "cat", "echo", "env", "false", "grep", "hostname", "id", "kill", "ls", "mkfifo", "mount", "ps",
           "pwd", "readlink", "setsid", "sleep", "stty", "touch", "true", "tr", "wc", "dd", "test", "printf")


def find_berth():
    named = os.environ.get("BERTH")
    candidates = [named] if named else [REPOSITORY / f"build/{preset}/berth" for preset in ("release", "debug")]
    for path in candidates:
        if os.access(path, os.X_OK):
            return str(path)
    raise RuntimeError(f"there is no berth at {candidates}")


def copy_libraries(program, root):
    """What a dynamic program needs, at the places where it looks."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True)
    for word in listed.stdout.split():
        if word.startswith("/"):
            target = root / word.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)


def make_image(root):
    """A root filesystem of busybox."""
    for folder in ("bin", "dev", "etc", "proc", "sys", "tmp", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    copy_libraries(root / "bin/busybox", root)
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\nguest:x:1000:\n")
    root.chmod(0o755)
    shapes.let_pass(root)  # a user namespace's root must reach it
    return root


@pytest.fixture(scope="session")
def as_root():
    """Of what prepares something that only root can: mounts, devices, owners, namespaces."""
    if os.geteuid() != 0:
        pytest.skip("only root can prepare it")


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory):
    """For all tests of the session; they must not write to it. (berth does: the image's /dev gets the device nodes of
    containers that mount nothing there.)"""
    return make_image(tmp_path_factory.mktemp("rootfs"))


@pytest.fixture
def image(tmp_path):
    """A root filesystem of this test's own, that may be filled. Made anew: a copy of a used one would copy /dev/zero."""
    return make_image(tmp_path / "image")


class Berth:
    """Runs berth with a state directory of its own."""
    numbers = itertools.count()

    def __init__(self, folder, rootfs):
        self.path = find_berth()
        self.folder = folder
        self.rootfs = rootfs
        self.root = folder / "state"
        self.prefix = f"cli{os.getpid()}-{next(self.numbers)}"
        self.ids = []

    def new_id(self, name="c"):
        self.ids.append(f"{self.prefix}-{name}{len(self.ids)}")
        return self.ids[-1]

    def lend(self):
        """For other users: the repository may be where only its owner looks, so the program is copied."""
        own = self.folder / "berth"
        shutil.copy(self.path, own)
        own.chmod(0o755)
        self.path = str(own)
        shapes.let_pass(self.folder)

    before = []  # of a test that has berth run by something else

    def command(self, *arguments):
        return [*self.before, self.path, f"--root={self.root}", *map(str, arguments)]

    def __call__(self, *arguments, **options):
        """Any exit code; standard input is empty. Output goes to files: a container keeps its streams, so that the
        end of a pipe would be the container's end."""
        options = {"stdin": subprocess.DEVNULL, "timeout": TIMEOUT} | options
        if "input" in options:
            del options["stdin"]
            options["input"] = options["input"].encode()
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            done = subprocess.run(self.command(*arguments), stdout=output, stderr=errors, **options)
            for name, file in (("stdout", output), ("stderr", errors)):
                file.seek(0)
                setattr(done, name, file.read().decode(errors="replace"))
        return done

    def ok(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def fails(self, *arguments, code=1, **options):
        """What it says on standard error."""
        done = self(*arguments, **options)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stderr

    def bundle(self, *args, name="bundle", **changes):
        """A bundle that runs args; changes are keyword arguments that replace members of process."""
        folder = self.folder / name
        folder.mkdir()
        subprocess.run([self.path, "spec", "--bundle", folder], check=True, timeout=TIMEOUT)
        config = json.loads((folder / "config.json").read_text())
        config["root"] = {"path": str(self.rootfs), "readonly": True}
        namespaces = config["linux"]["namespaces"]  # the same on every machine: who is about cgroup namespaces says so
        config["linux"]["namespaces"] = [each for each in namespaces if each["type"] != "cgroup"]
        config["process"] |= {"terminal": False, "args": list(args or ("true",))} | changes
        self.write_config(folder, config)
        return folder

    @staticmethod
    def read_config(bundle):
        return shapes.plain(json.loads((bundle / "config.json").read_text()))

    def write_config(self, bundle, config):
        (bundle / "config.json").write_text(json.dumps(shapes.shaped(bundle, config, (self.folder, self.rootfs))))

    def running(self, script="read line", container=None, first="true"):
        """The id of a detached container that has done `first` and got as far as script. Its input is never written to."""
        container = container or self.new_id()
        bundle = self.bundle("sh", "-c", f"{first}\necho ready; {script}", name=f"bundle-{container}")
        done, never = os.pipe()
        process = subprocess.Popen(self.command("run", "-d", "-b", bundle, container), stdin=done,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.close(done)
        self.open_ends.append(never)
        line = process.stdout.readline()
        assert process.wait(TIMEOUT) == 0 and line == "ready\n", process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        return container

    def run_waiting(self, bundle, container=None):
        """Runs a bundle whose program reads lines that never come, detached."""
        container = container or self.new_id()
        theirs, never = os.pipe()
        self.open_ends.append(never)
        self.ok("run", "-d", "-b", bundle, container, stdin=theirs)
        os.close(theirs)
        return container

    def state(self, container):
        return json.loads(self.ok("state", container))

    def wait_stopped(self, container):
        """Until the container's first process has ended; it may have ended long ago."""
        pid = self.state(container)["pid"]
        if pid == 0:
            return
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ready, _, _ = select.select([descriptor], [], [], TIMEOUT)
        os.close(descriptor)
        assert ready, f"{container} did not end"

    open_ends = []

    def clean(self):
        for descriptor in self.open_ends:
            os.close(descriptor)
        self.open_ends.clear()
        for container in self.ids:
            self("delete", "--force", container)
        boxes.await_children(self.prefix)

    def leaks(self):
        """What is left of this test's containers."""
        if self.root.exists():
            yield from (f"state {path}" for path in self.root.iterdir())
        for folder, below, _ in os.walk("/sys/fs/cgroup"):
            yield from (f"cgroup {folder}/{name}" for name in below if self.prefix in name)
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            if self.prefix in line or str(self.folder) in line:
                yield f"mount {line}"
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace")
                group = pathlib.Path("/proc", pid, "cgroup").read_text()
                status = pathlib.Path("/proc", pid, "stat").read_text()
            except OSError:
                continue
            # The machine's init reaps what has ended in its own time.
            ended = status.rpartition(")")[2].split()[0] in "ZX"
            if not ended and (self.prefix in words or self.prefix in group):
                yield f"process {pid} {words!r}"


@pytest.fixture
def berth(tmp_path, rootfs):
    program = Berth(tmp_path, rootfs)
    if shapes.SHAPE:  # hooks and overlays need more of the host than what init was given
        shapes.let_pass(tmp_path)
    yield program
    program.clean()
    assert list(program.leaks()) == []


@pytest.fixture
def box(berth):
    return boxes.Boxes(berth)
