# SPDX-License-Identifier: Apache-2.0
"""Podman and Docker with everything of theirs below one temporary directory, in a mount namespace of their own, so that
neither an engine of the machine nor berth's own state directory is touched."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
IMAGE = "localhost/busybox:engines"
TIMEOUT = 60  # seconds; for what hangs, never for what is slow


class Room:
    """A mount namespace with an empty /run and /dev/shm. Its mounts go when the last process in it has gone.

    Mounts are shared with the namespaces below it, as systemd sets up a machine, and never with the machine: Podman's
    conmon has its own for a container with a user namespace, and what it unmounts there must go here too."""

    def __init__(self, folder):
        self.folder = folder
        script = ("mount --make-rshared / && mount -t tmpfs -o mode=755 engines /run && "
                  "mount -t tmpfs engines /dev/shm && echo ready && exec cat")
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       start_new_session=True)  # an interrupt of the tests leaves it for the cleaning
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError("there is no private mount namespace")

    def command(self, *arguments):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", *map(str, arguments)]

    def path(self, path):
        """A path of the room as this process sees it."""
        return pathlib.Path(f"/proc/{self.holder.pid}/root") / str(path).lstrip("/")

    def mounts(self):
        return self.path("/proc/self/mountinfo").parent.parent.joinpath(str(self.holder.pid), "mountinfo").read_text()

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(timeout=TIMEOUT)


def wait_until(condition, seconds=20):
    """For what has no event to wait for from outside."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.02)
    return value


class Engine:
    """What podman and docker have in common."""

    def __init__(self, room, runtime, folder):
        self.room, self.runtime, self.folder = room, runtime, folder
        self.parent = f"berth-engines-{os.getpid()}-{self.name}"
        self.ids = set()

    def __call__(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "timeout": TIMEOUT} | options
        if "input" in options:
            del options["stdin"]
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, **options)

    def must(self, *arguments, **options):
        done = self(*arguments, **options)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout.strip()

    def arguments(self, verb, *arguments, network="none"):
        common = [f"--cgroup-parent=/{self.parent}", f"--network={network}"]
        return [verb, *self.creating, *common, *arguments]

    def run(self, *arguments, network="none", **options):
        """A container to its end, which is then removed."""
        return self(*self.arguments("run", "--rm", *arguments, network=network), **options)

    def output(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout.strip()

    def start(self, *arguments, network="none"):
        """The id of a container in the background."""
        self.ids.add(identity := self.must(*self.arguments("run", "--detach", *arguments, network=network)))
        return identity

    def inspect(self, container, template):
        return self.must("inspect", "--format", template, container)

    def status(self, container):
        return self.inspect(container, "{{.State.Status}}")

    def pid(self, container):
        return int(self.inspect(container, "{{.State.Pid}}"))

    def wait_status(self, container, status):
        wait_until(lambda: self.status(container) == status)

    def logs(self, container, text):
        """The logs, once they have the text."""
        return wait_until(lambda: text in (logs := self.must("logs", container)) and logs)

    def cgroup(self, container, controller, file):
        """A value of the container's cgroup, on either version."""
        for line in pathlib.Path(f"/proc/{self.pid(container)}/cgroup").read_text().splitlines():
            number, names, path = line.split(":", 2)
            if number == "0" and (CGROUPS / "cgroup.controllers").exists():
                return (CGROUPS / path.lstrip("/") / file).read_text().strip()
            if controller in names.split(","):
                return (CGROUPS / controller / path.lstrip("/") / file).read_text().strip()
        raise LookupError(controller)

    def remove_all(self):
        if identities := self.must("ps", "--all", "--quiet", "--no-trunc").split():
            self.ids.update(identities)
            self.must("rm", "--force", *identities)

    def cgroups(self):
        """Below the engine's parent. Cgroups of other sessions may go while they are walked, which glob does not bear."""
        for folder, below, _ in os.walk(CGROUPS):
            places = [pathlib.Path(folder, name) for name in below]
            yield from (place for place in places if self.parent in place.parts)

    def leftovers(self):
        """What the runtime should have removed: state, cgroups, processes, mounts."""
        found = [str(entry) for root in self.runtime_roots() for entry in root.glob("*")]
        found += [str(path) for path in self.cgroups() if any(i in path.name for i in self.ids)]
        found += [line for line in self.room.mounts().splitlines() if any(i in line for i in self.ids)]
        for group in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
            try:
                text = group.read_text()
            except OSError:
                continue
            if self.parent in text and any(i in text for i in self.ids):
                found.append(f"{group}: {text}")
        return found

    def remove_cgroups(self):
        """The parents belong to the engine, which leaves them."""
        places = sorted(self.cgroups(), key=lambda path: -len(path.parts))
        for place in places:
            try:
                place.rmdir()
            except OSError:
                pass  # a helper of the engine is still on its way out


class Podman(Engine):
    name = "podman"
    creating = ()

    def __init__(self, room, runtime, folder):
        super().__init__(room, runtime, folder)
        self.configuration = folder / "containers.conf"
        self.configuration.write_text(f'''
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]  # below the hard limits of any machine
[engine]
stop_timeout = 0  # a removal by force waits for it
[network]
network_config_dir = "{folder}/networks"
''')

    def command(self, *arguments):
        return self.room.command(
            "env", f"CONTAINERS_CONF={self.configuration}", "podman", f"--root={self.folder}/storage",
            f"--runroot={self.folder}/run", f"--tmpdir={self.folder}/libpod", "--storage-driver=overlay",
            "--cgroup-manager=cgroupfs", "--events-backend=file", f"--runtime={self.runtime}", *arguments)

    def load(self, archive):
        self.must("import", archive, IMAGE)

    def runtime_roots(self):
        return [self.room.path("/run") / pathlib.Path(self.runtime).name]

    def close(self):
        self("pod", "rm", "--all", "--force")
        self.remove_all()
        self("image", "rm", "--force", IMAGE)
        self.remove_cgroups()


class Docker(Engine):
    name = "docker"
    creating = ("--runtime=tested",)

    def __init__(self, room, runtime, folder):
        super().__init__(room, runtime, folder)
        self.socket = folder / "docker.sock"
        self.log = folder / "dockerd.log"
        self.daemon = None

    def start_daemon(self):
        """None, or why there is no daemon."""
        flags = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile",
                 self.folder / "pid", "--host", f"unix://{self.socket}", "--iptables=false", "--ip6tables=false",
                 "--ip-forward=false", "--ip-masq=false", "--bridge=none", "--storage-driver=overlay2",
                 "--exec-opt", "native.cgroupdriver=cgroupfs", "--add-runtime", f"tested={self.runtime}"]
        with self.log.open("w") as log:
            self.daemon = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self.room.command("dockerd", *flags)],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(self.answers, seconds=60)
        except TimeoutError:
            return "\n".join(self.log.read_text().splitlines()[-3:])
        return None

    def answers(self):
        if self.daemon.poll() is not None:
            raise TimeoutError
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def command(self, *arguments):
        return self.room.command("env", f"DOCKER_CONFIG={self.folder}/client", "docker", "--host",
                                 f"unix://{self.socket}", *arguments)

    def load(self, archive):
        self.must("import", archive, IMAGE)

    def runtime_roots(self):
        return [self.folder / "exec/runtime-tested/moby"]

    def close(self):
        if self.daemon.poll() is None:
            self.remove_all()
            self.daemon.send_signal(signal.SIGTERM)
            self.daemon.wait(timeout=TIMEOUT)
        self.remove_cgroups()


def make_image(folder):
    """A tar file of busybox and what a root filesystem needs."""
    tree = folder / "image"
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp", "root", "home/guest"):
        (tree / name).mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    for applet in subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n")
    (tree / "etc/group").write_text("root:x:0:\nguest:x:1000:\n")
    (tree / "etc/plain").write_text("not a program\n")
    (tree / "tmp").chmod(0o1777)
    archive = folder / "busybox.tar"
    subprocess.run(["tar", "-C", tree, "--owner=0", "--group=0", "-cf", archive, "."], check=True)
    return archive
