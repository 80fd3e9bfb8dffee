"""A person who asked to be forgotten is in no byte of the database, and nothing brings them back."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.audience.store import Subscribers
from syndicate.database import open_database
from syndicate.errors import NeedsPerson
from syndicate.ledger.base import LeftOut
from syndicate.ledger.sql import SqlLedger
from syndicate.model import Deferred, Receipt, Recipient, Refused, Settlement, State, Unknown
from syndicate.model.people import Reason, Taken
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, LATER, LEASE, entry
from tests.audience.conftest import SECRET, URL
from tests.audience.people import FORM, imported, joined, mailed, row

ADA = "ada.lovelace@example.org"


def files_with(folder: Path, text: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes().lower()]


def a_life(store: Subscribers) -> SqlLedger:
    """Ada on two lists, in four editions in four states, quoted by servers, bounced, complained about."""
    ledger = SqlLedger(store.database)
    reader = joined(store, "Ada.Lovelace@example.org", name="Ada", fields={"home": ADA}, tags=["vip"])
    joined(store, ADA, "monthly")
    joined(store, "x" + ADA)
    joined(store, "bob@example.org", fields={"friend": ADA.upper(), "other": "x" + ADA})
    outcomes = {
        "weekly/sent": Receipt("id", f"file:///out/{ADA}", f"written to {ADA}.eml"),
        "weekly/refused": Refused(f"550 5.1.1 <{ADA}>: no such user"),
        "weekly/deferred": Deferred(f"451 <{ADA}> try later"),
        "weekly/unknown": Unknown(f"no answer about {ADA}"),
    }
    for key in (*outcomes, "weekly/planned"):
        who = [Recipient(ADA.title(), "Ada", {"home": ADA}, reader), Recipient("bob@example.org")]
        ledger.enter(entry(key, who, left_out=[LeftOut("recipient", ADA, f"Ada <{ADA}>, a duplicate")]), MONDAY)
    for key, outcome in outcomes.items():
        (first,) = ledger.claim(key, "worker", 1, MONDAY, LEASE)
        ledger.settle([Settlement(first, outcome, due=LATER)], MONDAY, "worker")
    ledger.pause_account("mail", f"535 for {ADA}", f"write to {ADA}", MONDAY)
    store.suppress(ADA, Reason.BOUNCE, source=f"550 <{ADA}>")
    return ledger


def test_no_byte_of_an_erased_address_is_left(store: Subscribers, tmp_path: Path) -> None:
    with store.database.engine.connect() as connection:  # as most builds of SQLite are; some overwrite by themselves
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
    ledger = a_life(store)
    assert files_with(tmp_path, ADA) != []
    found = store.erase(ADA)
    assert (found.deliveries, found.skipped, found.swept, found.anything) == (5, 2, True, True)
    others = f"x{ADA}"
    with store.database.reading() as connection:
        rows = {
            (table, column, text.lower().replace(others, ""))
            for (table,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").all()
            for one in connection.exec_driver_sql(f'SELECT * FROM "{table}"').mappings()
            for column, text in one.items()
            if isinstance(text, str)
        }
    assert [one for one in rows if ADA in one[2]] == []
    store.erase(others)
    assert files_with(tmp_path, ADA) == []
    assert {len(list(ledger.deliveries(key))) for key in ("weekly/sent", "weekly/planned")} == {2}


def test_history_and_counts_are_what_they_were(store: Subscribers) -> None:
    ledger = a_life(store)
    before = {row.key: (row.counts[State.SENT], row.counts[State.REFUSED]) for row in ledger.editions()}
    store.erase(ADA)
    after = {row.key: row.counts for row in ledger.editions()}
    assert {key: (counts[State.SENT], counts[State.REFUSED]) for key, counts in after.items()} == before
    assert after["weekly/deferred"] == {**dict.fromkeys(State, 0), State.SKIPPED: 1, State.PLANNED: 1}
    assert after["weekly/planned"] == {**dict.fromkeys(State, 0), State.SKIPPED: 1, State.PLANNED: 1}
    assert after["weekly/unknown"] == {**dict.fromkeys(State, 0), State.CANCELLED: 1, State.PLANNED: 1}
    (name,) = {one.recipient for one in ledger.deliveries() if one.recipient.startswith("hmac:")}
    moves = [event.what for event in ledger.story("weekly/deferred", name) if event.recipient]
    assert moves == ["planned -> sending", "sending -> deferred", "deferred -> skipped"]
    assert {one.reason for one in ledger.story("weekly/refused", name) if "refused" in one.what} == {"erased"}


def test_a_neighbour_whose_address_ends_alike_is_not_touched(store: Subscribers) -> None:
    a_life(store)
    store.erase(ADA)
    assert store.find("x" + ADA) is not None
    bob = store.find("bob@example.org")
    assert bob is not None
    assert bob.fields["other"] == "x" + ADA
    assert bob.fields["friend"].startswith("hmac:")


def test_nothing_brings_an_erased_person_back(store: Subscribers) -> None:
    joined(store, ADA)
    store.erase(ADA)
    assert store.subscribe(ADA.title(), "weekly", FORM) is None
    assert imported(store, row(ADA.upper()), row("bob@example.org")) == [Taken.ERASED, Taken.ADDED]
    assert not store.suppress(ADA)
    assert not store.unsubscribe(ADA, "weekly", source="one-click")
    assert store.erased()(ADA.title()).startswith("hmac:")
    assert store.erased()("bob@example.org") == ""
    assert mailed(store) == ["bob@example.org"]


def test_they_may_change_their_mind(store: Subscribers) -> None:
    joined(store, ADA)
    store.erase(ADA)
    assert store.lift(ADA) is not None
    assert mailed(store) == []
    joined(store, ADA)
    assert mailed(store) == [ADA]


def test_the_hash_outlives_the_key_that_made_it(tmp_path: Path, store: Subscribers, clock: Clock) -> None:
    store.erase(ADA)
    renewed = Subscribers(store.database, lambda: (b"n" * 32, SECRET), clock)
    assert renewed.subscribe(ADA, "weekly", FORM) is None
    forgotten = Subscribers(store.database, lambda: (b"n" * 32,), clock)
    assert forgotten.subscribe(ADA, "weekly", FORM) is not None  # without the key it is a hash of anything


def test_somebody_unknown_can_be_erased_too(store: Subscribers) -> None:
    assert not store.erase(ADA).anything
    assert store.subscribe(ADA, "weekly", FORM) is None


def test_nobody_is_erased_while_a_mail_to_them_is_on_the_wire(store: Subscribers) -> None:
    ledger = SqlLedger(store.database)
    ledger.enter(entry(recipients=[Recipient(ADA)]), MONDAY)
    (held,) = ledger.claim(KEY, "worker", 1, MONDAY, LEASE)
    with pytest.raises(NeedsPerson, match="on its way"):
        store.erase(ADA)
    ledger.settle([Settlement(held, Receipt())], MONDAY, "worker")
    assert store.erase(ADA).deliveries == 1


def test_a_database_in_use_is_erased_and_says_that_traces_are_left(store: Subscribers, tmp_path: Path) -> None:
    joined(store, ADA)
    with closing(sqlite3.connect(tmp_path / "syndicate.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM subscriber").fetchall()
        with closing(open_database(URL, tmp_path, timedelta(0))) as database:
            impatient = Subscribers(database, lambda: (SECRET,), lambda: MONDAY)
            found = impatient.erase(ADA)
    assert (found.swept, store.find(ADA)) == (False, None)
    assert store.erase(ADA).swept
    assert files_with(tmp_path, ADA) == []


def test_the_export_of_a_person_holds_what_store_and_ledger_know(store: Subscribers) -> None:
    a_life(store)
    found = store.show(ADA)
    assert found.subscriber is not None
    assert [one.list for one in found.subscriber.memberships] == ["monthly", "weekly"]
    assert len(found.consents) == 4
    assert [one.reason for one in found.suppressions] == [Reason.BOUNCE]
    assert {one.edition: one.state for one in found.deliveries} == {
        "weekly/sent": "sent",
        "weekly/refused": "refused",
        "weekly/deferred": "deferred",
        "weekly/unknown": "unknown",
        "weekly/planned": "planned",
    }
    assert len(found.left_out) == 5
