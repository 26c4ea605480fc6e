# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared, and the rows: which of their commands are timed, after and before what."""

import dataclasses
import json
import pathlib
import subprocess

ROWS = ("run", "run-seccomp", "exec", "create", "start", "state", "kill", "delete", "delete-force", "box", "plan",
        "plan-seccomp", "memory")
PAYLOAD = ["/bin/true"]


@dataclasses.dataclass
class Bundles:
    """Where the bundles are: one that ends at once, one that stays, the first with the engines' seccomp profile and
    annotations up to 60 KB, and one whose program is the least that there is."""

    short: pathlib.Path
    long: pathlib.Path
    profile: pathlib.Path
    least: pathlib.Path


@dataclasses.dataclass
class Program:
    """A runtime with runc's command line, or the floor."""

    name: str
    path: str
    root: pathlib.Path  # of its state
    bundles: Bundles

    def container(self, suffix: str) -> str:
        return f"bench-{self.name}-{suffix}"

    def pid_file(self, container: str) -> str:
        return str(self.root / f"{container}.pid")

    def command(self, verb: str, container: str) -> list[str]:
        head = [self.path, "--root", str(self.root)]
        match verb:
            case "run":
                return [*head, "run", "--bundle", str(self.bundles.short), container]
            case "run-seccomp":
                return [*head, "run", "--bundle", str(self.bundles.profile), container]
            case "plan":
                return [*head, "plan", str(self.bundles.short)]
            case "plan-seccomp":
                return [*head, "plan", str(self.bundles.profile)]
            case "box":
                return [*head, "box", "--id", container, "--rootfs", str(self.bundles.short / "rootfs"), *PAYLOAD]
            case "create":
                where = ["--bundle", str(self.bundles.long), "--pid-file", self.pid_file(container)]
                return [*head, "create", *where, container]
            case "exec":
                return [*head, "exec", container, *PAYLOAD]
            case "kill":
                return [*head, "kill", container, "KILL"]
            case "delete-force":
                return [*head, "delete", "--force", container]
            case _:
                return [*head, verb, container]


class Floor(Program):
    """The floor takes no bundle, only what is in it."""

    def pid_file(self, container: str) -> str:
        return str(self.root / container / "state.json")

    def command(self, verb: str, container: str) -> list[str]:
        head = [self.path, verb, str(self.root), container]
        match verb:
            case "run" | "create":
                bundle = self.bundles.short if verb == "run" else self.bundles.long
                arguments = json.loads((bundle / "config.json").read_text())["process"]["args"]
                return [*head, str(bundle / "rootfs"), *arguments]
            case "exec":
                return [*head, *PAYLOAD]
            case _:
                return head


class Resident(Program):
    """A program that stays and uses libberth (resident.cc), beside berth's command line on the same containers."""

    def socket(self) -> str:
        return str(self.root.parent / "resident")

    def container(self, suffix: str) -> str:
        return super().container(suffix) if suffix != "hold" else "bench-berth-hold"


def line(kind: str, words: list[str], label: str = "") -> str:
    return " ".join([kind, *([label] if label else []), *words])


def plan_run(program: Program) -> list[str]:
    if isinstance(program, Resident):
        return []
    one = program.container("run")
    return [line("time", program.command("run", one), f"run/{program.name}"),
            line("cleanup", program.command("delete-force", one))]


def plan_run_seccomp(program: Program) -> list[str]:
    """The floor loads no filter."""
    one = program.container("run")
    if isinstance(program, (Floor, Resident)):
        return []
    return [line("time", program.command("run-seccomp", one), f"run-seccomp/{program.name}"),
            line("cleanup", program.command("delete-force", one))]


def plan_plan(program: Program) -> list[str]:
    """The difference of the two rows is what it takes to read, check and plan 60 KB, and to write the answer."""
    if program.name != "berth":
        return []
    return [line("time", program.command(verb, ""), f"{verb}/{program.name}") for verb in ("plan", "plan-seccomp")]


def plan_box(program: Program) -> list[str]:
    """As run, with its own keeper and without a config.json."""
    if program.name != "berth":
        return []
    one = program.container("box")
    return [line("time", program.command("box", one), f"box/{program.name}"),
            line("cleanup", program.command("delete-force", one))]


def plan_exec(program: Program) -> list[str]:
    """In a container that is there for all rounds."""
    if isinstance(program, Resident):
        return [line("ask", [program.socket(), "exec", program.container("hold"), *PAYLOAD], "exec/library")]
    return [line("time", program.command("exec", program.container("hold")), f"exec/{program.name}")]


def plan_life(program: Program) -> list[str]:
    one = program.container("life")

    def timed(verb: str) -> str:
        return line("time", program.command(verb, one), f"{verb}/{program.name}")

    if isinstance(program, Resident):
        return [line("ask", [program.socket(), "create", one, str(program.bundles.long)], "create/library"),
                line("cleanup", program.command("delete-force", one))]
    return [timed("create"), timed("start"), timed("state"), timed("kill"), line("wait", [program.pid_file(one)]),
            timed("delete"), line("cleanup", program.command("delete-force", one))]


def plan_force(program: Program) -> list[str]:
    if isinstance(program, Resident):
        return []
    one = program.container("force")
    return [line("do", program.command("create", one)), line("do", program.command("start", one)),
            line("time", program.command("delete-force", one), f"delete-force/{program.name}"),
            line("cleanup", program.command("delete-force", one))]


# One group each: its steps stay in order, the groups of all programs are shuffled.
GROUPS = {
    "run": (plan_run, {"run"}),
    "run-seccomp": (plan_run_seccomp, {"run-seccomp"}),
    "box": (plan_box, {"box"}),
    "plan": (plan_plan, {"plan", "plan-seccomp"}),
    "exec": (plan_exec, {"exec"}),
    "life": (plan_life, {"create", "start", "state", "kill", "delete"}),
    "force": (plan_force, {"delete-force"}),
}


def make_plan(programs: list[Program], rows: set[str]) -> str:
    lines = []
    for group, (plan, labels) in GROUPS.items():
        if not labels & rows:
            continue
        for program in programs:
            steps = plan(program)
            lines += [f"group {group}/{program.name}", *steps] if steps else []
    return "\n".join(lines) + "\n"


def remove(program: Program, suffix: str) -> None:
    subprocess.run(program.command("delete-force", program.container(suffix)), check=False, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def remove_containers(programs: list[Program]) -> None:
    for program in programs:
        for suffix in ("run", "box", "hold", "life", "force", "calls", "memory"):
            remove(program, suffix)
