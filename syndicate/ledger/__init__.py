"""The ledger: what was said, to whom, exactly. `base` is the contract; the doors are here and import lazily.

schema.py     the tables
migrations/   how a database gets there (Alembic)
history.py    what `plan` reads, without SQLAlchemy
files.py      the database as a file, and how to read it without a trace
database.py   opening, creating, migrating
entering.py  claiming.py  standing.py  reading.py    functions over one transaction
sql.py        the ledger that puts each of them into its transaction
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.ledger import files, plain
from syndicate.ledger.faults import translated
from syndicate.model import History

if TYPE_CHECKING:
    from syndicate.ledger.base import Ledger


def open_ledger(url: str, root: Path, patience: timedelta = timedelta(seconds=10)) -> Ledger:
    """The ledger at `url`, made if it is not there, brought up to the present schema.

    `sqlite:///var/x.db` is relative to `root`; `sqlite://` lives in memory and ends with `close()`. While another
    process writes, every call waits as long as `patience` says, then raises `LedgerError`.
    Raises `LedgerError` for a file that is damaged, no ledger, or written by a newer version.
    """
    from syndicate.ledger.database import memory, on_disk
    from syndicate.ledger.sql import SqlLedger

    path = files.locate(url, root)
    return SqlLedger(on_disk(path, patience) if path else memory(), str(path or url))


def rehearsal_copy(url: str, root: Path) -> Ledger:
    """A ledger in memory that goes on where the one at `url` stands, without a trace on the disk.

    Of finished editions it holds what is needed to say nothing twice; of the others also what still waits.
    """
    from syndicate.ledger.database import copy, memory
    from syndicate.ledger.sql import SqlLedger

    path = files.locate(url, root)
    return SqlLedger(copy(path) if path and path.exists() else memory(), f"a copy of {path or url}")


def history(url: str, root: Path) -> History:
    """What was already said, without making, changing or migrating anything. No file: nothing was."""
    path = files.locate(url, root)
    if path is None or not path.exists():
        return History()
    files.check(path)
    with translated(str(path)):
        found = files.steady(path, _read_history)
    return found or rehearsal_copy(url, root).history()


def _read_history(uri: str) -> History | None:
    """None: the database has another schema than this code, so a copy has to be migrated first."""
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        if connection.execute(plain.REVISION).fetchone() != (plain.HEAD,):
            return None
        return plain.read(connection.execute)


def attempts_folder(url: str, root: Path) -> Path | None:
    """Where the couriers of this database keep their attempt logs; None for a ledger in memory, which has none."""
    path = files.locate(url, root)
    return path.parent / "attempts" / path.name if path else None
