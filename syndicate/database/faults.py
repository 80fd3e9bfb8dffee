"""The border at which a database's exceptions become advice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from syndicate.errors import LedgerError

#: A piece of SQLite's own words -> what happened, what to do. The first that fits is used.
ADVICE = (
    ("locked", "is being written by another process", "Wait until it is done, or end it, and try again."),
    ("full", "cannot grow: the disk is full", "Free some space and run the command again: it goes on where it was."),
    ("readonly", "cannot be written", "Give yourself the right to write to the file and to its folder."),
    ("unable to open", "cannot be opened", "Check that the folder exists, and that you may read and write it."),
    ("disk i/o", "cannot be read or written: the disk reports an error", "Check the disk, then run the command again."),
    ("not a database", "is not a ledger", "Restore it from a backup, or name another file under `database:`."),
    ("malformed", "is damaged", "Restore it from a backup. Nothing is sent without it, so that nothing is sent twice."),
    ("no such table", "is not a ledger", "Restore it from a backup, or name another file under `database:`."),
)


def advise(error: BaseException | None, where: str) -> LedgerError:
    """What SQLite's `error` means to a user. `where` is the file as the user knows it."""
    words = str(error).lower()
    for piece, what, hint in ADVICE:
        if piece in words:
            return LedgerError(f"{where} {what} ({error})", hint=hint)
    return LedgerError(f"{where} cannot be used: {error}", hint="`syndicate doctor` looks for the cause.")


def damaged(where: str, found: str) -> LedgerError:
    """A ledger that must not be used, because what it lost would be sent again."""
    return LedgerError(
        f"{where} is damaged: {found}",
        hint="Restore it from a backup. Nothing is sent without it, so that nothing is sent twice.",
    )


def not_a_ledger(where: str, found: str) -> LedgerError:
    """Something else, which must not be written to."""
    return LedgerError(f"{where} is not a ledger: {found}", hint="Name another file under `database:`.")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns what `sqlite3` raises inside into `LedgerError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise advise(error, where) from error
