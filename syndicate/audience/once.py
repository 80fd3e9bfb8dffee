"""Who was there already, in a file of any length: what outgrows a small cache goes to a temporary file."""

from __future__ import annotations

import sqlite3


class Once:
    """A set of 64-bit numbers that only grows, and not in memory."""

    def __init__(self) -> None:
        # Without a name: a database that SQLite keeps on the disk, where nobody sees it, until it is closed.
        self._known = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "cache_size = -2048"):  # KiB, if negative
            self._known.execute(f"PRAGMA {pragma}")
        self._known.execute("CREATE TABLE known (number INTEGER PRIMARY KEY)")
        self._known.execute("BEGIN")

    def add(self, number: int) -> bool:
        """Whether it is there for the first time."""
        return self._known.execute("INSERT OR IGNORE INTO known VALUES (?)", (number,)).rowcount == 1

    def close(self) -> None:
        """Forgets all."""
        self._known.close()
