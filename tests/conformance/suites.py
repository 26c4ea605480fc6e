# SPDX-License-Identifier: Apache-2.0
"""What each peer's suite consists of, how one test of it is run, and how its answer is read."""

import ast
import os
import pathlib
import re
import shlex
import shutil
from dataclasses import dataclass

import fetch

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Not /tmp: the runtime may be there, and each test gets an empty directory.
SCRATCH = fetch.CACHE / "tmp"
# Debian does not package the Python module that crun's mount tests read mountinfo with; and a guest has no compiler of Go.
STAND_IN = pathlib.Path(__file__).with_name("stand_in")


@dataclass(frozen=True)
class Test:
    """name is FILE: TITLE, where FILE has no suffix."""

    file: pathlib.Path
    title: str

    @property
    def name(self) -> str:
        return f"{self.file.stem.removeprefix('test_')}: {self.title}"


def environment(**more: str) -> dict:
    return {"PATH": PATH, "HOME": "/root", "TERM": "xterm", "LANG": "C.UTF-8", "TMPDIR": str(SCRATCH), **more}


def outcome(pattern: re.Pattern, text: str) -> str:
    """From the lines of TAP; `not ok` when there is none, because the test broke its runner."""
    lines = pattern.findall(text)
    if not lines or any(status == "not ok" for status, _ in lines):
        return "not ok"
    return "skip" if any(re.search(r"#\s*skip", rest, flags=re.I) for _, rest in lines) else "ok"


def terminal(command: str) -> str:
    return f"script --quiet --return --command {shlex.quote(command)} /dev/null"


class Runc:
    """bats files. They want a terminal; their own output goes around it."""

    package = "runc"
    runtime = "/usr/sbin/runc"
    RESULT = re.compile(r"^((?:not )?ok) \d+ (.*)", flags=re.M)
    TITLE = re.compile(r'^@test "((?:[^"\\]|\\.)*)"', flags=re.M)

    def __init__(self) -> None:
        self.directory = fetch.prepare_runc() / "tests/integration"

    def layout(self, here: str) -> str:
        return here

    def tests(self) -> list[Test]:
        return [Test(file, re.sub(r"\\(.)", r"\1", title)) for file in sorted(self.directory.glob("*.bats"))
                for title in self.TITLE.findall(file.read_text())]

    def command(self, test: Test, runtime: str) -> tuple[list[str], dict]:
        pattern = "^" + re.sub(r"([][.{}()*+?|^$\\])", r"\\\1", test.title) + "$"
        bats = shlex.join(["bats", "--formatter", "tap", "--filter", pattern, str(test.file)])
        # The output is kept off the terminal, where it would be folded and mixed with what tests write there.
        inner = f"{bats} >&9 2>&1 9>&-"
        outer = f"exec 9>&1; {terminal(inner)} >terminal 2>&1"
        path = PATH if shutil.which("go") else f"{PATH}:{STAND_IN}"
        return ["bash", "-c", outer], environment(RUNC=runtime, PATH=path)


class Crun:
    """Python files that print TAP. crun 1.8.1 refuses the hybrid layout, so it is shown v1 alone."""

    package = "crun"
    runtime = "/usr/bin/crun"
    # What a test prints may stand before it on the line.
    RESULT = re.compile(r"((?:not )?ok) \d+ - (.*)")

    def __init__(self) -> None:
        self.tree = fetch.prepare_crun()

    def layout(self, here: str) -> str:
        return "v1" if here == "hybrid" else here

    def tests(self) -> list[Test]:
        return [Test(file, title) for file in sorted((self.tree / "tests").glob("test_*.py"))
                for title in self.titles(file)]

    @staticmethod
    def titles(file: pathlib.Path) -> list[str]:
        """The keys of all_tests, without running the file."""
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "all_tests":
                return [ast.literal_eval(key) for key in node.value.keys]
        return []

    def command(self, test: Test, runtime: str) -> tuple[list[str], dict]:
        init = self.tree.parent / "init"
        python = shlex.join(["/usr/bin/python3", str(test.file)])
        # Two tests want it there, whatever INIT says.
        command = f"mkdir tests && cp {shlex.quote(str(init))} tests/init && {terminal(python)}"
        return ["bash", "-c", command], environment(RUN_TESTS=test.title, OCI_RUNTIME=runtime, INIT=str(init),
                                                    PYTHONPATH=str(STAND_IN), PYTHONDONTWRITEBYTECODE="1",
                                                    PYTHONUNBUFFERED="1")


SUITES = {"runc": Runc, "crun": Crun}


def machine_kind(layout: str) -> str:
    """What a baseline is good for: the same peer gives other answers on another kind of machine."""
    systemd = "systemd" if pathlib.Path("/run/systemd/system").is_dir() else "no systemd"
    emulated = ", user mode" if "User Mode Linux" in pathlib.Path("/proc/cpuinfo").read_text() else ""
    return f"{os.uname().machine}, cgroup {layout}, {systemd}{emulated}"
