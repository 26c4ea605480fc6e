# SPDX-License-Identifier: Apache-2.0
"""The measurement in one cgroup layout. Runs in a mount namespace of its own, which bench made, as pure v1 or v2."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import memory
import programs

CGROUPS = pathlib.Path("/sys/fs/cgroup")
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
# What a scheduler of threads does depends on the moment, not on the work.
NOT_COUNTED = {"futex", "nanosleep", "clock_nanosleep", "tgkill", "rt_sigreturn", "sched_yield", "epoll_pwait",
               "restart_syscall"}


class Unavailable(Exception):
    """This machine cannot show that layout."""


def mounted_at(prefix: str) -> list[tuple[str, str]]:
    """(mount point, file system) of what is mounted there and below."""
    found = []
    for entry in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = entry.split(" - ", 1)
        point = before.split()[4]
        if point == prefix or point.startswith(prefix + "/"):
            found.append((point, after.split()[0]))
    return found


def enter_layout(layout: str, outside: str) -> None:
    """Only mounts and unmounts, never a rmdir: /sys/fs/cgroup is one tmpfs, shared with the host's namespace, where
    removing a mount point would detach the host's mount as well."""
    if os.readlink("/proc/self/ns/mnt") == outside:
        sys.exit("bench: refuses to change mounts outside a mount namespace of its own")
    mounts = mounted_at(str(CGROUPS))
    if layout == "v1":
        if not any(kind == "cgroup" for _, kind in mounts):
            raise Unavailable("no v1 hierarchy is mounted here")
        for point, kind in mounts:
            if kind == "cgroup2":
                subprocess.run(["umount", point], check=True)
                # crun makes plain directories there all the same, which must not stay in the host's tmpfs.
                subprocess.run(["mount", "-t", "tmpfs", "none", point], check=True)
    elif (str(CGROUPS), "cgroup2") not in mounts:
        subprocess.run(["umount", "--recursive", str(CGROUPS)], check=True)
        subprocess.run(["mount", "-t", "cgroup2", "none", str(CGROUPS)], check=True)


def choose(job: dict, notes: list[str]) -> list[programs.Program]:
    """The programs that can run a container here."""
    bundles = programs.Bundles(*(pathlib.Path(job["bundles"]) / name for name in ("short", "long", "profile", "least")))
    chosen = []
    for name, path in job["programs"].items():
        root = pathlib.Path(job["state"]) / job["layout"] / name
        root.mkdir(parents=True, exist_ok=True)
        kind = programs.Floor if name == "floor" else programs.Program
        program = kind(name, path, root, bundles)
        tried = subprocess.run(program.command("run", program.container("run")), check=False, timeout=60, **QUIET)
        if tried.returncode == 0:
            chosen.append(program)
            continue
        programs.remove_containers([program])
        reason = (tried.stderr.strip().splitlines() or ["no message"])[-1]
        if "MEMLOCK" in reason and not job.get("memlock"):
            restart_allowing_memlock(job)
        notes.append(f"{name} is left out: it cannot run a container here: {reason[:200]}")
    return chosen


def restart_allowing_memlock(job: dict) -> None:
    """crun before 1.9 raises RLIMIT_MEMLOCK on v2 and gives up where it lacks CAP_SYS_RESOURCE."""
    job["memlock"] = True
    pathlib.Path(job["file"]).write_text(json.dumps(job))
    os.execv(job["harness"], [job["harness"], "allow-memlock", *job["again"]])


def hold_containers(chosen: list[programs.Program], notes: list[str]) -> list[programs.Program]:
    """Starts, for each program, the container that exec enters."""
    holding = []
    for program in chosen:
        container = program.container("hold")
        for verb in ("create", "start"):
            done = subprocess.run(program.command(verb, container), check=False, timeout=60,
                                  **{**QUIET, "stderr": subprocess.DEVNULL})
            if done.returncode:
                notes.append(f"{program.name}: {verb} failed, so there is no exec")
                break
        else:
            holding.append(program)
    return holding


@contextlib.contextmanager
def resident(job: dict, chosen: list[programs.Program]):
    """The program that uses libberth, on berth's containers; none when there is no berth or no libberth."""
    berth = next((program for program in chosen if program.name == "berth"), None)
    if not berth or not job["resident"]:
        yield []
        return
    library = programs.Resident("library", berth.path, berth.root, berth.bundles)
    process = subprocess.Popen([job["resident"], str(berth.root), library.socket()], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield [library]
    finally:
        process.kill()
        process.wait()
        programs.remove(library, "life")


def measure(job: dict, chosen: list[programs.Program], holding: list[programs.Program]) -> str:
    rows = set(job["rows"])
    plan = programs.make_plan(chosen, rows - {"exec"}) + programs.make_plan(holding, rows & {"exec"})
    work = pathlib.Path(job["work"])
    plan_file, log = work / f"plan-{job['layout']}", work / f"log-{job['layout']}"
    plan_file.write_text(plan)
    command = [job["harness"], str(plan_file), str(log), str(job["rounds"]), str(job["gap"]), str(job["seed"])]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def count_calls(command: list[str], output: pathlib.Path) -> int | None:
    done = subprocess.run(["strace", "-f", "-c", "-U", "name,calls", "-o", str(output), "--", *command], check=False,
                          timeout=120, **QUIET)
    if done.returncode:
        return None
    counted = 0
    for entry in output.read_text().splitlines():
        words = entry.split()
        if len(words) == 2 and words[1].isdigit() and words[0] not in NOT_COUNTED | {"total"}:
            counted += int(words[1])
    return counted


def count_all_calls(job: dict, chosen: list[programs.Program], holding: list[programs.Program]) -> dict:
    counts: dict = {"run": {}, "exec": {}, "state": {}}
    if not shutil.which("strace"):
        return counts
    output = pathlib.Path(job["work"]) / "calls"
    for program in chosen:
        counts["run"][program.name] = count_calls(program.command("run", program.container("calls")), output)
    for program in holding:
        for verb in ("exec", "state"):
            counts[verb][program.name] = count_calls(program.command(verb, program.container("hold")), output)
    return counts


def leftovers(layout: str) -> list[str]:
    # Two levels are enough: the programs put a container's cgroup below the root, below their own or below ours.
    found = [*CGROUPS.glob("bench-*"), *CGROUPS.glob("*/bench-*"), *CGROUPS.glob("*/*/bench-*")]
    return sorted({str(path) for path in found if layout == "v2" or path.parent.name != "unified"})


def run(job_file: str) -> None:
    job = json.loads(pathlib.Path(job_file).read_text())
    result: dict = {"layout": job["layout"], "notes": [], "samples": "", "calls": {}, "memory": {}}
    chosen: list[programs.Program] = []
    try:
        # After a restart the mounts are as this process left them.
        if not job.get("memlock"):
            enter_layout(job["layout"], job["outside"])
        else:
            result["notes"].append("crun may not raise RLIMIT_MEMLOCK on this machine: a seccomp filter, over all "
                                   "programs alike, lets that one call succeed")
        chosen = choose(job, result["notes"])
        holding = hold_containers(chosen, result["notes"]) if {"exec", "state"} & set(job["rows"]) else []
        with resident(job, holding or chosen) as library:
            result["samples"] = measure(job, chosen + library, holding + library if holding else [])
        if "memory" in job["rows"] and memory.is_limited(job["layout"]):
            result["memory"] = memory.measure(chosen, job["layout"])
        elif "memory" in job["rows"]:
            result["notes"].append("no memory row: the controller is bound to another layout on this machine (the "
                                   "guest has it on v2: PERFORMANCE.md)")
        if job["calls"]:
            result["calls"] = count_all_calls(job, chosen, holding)
    except Unavailable as error:
        result["notes"].append(f"left out: {error}")
    finally:
        programs.remove_containers(chosen)
    result["notes"] += [f"left behind: {path}" for path in leftovers(job["layout"])]
    pathlib.Path(job["result"]).write_text(json.dumps(result))
