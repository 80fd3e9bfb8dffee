"""Opening a database with the settings that exactness needs, making it, and bringing its schema up to date."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from syndicate.database import files
from syndicate.database.faults import advise, translated
from syndicate.database.plain import HEAD, REVISION
from syndicate.errors import LedgerError

#: WAL with FULL: a commit is on the disk when it returns. The rest is for the size of a million deliveries.
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -3072",  # KiB, if negative; each connection has its own, and the system caches the file as well
    "wal_autocheckpoint = 8000",  # pages: what a send changes again and again is copied back once in a while
    "journal_size_limit = 67108864",  # bytes: entering a million readers must not leave a log of that size behind
)

#: Copied whole into a rehearsal, if the schema has them yet. Of the rest, what is not finished; one condition each, so
#: that its index serves. The record of consent stays behind: a rehearsal subscribes nobody.
_WHOLE = ("alembic_version", "edition", "edition_article", "tally", "account_pause")
_PEOPLE = ("list", "subscriber", "member", "tag", "suppression")


def _whole(table: str) -> str:
    return f"INSERT INTO main.{table} SELECT * FROM source.{table}"


_UNFINISHED = "SELECT edition FROM source.tally WHERE planned + sending + deferred + unknown > 0"
_COPY = (
    *map(_whole, _WHOLE),
    f"INSERT INTO main.frozen SELECT * FROM source.frozen WHERE edition IN ({_UNFINISHED})",
    *(
        f"INSERT INTO main.delivery SELECT * FROM source.delivery WHERE state {condition}"
        for condition in ("IN ('planned', 'deferred')", "= 'sending'", "= 'unknown'")
    ),
)


#: Alembic keeps its context in variables of its modules, so that two threads would take it from each other.
_ALONE = Lock()


def on_disk(path: Path, patience: timedelta) -> Engine:
    """The database at `path`, made if it is not there; waits for other writers as long as `patience` says."""
    files.refuse_network(path)
    if not path.exists():
        _make(path)
    files.check(path)
    engine = _engine(f"sqlite:///{path}", patience, poolclass=QueuePool)
    _migrate(engine, str(path))
    return engine


def memory() -> Engine:
    """An empty database in memory, of the present schema."""
    engine = _in_memory()
    _migrate(engine, "the ledger in memory")
    return engine


def copy(path: Path) -> Engine:
    """A database in memory that goes on where the one at `path` stands; that one is only read."""
    files.check(path)
    with translated(str(path)):
        engine = files.steady(path, _copied)
    _migrate(engine, f"a copy of {path}")
    return engine


def _make(path: Path) -> None:
    """Makes the file under another name first, so that it is either not there or a whole ledger.

    An empty file under its own name could not be told from one that was emptied by accident.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise LedgerError(f"{path} cannot be made: {error}", hint="Check that you may write to its folder.") from error
    try:
        engine = _engine(f"sqlite:///{draft}", timedelta(0), poolclass=QueuePool)
        _migrate(engine, str(path))
        engine.dispose()
        with suppress(FileExistsError):  # another process was faster; its ledger is as good
            os.link(draft, path)
    finally:
        draft.unlink()


def _in_memory() -> Engine:
    # `uri=True` lets ATTACH understand the URIs of `files.steady`, which the URL of SQLAlchemy has no room for.
    connect = lambda: sqlite3.connect("file::memory:", uri=True, check_same_thread=False)  # noqa: E731 - one use
    return _engine("sqlite://", timedelta(0), poolclass=StaticPool, creator=connect)


def _engine(url: str, patience: timedelta, **options: Any) -> Engine:
    engine = create_engine(url, paramstyle="named", **options)  # so that rows can be dicts, see `bulk`

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: object) -> None:
        connection.isolation_level = None  # else the driver begins transactions of its own, and not IMMEDIATE ones
        for pragma in (f"busy_timeout = {patience // timedelta(milliseconds=1)}", *PRAGMAS):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once, without waiting, if somebody else wrote.
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _copied(uri: str) -> Engine:
    """A copy of the tables, then of what is needed of the rows, then of indexes and triggers."""
    engine = _in_memory()
    connection = engine.raw_connection()
    execute = connection.cursor().execute
    execute("ATTACH ? AS source", (uri,))
    made = "SELECT sql FROM source.sqlite_master WHERE sql > '' AND name NOT LIKE 'sqlite_%' AND (type = 'table') = ?"
    tables = _first(execute(made, (True,)))
    names = _first(execute("SELECT name FROM source.sqlite_master"))
    people = [_whole(table) for table in _PEOPLE if table in names]
    for statement in (*tables, *_COPY, *people, *_first(execute(made, (False,)))):
        execute(statement)
    execute("DETACH source")
    connection.close()
    return engine


def _first(rows: Any) -> list[str]:
    return [first for (first,) in rows.fetchall()]


def _migrate(engine: Engine, where: str) -> None:
    """Brings the schema up to `HEAD` in one transaction. Raises `LedgerError` for one that is newer."""
    try:
        with engine.connect() as connection:
            if _revision(connection) == HEAD:
                return
        with _ALONE, engine.begin() as connection:  # two processes may get here; the second finds it done
            if (found := _revision(connection)) != HEAD:
                _upgrade(connection, found, where)
    except DBAPIError as error:
        engine.dispose()
        raise advise(error.orig, where) from error
    except LedgerError:
        engine.dispose()
        raise


def _revision(connection: Connection) -> str:
    """The schema's revision; empty for a database without one."""
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
    if not tables.scalar():
        return ""
    return str(connection.exec_driver_sql(REVISION).scalar() or "")


def _upgrade(connection: Connection, found: str, where: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if found and found not in known:
        raise LedgerError(
            f"{where} was written by a newer version of Syndicate (schema {found}, this one knows {HEAD})",
            hint="Install that version again: pip install --upgrade syndicate.",
        )
    command.upgrade(settings, "head")
