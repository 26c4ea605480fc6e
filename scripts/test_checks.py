#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check can fail: a small tree with one fault for each rule, and the finding it must give."""
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import check_conformance
import check_docs
import check_init_symbols
import check_layers
import check_sizes
import check_symbols
import order_text
import tidy
import totals


class Tree(unittest.TestCase):
    """A throw-away tree to put files in."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def compile(self, name, text, *options):
        source = self.write(name + ".cc", text)
        output = source.with_suffix(".o")
        subprocess.run(["g++", "-O2", "-fPIE", "-ffunction-sections", *options, "-c", "-o",
                        str(output), str(source)], check=True)
        return output

    def archive(self, name, text):
        path = self.root / f"libberth_{name}.a"
        subprocess.run(["ar", "rcs", str(path), str(self.compile(name, text))], check=True)
        return path

    def assert_finds(self, problems, *words):
        self.assertEqual(len(problems), len(words), problems)
        for word in words:
            self.assertTrue(any(word in problem for problem in problems), (word, problems))


class Layers(Tree):
    def test_a_clean_tree_passes(self):
        self.write("src/os/fd.h", '#include "core/format.h"\n#include "berth/error.h"\n#include <vector>\n')
        self.write("src/core/format.h", "")
        self.assertEqual(check_layers.problems(self.root), [])

    def test_an_arrow_upwards(self):
        self.write("src/core/error.cc", '#include "os/fd.h"\n')
        self.assert_finds(check_layers.problems(self.root), 'core may not see "os/fd.h"')

    def test_room_to_room(self):
        self.write("src/cgroup/v1.cc", '#include "network/strategy.h"\n')
        self.assert_finds(check_layers.problems(self.root), 'cgroup may not see "network/strategy.h"')

    def test_a_program_past_the_api(self):
        self.write("src/cli/commands/run.cc", '#include "engine/create.h"\n')
        self.assert_finds(check_layers.problems(self.root), 'cli may not see "engine/create.h"')

    def test_an_unknown_folder(self):
        self.write("src/utils/text.h", "")
        self.assert_finds(check_layers.problems(self.root), "has no row")

    def test_a_cycle(self):
        self.write("src/os/a.h", '#include "os/b.h"\n')
        self.write("src/os/b.h", '#include "os/a.h"\n')
        self.assert_finds(check_layers.problems(self.root), "os/a.h -> os/b.h -> os/a.h")


class Sizes(Tree):
    def test_a_long_function(self):
        self.write("src/os/a.cc", "int f() {\n" + "  ;\n" * 60 + "  return 1;\n}\nint g() { return 2; }\n")
        self.assert_finds(check_sizes.problems(self.root), "f: 63 lines")

    def test_a_long_file(self):
        self.write("src/os/a.h", "int x;\n" * 501)
        self.assert_finds(check_sizes.problems(self.root), "501 lines")

    def test_many_parameters(self):
        five = "int f(int a, int b, std::pair<int, int> c, int d, int e) { return 1; }\n"
        six = "int g(int a, int b, int c, int d, int e, int h) { return 1; }\n"
        self.write("src/os/a.cc", five + six)
        self.assert_finds(check_sizes.problems(self.root), "g: 6 parameters")


class Docs(Tree):
    def setUp(self):
        super().setUp()
        self.write("CHANGELOG.md", "## [Unreleased]\n")
        self.write("docs/man/pages.txt", "# all\nberth\nberth-run\n")
        self.table("run", "help", "__gen")
        self.write("src/cli/commands/run.cc", "")
        self.write("tests/unit/a_test.cc", "TEST(Plan, ReadOnly) {}\n")
        self.write("tests/cli/test_run.py", "def test_exit_code():\n    pass\n")
        self.write("docs/conformance.md", "| `/a` | done | `Plan.ReadOnly`, `cli/test_run.py::test_exit_code` |\n"
                                          "| `/b` | not | |\n")

    def table(self, *names):
        self.write("src/cli/command_table.cc", "".join(f'    {{.name = "{name}",\n' for name in names))

    def test_a_clean_tree_passes(self):
        self.assertEqual(check_docs.problems(self.root), [])

    def test_a_broken_link_and_anchor(self):
        self.write("README.md", "# One two\n[a](docs/none.md) [b](#one-two) [c](#three) `[d](x)`\n")
        self.assert_finds(check_docs.problems(self.root), "docs/none.md leads nowhere", "no heading #three")

    def test_a_page_for_no_command(self):
        self.write("docs/man/pages.txt", "berth-run\nberth-fly\n")
        self.assert_finds(check_docs.problems(self.root), "berth-fly is for no command")

    def test_a_command_without_page_and_source(self):
        self.table("run", "kill")
        self.assert_finds(check_docs.problems(self.root), "no page for the command kill", "commands/kill.cc: not there")

    def test_steps(self):
        self.write("src/a.cc", "constexpr S kA[] = {\n    {Step::One, one}, {Step::Two,\n     two},\n};\n")
        self.write("ARCHITECTURE.md", "<!-- steps: src/a.cc kA -->\n\n| a | b |\n| --- | --- |\n| One | |\n| Two | |\n\n")
        self.assertEqual(check_docs.problems(self.root), [])
        self.write("src/a.cc", "constexpr S kA[] = {\n    {Step::Two, two}, {Step::One, one},\n};\n")
        self.assert_finds(check_docs.problems(self.root), "the steps of src/a.cc are Two, One")

    def test_messages(self):
        self.write("src/sync/protocol.h", "enum class Message : uint8_t {\n  // x\n  Ready,  // y\n  Failed,\n};\n")
        self.write("docs/protocol.md", "| `Ready` | init |\n| `Gone` | init |\n")
        self.assert_finds(check_docs.problems(self.root), "Failed is only in sync", "Gone is only in docs")

    def test_lint_rules(self):
        self.write("src/plan/lint.cc", '    {"no-a", kError, find_a},\n    {"no-b", kWarning, find_b},\n')
        self.write("docs/lint.md", "| `other` | error | |\n## Rules\n| `no-a` | warning | |\n| `no-b` | warning | |\n")
        self.assert_finds(check_docs.problems(self.root), "no-a (error) is only in src", "no-a (warning) is only in docs")

    def test_conformance_rows(self):
        self.write("docs/conformance.md", "| `/a` | done | |\n| `/b` | maybe | |\n| `/c` | done | `Plan.None` |\n")
        self.assert_finds(check_docs.problems(self.root), "no test is named", "'maybe'", "no test Plan.None")

    def test_the_changelog(self):
        self.write("CHANGELOG.md", "# Changelog\n")
        self.assert_finds(check_docs.problems(self.root), "no [Unreleased]")


class Conformance(Tree):
    def setUp(self):
        super().setUp()
        self.write("tests/schema/fields.txt", "# all\nconfig /a\nconfig /b/*/c\nstate /id\n")
        self.rows("| `/a` | done | `cli/test_run.py::test_a` |\n| `/b/*/c` | not | |\n")

    def rows(self, text, state="| `/id` | done | `Plan.Any` |\n"):
        self.write("docs/conformance.md", f"# Title\n## Process\n\n| field | state | test |\n{text}\n"
                                          f"## The state document\n{state}\n## Operations\n| `/x` | done | |\n")

    def problems(self):
        return check_conformance.problems(self.root)

    def schema(self):
        text = {"properties": {"a": {"$ref": "defs.json#/definitions/A"}, "windows": {"properties": {"w": {}}},
                               "m": {"patternProperties": {".": {"$ref": "defs.json#/definitions/A"}}}}}
        self.write("schema/config-schema.json", json.dumps(text))
        self.write("schema/defs.json", json.dumps({"definitions": {
            "A": {"type": "array", "items": {"$ref": "#/definitions/B"}},
            "B": {"allOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]}}}))
        self.write("schema/state-schema.json", '{"properties": {"id": {}}}')
        self.write("schema/features-schema.json", "{}")
        return self.root / "schema"

    def test_a_complete_table_passes(self):
        self.assertEqual(self.problems(), [])

    def test_a_field_without_row(self):
        self.rows("| `/a` | done | `cli/test_run.py::test_a` |\n", state="")
        self.assert_finds(self.problems(), "no row for config /b/*/c", "no row for state /id")

    def test_a_row_for_no_field_and_two_rows(self):
        self.rows("| `/a` | done | `cli/t.py::t` |\n| `/b/*/c` | not | |\n| `/b/*/c` | not | |\n| `/d` | not | |\n")
        self.assert_finds(self.problems(), "config /d is no field", "two rows for config /b/*/c")

    def test_a_field_that_nobody_sees_inside(self):
        self.rows("| `/a` | done | `Plan.Any` |\n| `/b/*/c` | partly | `Plan.Any` |\n")
        self.assert_finds(self.problems(), "config /a is done, and no test looks")

    def test_no_list(self):
        self.write("tests/schema/fields.txt", "# all\n")
        self.assert_finds(self.problems(), "no field")

    def test_the_list_is_the_schemas(self):
        folder = self.schema()
        self.assertEqual(check_conformance.write(self.root, folder), [])
        self.assertEqual(check_conformance.listed_fields(self.root), [
            "config /a", "config /a/*/x", "config /a/*/y", "config /m", "config /m/*/*/x", "config /m/*/*/y", "state /id"])
        self.assertEqual(check_conformance.stale(self.root, folder), [])
        self.write("tests/schema/fields.txt", "config /a\nconfig /z\n")
        self.assert_finds(check_conformance.stale(self.root, folder), "/a/*/x is only in the schema", "/a/*/y", "/m is",
                          "/m/*/*/x", "/m/*/*/y", "state /id", "/z is only in the list")


class InitSymbols(Tree):
    def setUp(self):
        super().setUp()
        self.allowed = self.write("allowed.txt", "chdir  # reason\n")

    def problems(self):
        return check_init_symbols.problems(sorted(self.root.glob("*.a")), self.allowed)

    def test_a_listed_symbol_passes_and_unreached_code_does_not_count(self):
        self.archive("init", '#include <unistd.h>\nint run() { return chdir("/"); }\n')
        self.archive("os", "int* make() { return new int; }\n")
        self.assertEqual(self.problems(), [])

    def test_an_allocation_two_layers_down(self):
        self.archive("init", '#include <unistd.h>\nint* make();\nint run() { return *make() + chdir("/"); }\n')
        self.archive("os", "int* make() { return new int; }\n")
        self.assert_finds(self.problems(), "_Znwm: allocates")

    def test_an_unlisted_symbol_and_a_stale_line(self):
        self.archive("init", "#include <unistd.h>\nint run() { return rmdir(\"/a\"); }\n")
        self.assert_finds(self.problems(), "rmdir: not on", "chdir: on allowed.txt and not needed")

    def test_nothing_to_look_at(self):
        self.assert_finds(self.problems(), "no code")


class Symbols(Tree):
    def link(self, *options):
        self.archive("x", "int x;\n")
        main = self.compile("main", "int main() { return 0; }\n")
        binary = self.root / "berth"
        self.map_with(re.findall(r"\*\((\S+) ", order_text.ORDER.read_text()))
        subprocess.run(["g++", "-o", str(binary), str(main), *options], check=True)
        return binary

    def map_with(self, sections):
        (self.root / "berth.map").write_text("".join(f" {name}\n" for name in sections))

    HARDENED = ("-static-pie", "-Wl,-z,relro,-z,now,-z,noexecstack")

    def test_a_hardened_binary_passes(self):
        self.assertEqual(check_symbols.problems(self.link(*self.HARDENED)), [])

    def test_a_dynamic_binary(self):
        self.assert_finds(check_symbols.problems(self.link("-pie")), "interpreter", "shared libraries")

    def test_an_executable_stack(self):
        binary = self.link("-static-pie", "-Wl,-z,relro,-z,execstack")
        self.assert_finds(check_symbols.problems(binary), "its stack is not RW")

    def test_no_relro(self):
        self.assert_finds(check_symbols.problems(self.link("-static-pie", "-Wl,-z,norelro")), "no GNU_RELRO")

    def test_a_forbidden_call(self):
        binary = self.link(*self.HARDENED)
        self.archive("y", "#include <pwd.h>\nvoid* y() { return getpwnam(\"root\"); }\n")
        self.assert_finds(check_symbols.problems(binary), "uses getpwnam")

    def test_an_entry_that_wants_the_c_library(self):
        binary = self.link(*self.HARDENED)
        folder = self.root / "berth.dir"
        folder.mkdir()
        self.compile("entry", "extern \"C\" int puts(const char*);\nint entry() { return puts(\"a\"); }\n")
        (self.root / "entry.o").rename(folder / "entry.cc.o")
        self.assert_finds(check_symbols.problems(binary), "the entry uses puts")

    def test_the_size(self):
        binary = self.link(*self.HARDENED)
        with binary.open("ab") as file:
            file.write(b"\0" * check_symbols.SIZE_LIMIT)
        self.assert_finds(check_symbols.problems(binary), "at most")

    def test_an_old_order_of_the_text(self):
        binary = self.link(*self.HARDENED)
        self.map_with([".text.main"])
        self.assert_finds(check_symbols.problems(binary), "run scripts/order_text.py")
        (self.root / "berth.map").unlink()
        self.assert_finds(check_symbols.problems(binary), "has 0 of the")


class Tidy(Tree):
    OPTIONS = ["-std=gnu++23"]

    def test_names_at_file_scope(self):
        text = ("struct Row { int inner; };\nconstexpr int kRows[] = {1};\n#define CASE 1\n"
                "std::vector<int> names_of(int word) {\n  return local(word);\n}\nusing Table = int;\n")
        self.assertLessEqual({"Row", "kRows", "CASE", "names_of", "Table"}, tidy.names_in(text))
        self.assertNotIn("local", tidy.names_in(text))

    def test_a_name_twice_or_another_command_is_another_batch(self):
        names = {"a": {"x"}, "b": {"y"}, "c": {"x"}, "d": {"z"}}
        commands = {"a": ["-O0"], "b": ["-O0"], "c": ["-O0"], "d": ["-O2"]}
        self.assertEqual(tidy.batches_of("abcd", commands, names), [["a", "b"], ["c"], ["d"]])

    def setUp(self):
        super().setUp()
        rules = pathlib.Path(__file__).resolve().parent.parent / ".clang-tidy"
        self.write(".clang-tidy", rules.read_text())
        tidy.PASSED = self.root

    def test_a_finding_is_told_of_its_file_only(self):
        bad = str(self.write("src/bad.cc", "int* none() {\n  return 0;\n}\n"))
        good = str(self.write("src/good.cc", "int one() {\n  return 1;\n}\n"))
        found = tidy.look_at([bad, good], self.OPTIONS)
        self.assertIn("use nullptr", found[bad])
        self.assertEqual(found[good], "")

    def test_files_that_only_batched_do_not_compile(self):
        pair = [str(self.write(f"src/{name}.cc", "int one() {\n  return 1;\n}\n")) for name in "ab"]
        self.assertEqual(tidy.look_at(pair, self.OPTIONS), dict.fromkeys(pair, ""))


class Totals(Tree):
    def count(self, status, text):
        path = self.root / "result.xml"
        if text:
            path.write_text(f"<testsuites><testsuite>{text}</testsuite></testsuites>")
        return totals.summary("lane", status, path)[-1]

    def test_the_kinds(self):
        cases = ('<testcase name="a"/><testcase name="b"><failure message="x"/></testcase>'
                 '<testcase name="c"><skipped message="no root"/></testcase>'
                 '<testcase name="d"><error message="x"/></testcase>')
        self.assertEqual(self.count("1", cases), "1 2 1")

    def test_a_runner_that_died(self):
        self.assertEqual(self.count("139", ""), "0 1 0")
        self.assertEqual(self.count("139", '<testcase name="a"/>'), "1 1 0")

    def test_no_test_is_a_failure(self):
        self.assertEqual(self.count("0", ""), "0 1 0")


if __name__ == "__main__":
    unittest.main()
