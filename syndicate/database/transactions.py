"""A database that is open: its transactions, whose failures become advice, and its statements for many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from sqlite3 import OperationalError
from threading import RLock
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Insert, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from syndicate.database.faults import advise


class Database:
    """May be used from several threads."""

    def __init__(self, engine: Engine, where: str) -> None:
        """`where` names the database in messages."""
        self.where = where
        self.engine = engine
        # In memory all threads share one connection, which knows one transaction at a time.
        shared = isinstance(engine.pool, StaticPool)
        self._turn: AbstractContextManager[object] = RLock() if shared else nullcontext()

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads. Raises `LedgerError`."""
        return self._transaction(reading=True)

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that is durable when it ends. Raises `LedgerError`."""
        return self._transaction(reading=False)

    def close(self) -> None:
        """Lets go of files and connections."""
        self.engine.dispose()

    def rewrite(self) -> bool:
        """Writes the file anew, so that nothing is left of what was deleted; False while somebody else uses it."""
        raw = self.engine.raw_connection()
        try:
            with self._turn:
                cursor = raw.cursor()
                cursor.execute("VACUUM")
                # The log still has the pages as they were; emptied, it has nothing.
                busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                return not busy
        except OperationalError:
            return False
        finally:
            raw.close()

    @contextmanager
    def _transaction(self, *, reading: bool) -> Iterator[Connection]:
        try:
            with self._turn, self.engine.connect() as connection:
                connection = connection.execution_options(reading=reading)
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise advise(error.orig, self.where) from error


def bulk(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
    """Executes for many rows, handed to the driver as they are: SQLAlchemy's care for each costs more than the row.

    All rows have the same keys; what a statement adds to them must be literal.
    """
    return connection.exec_driver_sql(_text(statement, connection.dialect, tuple(rows[0])), rows)


@lru_cache(maxsize=64)
def _text(statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]) -> str:
    return str(statement.compile(dialect=dialect, column_keys=list(keys)))
