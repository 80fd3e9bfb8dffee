"""Many settlements at once: what is lost is found, whatever it stands between, and nothing else is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.errors import IllegalMove
from syndicate.ledger import open_ledger
from syndicate.ledger.base import Ledger
from syndicate.ledger.settling import TOGETHER
from syndicate.model import Deferred, Delivery, Outcome, Receipt, Recipient, Refused, Settlement, State, Unknown
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, claim, entry, settle, states


@pytest.fixture(params=["on disk", "in memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, empty: Callable[[Path], Path]) -> Iterator[Ledger]:
    url = f"sqlite:///{empty(tmp_path)}" if request.param == "on disk" else "sqlite://"
    with closing(open_ledger(url, tmp_path)) as ledger:
        yield ledger


YES = Receipt("4Zk", "", "250 queued")


def yes(one: Delivery, outcome: Outcome = YES) -> Settlement:
    return Settlement(one, outcome, "a" * 64, 41)


@pytest.mark.parametrize("count", [1, 2, 3, TOGETHER, TOGETHER + 1])
def test_any_number_is_written(ledger: Ledger, count: int) -> None:
    ledger.enter(entry(recipients=count), MONDAY)
    claimed = claim(ledger, count)
    assert list(ledger.settle([yes(one) for one in claimed], LATER, "w")) == []
    for number, one in enumerate(ledger.deliveries(KEY)):
        assert (one.recipient, one.state, one.sha256, one.size) == (f"{number}@example.org", State.SENT, "a" * 64, 41)
        assert (one.receipt, one.permalink, one.reason, one.moved) == ("4Zk", "", "250 queued", LATER)
    row = ledger.edition(KEY)
    assert row is not None
    assert row.counts == {state: count if state is State.SENT else 0 for state in State}


def test_what_is_lost_keeps_nothing_else_from_being_written(ledger: Ledger) -> None:
    """Each kind of loss, between answers of each kind; every move stands in the history once."""
    ledger.enter(entry(recipients=8), MONDAY)
    mine = claim(ledger, 8)
    ledger.recover(MONDAY + LEASE)  # all are in doubt now, and a late answer still counts where it is evidence
    ledger.resolve(next(ledger.deliveries(KEY)), State.CANCELLED, "", LATER, "person")
    ledger.resolve(next(ledger.deliveries(KEY, [State.UNKNOWN])), State.DEFERRED, "", LATER, "person")
    (stolen,) = claim(ledger, 8, LATER, "another")
    answers = [
        *map(yes, mine[:3]),
        Settlement(mine[3], Deferred("450 busy"), due=LATER),
        Settlement(mine[4], Refused("550 no")),  # only who is on the wire can be refused
        yes(mine[3]),  # its first settlement counts
        yes(mine[5]),
        Settlement(mine[5], Deferred("450 busy"), due=LATER),
        Settlement(mine[6], Unknown("no reply")),
    ]
    lost = ledger.settle(answers, LATER, "w")
    assert [one.id for one in lost] == [mine[number].id for number in (0, 1, 4, 3, 5, 6)]
    assert stolen.id == mine[1].id
    assert list(states(ledger).values()) == [
        State.CANCELLED, State.SENDING, State.SENT, State.DEFERRED,
        State.UNKNOWN, State.SENT, State.UNKNOWN, State.UNKNOWN,
    ]  # fmt: skip
    told = [event.what for event in ledger.story(KEY, "5@example.org") if event.recipient]
    assert told == ["planned -> sending", "sending -> unknown", "unknown -> sent"]


def test_one_that_is_impossible_keeps_all_from_being_written(ledger: Ledger) -> None:
    ledger.enter(entry(recipients=3), MONDAY)
    first, *others = claim(ledger, 3)
    settle(ledger, first, YES)
    sent = next(ledger.deliveries(KEY, [State.SENT]))
    with pytest.raises(IllegalMove):
        ledger.settle([*map(yes, others), yes(sent)], LATER, "w")
    assert list(states(ledger).values()) == [State.SENT, State.SENDING, State.SENDING]


def test_what_is_claimed_is_what_is_written(ledger: Ledger) -> None:
    """A claim asks for little and adds what it knows; nobody may see the difference."""
    readers = [Recipient("Ann@example.org", "Ann", {"town": "Köln"}, 7), Recipient("bob@example.org")]
    ledger.enter(entry(recipients=readers), MONDAY)
    first = claim(ledger)
    assert first == list(ledger.deliveries(KEY))
    assert [one.fields for one in first] == [{"town": "Köln"}, {}]
    for one, outcome in zip(first, (Deferred("450 busy"), Unknown("no reply")), strict=True):
        answer = Settlement(one, outcome, "b" * 64, 42, {"hole": "id"}, then=None, due=LATER)
        assert list(ledger.settle([answer], MONDAY, "w")) == []
    doubtful = next(ledger.deliveries(KEY, [State.UNKNOWN]))
    ledger.resolve(doubtful, State.DEFERRED, "", LATER, "person", doubt=True)
    later = LATER + timedelta(seconds=1)
    again = sorted(claim(ledger, at=later), key=lambda one: one.id)
    assert again == list(ledger.deliveries(KEY))
    assert [(one.attempt, one.epoch, one.sha256, one.fills) for one in again] == [(2, 2, "b" * 64, {"hole": "id"})] * 2
    assert [one.doubted for one in again] == [None, MONDAY]
