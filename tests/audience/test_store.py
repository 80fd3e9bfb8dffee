"""Coming and going: who is on a list, by which consent, and who is not to be mailed."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from syndicate.audience.store import Subscribers
from syndicate.database.people import consent, lists, member, wording
from syndicate.errors import LedgerError
from syndicate.model.people import EVERYWHERE, Grounds, Reason, Said, Standing, Taken
from syndicate.testing.clock import MONDAY, Clock
from tests.audience.people import FORM, KNOWN, LINK, imported, joined, mailed, row


def test_who_asks_is_not_mailed_before_confirming(store: Subscribers) -> None:
    asked = store.subscribe("Ada@example.org", "weekly", FORM, name="Ada", fields={"country": "IN"}, tags=["Python"])
    assert asked is not None
    assert asked.state is Standing.PENDING
    assert mailed(store) == []
    confirmed = store.confirm(asked.reader, "weekly", LINK)
    assert confirmed is not None
    assert confirmed.state is Standing.ACTIVE
    assert mailed(store) == ["Ada@example.org"]
    ada = store.find("ADA@EXAMPLE.ORG")
    assert ada is not None
    assert (ada.name, ada.fields, ada.tags) == ("Ada", {"country": "IN"}, ("python",))
    assert ada == store.find(asked.reader)


def test_the_record_says_who_agreed_to_what_when_and_how(store: Subscribers, clock: Clock) -> None:
    asked = store.subscribe("ada@example.org", "weekly", FORM)
    assert asked is not None
    clock.advance(timedelta(minutes=5))
    store.confirm(asked.reader, "weekly", LINK)
    store.confirm(asked.reader, "weekly", LINK)  # a second click
    store.unsubscribe(asked.reader, "weekly", source="one-click")
    lines = store.show("ada@example.org").consents
    assert [one.what for one in lines] == [Said.ASKED, Said.CONFIRMED, Said.WITHDRAWN]
    assert {one.list for one in lines} == {"weekly"}
    first, second, third = lines
    assert (first.wording, first.sha256) == (FORM.wording, sha256(FORM.wording.encode()).hexdigest())
    assert (first.ip, first.agent, first.at, first.given) == ("192.0.2.1", "Browser 1.0", MONDAY, MONDAY)
    assert second.given == MONDAY + timedelta(minutes=5)
    assert (third.source, third.actor) == ("one-click", "web")


def test_a_wording_is_kept_once_for_all_who_saw_it(store: Subscribers) -> None:
    for name in "abc":
        joined(store, f"{name}@example.org")
    with store.database.reading() as connection:
        assert connection.scalars(select(wording.c.text)).all() == [FORM.wording]


@pytest.mark.parametrize(
    "statement",
    [
        update(consent).values(source="we never asked"),
        update(consent).values(given=0),
        update(consent).values(ip="192.0.2.99"),
        delete(consent),
    ],
)
def test_the_record_only_grows(store: Subscribers, statement: object) -> None:
    joined(store, "ada@example.org")
    with pytest.raises(LedgerError, match="only grows"), store.database.writing() as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def test_the_database_itself_lets_nobody_be_active_without_consent(store: Subscribers) -> None:
    asked = store.subscribe("ada@example.org", "other", FORM)
    assert asked is not None
    with pytest.raises(LedgerError, match="without consent"), store.database.writing() as connection:
        connection.execute(update(member).values(state="active"))
    values = {"subscriber": asked.reader, "list": "third", "state": "active", "joined": 0, "moved": 0}
    with store.database.writing() as connection:
        connection.execute(insert(lists).values(name="third"))
    with pytest.raises(LedgerError, match="without consent"), store.database.writing() as connection:
        connection.execute(insert(member).values(values))


def test_who_leaves_a_list_leaves_that_list(store: Subscribers) -> None:
    reader = joined(store, "ada@example.org")
    joined(store, "ada@example.org", "monthly")
    assert store.unsubscribe(reader, "weekly", source="one-click")
    assert not store.unsubscribe(reader, "weekly", source="one-click")
    assert (mailed(store), mailed(store, "monthly")) == ([], ["ada@example.org"])
    (suppressed,) = store.suppressions("Ada@Example.org")
    assert (suppressed.list, suppressed.reason, suppressed.source) == ("weekly", Reason.UNSUBSCRIBED, "one-click")


def test_who_leaves_everything_comes_back_to_what_is_asked_for_and_to_nothing_else(store: Subscribers) -> None:
    reader = joined(store, "ada@example.org")
    joined(store, "ada@example.org", "monthly")
    joined(store, "bob@example.org", "third")
    store.unsubscribe(reader, source="preferences")
    assert (mailed(store), mailed(store, "monthly")) == ([], [])
    joined(store, "ada@example.org")
    assert (mailed(store), mailed(store, "monthly")) == (["ada@example.org"], [])
    assert store.refusals(["ada@example.org"], "third").keys() == {"ada@example.org"}
    assert store.refusals(["ada@example.org"], "weekly") == {}


def test_an_old_confirmation_brings_nobody_back(store: Subscribers) -> None:
    reader = joined(store, "ada@example.org")
    store.unsubscribe(reader, "weekly", source="one-click")
    late = store.confirm(reader, "weekly", LINK)
    assert late is not None
    assert late.state is Standing.UNSUBSCRIBED
    assert mailed(store) == []


def test_an_address_that_the_store_does_not_know_can_leave_too(store: Subscribers) -> None:
    assert store.unsubscribe("csv@example.org", "readers", source="one-click")
    assert store.refusals(["CSV@example.org", "b@example.org"], "readers").keys() == {"CSV@example.org"}
    assert store.refusals(["csv@example.org"], "weekly") == {}
    assert not store.unsubscribe(4711, "weekly", source="one-click")


@pytest.mark.parametrize("reason", [Reason.BOUNCE, Reason.COMPLAINT, Reason.MANUAL])
def test_a_form_brings_nobody_back_who_complained_bounced_or_was_suppressed(store: Subscribers, reason: Reason) -> None:
    reader = joined(store, "ada@example.org")
    assert store.suppress("Ada@example.org", reason, source="550 5.1.1")
    assert not store.suppress("ada@example.org", "another")
    assert store.subscribe("ada@example.org", "weekly", FORM) is None
    assert store.confirm(reader, "weekly", LINK) is None
    assert mailed(store) == []
    lifted = store.lift("ada@example.org")
    assert lifted is not None
    assert (lifted.reason, lifted.source) == (reason, "550 5.1.1")
    assert mailed(store) == ["ada@example.org"]
    assert store.lift("ada@example.org") is None


def test_the_data_of_somebody_known_are_not_overwritten_by_a_form(store: Subscribers) -> None:
    joined(store, "ada@example.org", name="Ada", fields={"country": "IN"})
    store.subscribe("ada@example.org", "weekly", FORM, name="Mallory", fields={"country": "XX"}, tags=["vip"])
    ada = store.find("ada@example.org")
    assert ada is not None
    assert (ada.name, ada.fields, ada.tags) == ("Ada", {"country": "IN"}, ())


def test_a_subscriber_can_be_edited(store: Subscribers) -> None:
    reader = joined(store, "ada@example.org", name="Ada", fields={"country": "IN", "city": "Pune"}, tags=["a", "b"])
    ada = store.edit(reader, name="Ada B.", fields={"city": "", "team": "x"}, tag=["C"], untag=["A"])
    assert ada is not None
    assert (ada.name, ada.fields, ada.tags) == ("Ada B.", {"country": "IN", "team": "x"}, ("b", "c"))
    assert store.edit(999, name="nobody") is None


@pytest.mark.parametrize(
    "grounds",
    [Grounds("a file"), Grounds("", given=MONDAY)],
    ids=["no date", "no source"],
)
def test_a_row_without_source_and_date_of_consent_is_pending(store: Subscribers, grounds: Grounds) -> None:
    assert imported(store, row("ada@example.org", grounds=grounds)) == [Taken.PENDING]
    assert mailed(store) == []
    assert imported(store, row("ada@example.org")) == [Taken.ADDED]  # the same person, now documented
    assert mailed(store) == ["ada@example.org"]
    assert imported(store, row("ada@example.org", grounds=grounds)) == [Taken.KNOWN]
    assert mailed(store) == ["ada@example.org"]


def test_the_strictest_word_about_a_person_counts(store: Subscribers) -> None:
    out = {"state": Standing.UNSUBSCRIBED}
    assert imported(store, row("a@example.org"), row("A@example.org", **out)) == [Taken.ADDED, Taken.LEFT]
    assert imported(store, row("b@example.org", **out), row("b@example.org")) == [Taken.LEFT, Taken.LEFT]
    assert imported(store, row("c@example.org", suppressed=Reason.BOUNCE)) == [Taken.SUPPRESSED]
    assert imported(store, *map(row, ("a@example.org", "b@example.org", "c@example.org"))) == [Taken.SUPPRESSED] * 3
    assert mailed(store) == []
    assert store.refusals(["c@example.org"], "any")["c@example.org"].reason == Reason.BOUNCE


def test_an_import_may_be_repeated(store: Subscribers) -> None:
    rows = [row(f"{number}@example.org", tags=("x",), fields={"n": str(number)}) for number in range(5)]
    assert imported(store, *rows) == [Taken.ADDED] * 5
    before = [store.show(one.address) for one in rows]
    assert imported(store, *rows) == [Taken.KNOWN] * 5
    assert [store.show(one.address) for one in rows] == before


def test_an_import_fills_in_what_is_missing_and_changes_nothing(store: Subscribers) -> None:
    joined(store, "ada@example.org", fields={"country": "IN"})
    imported(store, row("ada@example.org", name="Ada", fields={"country": "XX", "city": "Pune"}))
    ada = store.find("ada@example.org")
    assert ada is not None
    assert (ada.name, ada.fields) == ("Ada", {"country": "IN", "city": "Pune"})


def test_somebody_added_by_hand_is_active_only_with_proof(store: Subscribers) -> None:
    assert store.add("ada@example.org", "weekly", Grounds("by phone")) is Taken.PENDING
    assert store.add("bob@example.org", "weekly", KNOWN) is Taken.ADDED
    assert mailed(store) == ["bob@example.org"]


def test_lists_are_counted_and_numbered_for_ever(store: Subscribers) -> None:
    joined(store, "ada@example.org")
    store.subscribe("bob@example.org", "weekly", FORM)
    store.unsubscribe(joined(store, "cleo@example.org"), "weekly", source="x")
    joined(store, "ada@example.org", "monthly")
    store.suppress("ada@example.org")
    weekly = store.count("weekly")
    assert weekly is not None
    assert weekly.counts == {Standing.PENDING: 1, Standing.ACTIVE: 1, Standing.UNSUBSCRIBED: 1}
    assert (weekly.suppressed, weekly.mailable) == (1, 0)
    assert [one.name for one in store.lists()] == ["monthly", "weekly"]
    assert store.list_named(weekly.number) == "weekly"
    assert (store.count("no"), store.list_named(99)) == (None, None)


def test_an_export_streams_everybody_with_consent_and_suppression(store: Subscribers) -> None:
    imported(store, *(row(f"{number}@example.org", tags=("a", "b")) for number in range(1203)))
    store.suppress("7@example.org", Reason.BOUNCE)
    store.unsubscribe("8@example.org", "weekly", source="x")
    found = list(store.export())
    assert [one.address for one in found] == [f"{number}@example.org" for number in range(1203)]
    assert {one.subscriber.tags for one in found if one.subscriber} == {("a", "b")}
    assert [one.reason for one in found[7].suppressions] == [Reason.BOUNCE]
    assert [one.source for one in found[7].consents] == [KNOWN.source]
    assert [one.address for one in store.export("weekly", [Standing.UNSUBSCRIBED])] == ["8@example.org"]
    assert len(list(store.export("weekly"))) == 1203
    assert list(store.export("monthly")) == []


def test_who_never_confirms_is_forgotten(store: Subscribers, clock: Clock) -> None:
    store.subscribe("ada@example.org", "weekly", FORM)
    joined(store, "bob@example.org", "monthly")
    store.subscribe("bob@example.org", "weekly", FORM)
    clock.advance(timedelta(days=20))
    store.subscribe("cleo@example.org", "weekly", FORM)
    clock.advance(timedelta(days=11))
    assert store.purge() == 2
    assert store.find("ada@example.org") is None
    assert store.show("ada@example.org").consents == ()
    bob = store.find("bob@example.org")
    assert bob is not None
    assert [one.list for one in bob.memberships] == ["monthly"]
    assert store.find("cleo@example.org") is not None


def test_the_traces_of_a_visit_are_forgotten_after_a_while(store: Subscribers, clock: Clock) -> None:
    joined(store, "ada@example.org")
    clock.advance(timedelta(days=89))
    store.purge()
    assert store.show("ada@example.org").consents[0].ip == "192.0.2.1"
    clock.advance(timedelta(days=2))
    store.purge()
    assert [(one.ip, one.agent) for one in store.show("ada@example.org").consents] == [("", "")] * 2


def test_a_number_is_never_given_to_a_second_person(store: Subscribers) -> None:
    reader = joined(store, "ada@example.org")
    store.erase("ada@example.org")
    assert joined(store, "bob@example.org") > reader


def test_two_who_subscribe_the_same_address_at_once_make_one_subscriber(store: Subscribers) -> None:
    threads = [Thread(target=store.subscribe, args=("ada@example.org", "weekly", FORM)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.export())) == 1
    assert len(store.show("ada@example.org").consents) == 8


def test_a_chunk_that_fails_leaves_nothing_behind(store: Subscribers, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "syndicate.db", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tag BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    with pytest.raises(LedgerError, match="disk is full") as error:
        imported(store, row("ada@example.org", tags=("x",)))
    assert isinstance(error.value.__cause__, IntegrityError)
    assert (list(store.export()), store.lists()) == ([], [])


def test_everywhere_is_no_list(store: Subscribers) -> None:
    assert EVERYWHERE not in [one.name for one in store.lists()]
