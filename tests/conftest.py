"""What every test has: no network beyond loopback, and the folder of real input beside the project."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("syndicate.testing")
settings.register_profile("project", deadline=None)  # no test asserts a duration, and a first call imports
settings.load_profile("project")

from tests.project import Project, starter  # noqa: E402  the suites are rewritten before anything imports them

ROOT = Path(__file__).parent.parent
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class NetworkTouched(AssertionError):
    """A test tried to leave this machine."""


@pytest.fixture(autouse=True, scope="session")
def socket_guard() -> Iterator[None]:
    """Fails whatever connects further than loopback. Wraps the standard library, nothing of ours."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in LOOPBACK:  # type: ignore[index]
            raise NetworkTouched(f"a test connects to {address}")
        real(self, address)  # type: ignore[arg-type]

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


@pytest.fixture
def root() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real articles of other people, which lie beside the project and not in it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder `shared` with real articles is not beside the project")
    return folder


def missing(program: str) -> None:
    """A missing system program skips on a laptop and fails in CI."""
    sentence = f"{program} is not installed"
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A starter project in a folder of its own."""
    return starter(tmp_path / "newsroom")
