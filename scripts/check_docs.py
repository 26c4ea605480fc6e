#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents agree with the tree: links resolve, docs/man/pages.txt names the commands,
ARCHITECTURE.md the steps and docs/protocol.md the messages, the tests that docs/conformance.md
names exist, the changelog has an [Unreleased] section.

check_docs.py [ROOT]
"""
import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
GTEST = re.compile(r"^\s*TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.M)
PYTEST = re.compile(r"^def (test_\w+)", re.M)
COMMAND = re.compile(r'^\s*\{\.name = "(\w+)"', re.M)
STATES = {"done", "partly", "not", "n/a"}
# One word in a test column: `Suite.Name`, or `cli/test_file.py::test_name`.
TEST_NAME = re.compile(r"`([^`]+)`")


def documents(root):
    listed = subprocess.run(["git", "-c", f"safe.directory={root}", "ls-files", "--cached", "--others",
                             "--exclude-standard", "*.md"], cwd=root, capture_output=True, text=True)
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [root / name for name in names] or sorted(root.rglob("*.md"))


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def anchors(path):
    """The anchors that a renderer makes of the headings."""
    found = set()
    for title in re.findall(r"^#+\s+(.+?)\s*$", path.read_text(), flags=re.M):
        plain = re.sub(r"[^\w\- ]", "", title.lower())
        found.add(plain.replace(" ", "-"))
    return found


def broken_links(root):
    for path in documents(root):
        if not path.exists():
            continue
        for target in LINK.findall(without_code(path.read_text())):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            goal = (path.parent / file) if file else path
            where = path.relative_to(root)
            if not goal.exists():
                yield f"{where}: the link {target} leads nowhere"
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                yield f"{where}: {goal.name} has no heading #{anchor}"


def missing_commands(root):
    """Each visible command of the table has its page in pages.txt and its source file, and the reverse."""
    pages = root / "docs/man/pages.txt"
    table = root / "src/cli/command_table.cc"
    if not pages.exists() or not table.exists():
        yield f"{pages.relative_to(root)} or {table.relative_to(root)}: not there"
        return
    lines = {line.split("#")[0].strip() for line in pages.read_text().splitlines()}
    listed = {line.removeprefix("berth-") for line in lines - {"", "berth"}}
    commands = {name for name in COMMAND.findall(table.read_text())
                if name != "help" and not name.startswith("__")}
    for name in sorted(listed - commands):
        yield f"docs/man/pages.txt: berth-{name} is for no command"
    for name in sorted(commands - listed):
        yield f"docs/man/pages.txt: no page for the command {name}"
    for name in sorted(commands):
        if not (root / f"src/cli/commands/{name}.cc").exists():
            yield f"src/cli/commands/{name}.cc: not there, but {name} is a command"


def steps_in_code(text, tables):
    """The steps of the named constant tables, in order."""
    steps = []
    for table in tables:
        body = re.search(rf"\b{table}\[\] = \{{(.*?)^\}};", text, flags=re.M | re.S)
        steps += re.findall(r"\{Step::(\w+),", body.group(1)) if body else []
    return steps


def wrong_steps(root):
    """ARCHITECTURE.md: "<!-- steps: FILE TABLE... -->" stands before a table of the same steps."""
    path = root / "ARCHITECTURE.md"
    text = path.read_text() if path.exists() else ""
    for part in text.split("<!-- steps: ")[1:]:
        file, *tables = part.split(" -->")[0].split()
        rows = re.search(r"(?:^\|.*\n)+", part, flags=re.M).group(0).splitlines()[2:]
        documented = [row.split("|")[1].strip() for row in rows]
        source = root / file
        real = steps_in_code(source.read_text() if source.exists() else "", tables)
        if documented != real:
            yield f"ARCHITECTURE.md: the steps of {file} are {', '.join(real) or 'not found'}"


def wrong_messages(root):
    """docs/protocol.md has a row for each message of sync/protocol.h, and no other."""
    header, page = root / "src/sync/protocol.h", root / "docs/protocol.md"
    if not header.exists() or not page.exists():
        return
    body = re.search(r"enum class Message[^{]*\{(.*?)\};", header.read_text(), flags=re.S)
    real = set(re.findall(r"^\s*(\w+),", body.group(1), flags=re.M)) if body else set()
    documented = set(re.findall(r"^\| `(\w+)` \|", page.read_text(), flags=re.M))
    for name in sorted(real ^ documented):
        where = "sync/protocol.h" if name in real else "docs/protocol.md"
        yield f"the message {name} is only in {where}"


def wrong_lint_rules(root):
    """docs/lint.md has a row for each rule of `berth lint`, with its severity."""
    source, page = root / "src/plan/lint.cc", root / "docs/lint.md"
    if not source.exists() or not page.exists():
        return
    real = set(re.findall(r'\{"([\w-]+)", k(Error|Warning),', source.read_text()))
    rows = page.read_text().partition("## Rules")[2]
    documented = {(code, severity.capitalize()) for code, severity in
                  re.findall(r"^\| `([\w-]+)` \| (\w+) \|", rows, flags=re.M)}
    for code, severity in sorted(real ^ documented):
        where = "src/plan/lint.cc" if (code, severity) in real else "docs/lint.md"
        yield f"the rule {code} ({severity.lower()}) is only in {where}"


def known_tests(root):
    names = set()
    for path in (root / "tests").rglob("*.cc"):
        names.update(".".join(pair) for pair in GTEST.findall(path.read_text(errors="replace")))
    for path in (root / "tests").rglob("test_*.py"):
        inside = str(path.relative_to(root / "tests"))
        names.add(inside)
        names.update(f"{inside}::{name}" for name in PYTEST.findall(path.read_text()))
    return names


def conformance_rows(root):
    """(line number, cells) of each row whose second cell is a state."""
    path = root / "docs/conformance.md"
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) >= 3:
            yield number, cells


def wrong_conformance(root):
    tests = known_tests(root)
    rows = list(conformance_rows(root))
    if not rows:
        yield "docs/conformance.md: no row"
    for number, (field, state, test, *_) in rows:
        where = f"docs/conformance.md:{number}: {field}"
        named = TEST_NAME.findall(test)
        if state not in STATES:
            yield f"{where}: the state {state!r} is none of {', '.join(sorted(STATES))}"
        if state in ("done", "partly") and not named:
            yield f"{where}: {state}, and no test is named"
        for name in named:
            if name not in tests:
                yield f"{where}: there is no test {name}"


def wrong_changelog(root):
    path = root / "CHANGELOG.md"
    if not path.exists() or not re.search(r"^## \[Unreleased\]", path.read_text(), flags=re.M):
        yield "CHANGELOG.md: no [Unreleased] section"


def problems(root):
    return [*broken_links(root), *missing_commands(root), *wrong_steps(root),
            *wrong_messages(root), *wrong_lint_rules(root), *wrong_conformance(root), *wrong_changelog(root)]


def main(root="."):
    found = problems(pathlib.Path(root).resolve())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
