#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions of at most 60 lines, files of at most 500, at most five parameters.

check_sizes.py [ROOT]; universal-ctags finds the functions.
"""
import json
import pathlib
import subprocess
import sys

FUNCTION_LINES = 60
FILE_LINES = 500
PARAMETERS = 5

# "file" or "file:function": reason. Tables and switches over enums only; the list may only shrink.
EXCEPTIONS = {}

FOLDERS = ("src", "include", "tests", "scripts")
SUFFIXES = (".h", ".cc", ".c", ".py", ".sh")


def files(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path
    if (root / "x").is_file():
        yield root / "x"


def functions(root, paths):
    """Each function with its first and last line and its signature."""
    run = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+neSK", "--kinds-C++=f", "--kinds-C=f",
         "--kinds-Python=fm", "--langmap=C++:+.h", "-f", "-", "-L", "-"],
        input="\n".join(map(str, paths)), cwd=root, capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag


def parameter_count(signature):
    """Commas at the top level of "(a, b<c, d>, e)", plus one."""
    inner = signature.strip()[1:signature.rfind(")")]
    if inner.strip() in ("", "void"):
        return 0
    depth, count = 0, 1
    for character in inner:
        if character in "(<[{":
            depth += 1
        elif character in ")>]}":
            depth -= 1
        elif character == "," and depth == 0:
            count += 1
    return count


def too_long_files(root, paths):
    for path in paths:
        length = len(path.read_text(errors="replace").splitlines())
        name = str(path.relative_to(root))
        if length > FILE_LINES and name not in EXCEPTIONS:
            yield f"{name}: {length} lines, at most {FILE_LINES}"


def too_big_functions(root, paths):
    relative = [path.relative_to(root) for path in paths]
    for tag in functions(root, relative):
        where = f"{tag['path']}:{tag['name']}"
        if where in EXCEPTIONS:
            continue
        length = tag["end"] - tag["line"] + 1
        if length > FUNCTION_LINES:
            yield f"{tag['path']}:{tag['line']}: {tag['name']}: {length} lines, at most {FUNCTION_LINES}"
        count = parameter_count(tag.get("signature", "()"))
        if count > PARAMETERS:
            yield f"{tag['path']}:{tag['line']}: {tag['name']}: {count} parameters, at most {PARAMETERS}"


def stale_exceptions(root):
    for name in EXCEPTIONS:
        if not (root / name.split(":")[0]).exists():
            yield f"{name}: an exception for a file that is gone"


def problems(root):
    paths = list(files(root))
    return [*too_long_files(root, paths), *too_big_functions(root, paths), *stale_exceptions(root)]


def main(root="."):
    found = problems(pathlib.Path(root).resolve())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
