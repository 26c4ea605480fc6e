#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes point downwards only (ARCHITECTURE.md, "Layers"), and there is no include cycle.

check_layers.py [ROOT]
"""
import pathlib
import re
import sys

# folder: may see. Every folder may see itself and the two headers of CORE_API.
MAY_SEE = {
    "core": [],
    "os": ["core"],
    "json": ["core"],
    "spec": ["json", "core"],
    "plan": ["spec", "json", "core"],
    "cgroup": ["plan", "spec", "json", "os", "core"],
    "network": ["plan", "spec", "json", "os", "core"],
    "security": ["plan", "spec", "os", "core"],
    "hooks": ["plan", "spec", "os", "core"],
    "sync": ["os", "core"],
    "init": ["sync", "plan", "spec", "os", "core"],
    "engine": ["init", "sync", "cgroup", "network", "security", "hooks", "plan", "spec", "json",
               "os", "core", "berth"],
    "driver": ["spec", "json", "os", "core", "berth"],
    "capi": ["berth"],
    "cli": ["driver", "berth"],
    "shim": ["berth"],
    "berth": [],
}
# Implemented by core, so that every layer speaks the same Result<T>.
CORE_API = {"berth/error.h", "berth/try.h"}
# Words for errors and messages, and pages that a program asks for at its start: programs may use them too.
PROGRAMS = {"capi", "cli", "shim"}
OF_CORE = {"core/context.h", "core/format.h", "core/populate.h"}
# Parts of the API that lower layers implement or fill.
SHARED_VALUES = {
    "berth/resources.h": {"spec", "plan", "cgroup"},
    "berth/update.h": {"spec", "plan"},
    "berth/mounts.h": {"spec"},
    "berth/network.h": {"spec", "plan", "network"},
    "berth/stats.h": {"cgroup"},
    "berth/events.h": {"cgroup"},
    "berth/oci.h": {"spec"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(berth/[^>]+)>)')


def sources(root):
    for folder in (root / "src", root / "include"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".h", ".cc", ".c"):
                yield path


def layer_of(root, path):
    parts = path.relative_to(root).parts
    return parts[1] if len(parts) > 2 else None


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) or match.group(2)


def allowed(layer, include):
    target = include.split("/")[0]
    if target == layer or include in CORE_API or (layer in PROGRAMS and include in OF_CORE):
        return True
    return target in MAY_SEE[layer] or layer in SHARED_VALUES.get(include, ())


def wrong_arrows(root):
    for path in sources(root):
        layer = layer_of(root, path)
        where = path.relative_to(root)
        if layer not in MAY_SEE:
            yield f"{where}: the folder {layer} has no row in {pathlib.Path(__file__).name}"
            continue
        for number, include in includes(path):
            if "/" not in include:
                yield f'{where}:{number}: name the folder: "{layer}/{include}"'
            elif include.split("/")[0] in MAY_SEE and not allowed(layer, include):
                seen = ", ".join(MAY_SEE[layer]) or "nothing"
                yield f'{where}:{number}: {layer} may not see "{include}" (it sees {seen})'


def include_graph(root):
    graph = {}
    for path in sources(root):
        name = str(path.relative_to(root)).split("/", 1)[1]
        graph[name] = [include for _, include in includes(path)]
    return graph


def cycles(root):
    graph = include_graph(root)
    done = set()

    def visit(name, trail):
        if name in trail:
            yield "include cycle: " + " -> ".join(trail[trail.index(name):] + [name])
        elif name not in done:
            for include in graph.get(name, ()):
                yield from visit(include, trail + [name])
            done.add(name)

    for name in sorted(graph):
        yield from visit(name, [])


def problems(root):
    return [*wrong_arrows(root), *cycles(root)]


def main(root="."):
    found = problems(pathlib.Path(root))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
