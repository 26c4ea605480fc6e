# SPDX-License-Identifier: Apache-2.0
"""The grammar of the command line, which is runc's."""
import pytest


@pytest.mark.parametrize("form", [["--format=json"], ["--format", "json"], ["-format=json"], ["-format", "json"],
                                  ["-f", "json"], ["-f=json"], ["--f", "json"]])
def test_option_forms(berth, form):
    berth.root.mkdir()
    assert berth.ok("list", *form) == "null\n"


@pytest.mark.parametrize("form,quiet", [("--quiet", True), ("-quiet", True), ("-q", True), ("--quiet=true", True),
                                        ("--quiet=1", True), ("--quiet=T", True), ("--quiet=false", False),
                                        ("-q=0", False)])
def test_switch_forms(berth, form, quiet):
    berth.root.mkdir()
    assert (berth.ok("list", form) == "") == quiet


def test_last_value_wins(berth):
    berth.root.mkdir()
    assert berth.ok("list", "--format=table", "--format=json") == "null\n"


@pytest.mark.parametrize("command,option", [("create", "--nope"), ("run", "-z"), ("list", "--form"), ("exec", "--pro=x")])
def test_unknown_option(berth, command, option):
    told = berth.fails(command, option, "x")
    assert f"unknown option {option.split('=')[0]}" in told
    assert f"berth {command} --help" in told


def test_unknown_global_option(berth):
    assert 'unknown option --nope: "berth --help"' in berth.fails("--nope", "list")


def test_global_option_after_command(berth):
    assert "unknown option --log" in berth.fails("list", "--log=x")


def test_unknown_command(berth):
    assert "No help topic for 'foo'" in berth.fails("foo")


def test_missing_value(berth):
    assert "option --bundle needs a value" in berth.fails("create", "x", "--bundle")


def test_bad_switch_value(berth):
    assert 'option --quiet takes true or false, not "maybe"' in berth.fails("list", "--quiet=maybe")


def test_bad_choice(berth):
    assert 'invalid format option "xml"' in berth.fails("list", "--format=xml")


@pytest.mark.parametrize("command", ["create", "run", "start", "state", "delete", "kill", "pause", "resume", "ps",
                                     "exec", "update", "events"])
def test_too_few_arguments(berth, command):
    assert f'"berth {command}" requires 1 argument(s), 0 given' in berth.fails(command)


@pytest.mark.parametrize("command", ["create", "run", "start", "state", "delete", "pause", "resume", "update", "events"])
def test_too_many_arguments(berth, command):
    assert f'"berth {command}" takes at most 1 argument(s), 2 given' in berth.fails(command, "a", "b")


def test_options_after_words(berth):
    assert berth("delete", "no-such", "--force").returncode == 0


def test_kill_stops_at_the_first_word(berth):
    assert "at most 2 argument(s), 3 given" in berth.fails("kill", "x", "KILL", "--all")


def test_double_dash_ends_options(berth):
    assert "takes at most 1 argument(s), 2 given" in berth.fails("delete", "--", "x", "--force")


def test_abbreviations_are_refused(berth):
    assert "unknown option --forc" in berth.fails("delete", "--forc", "x")


def test_criu_is_ignored(berth):
    assert berth("--criu", "/no/such", "delete", "-f", "x").returncode == 0


def test_root_directory_is_refused(berth):
    assert "name a directory other than /" in berth.fails("--root=//", "list")


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "99999999999"])
def test_bad_preserve_fds(berth, value):
    assert "--preserve-fds" in berth.fails("create", "--preserve-fds", value, "x")
