#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/conformance.md has a row for each field of the published JSON schema, none for a field that is not in it, and for
what is done a test that looks from inside a container. (That the tests of the rows exist: check_docs.py.)

The fields are listed in tests/schema/fields.txt, as "DOCUMENT POINTER".

check_conformance.py [ROOT]                 compare the rows with the list
check_conformance.py --schema FOLDER [ROOT]  compare the list with the schema's files
check_conformance.py --write FOLDER [ROOT]   write the list from the schema's files
"""
import json
import pathlib
import sys

LIST = "tests/schema/fields.txt"
OTHER_PLATFORMS = {"solaris", "windows", "vm", "zos", "freebsd"}
# Members for other platforms in objects that Linux has too.
FOREIGN = {"/process/commandLine"}
DOCUMENTS = {"config": "config-schema.json", "state": "state-schema.json", "features": "features-schema.json"}
# In the text of the specification (features-linux.md) and not in its schema's files.
TEXT_ONLY = {"features /linux/intelRdt/schemata", "features /linux/intelRdt/monitoring", "features /linux/memoryPolicy",
             "features /linux/memoryPolicy/modes", "features /linux/memoryPolicy/flags"}
# Done, and shown by other tests than of a program inside a container: where the reason ends, the line goes.
NOT_SEEN_INSIDE = {
    "/ociVersion": "has no effect inside",
    "/linux/intelRdt": "no machine of the project has the hardware",
    "/linux/resources/rdma": "no machine of the project has the hardware",
    "/linux/resources/blockIO/leafWeight": "kernels since 5.0 have no file for it",
    "/linux/resources/blockIO/weightDevice": "needs a disk whose scheduler is bfq",
    "/linux/resources/memory/checkBeforeUpdate": "is about update, not about what is inside",
    "/linux/seccomp": "tests/kernel loads the filters and makes the calls",
}
# Headings of docs/conformance.md below which the rows are not fields of config.json.
HEADINGS = {"The state document": "state", "The features document": "features",
            "Where the specification leaves a choice": None, "Operations": None, "The peers' own suites": None}


class Schema:
    """Walks the schema's files along their references."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.files = {}

    def load(self, name):
        if name not in self.files:
            self.files[name] = json.loads((self.folder / name).read_text())
        return self.files[name]

    def resolve(self, file, node):
        while "$ref" in node:
            name, _, path = node["$ref"].partition("#")
            file = name or file
            node = self.load(file)
            for word in filter(None, path.split("/")):
                node = node[word]
        return file, node

    def walk(self, file, node, pointer):
        file, node = self.resolve(file, node)
        for part in node.get("allOf", []) + node.get("anyOf", []) + node.get("oneOf", []):
            yield from self.walk(file, part, pointer)
        for name, child in node.get("properties", {}).items():
            inner = f"{pointer}/{name}"
            if (pointer == "" and name in OTHER_PLATFORMS) or inner in FOREIGN:
                continue
            yield inner
            yield from self.walk(file, child, inner)
        elements = [node.get("items"), node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
        for element in elements:
            if isinstance(element, dict):
                yield from self.walk(file, element, f"{pointer}/*")

    def fields(self):
        for document, name in DOCUMENTS.items():
            for pointer in sorted(set(self.walk(name, self.load(name), ""))):
                yield f"{document} {pointer}"


def listed_fields(root):
    path = root / LIST
    lines = path.read_text().splitlines() if path.exists() else []
    return [line for line in lines if line and not line.startswith("#")]


def table(root):
    """("DOCUMENT POINTER", state, tests) of each row that is a field."""
    document = "config"
    page = root / "docs/conformance.md"
    for line in page.read_text().splitlines() if page.exists() else []:
        if line.startswith("## "):
            document = HEADINGS.get(line[3:].strip(), "config")
        elif line.startswith("| `/") and document:
            field, state, tests, *_ = [cell.strip() for cell in line.strip().strip("|").split("|")]
            yield f"{document} {field.strip('`')}", state, tests


def seen_inside(field, tests):
    """Whether the field of config.json has a test with a container, or a reason to have none."""
    document, pointer = field.split(" ", 1)
    excused = any(pointer == prefix or pointer.startswith(prefix + "/") for prefix in NOT_SEEN_INSIDE)
    return document != "config" or excused or "`cli/" in tests or "`faults/" in tests


def problems(root):
    fields = listed_fields(root)
    found = [field for field, _, _ in table(root)]
    if not fields:
        return [f"{LIST}: no field"]
    return [*(f"docs/conformance.md: no row for {field}" for field in fields if field not in found),
            *(f"docs/conformance.md: {row} is no field of the schema" for row in found
              if row not in fields and row not in TEXT_ONLY),
            *(f"docs/conformance.md: two rows for {row}" for row in sorted(set(found)) if found.count(row) > 1),
            *(f"docs/conformance.md: {field} is done, and no test looks at it from inside a container"
              for field, state, tests in table(root) if state == "done" and not seen_inside(field, tests))]


def stale(root, folder):
    published = set(Schema(folder).fields())
    return [f"{LIST}: {field} is only in {'the schema' if field in published else 'the list'}"
            for field in sorted(published ^ set(listed_fields(root)))]


def write(root, folder):
    head = ("# The fields that the JSON schema of the Open Container Initiative's runtime-spec 1.3.0 names, Linux only.\n"
            "# Written by scripts/check_conformance.py --write.\n")
    path = root / LIST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + "".join(field + "\n" for field in Schema(folder).fields()))
    return []


def main(*words):
    modes = {"--schema": stale, "--write": write}
    mode = modes.get(words[0]) if words else None
    rest = words[2:] if mode else words
    root = pathlib.Path(rest[0] if rest else ".").resolve()
    found = mode(root, words[1]) if mode else problems(root)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
