#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The release binary is what SECURITY.md says: static-pie, hardened, small, and without the calls
that would load code or ask name services.

check_symbols.py BINARY, in the folder where it was built.
"""
import pathlib
import re
import subprocess
import sys

import order_text

FORBIDDEN = {
    "dlopen": "loads code",
    "iconv_open": "loads code",
    "getpwnam": "asks the host's name services",
    "getgrnam": "asks the host's name services",
    "getaddrinfo": "asks the host's name services",
    "system": "starts a shell",
    "popen": "starts a shell",
}
# Functions come and go; with fewer of them than this the list has to be made again.
LEAST_IN_ORDER = 0.75
SIZE_LIMIT = 3 * 1024 * 1024


def readelf(option, binary):
    return subprocess.run(["readelf", "--wide", option, str(binary)],
                          capture_output=True, text=True, check=True).stdout


def objects_of(binary):
    """What the binary was linked from: the layers' archives and the program's own objects."""
    folder = binary.parent
    return [*folder.rglob("libberth_*.a"), *folder.rglob(f"{binary.name}.dir/**/*.o")]


def wanted_symbols(files):
    run = subprocess.run(["nm", "--undefined-only", "--format=posix", *map(str, files)],
                         capture_output=True, text=True, check=True)
    return {line.split()[0] for line in run.stdout.splitlines() if len(line.split()) > 1}


def forbidden_symbols(binary):
    """Asked of our objects: glibc's own archive names dlopen for iconv in every static program."""
    files = objects_of(binary)
    if not files:
        yield f"{binary}: the objects that it was linked from are not there"
        return
    for name in sorted(wanted_symbols(files) & FORBIDDEN.keys()):
        yield f"{binary}: uses {name}, which {FORBIDDEN[name]}"


def early_symbols(binary):
    """The entry runs before the program is relocated and the C library is set up: it may need nothing but the latter's
    start, and places that the linker names."""
    places = {"__ehdr_start", "berth_text_first", "berth_text_first_end", "berth_constants", "berth_constants_end"}
    entries = [file for file in objects_of(binary) if file.name == "entry.cc.o"]
    for name in sorted(wanted_symbols(entries) - {"_start"} - places if entries else ()):
        yield f"{binary}: the entry uses {name}, which does not work yet"


def wrong_shape(binary):
    if not re.search(r"Type:\s+DYN", readelf("-h", binary)):
        yield f"{binary}: not position independent"
    headers = readelf("-l", binary)
    if "INTERP" in headers:
        yield f"{binary}: wants a program interpreter, so it is not static"
    if "NEEDED" in readelf("-d", binary):
        yield f"{binary}: wants shared libraries"
    if "GNU_RELRO" not in headers:
        yield f"{binary}: no GNU_RELRO"
    stack = re.search(r"GNU_STACK\s+(?:0x\S+\s+){5}([RWE ]+?)\s+0x", headers)
    if not stack or stack.group(1).strip() != "RW":
        yield f"{binary}: its stack is not RW"
    for line in headers.splitlines():
        if re.match(r"\s+LOAD\s.*\sRWE\s", line):
            yield f"{binary}: a segment is writable and executable"


def too_big(binary):
    size = binary.stat().st_size
    if size > SIZE_LIMIT:
        yield f"{binary}: {size} bytes, at most {SIZE_LIMIT}"


def out_of_order(binary):
    """What runs first is to stay together: the list of it knows the functions of this build."""
    linker_map = binary.parent / "berth.map"
    pieces = re.findall(r"^ (\.text\.\S+)", linker_map.read_text() if linker_map.is_file() else "", flags=re.M)
    known = {order_text.VARIANT.sub("", piece) for piece in pieces}
    listed = set(re.findall(r"\*\((\S+) ", order_text.ORDER.read_text()))
    there = len(listed & known)
    if there < LEAST_IN_ORDER * len(listed):
        yield f"{binary}: has {there} of the {len(listed)} functions of {order_text.ORDER.name}: run scripts/order_text.py"


def problems(binary):
    if not binary.is_file():
        return [f"{binary}: not there"]
    return [*forbidden_symbols(binary), *early_symbols(binary), *wrong_shape(binary), *too_big(binary),
            *out_of_order(binary)]


def main(binary):
    found = problems(pathlib.Path(binary))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
