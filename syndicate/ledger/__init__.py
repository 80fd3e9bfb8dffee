"""The ledger: what was said, to whom, exactly. `base` is the contract; the doors are here and import lazily.

plain.py      what `plan` reads, without SQLAlchemy
entering.py  claiming.py  settling.py  standing.py  reading.py    functions over one transaction
sql.py        the ledger that puts each of them into its transaction
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate import database
from syndicate.database import files
from syndicate.database.faults import translated
from syndicate.database.plain import HEAD, REVISION
from syndicate.ledger import plain
from syndicate.model import History

if TYPE_CHECKING:
    from syndicate.ledger.sql import SqlLedger


def open_ledger(url: str, root: Path, patience: timedelta = timedelta(seconds=10)) -> SqlLedger:
    """The ledger in the database at `url`, see `open_database`."""
    from syndicate.ledger.sql import SqlLedger

    return SqlLedger(database.open_database(url, root, patience))


def rehearsal_copy(url: str, root: Path) -> SqlLedger:
    """A ledger in memory that goes on where the one at `url` stands, without a trace on the disk."""
    from syndicate.ledger.sql import SqlLedger

    return SqlLedger(database.rehearsal_copy(url, root))


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
        if connection.execute(REVISION).fetchone() != (HEAD,):
            return None
        return plain.read(connection.execute)


def attempts_folder(url: str, root: Path) -> Path | None:
    """Where the couriers of this database keep their attempt logs; None for a ledger in memory, which has none."""
    path = files.locate(url, root)
    return path.parent / "attempts" / path.name if path else None
