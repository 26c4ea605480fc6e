# SPDX-License-Identifier: Apache-2.0
"""Which tests the emulated PC runs again: those that user-mode Linux skipped, and the files that an old kernel changes.

On the host, from JUnit files; in the guest, as a plugin of pytest that leaves out all other tests: CHOSEN names the list."""
import os
import pathlib
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What depends on the age of the kernel (6.1): new mount calls, overlays, entering namespaces; and systemd on a kernel of its day.
OLD = ("mounts", "mount_filesystems", "exec", "exec_cgroup", "namespaces", "systemd")


def old_files():
    return [f"tests/cli/test_{name}.py" for name in OLD]


def skipped(result):
    """The tests of a JUnit file that did not run, as pytest names them. A part without results is a failure by itself."""
    cases = ElementTree.parse(result).iter("testcase") if result.exists() else ()
    return [named(case) for case in cases if case.find("skipped") is not None]


def named(case):
    module, name = case.get("classname"), case.get("name")
    return f"{module.replace('.', '/')}.py::{name}" if module else f"{name.replace('.', '/')}.py"


def file_of(test):
    return test.split("::")[0]


def spread(tests, count):
    """As lists of about the same length; a file stays together."""
    lists = [[] for _ in range(count)]
    files = {}
    for test in tests:
        files.setdefault(file_of(test), []).append(test)
    for each in sorted(files.values(), key=len, reverse=True):
        min(lists, key=len).extend(each)
    return lists


def choose(results, count, with_old):
    """count lists of tests; a line without "::" is a whole file."""
    old = old_files() if with_old else []
    again = [test for result in results for test in skipped(result) if file_of(test) not in old]
    lists = spread(again, count)
    for number, file in enumerate(old):
        lists[number % count].append(file)
    return lists


def read(path):
    return pathlib.Path(path).read_text().splitlines()


def files(path):
    return [ROOT / name for name in sorted({file_of(test) for test in read(path)})]


def pytest_collection_modifyitems(config, items):
    tests = set(read(os.environ["CHOSEN"]))
    kept = [item for item in items if {item.nodeid, file_of(item.nodeid)} & tests]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
