"""The migrations make the tables that the code speaks of, and the hot paths use an index."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

import syndicate.database
from syndicate.database import plain
from syndicate.database.schema import metadata
from syndicate.ledger import open_ledger
from syndicate.ledger.base import Ledger
from syndicate.model import Deferred, Receipt, Settlement, State
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, entry, used

for module in iter_modules(syndicate.database.__path__):
    import_module(f"syndicate.database.{module.name}")  # each may describe tables
MIGRATIONS = Path(syndicate.database.__file__).parent / "migrations"


def test_the_migrated_database_is_the_one_the_code_describes(tmp_path: Path, empty: Callable[[Path], Path]) -> None:
    engine = create_engine(f"sqlite:///{empty(tmp_path)}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        for table in metadata.tables.values():
            described = {index.name: [column.name for column in index.columns] for index in table.indexes}
            found = {index["name"]: index["column_names"] for index in inspect(connection).get_indexes(table.name)}
            assert found == described
    engine.dispose()


def test_the_code_knows_the_last_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == plain.HEAD


def test_every_state_has_its_column_in_the_tally() -> None:
    assert {column.name for column in metadata.tables["tally"].columns} - {"edition"} == set(State)


def test_the_history_only_grows(tmp_path: Path, empty: Callable[[Path], Path]) -> None:
    path = empty(tmp_path)
    with closing(open_ledger(f"sqlite:///{path}", tmp_path)) as ledger:
        ledger.enter(entry(), MONDAY)
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE event SET reason = 'it was not me'", "DELETE FROM event"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                connection.execute(statement)


def test_an_older_ledger_goes_on_where_it_was(tmp_path: Path) -> None:
    """Moves of before and after the migration are told and counted alike, whatever writes them."""
    path = tmp_path / "old.db"
    old = Config()
    old.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        old.attributes["connection"] = connection
        command.upgrade(old, "0005")
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO edition (id, key, channel, kind, account, occasion, state, entered)"
            "VALUES (1, ?, 'weekly', 'digest', 'mail', 0, 'sending', 0)",
            (KEY,),
        )
        connection.execute("INSERT INTO tally (edition, planned) VALUES (1, 4)")
        for number in range(4):
            connection.execute(
                "INSERT INTO delivery (edition, recipient, state) VALUES (1, ?, 'planned')", (f"{number}@example.org",)
            )
        connection.execute("UPDATE delivery SET state = 'sending', actor = 'old', epoch = 1 WHERE id <= 2")
        connection.execute("UPDATE delivery SET state = 'sent' WHERE id = 1")
    with closing(open_ledger(f"sqlite:///{path}", tmp_path)) as ledger:
        claimed = ledger.claim(KEY, "new", 1, MONDAY, LEASE)
        ledger.settle([Settlement(one, Receipt(), "a" * 64, 41) for one in claimed], MONDAY, "new")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE delivery SET state = 'cancelled', actor = 'sql' WHERE id = 4")
        told = connection.execute("SELECT delivery, what, actor FROM event ORDER BY id").fetchall()
        counts = connection.execute("SELECT planned, sending, sent, cancelled FROM tally").fetchone()
    assert told == [
        (1, "planned -> sending", "old"),
        (2, "planned -> sending", "old"),
        (1, "sending -> sent", "old"),
        (3, "planned -> sending", "new"),
        (3, "sending -> sent", "new"),
        (4, "planned -> cancelled", "sql"),
    ]
    assert counts == (0, 1, 2, 1)


def everyday(ledger: Ledger) -> None:
    """All that a send and its observers ask for, again and again."""
    claimed = ledger.claim(KEY, "w", 100, MONDAY, LEASE)
    ledger.settle([Settlement(one, Receipt()) for one in claimed[:20]], MONDAY, "w")
    ledger.settle([Settlement(one, Receipt(), "a" * 64, 41) for one in claimed[20:50]], MONDAY, "w")
    ledger.settle([Settlement(one, Deferred("x"), due=LATER) for one in claimed[50:90]], MONDAY, "w")
    ledger.renew("w", MONDAY, LEASE)
    list(ledger.claimed("w"))
    ledger.recover(LATER)
    ledger.edition(KEY)
    ledger.editions(limit=5)
    ledger.editions("weekly", limit=5)
    ledger.unfinished()
    ledger.doubtful()
    list(ledger.deliveries(states=[State.UNKNOWN]))
    one = next(ledger.deliveries(KEY, recipient="95@example.org"))
    ledger.resolve(one, State.CANCELLED, "", LATER, "person")
    next(ledger.deliveries(KEY))
    next(ledger.deliveries(KEY, [State.PLANNED]))
    ledger.story(KEY)
    ledger.story(KEY, "1@example.org")
    list(ledger.left_out(KEY))
    ledger.enter(entry("weekly/next", articles=(used("x", key="weekly/next"),), recipients=2), LATER)


def test_nothing_that_happens_often_reads_a_whole_table(tmp_path: Path, empty: Callable[[Path], Path]) -> None:
    path = empty(tmp_path)
    asked: set[str] = set()
    with closing(open_ledger(f"sqlite:///{path}", tmp_path)) as ledger:
        ledger.enter(entry(recipients=300), MONDAY)
        engine = ledger.database.engine
        with engine.connect() as connection:
            connection.connection.dbapi_connection.set_trace_callback(asked.add)
        everyday(ledger)
    with closing(sqlite3.connect(path)) as connection:
        scans = {
            (plan, statement)
            for statement in asked
            if statement.lstrip().startswith(("SELECT", "UPDATE", "INSERT"))
            for *_, plan in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            if plan.startswith("SCAN") and not allowed(plan, statement)
        }
    assert len(asked) > 40
    assert scans == set()


def allowed(plan: str, statement: str) -> bool:
    """Scans of what is small by its nature, or of an index that holds only what is wanted."""
    small = ("SCAN those", "SCAN anon", "SCAN json_each", "SCAN CONSTANT ROW", "SCAN account_pause")
    only_these = ("INDEX delivery_held", "INDEX delivery_in_doubt", "INDEX tally_open", "INDEX tally_doubtful")
    newest_first = plan == "SCAN edition" and "ORDER BY edition.id DESC" in statement and "LIMIT" in statement
    parameters = plan.endswith("CONSTANT ROWS")
    return parameters or plan.startswith(small) or any(index in plan for index in only_these) or newest_first
