# SPDX-License-Identifier: Apache-2.0
"""The lists: results of a run, the baseline of a peer, what is expected to differ; and their comparison."""

import pathlib
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    status: str  # ok, not ok or skip
    name: str
    seconds: float


@dataclass(frozen=True)
class Expected:
    """A test of the peer that berth does not pass: why, and which issue brings it (or `on purpose`)."""

    reason: str
    issue: str


@dataclass
class Difference:
    passed: list[str] = field(default_factory=list)
    failed: list[Result] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)


def write_results(path: pathlib.Path, results: list[Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{result.status}\t{result.name}\t{result.seconds:.1f}\n" for result in results))


def read_results(path: pathlib.Path) -> list[Result]:
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return [Result(status, name, float(seconds)) for status, name, seconds in rows]


def entries(path: pathlib.Path) -> list[str]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_expected(path: pathlib.Path) -> dict[str, Expected]:
    found = {}
    for line in entries(path):
        parts = [part.strip() for part in line.rsplit(" | ", 2)]
        if len(parts) != 3:
            raise SystemExit(f"conformance: {path}: want `FILE: TITLE | reason | issue`: {line}")
        found[parts[0]] = Expected(*parts[1:])
    return found


def header(path: pathlib.Path) -> dict[str, str]:
    if not path.exists():
        return {}
    return dict(re.findall(r"^# (\w+): (.*)$", path.read_text(), flags=re.M))


def write_baseline(path: pathlib.Path, package: str, machine: str, runs: list[list[Result]]) -> None:
    """What passed at any of the tries; berth has two as well."""
    passed = {result.name for run in runs for result in run if result.status == "ok"}
    lines = [f"# The tests of its own suite that Debian's {package.split()[0]} passed in one of {len(runs)} runs; "
             "written by `run baseline`.", f"# package: {package}", f"# machine: {machine}", *sorted(passed)]
    path.write_text("".join(f"{line}\n" for line in lines))


def compare(baseline: set[str], results: list[Result], expected: dict[str, Expected]) -> Difference:
    difference = Difference()
    for result in results:
        good = result.status == "ok"
        if result.name not in baseline:
            difference.beyond += [result.name] if good else []
        elif good:
            difference.passed.append(result.name)
            difference.stale += [result.name] if result.name in expected else []
        elif result.name in expected:
            difference.listed.append(result.name)
        else:
            difference.failed.append(result)
    return difference


def show(peer: str, difference: Difference, expected: dict[str, Expected], logs: pathlib.Path) -> None:
    for result in difference.failed:
        print(f"  FAILED  {result.name}: {result.status}, {peer} passes it; see {logs / log_name(result.name)}")
    for name in difference.listed:
        print(f"  differs {name}: {expected[name].reason} ({expected[name].issue})")
    for name in difference.stale:
        print(f"  stale   {name}: passes now; take it out of expected-{peer}.txt")
    for name in difference.beyond:
        print(f"  beyond  {name}: passes, which {peer} does not here")
    unknown = sorted(set(expected) - set(difference.listed) - set(difference.stale))
    if unknown:
        print(f"  {len(unknown)} of expected-{peer}.txt not run")


def write_junit(path: pathlib.Path, suites: dict[str, tuple[Difference, dict[str, Expected]]]) -> None:
    """For scripts/totals.py: what differs as expected is skipped, with the reason."""
    top = ElementTree.Element("testsuites")
    for suite, (difference, expected) in suites.items():
        def case(name: str) -> ElementTree.Element:
            return ElementTree.SubElement(top, "testcase", classname=f"conformance.{suite}", name=name)
        for name in difference.passed:
            case(name)
        for result in difference.failed:
            ElementTree.SubElement(case(result.name), "failure", message=f"{result.status}, {suite} passes it")
        for name in difference.listed:
            ElementTree.SubElement(case(name), "skipped", message=expected[name].reason)
    ElementTree.ElementTree(top).write(path)


def log_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") + ".log"
