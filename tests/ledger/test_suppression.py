"""Who is suppressed is not claimed: the claim looks in its own transaction, whatever has happened since it began."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import pytest

from syndicate.audience.store import Subscribers
from syndicate.database import rehearsal_copy
from syndicate.ledger import open_ledger
from syndicate.ledger.sql import SqlLedger
from syndicate.model import Deferred, Receipt, Recipient, Settlement, State
from syndicate.model.limits import Limits, Rate
from syndicate.model.people import Reason
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, claim, entry, settle


@pytest.fixture(params=["on disk", "in memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, empty: Callable[[Path], Path]) -> Iterator[SqlLedger]:
    url = "sqlite://" if request.param == "in memory" else f"sqlite:///{empty(tmp_path)}"
    with closing(open_ledger(url, tmp_path)) as opened:
        yield opened


@pytest.fixture
def store(ledger: SqlLedger) -> Subscribers:
    return Subscribers(ledger.database, lambda: (b"k" * 32,), lambda: MONDAY)


def counts(ledger: SqlLedger) -> dict[State, int]:
    row = ledger.edition(KEY)
    assert row is not None
    return {state: count for state, count in row.counts.items() if count}


def test_who_is_suppressed_is_skipped_with_the_reason(ledger: SqlLedger, store: Subscribers) -> None:
    ledger.enter(entry(recipients=3, list="weekly"), MONDAY)
    store.suppress("1@example.org", Reason.BOUNCE)
    assert [one.recipient for one in claim(ledger)] == ["0@example.org", "2@example.org"]
    (skipped,) = ledger.deliveries(KEY, [State.SKIPPED])
    assert (skipped.recipient, skipped.reason, skipped.attempt) == ("1@example.org", "bounced", 0)
    last = ledger.story(KEY, "1@example.org")[-1]
    assert (last.what, last.reason, last.actor) == ("planned -> skipped", "bounced", "worker")


@pytest.mark.parametrize(("left", "claimed"), [("weekly", 0), ("", 0), ("monthly", 1)])
def test_leaving_a_list_holds_for_its_editions(ledger: SqlLedger, store: Subscribers, left: str, claimed: int) -> None:
    ledger.enter(entry(recipients=[Recipient("Ada@Example.org")], list="weekly"), MONDAY)
    store.unsubscribe("ada@example.org", left, source="one-click")
    assert len(claim(ledger)) == claimed


def test_who_leaves_between_two_attempts_gets_no_second_one(ledger: SqlLedger, store: Subscribers) -> None:
    ledger.enter(entry(recipients=1, list="weekly"), MONDAY)
    (first,) = claim(ledger)
    settle(ledger, first, Deferred("busy"), due=LATER)
    store.unsubscribe("0@example.org", "weekly", source="one-click")
    assert claim(ledger, at=LATER) == []
    assert counts(ledger) == {State.SKIPPED: 1}


def test_what_is_on_the_wire_is_settled_as_it_went(ledger: SqlLedger, store: Subscribers) -> None:
    ledger.enter(entry(recipients=1, list="weekly"), MONDAY)
    (first,) = claim(ledger)
    store.unsubscribe("0@example.org", "weekly", source="one-click")
    assert settle(ledger, first, Receipt()) == []
    assert counts(ledger) == {State.SENT: 1}


def test_many_suppressed_in_a_row_do_not_end_the_send(ledger: SqlLedger, store: Subscribers) -> None:
    ledger.enter(entry(recipients=1300, list="weekly"), MONDAY)
    for number in range(1299):
        store.suppress(f"{number}@example.org")
    assert [one.recipient for one in claim(ledger, limit=10)] == ["1299@example.org"]
    assert counts(ledger) == {State.SKIPPED: 1299, State.SENDING: 1}


def test_rate_limits_count_nobody_who_is_skipped(ledger: SqlLedger, store: Subscribers) -> None:
    ledger.enter(entry(recipients=4, list="weekly"), MONDAY)
    store.suppress("0@example.org")
    store.suppress("1@example.org")
    limits = Limits(domain=(Rate(2, LEASE),))
    assert [one.recipient for one in ledger.claim(KEY, "w", 10, MONDAY, LEASE, limits)] == [
        "2@example.org",
        "3@example.org",
    ]


def test_a_rehearsal_skips_the_same_people(tmp_path: Path, empty: Callable[[Path], Path]) -> None:
    url = f"sqlite:///{empty(tmp_path)}"
    with closing(open_ledger(url, tmp_path)) as live:
        Subscribers(live.database, lambda: (b"k" * 32,), lambda: MONDAY).suppress("1@example.org")
        with closing(SqlLedger(rehearsal_copy(url, tmp_path))) as dry:
            for ledger in (live, dry):
                ledger.enter(entry(list="weekly"), MONDAY)
                assert [one.recipient for one in claim(ledger)] == ["0@example.org", "2@example.org"]


def test_nobody_is_claimed_after_unsubscribing_from_another_thread(
    tmp_path: Path, empty: Callable[[Path], Path]
) -> None:
    """One thread claims from the start, another unsubscribes from the end on; whoever was told so is safe at once."""
    url, count = f"sqlite:///{empty(tmp_path)}", 60
    with closing(open_ledger(url, tmp_path)) as ledger:
        ledger.enter(entry(recipients=count, list="weekly"), MONDAY)
        store = Subscribers(ledger.database, lambda: (b"k" * 32,), lambda: MONDAY)
        told: SimpleQueue[str] = SimpleQueue()

        def leave() -> None:
            for number in reversed(range(count)):
                store.unsubscribe(f"{number}@example.org", "weekly", source="one-click")
                told.put(f"{number}@example.org")

        thread = Thread(target=leave)
        thread.start()
        gone, sent = {told.get()}, list[str]()
        while claimed := ledger.claim(KEY, "worker", 3, MONDAY, LEASE):
            assert gone.isdisjoint(one.recipient for one in claimed)
            ledger.settle([Settlement(one, Receipt()) for one in claimed], MONDAY, "worker")
            sent += [one.recipient for one in claimed]
            if len(gone) < count:
                gone.add(told.get())  # one at least has left before the next claim, and more may have meanwhile
        thread.join()
        row = ledger.edition(KEY)
        assert row is not None
        assert (row.counts[State.SENT], row.counts[State.SKIPPED]) == (len(sent), count - len(sent))
        assert len(sent) < count
