#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy-19 over the sources of a compile database, two at a time.

tidy.py BUILD_DIRECTORY [FILE...]

A file is looked at again only when it, a header that it includes, its command or .clang-tidy has
changed since it passed: passes are kept in build/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

TIDY = "clang-tidy-19"
PASSED = pathlib.Path("build/tidy")
# g++ options that clang does not know are no finding.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-unused-command-line-argument",
         "--extra-arg=-Wno-ignored-optimization-argument",
         "--extra-arg=-Wno-deprecated-declarations"]  # of std::stable_sort in this library


def commands(build, chosen):
    """file -> its compile command; of src/ only."""
    database = json.loads((build / "compile_commands.json").read_text())
    found = {}
    for entry in database:
        file = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
        if file.startswith("src/") and (not chosen or file in chosen):
            found[file] = entry["command"]
    return found


def headers_of(build):
    """file -> the headers of the tree that it includes, as ninja learnt them when it compiled."""
    run = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True)
    found = {}
    for block in run.stdout.split("\n\n"):
        paths = [os.path.relpath(os.path.join(build, line.strip()))
                 for line in block.splitlines()[1:]]
        if paths:
            found[paths[0]] = sorted(path for path in paths if path.startswith(("src/", "include/")))
    return found


def fingerprint(file, command, headers):
    digest = hashlib.sha256(command.encode())
    for path in [".clang-tidy", file, *headers]:
        digest.update(path.encode())
        digest.update(pathlib.Path(path).read_bytes())
    return digest.hexdigest()


def tidy(build, file):
    run = subprocess.run([TIDY, "--quiet", f"-p={build}", *EXTRA, file],
                         capture_output=True, text=True)
    return run.returncode == 0, run.stdout


def main(build, *chosen):
    build = pathlib.Path(build)
    PASSED.mkdir(parents=True, exist_ok=True)
    headers = headers_of(build)
    marks = {file: PASSED / fingerprint(file, command, headers.get(file, []))
             for file, command in commands(build, chosen).items()}
    waiting = [file for file, mark in marks.items() if not mark.exists()]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(lambda file: (file, *tidy(build, file)), waiting)
        for file, clean, output in results:
            if clean:
                marks[file].touch()
            else:
                failed += 1
                print(output.strip())
    print(f"{len(marks)} files, {len(waiting)} looked at, {failed} with findings")
    return 1 if failed or not marks else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
