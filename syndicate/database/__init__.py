"""The database: one file for the ledger and the audience, so that one transaction can see both.

schema.py        the tables of the ledger; people.py  feedback.py  visits.py: those of the audience and of what comes in
migrations/      how a database gets there (Alembic)
files.py         the database as a file, and how to read it without a trace
opening.py       opening, creating, migrating
transactions.py  a database that is open
plain.py         what needs no SQLAlchemy
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.database import files

if TYPE_CHECKING:
    from syndicate.database.transactions import Database


def open_database(url: str, root: Path, patience: timedelta = timedelta(seconds=10)) -> Database:
    """The database at `url`, made if it is not there, brought up to the present schema.

    `sqlite:///var/x.db` is relative to `root`; `sqlite://` lives in memory and ends with `close()`. While another
    process writes, every call waits as long as `patience` says, then raises `LedgerError`.
    Raises `LedgerError` for a file that is damaged, none of ours, or written by a newer version.
    """
    from syndicate.database.opening import memory, on_disk
    from syndicate.database.transactions import Database

    path = files.locate(url, root)
    return Database(on_disk(path, patience) if path else memory(), str(path or url))


def rehearsal_copy(url: str, root: Path) -> Database:
    """A database in memory that goes on where the one at `url` stands, without a trace on the disk.

    Of finished editions it holds what is needed to say nothing twice; of the others also what still waits.
    """
    from syndicate.database.opening import copy, memory
    from syndicate.database.transactions import Database

    path = files.locate(url, root)
    return Database(copy(path) if path and path.exists() else memory(), f"a copy of {path or url}")
