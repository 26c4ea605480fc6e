#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes cmake/text_order.ld: which functions the release binary has first, those that `run`, `exec` and the like execute, in
the order of their first call (docs/decisions/0024-order-of-the-text.md).

order_text.py, as root and after ./x build. It runs containers of its own below a root of its own.
"""
import bisect
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[1]
BUILD = HERE / "build/release"
ORDER = HERE / "cmake/text_order.ld"
HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/* Made by scripts/order_text.py: what runs first, and stays together. What is not there any more does no harm. */
SECTIONS
{
  .text.first :
  {
    PROVIDE_HIDDEN(berth_text_first = .);
    */entry.cc.o(.text .text.* .entry_words)
"""
TAIL = """    PROVIDE_HIDDEN(berth_text_first_end = .);
  }
  PROVIDE_HIDDEN(berth_constants = ADDR(.rodata));
  PROVIDE_HIDDEN(berth_constants_end = ADDR(.rodata) + SIZEOF(.rodata));
}
INSERT BEFORE .text;
"""
# What g++ makes of a function keeps the function's name, with one of these.
VARIANT = re.compile(r"\.(constprop|isra|part|lto_priv|cold)\b.*$")
STAY = "int pause(void);\nint main(void) { for (;;) pause(); }\n"


def sections(linker_map):
    """(address, size, name, file) of each piece of text, by address. The linker breaks the line after a long name."""
    joined = re.sub(r"^ (\.text\S*)\n\s+", r" \1 ", linker_map, flags=re.M)
    found = re.findall(r"^ (\.text\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$", joined, flags=re.M)
    pieces = [(int(address, 16), int(size, 16), name, file) for name, address, size, file in found]
    return sorted(piece for piece in pieces if piece[0] and piece[1])


def pattern(name, file):
    """What the linker knows the piece by, in the next build too."""
    member = re.search(r"/([\w.+-]+\.a)\(([^)]+)\)$", file)
    if member and (name == ".text" or member[1] == "libc.a"):
        return f"*{member[1]}:{member[2]}({name})"
    if name == ".text":
        return None
    function = VARIANT.sub("", name)
    return f"*({function} {function}.*)"


def executed(pieces, places):
    """The pieces that the places lie in, each once, in their order. A place is the begin of 16 bytes."""
    starts = [piece[0] for piece in pieces]
    for place in places:
        address, size, name, file = pieces[bisect.bisect_right(starts, place + 15) - 1]
        if address - 16 < place < address + size:
            yield name, file


class Containers:
    """Commands of berth under tests/perf/executed.c."""

    def __init__(self, folder):
        self.folder = folder
        self.places = folder / "places"
        (folder / "rootfs").mkdir()
        (folder / "stay.c").write_text(STAY)
        self.compile(HERE / "tests/perf/executed.c", folder / "executed")
        for name, source in (("true", HERE / "tests/perf/true.c"), ("stay", folder / "stay.c")):
            self.compile(source, folder / "rootfs" / name, "-static")
            self.make_bundle(name)

    def compile(self, source, program, *options):
        subprocess.run(["gcc", "-O2", "-o", program, source, *options], check=True)

    def make_bundle(self, name):
        bundle = self.folder / name
        bundle.mkdir()
        subprocess.run([BUILD / "berth", "spec", "--bundle", bundle], check=True)
        config = json.loads((bundle / "config.json").read_text())
        config["process"] |= {"args": [f"/{name}"], "terminal": False}
        config["root"]["path"] = str(self.folder / "rootfs")
        (bundle / "config.json").write_text(json.dumps(config))

    def __call__(self, *words, traced=True):
        before = [self.folder / "executed", self.places] if traced else []
        subprocess.run([*before, BUILD / "berth", "--root", self.folder / "root", *words], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def live(self):
        """The life of a container, the short one first. A create has what run has, and its init would stay under the tracer."""
        self("run", "--bundle", self.folder / "true", "order-true")
        self("create", "--bundle", self.folder / "stay", "order-stay", traced=False)
        for command, *rest in (["start"], ["state"], ["exec", "/true"], ["kill", "KILL"], ["delete", "--force"]):
            self(command, "order-stay", *rest)
        return [int(line, 16) for line in self.places.read_text().split()]


def main():
    pieces = sections((BUILD / "berth.map").read_text())
    with tempfile.TemporaryDirectory() as folder:
        places = Containers(pathlib.Path(folder)).live()
    found = list(dict.fromkeys(executed(pieces, places)))
    lines = dict.fromkeys(filter(None, (pattern(*one) for one in found)))
    ORDER.write_text(HEAD + "".join(f"    {line}\n" for line in lines) + TAIL)
    print(f"{ORDER.relative_to(HERE)}: {len(lines)} of {len(pieces)} pieces of text")
    return 0


if __name__ == "__main__":
    sys.exit(main())
