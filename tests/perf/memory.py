# SPDX-License-Identifier: Apache-2.0
"""What a container costs its own memory cgroup: the smallest limit under which a static `true` runs, and what is charged to
a container that waits for its start, when only the runtime has done something in it."""

import json
import pathlib
import subprocess

import programs

CGROUPS = pathlib.Path("/sys/fs/cgroup")
STEP = 4096
MOST = 64 << 20
# What fails near its limit may succeed the next time: a limit counts when it holds so often.
TRIES = 3
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def is_limited(layout: str) -> bool:
    if layout == "v1":
        return (CGROUPS / "memory/memory.limit_in_bytes").exists()
    return "memory" in (CGROUPS / "cgroup.controllers").read_text().split()


def limited(program: programs.Program, limit: int) -> pathlib.Path:
    """The bundle of the static program with that limit."""
    bundle = program.bundles.least
    config = json.loads((bundle / "config.json").read_text())
    config["linux"].setdefault("resources", {})["memory"] = {"limit": limit}
    (bundle / "config.json").write_text(json.dumps(config))
    return bundle


def holds(program: programs.Program, limit: int) -> bool:
    bundle, one = limited(program, limit), program.container("memory")
    for _ in range(TRIES):
        command = [program.path, "--root", str(program.root), "run", "--bundle", str(bundle), one]
        try:
            status = subprocess.run(command, check=False, timeout=20, **QUIET).returncode
        except subprocess.TimeoutExpired:
            status = 1
        if status:
            subprocess.run(program.command("delete-force", one), check=False, timeout=60, **QUIET)
            return False
    return True


def smallest_limit(program: programs.Program) -> int | None:
    """Bytes, to a page."""
    if not holds(program, MOST):
        return None
    fails, holds_at = 0, MOST // STEP
    while holds_at - fails > 1:
        middle = (fails + holds_at) // 2
        if holds(program, middle * STEP):
            holds_at = middle
        else:
            fails = middle
    return holds_at * STEP


def charged(program: programs.Program, layout: str) -> dict | None:
    """Bytes now and at the most, of a container that is created and not started."""
    one = program.container("memory")
    bundle = limited(program, MOST)
    command = [program.path, "--root", str(program.root), "create", "--bundle", str(bundle), one]
    if subprocess.run(command, check=False, timeout=60, **QUIET).returncode:
        return None
    names = ("memory.current", "memory.peak") if layout == "v2" else ("memory.usage_in_bytes",
                                                                     "memory.max_usage_in_bytes")
    hierarchy = CGROUPS if layout == "v2" else CGROUPS / "memory"
    found = next((path for path in hierarchy.rglob(one) if (path / names[0]).exists()), None)
    values = {key: int((found / name).read_text()) for key, name in zip(("now", "most"), names)
              if found and (found / name).exists()}
    subprocess.run(program.command("delete-force", one), check=False, timeout=60, **QUIET)
    return values or None


def measure(chosen: list[programs.Program], layout: str) -> dict:
    return {program.name: {"smallest": smallest_limit(program), "charged": charged(program, layout)}
            for program in chosen if not isinstance(program, programs.Floor)}
