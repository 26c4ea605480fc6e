#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy-19 over the sources of a compile database, two runs at a time.

tidy.py BUILD_DIRECTORY [FILE...]

Most of a run goes into the headers of the C++ library, so files with the same command are looked at
together, in one source that includes them; files that name the same things at file scope never are.
What is found in a batch is looked for again in each of its files alone, and only that counts.

A file is looked at again only when it, a header that it includes, its command or .clang-tidy has
changed since it passed: passes are kept in build/tidy.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

TIDY = "clang-tidy-19"
PASSED = pathlib.Path("build/tidy")
BATCH = 16  # files; more save little and keep one of two processors waiting at the end
# g++ options that clang does not know are no finding.
CLANG = ["-Wno-unknown-warning-option", "-Wno-unused-command-line-argument",
         "-Wno-ignored-optimization-argument",
         "-Wno-deprecated-declarations"]  # of std::stable_sort in this library
# What begins in the first column and is not a word of the language names something of the file's.
DEFINED = re.compile(r"^(?:struct|class|enum(?: class)?|using|#define) (\w+)|^\w[\w:<>,&*\[\] ]*?\b(\w+)(?:\(| =|\{|\[|;)",
                     re.MULTILINE)


def commands(build, chosen):
    """file -> the options of its compile command, of src/ only, and file -> g++'s precompiled header, which is no option here."""
    database = json.loads((build / "compile_commands.json").read_text())
    found, precompiled = {}, {}
    for entry in database:
        file = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
        if not file.startswith("src/") or (chosen and file not in chosen):
            continue
        words = shlex.split(entry["command"])
        while not words[0].endswith(("g++", "gcc", "clang++-19", "clang-19")):
            words = words[1:]  # a launcher
        options = words[1:words.index("-o")]
        if "-include" in options:
            place = options.index("-include")
            precompiled[file] = os.path.relpath(options[place + 1])
            del options[place:place + 2]
        found[file] = options
    return found, precompiled


def headers_of(build):
    """file -> the headers of the tree that it includes, as ninja learnt them when it compiled. A precompiled header is compiled
    from a file of its name with .cxx behind it."""
    run = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True)
    found = {}
    for block in run.stdout.split("\n\n"):
        paths = [os.path.relpath(os.path.join(build, line.strip()))
                 for line in block.splitlines()[1:]]
        if paths:
            found[paths[0]] = sorted(path for path in paths if path.startswith(("src/", "include/")))
    return found


def fingerprint(file, command, headers):
    digest = hashlib.sha256(shlex.join(command).encode())
    for path in [".clang-tidy", file, *headers]:
        digest.update(path.encode())
        digest.update(pathlib.Path(path).read_bytes())
    return digest.hexdigest()


def names_in(text):
    """What a source may define at file scope: rather too much than too little."""
    return {name for match in DEFINED.findall(text) for name in match if name}


def batches_of(files, command_of, names_of):
    """Files with equal commands in batches; no name is in two files of one."""
    batches = []
    for file in files:
        for command, names, batch in batches:
            if command == command_of[file] and len(batch) < BATCH and not names & names_of[file]:
                names |= names_of[file]
                batch.append(file)
                break
        else:
            batches.append((command_of[file], set(names_of[file]), [file]))
    return [batch for _, _, batch in batches]


def run_tidy(command, source):
    run = subprocess.run([TIDY, "--quiet", source, "--", *command, *CLANG], capture_output=True, text=True)
    return run.returncode == 0, run.stdout


def look_at(batch, command):
    """file -> what was found in it, nothing where it is clean."""
    if len(batch) > 1:
        key = hashlib.sha256("\n".join(batch).encode()).hexdigest()
        source = PASSED / f"{key}.cc"
        source.write_text("".join(f'#include "{os.path.abspath(file)}" // NOLINT\n' for file in batch))
        clean, _ = run_tidy(command, str(source))
        source.unlink()
        if clean:
            return dict.fromkeys(batch, "")
    found = {}
    for file in batch:
        clean, output = run_tidy(command, file)
        found[file] = "" if clean else output.strip() or f"{file}: {TIDY} failed"
    return found


def main(build, *chosen):
    build = pathlib.Path(build)
    PASSED.mkdir(parents=True, exist_ok=True)
    headers = headers_of(build)
    command_of, precompiled = commands(build, chosen)
    marks = {file: PASSED / fingerprint(file, command, headers.get(file, []) + headers.get(f"{precompiled.get(file)}.cxx", []))
             for file, command in command_of.items()}
    waiting = sorted(file for file, mark in marks.items() if not mark.exists())
    names_of = {file: names_in(pathlib.Path(file).read_text()) for file in waiting}
    batches = batches_of(waiting, command_of, names_of)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for found in pool.map(lambda batch: look_at(batch, command_of[batch[0]]), batches):
            for file, output in found.items():
                if output:
                    failed += 1
                    print(output)
                else:
                    marks[file].touch()
    print(f"{len(marks)} files, {len(waiting)} looked at in {len(batches)} batches, {failed} with findings")
    return 1 if failed or not marks else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
