# SPDX-License-Identifier: Apache-2.0
"""BERTH names the tested program; ENGINE_RUNTIME puts another runtime into its place, to see that a test is right."""
import os
import pathlib
import shutil
import tempfile

import pytest

import engine as engines

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def find_runtime():
    named = os.environ.get("ENGINE_RUNTIME") or os.environ.get("BERTH")
    if named:
        return str(pathlib.Path(shutil.which(named) or named).resolve())
    built = [REPOSITORY / f"build/{preset}/berth" for preset in ("release", "debug")]
    return str(next(path for path in built if os.access(path, os.X_OK)))


@pytest.fixture(scope="session")
def folder():
    """Short: the engines put sockets below it."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="eng", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def room(folder):
    made = engines.Room(folder)
    yield made
    made.close()


@pytest.fixture(scope="session")
def archive(folder):
    return engines.make_image(folder)


@pytest.fixture(scope="session")
def podman_session(folder, room, archive):
    if not shutil.which("podman") or not shutil.which("conmon"):
        pytest.skip("podman is not installed")
    (place := folder / "podman").mkdir()
    engine = engines.Podman(room, find_runtime(), place)
    engine.load(archive)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def docker_session(folder, room, archive):
    if not shutil.which("dockerd") or not shutil.which("docker"):
        pytest.skip("docker is not installed")
    (place := folder / "docker").mkdir()
    engine = engines.Docker(room, find_runtime(), place)
    if reason := engine.start_daemon():
        pytest.skip(f"dockerd does not start here: {reason}")
    engine.load(archive)
    yield engine
    engine.close()


def checked(engine):
    """Every test leaves nothing."""
    engine.ids.clear()
    yield engine
    engine.remove_all()
    try:
        engines.wait_until(lambda: not engine.leftovers(), seconds=10)
    except TimeoutError:
        pytest.fail(f"left: {engine.leftovers()}")


@pytest.fixture
def podman(podman_session):
    yield from checked(podman_session)


@pytest.fixture
def docker(docker_session):
    yield from checked(docker_session)


@pytest.fixture(params=["podman", "docker"])
def engine(request):
    return request.getfixturevalue(request.param)
