# SPDX-License-Identifier: Apache-2.0
"""A container of many steps, made under the driver."""
import os
import select
import subprocess
import time

# What the program sees of its sandbox, without what differs from run to run.
PORTRAIT = r"""
grep -E '^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp)' /proc/self/status
cat /proc/self/limits /proc/self/oom_score_adj /proc/self/setgroups
hostname; pwd; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ip_forward
while read a b c d place mode rest; do echo "$place $mode ${rest##* - }"; done < /proc/self/mountinfo
cd /sys/fs/cgroup; cat pids/pids.max memory/memory.limit_in_bytes devices/devices.list
ls /proc/$$/fd
ls -ln /dev | tr -s ' ' | cut -d' ' -f1-5; ls /dev /proc/kcore
echo > /proc/sys/kernel/shmmax; echo > /new
"""
END = "END OF PORTRAIT\n"


def enrich(config):
    config["process"] |= {"cwd": "/tmp", "oomScoreAdj": 500}
    config["process"]["user"] = {"uid": 1000, "gid": 1000, "umask": 0o27, "additionalGids": [7]}
    config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 512, "soft": 256}]
    config["hostname"] = "faulty"
    config["domainname"] = "example.test"
    config["mounts"] += [
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777", "size=1m"]},
        {"destination": "/tmp/host", "type": "bind", "source": "/etc", "options": ["rbind", "rro", "nosuid"]},
    ]
    config["hooks"] = {kind: [{"path": "/bin/true"}]
                       for kind in ("createRuntime", "createContainer", "startContainer", "poststart", "poststop")}
    linux = config["linux"]
    linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    linux["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o660, "gid": 7}]
    linux["resources"] = {"pids": {"limit": 50}, "memory": {"limit": 1 << 28},
                          "devices": [{"allow": False, "access": "rwm"},
                                      {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}
    linux["maskedPaths"] = ["/proc/kcore"]
    linux["readonlyPaths"] = ["/proc/sys"]
    linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                        "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}


def map_ids(config):
    linux = config["linux"]
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]


class Injected:
    def __init__(self, report, output, told):
        points, self.call, by_main, status, hung = report.split()
        self.points, self.status, self.hung = int(points), int(status), hung == "1"
        self.who = "berth" if by_main == "1" else "a child"
        self.output = output
        self.told = told

    def __repr__(self):
        return f"{self.call} by {self.who}: exit {self.status}{', HANG' if self.hung else ''}: {self.told}"


class Injector:
    def __init__(self, berth, driver, change=None):
        self.berth = berth
        self.driver = driver
        script = f"{{ {PORTRAIT} }} 2>&1; echo '{END.strip()}'; exec sleep 1000"
        self.bundle = berth.bundle("sh", "-c", script)
        config = berth.read_config(self.bundle)
        enrich(config)
        if change:
            change(config)
        berth.write_config(self.bundle, config)

    def __call__(self, *words, at=0, fault=None, without=None):
        """Runs berth with the words; the at-th call of its tree is broken, or the kernel is one without that call. Output
        is read to END when it succeeds."""
        report = self.berth.folder / "report"
        broken = ["--at", str(at), str(fault)] if at else ["--without", without] if without else []
        # What berth is run by (another mount namespace) runs the driver.
        before = self.berth.before
        berth = self.berth.command(*words)[len(before):]
        command = [*before, self.driver, "--report", report, *broken, "--", *berth]
        with open(self.berth.folder / "told", "w+b") as told:
            # A descriptor of the caller's that nobody asked to hand on: the container must not see it.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told,
                                       pass_fds=[told.fileno()])
            assert process.wait(60) == 0
            succeeded = report.read_text().split()[3] == "0"
            output = read_portrait(process.stdout) if succeeded and words[0] in ("run", "start") else ""
            process.stdout.close()
            told.seek(0)
            return Injected(report.read_text(), output, told.read().decode(errors="replace"))


def read_portrait(pipe, seconds=10):
    """Until the program has ended its portrait, or has ended."""
    text = b""
    deadline = time.monotonic() + seconds
    while not text.endswith(END.encode()):
        ready, _, _ = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
        part = os.read(pipe.fileno(), 65536) if ready else b""
        if not part:
            break
        text += part
    return text.decode(errors="replace")
