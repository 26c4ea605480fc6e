# SPDX-License-Identifier: Apache-2.0
"""Help, version, completions and manual pages: all from one table."""
import os
import re
import shutil
import subprocess

import pytest

COMMANDS = ["create", "start", "run", "state", "kill", "delete", "list", "ps", "pause", "resume", "exec", "update",
            "events", "wait", "spec", "features", "plan", "lint", "try", "box", "attach", "lxcfs", "mounts",
            "net"]


@pytest.mark.parametrize("form", [[], ["help"], ["--help"], ["-h"]])
def test_help_lists_the_commands(berth, form):
    text = berth.ok(*form)
    assert text.startswith("NAME:\n   berth - ")
    assert re.findall(r"^   (\w+)  ", text, re.M) == COMMANDS + ["help"]
    assert "__gen" not in text and "--criu" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(berth, command):
    text = berth.ok(command, "--help")
    assert text.splitlines()[1].startswith(f"   berth {command} - ")
    assert text == berth.ok("help", command) == berth.ok(command, "-h")
    assert max(map(len, text.splitlines())) <= 110


def test_help_of_nothing(berth):
    assert "No help topic for 'foo'" in berth.fails("help", "foo")
    assert "No help topic for 'foo'" in berth.fails("foo", "-h")


@pytest.mark.parametrize("form", ["--version", "-v", "-version"])
def test_version(berth, form):
    assert re.fullmatch(r"berth version \d+\.\d+\.\d+\n(commit: .*\n)?spec: 1\.\d+\.\d+\n", berth.ok(form))


def test_version_under_the_name_of_runc(berth, tmp_path):
    (tmp_path / "runc").symlink_to(berth.path)
    done = subprocess.run([tmp_path / "runc", "-v"], capture_output=True, text=True)
    assert done.stdout.startswith("runc version ")


@pytest.mark.parametrize("command", COMMANDS)
def test_options_in_the_manual(berth, command):
    page = berth.ok("__gen", "scdoc", f"berth-{command}")
    for option in re.findall(r"--([a-z][a-z0-9-]+)", berth.ok(command, "--help").split("OPTIONS:")[1]):
        assert f"*--{option}*" in page


@pytest.mark.skipif(not shutil.which("scdoc"), reason="scdoc is not installed")
@pytest.mark.parametrize("page", ["berth"] + [f"berth-{command}" for command in COMMANDS])
def test_manual_page_is_scdoc(berth, page):
    source = berth.ok("__gen", "scdoc", page)
    made = subprocess.run(["scdoc"], input=source, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert f'.TH "{page}" "8"' in made.stdout


@pytest.mark.parametrize("words,wanted", [
    (["st"], {"start", "state"}), (["--root", "/x", "sta"], {"start", "state"}), (["list", "--format", "=", "j"], {"json"}),
    (["create", "--b"], {"--bundle="}), (["plan", "--format", "=", ""], {"text", "json"}), (["kill", "--a"], {"--all"})])
def test_bash_completion(berth, tmp_path, words, wanted):
    (tmp_path / "berth.bash").write_text(berth.ok("__gen", "completion", "bash"))
    script = ('source "$1"; shift; COMP_WORDS=(berth "$@"); COMP_CWORD=$#; compopt() { :; }; _berth; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    environment = os.environ | {"PATH": f"{os.path.dirname(berth.path)}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script, "bash", tmp_path / "berth.bash", *words], capture_output=True,
                          text=True, env=environment)
    assert set(done.stdout.split()) == wanted, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_syntax(berth, tmp_path, shell):
    text = berth.ok("__gen", "completion", shell)
    assert all(f"--{name}" in text or f"-l {name}" in text for name in ("bundle", "process", "resources"))
    if shutil.which(shell):
        (tmp_path / "completion").write_text(text)
        subprocess.run([shell, "-n", tmp_path / "completion"], check=True)


def test_unknown_completion(berth):
    assert "no completion for the shell tcsh" in berth.fails("__gen", "completion", "tcsh")
    assert "no manual page berth-nope" in berth.fails("__gen", "scdoc", "berth-nope")
