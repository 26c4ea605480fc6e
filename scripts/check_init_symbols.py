#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the code after clone needs from outside berth is on an allow-list, and never allocates.

check_init_symbols.py BUILD_DIRECTORY [ALLOW_LIST]

Starts from every function of libberth_init.a and follows the relocations through the other layers'
archives, function by function (-ffunction-sections). The symbols at which that walk leaves berth
are compared with scripts/init_symbols.txt; an allocation or a throw is refused even when listed.
"""
import collections
import pathlib
import re
import subprocess
import sys

ENTRY = "libberth_init.a"
FORBIDDEN = re.compile(
    r"^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|strdup|getenv|getpwnam|fopen|printf|"
    r"pthread_mutex_lock|set(res|re|e)?[ug]id|setgroups|_Zn[wa].*|_Zd[la].*|__cxa_throw|__cxa_allocate_exception|"
    r"_ZSt\d+__throw_.*)$")

SECTION = re.compile(r"^\s*\[\s*(\d+)\]\s+(\S+)")
SYMBOL = re.compile(r"^\s*\d+:\s+\S+\s+\S+\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)\s*(\S*)$")
RELOCATIONS = re.compile(r"^Relocation section '\.rela(\S+)'")
RELOCATION = re.compile(r"^[0-9a-f]+\s+[0-9a-f]+\s+R_\S+\s+[0-9a-f]+\s+(\S+)")
# Read by debuggers and unwinders only, never jumped through by the code itself.
PASSIVE = re.compile(r"^\.(debug|eh_frame|gcc_except_table|note|comment)")


class Program:
    """Functions and the symbols that they need, over several archives."""

    def __init__(self):
        self.needs = collections.defaultdict(set)  # (object, section) -> symbol names or places
        self.defined = {}                          # global symbol -> (object, section)
        self.entry = set()                         # places of the entry archive

    def read(self, archive):
        output = subprocess.run(["readelf", "--wide", "-S", "-s", "-r", str(archive)],
                                capture_output=True, text=True, check=True).stdout
        for part in re.split(r"^File: ", output, flags=re.M)[1:]:
            name, _, text = part.partition("\n")
            self.read_object(name, text, archive.name == ENTRY)

    def read_object(self, name, text, is_entry):
        sections = {}
        local = {}
        relocated = None
        for line in text.splitlines():
            if match := RELOCATIONS.match(line):
                relocated = match.group(1)
            elif match := SECTION.match(line):
                sections[match.group(1)] = match.group(2)
            elif (match := RELOCATION.match(line)) and relocated:
                self.needs[name, relocated].add(match.group(1))
            elif match := SYMBOL.match(line):
                bind, _, index, symbol = match.groups()
                if index in sections and bind == "LOCAL":
                    local[symbol] = (name, sections[index])
                elif index in sections:
                    self.defined.setdefault(symbol, (name, sections[index]))
        self.resolve_locals(name, sections, local)
        if is_entry:
            self.entry.update((name, section) for section in sections.values()
                              if section.startswith(".text"))

    def resolve_locals(self, name, sections, local):
        own = set(sections.values())
        for section in own:
            needs = self.needs.get((name, section), set())
            self.needs[name, section] = {
                (name, need) if need in own else local.get(need, need) for need in needs}

    def leaves(self):
        """Each symbol outside berth, with one function that needs it."""
        waiting = list(self.entry)
        seen = set(waiting)
        outside = {}
        while waiting:
            place = waiting.pop()
            for need in self.needs.get(place, ()):
                target = need if isinstance(need, tuple) else self.defined.get(need)
                if target is None:
                    outside.setdefault(need, place)
                elif target not in seen and not PASSIVE.match(target[1]):
                    seen.add(target)
                    waiting.append(target)
        return outside


def read_allowed(path):
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return {line for line in lines if line}


def describe(place):
    name = re.sub(r"^\.text\.(unlikely\.)?", "", place[1])
    plain = subprocess.run(["c++filt", name], capture_output=True, text=True).stdout.strip()
    return f"{plain} in {place[0].split('/')[-1]}"


def problems(archives, allow_list):
    program = Program()
    for archive in archives:
        program.read(archive)
    if not program.entry:
        return [f"there is no code in {ENTRY}: build it first"]
    outside = {name: place for name, place in program.leaves().items()
               if not name.startswith(("_GLOBAL_OFFSET_TABLE_", ".L", "__stop_", "__start_"))}
    allowed = read_allowed(allow_list)
    found = []
    for name, place in sorted(outside.items()):
        if FORBIDDEN.match(name):
            found.append(f"{name}: allocates, throws, locks or walks threads; needed by {describe(place)}")
        elif name not in allowed:
            found.append(f"{name}: not on {allow_list.name}; needed by {describe(place)}")
    found += [f"{name}: on {allow_list.name} and not needed: take it off"
              for name in sorted(allowed - outside.keys())]
    return found


def main(build, allow_list=None):
    allow_list = pathlib.Path(allow_list or pathlib.Path(__file__).parent / "init_symbols.txt")
    archives = sorted(pathlib.Path(build).rglob("libberth_*.a"))
    found = problems(archives, allow_list)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
