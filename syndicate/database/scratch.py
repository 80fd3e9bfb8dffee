"""A copy of the database to try something out on, as it would happen, without a trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from syndicate.database import files, open_database
from syndicate.database.faults import translated

if TYPE_CHECKING:
    from syndicate.database.transactions import Database


@contextmanager
def scratch_copy(url: str, root: Path) -> Iterator[Database]:
    """A whole copy in a folder of its own, on the disk, since there may be a million people in it; gone at the end.

    Of the original not even a file beside it is made. Raises `LedgerError` for one that is damaged or none of ours.
    """
    path = files.locate(url, root)
    with TemporaryDirectory(prefix="syndicate-") as folder:
        target = Path(folder) / "scratch.db"
        if path is not None and path.exists():
            files.check(path)
            with translated(str(path)):
                files.steady(path, lambda uri: _duplicate(uri, target))
        with closing(open_database(f"sqlite:///{target}", root)) as database:
            yield database


def _duplicate(uri: str, target: Path) -> None:
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
