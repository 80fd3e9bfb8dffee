"""A subscriber store on disk, with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copyfile

import pytest

from syndicate.audience.store import Subscribers
from syndicate.database import open_database
from syndicate.testing.clock import Clock

URL = "sqlite:///syndicate.db"
SECRET = b"k" * 32


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, migrated once."""
    root = tmp_path_factory.mktemp("store")
    open_database(URL, root).close()
    return root / "syndicate.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, template: Path, clock: Clock) -> Iterator[Subscribers]:
    copyfile(template, tmp_path / "syndicate.db")
    with closing(open_database(URL, tmp_path)) as database:
        yield Subscribers(database, lambda: (SECRET,), clock)
