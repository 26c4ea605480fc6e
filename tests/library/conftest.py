# SPDX-License-Identifier: Apache-2.0
"""libberth as it is installed: BERTH_PREFIX says where (`./x test library` installs the release build). The program's own
tests lend the harness."""
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = TESTS.parent
EXAMPLES = REPOSITORY / "examples"
TIMEOUT = 120

sys.path.insert(0, str(TESTS / "support"))
from harness import cli  # noqa: E402

rootfs = cli.rootfs
berth = cli.berth


def run(*words, **options):
    """Standard output; anything but success fails the test with what was said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=TIMEOUT,
                          **{"stdin": subprocess.DEVNULL} | options)
    assert done.returncode == 0, f"{words}: exit {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix():
    return pathlib.Path(os.environ["BERTH_PREFIX"])


@pytest.fixture(scope="session")
def libraries(prefix):
    """Where libberth.so and libberth.a are."""
    return next(prefix.glob("lib*/**/libberth.so")).parent


class Compiled:
    """The examples as one build made them."""

    def __init__(self, folder, libraries):
        self.folder = folder
        self.environment = os.environ | {"LD_LIBRARY_PATH": str(libraries)}

    def __getitem__(self, name):
        return self.folder / name

    def __call__(self, name, *words):
        return run(self.folder / name, *words, env=self.environment)


def by_cmake(component, folder, prefix):
    run("cmake", "-S", EXAMPLES, "-B", folder, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DBERTH_COMPONENT={component}")
    run("cmake", "--build", folder)


def by_pkg_config(component, folder, prefix):
    static = ["--static"] if component == "static" else []
    places = ":".join(map(str, prefix.glob("lib*/**/pkgconfig")))
    environment = os.environ | {"PKG_CONFIG_PATH": places}
    flags = run("pkg-config", *static, "--cflags", "--libs", "berth", env=environment).split()
    for source in [*EXAMPLES.glob("*.cc"), *EXAMPLES.glob("*.c")]:
        compiler = ["g++", "-std=c++23"] if source.suffix == ".cc" else ["gcc", "-std=c11", "-D_GNU_SOURCE"]
        run(*compiler, *(["-static"] if static else []), "-o", folder / source.stem, source, *flags)


# With xdist's loadgroup one worker compiles one way once.
WAYS = ("cmake-shared", "cmake-static", "pkg-config-shared", "pkg-config-static")


@pytest.fixture(scope="session", params=[pytest.param(way, marks=pytest.mark.xdist_group(way)) for way in WAYS])
def examples(request, tmp_path_factory, prefix, libraries):
    tool, _, component = request.param.rpartition("-")
    folder = tmp_path_factory.mktemp(request.param)
    {"cmake": by_cmake, "pkg-config": by_pkg_config}[tool](component, folder, prefix)
    linked = subprocess.run(["ldd", folder / "run_container"], capture_output=True, text=True).stdout
    assert ("libberth.so.0" in linked) == (component == "shared")
    return Compiled(folder, libraries)
