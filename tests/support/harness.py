# SPDX-License-Identifier: Apache-2.0
"""The harness of tests/cli, for the tests of other folders: its conftest cannot be imported by its name, they have one too."""
import importlib.util
import pathlib
import sys

CLI = pathlib.Path(__file__).resolve().parents[1] / "cli"


def load():
    sys.path.insert(0, str(CLI))  # what that conftest imports
    spec = importlib.util.spec_from_file_location("cli_conftest", CLI / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cli = load()
