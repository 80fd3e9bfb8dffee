"""Any order of events, on any ledger: what Hypothesis finds must agree with a model of a few lines."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from syndicate.database.people import suppression
from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger import open_ledger, rehearsal_copy
from syndicate.ledger.sql import SqlLedger
from syndicate.model import (
    EVERY_ACCOUNT,
    MOVES,
    Deferred,
    Delivery,
    Outcome,
    Paused,
    Receipt,
    Recipient,
    Refused,
    Settlement,
    State,
    Unknown,
)
from syndicate.model.limits import Limits, Rate, Rest, domain_of
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import LEASE, entry

KEYS = ("weekly/1", "daily/1")
WORKERS = ("a", "b")
OUTCOMES: tuple[Outcome, ...] = (Receipt("r"), Refused("no"), Deferred("busy"), Paused("login"), Unknown("?"))
TO = {
    Receipt: State.SENT,
    Refused: State.REFUSED,
    Deferred: State.DEFERRED,
    Paused: State.DEFERRED,
    Unknown: State.UNKNOWN,
}
WAITING = {State.PLANNED, State.DEFERRED}
SPAN = timedelta(minutes=10)
NARROW = Limits(account=(Rate(2, SPAN),), domain=(Rate(1, SPAN),))
ACCOUNT = "mail"
#: The account itself, and two domains of readers.
PLACES = ("", "example.org", "example.net")


@dataclass
class Expected:
    """What one delivery must be."""

    edition: str
    recipient: str
    state: State = State.PLANNED
    epoch: int = 0
    #: minutes of the clock
    due: float = 0
    lease: int = 0
    moves: list[str] = field(default_factory=list)

    def move(self, to: State) -> None:
        self.moves.append(f"{self.state} -> {to}")
        self.state = to


def list_of(key: str) -> str:
    """Whose suppressions hold for an edition."""
    return key.partition("/")[0]


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, make: Callable[[Path], SqlLedger]) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.ledger = make(self.root)
        self.clock = Clock()
        self.minute = 0
        self.model: dict[int, Expected] = {}
        self.editions: dict[str, str] = {}
        self.held: dict[str, list[Delivery]] = {worker: [] for worker in WORKERS}
        #: place -> minute until which it rests
        self.rests: dict[str, int] = {}
        #: (person, list); `""` is every list
        self.suppressed: set[tuple[str, str]] = set()
        #: (minute, domain) of all that was begun under limits
        self.begun: list[tuple[int, str]] = []

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.root)

    @initialize(sizes=st.tuples(st.integers(1, 4), st.integers(0, 2)))
    def enter(self, sizes: tuple[int, int]) -> None:
        for key, size in zip(KEYS, sizes, strict=True):
            people = [Recipient(f"{number}@example.{'net' if number % 2 else 'org'}") for number in range(size)]
            assert self.ledger.enter(entry(key, people, list=list_of(key)), self.clock()) == size
            self.editions[key] = "sending"
            self.model |= {one.id: Expected(key, one.recipient) for one in self.ledger.deliveries(key)}

    def open_count(self, key: str) -> int:
        return sum(one.state in WAITING | {State.SENDING} for one in self.model.values() if one.edition == key)

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.minute += minutes
        self.clock.advance(timedelta(minutes=minutes))

    def blocked(self, key: str) -> bool:
        """Nothing of the edition may be claimed."""
        return self.editions[key] != "sending" or self.rests.get("", 0) > self.minute

    def unwanted(self, one: Expected) -> bool:
        return bool(self.suppressed & {(one.recipient, ""), (one.recipient, list_of(one.edition))})

    def rests_now(self, one: Expected) -> bool:
        return self.rests.get(domain_of(one.recipient), 0) > self.minute

    def due(self, key: str) -> list[int]:
        """Whose turn has come, in order."""
        found = ((one.due, number) for number, one in self.model.items() if one.edition == key and one.state in WAITING)
        return [number for due, number in sorted(found) if due <= self.minute]

    def claimable(self, key: str) -> list[int]:
        """Who may be claimed without limits, in order."""
        if self.blocked(key):
            return []
        mine = ((number, self.model[number]) for number in self.due(key))
        return [number for number, one in mine if not self.unwanted(one) and not self.rests_now(one)]

    @rule(worker=st.sampled_from(WORKERS), key=st.sampled_from(KEYS), limit=st.integers(1, 3))
    def claim(self, worker: str, key: str, limit: int) -> None:
        expected, due = self.claimable(key)[:limit], self.due(key)
        claimed = self.ledger.claim(key, worker, limit, self.clock(), LEASE)
        assert [one.id for one in claimed] == expected
        self.note(worker, claimed)
        self.note_others(key, due, limited=False)

    @rule(worker=st.sampled_from(WORKERS), key=st.sampled_from(KEYS), limit=st.integers(1, 3))
    def claim_within_limits(self, worker: str, key: str, limit: int) -> None:
        """Never more than the rates allow within any span, over all workers and editions."""
        allowed, due = self.claimable(key), self.due(key)
        claimed = self.ledger.claim(key, worker, limit, self.clock(), LEASE, NARROW)
        assert len(claimed) <= limit
        assert [one.id for one in claimed] == [number for number in allowed if number in {one.id for one in claimed}]
        self.begun += [(self.minute, domain_of(one.recipient)) for one in claimed]
        recent = [domain for minute, domain in self.begun if minute > self.minute - SPAN // timedelta(minutes=1)]
        assert len(recent) <= NARROW.account[0].count
        assert all(count <= NARROW.domain[0].count for count in Counter(recent).values())
        self.note(worker, claimed)
        self.note_others(key, due, limited=True)

    def note(self, worker: str, claimed: Sequence[Delivery]) -> None:
        for delivery in claimed:
            one = self.model[delivery.id]
            one.move(State.SENDING)
            one.epoch += 1
            one.lease = self.minute + 15
            assert delivery.epoch == one.epoch
        self.held[worker] += claimed

    def note_others(self, key: str, due: list[int], *, limited: bool) -> None:
        """Who was due and not claimed: skipped if unwanted, put off if his domain has to wait, else as he was."""
        rows = {row.id: row for row in self.ledger.deliveries(key)}
        for number in due:
            one, row = self.model[number], rows[number]
            if one.state not in WAITING:
                continue
            if row.state is State.SKIPPED:
                assert self.unwanted(one)
                one.move(State.SKIPPED)
            elif row.due and row.due != MONDAY + timedelta(minutes=one.due):
                assert row.due > self.clock()
                assert limited or self.rests_now(one)
                one.due = (row.due - MONDAY) / timedelta(minutes=1)

    @rule(data=st.data(), everywhere=st.booleans())
    def somebody_leaves(self, data: st.DataObject, everywhere: bool) -> None:
        """From here on nobody claims them: the claim itself looks."""
        one = self.model[data.draw(st.sampled_from(sorted(self.model)))]
        row = one.recipient, "" if everywhere else list_of(one.edition)
        if row not in self.suppressed:
            values = {"person": row[0], "list": row[1], "reason": "unsubscribed", "at": 0}
            with self.ledger.database.writing() as connection:
                connection.execute(suppression.insert().values(values))
            self.suppressed.add(row)
        self.claim("a", one.edition, len(self.model))

    @precondition(lambda self: self.suppressed)
    @rule(data=st.data())
    def somebody_comes_back(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self.suppressed)))
        table = suppression.c
        with self.ledger.database.writing() as connection:
            connection.execute(suppression.delete().where(table.person == row[0], table.list == row[1]))
        self.suppressed.remove(row)

    @rule(place=st.sampled_from(PLACES), minutes=st.integers(1, 20), key=st.sampled_from(KEYS))
    def somebody_rests(self, place: str, minutes: int, key: str) -> None:
        until = self.clock() + timedelta(minutes=minutes)
        self.ledger.rest(Rest(ACCOUNT, place, until, 1, "busy"))
        self.rests[place] = self.minute + minutes
        self.claim("a", key, len(self.model))

    @rule(place=st.sampled_from(PLACES))
    def somebody_is_well_again(self, place: str) -> None:
        self.ledger.wake(ACCOUNT, place)
        self.rests.pop(place, None)

    @rule(everybody=st.booleans(), worker=st.sampled_from(WORKERS), key=st.sampled_from(KEYS))
    def an_account_is_paused_and_resumed(self, everybody: bool, worker: str, key: str) -> None:
        """Nothing is claimed in between. At once, since a machine that mostly waits finds little."""
        name = EVERY_ACCOUNT if everybody else ACCOUNT
        self.ledger.pause_account(name, "login", "", self.clock())
        assert list(self.ledger.claim(key, worker, len(self.model), self.clock(), LEASE)) == []
        assert self.ledger.resume_account(name, self.clock(), "person")
        self.rests = {place: until for place, until in self.rests.items() if place not in self.woken()}

    def woken(self) -> set[str]:
        """Resuming may end rests; which, the ledger knows."""
        return set(PLACES) - {rest.domain for rest in self.ledger.rests(ACCOUNT)}

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES), wait=st.sampled_from((0, 0, 10)))
    def settle(self, data: st.DataObject, outcome: Outcome, wait: int) -> None:
        """Of a claim that may be lost by now, and may have been settled before."""
        worker = data.draw(st.sampled_from([worker for worker in WORKERS if self.held[worker]]))
        delivery = data.draw(st.sampled_from(self.held[worker]))
        due = self.clock() + timedelta(minutes=wait)
        lost = self.ledger.settle([Settlement(delivery, outcome, due=due)], self.clock(), worker)
        one, to = self.model[delivery.id], TO[type(outcome)]
        fits = one.epoch == delivery.epoch and one.state in {State.SENDING, State.UNKNOWN} and to in MOVES[one.state]
        assert list(lost) == ([] if fits else [delivery])
        if fits:
            one.move(to)
            one.due = self.minute + wait

    def lost_claims(self) -> list[tuple[str, Delivery]]:
        """Somebody else has them by now."""
        held = [(worker, one) for worker in WORKERS for one in self.held[worker]]
        return [(worker, one) for worker, one in held if one.epoch < self.model[one.id].epoch]

    @precondition(lambda self: self.lost_claims())
    @rule(data=st.data(), outcome=st.sampled_from(OUTCOMES))
    def a_frozen_worker_wakes_up(self, data: st.DataObject, outcome: Outcome) -> None:
        worker, delivery = data.draw(st.sampled_from(self.lost_claims()))
        assert list(self.ledger.settle([Settlement(delivery, outcome)], self.clock(), worker)) == [delivery]

    @precondition(lambda self: any(one.state is State.SENDING for one in self.model.values()))
    @rule(worker=st.sampled_from(WORKERS))
    def another_worker_takes_over(self, worker: str) -> None:
        """All claims run out, a person says `again`, and they are claimed anew; who had them may come back."""
        self.time_passes(15)
        self.recover()
        for seen in list(self.ledger.deliveries(states=[State.UNKNOWN])):
            self.ledger.resolve(seen, State.DEFERRED, "again", self.clock(), "person")
            self.model[seen.id].move(State.DEFERRED)
            self.model[seen.id].due = self.minute
        for key in KEYS:
            self.claim(worker, key, len(self.model))

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=st.sampled_from(WORKERS))
    def crash(self, worker: str) -> None:
        self.held[worker] = []

    @rule()
    def recover(self) -> None:
        expected = [n for n, one in self.model.items() if one.state is State.SENDING and one.lease <= self.minute]
        assert [one.id for one in self.ledger.recover(self.clock())] == expected
        for number in expected:
            self.model[number].move(State.UNKNOWN)

    @rule(data=st.data(), to=st.sampled_from(State), stale=st.booleans())
    def resolve(self, data: st.DataObject, to: State, stale: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.model)))
        (seen,) = (one for one in self.ledger.deliveries(self.model[number].edition) if one.id == number)
        one = self.model[number]
        if stale and number in self.claimable(one.edition):
            self.claim("a", one.edition, len(self.model))
            with pytest.raises(Superseded):
                self.ledger.resolve(seen, to, "", self.clock(), "person")
        elif one.state is not State.SENDING and to in MOVES[one.state] - {State.SENDING}:
            self.ledger.resolve(seen, to, "", self.clock(), "person")
            one.move(to)
            one.due = self.minute if seen.due is None or to is not State.DEFERRED else one.due
        else:
            with pytest.raises(IllegalMove):
                self.ledger.resolve(seen, to, "", self.clock(), "person")

    @rule(key=st.sampled_from(KEYS), to=st.sampled_from(("sending", "sending", "paused", "cancelled")))
    def move_edition(self, key: str, to: str) -> None:
        done = self.editions[key] == "sending" and not self.open_count(key)
        allowed = {"sending": {"paused", "cancelled"}, "paused": {"sending", "cancelled"}, "cancelled": set[str]()}
        if done or to not in allowed[self.editions[key]]:
            with pytest.raises(IllegalMove):
                self.ledger.set_edition_state(key, to, "", self.clock(), "person")
            return
        self.ledger.set_edition_state(key, to, "", self.clock(), "person")
        self.editions[key] = to
        if to == "cancelled":
            for one in self.model.values():
                if one.edition == key and one.state in WAITING:
                    one.move(State.CANCELLED)

    @invariant()
    def every_row_is_as_the_model_says(self) -> None:
        found = {one.id: (one.edition, one.state, one.epoch) for one in self.ledger.deliveries()}
        assert found == {number: (one.edition, one.state, one.epoch) for number, one in self.model.items()}

    @invariant()
    def the_counts_are_those_of_the_rows(self) -> None:
        rows = {row.key: row for row in self.ledger.editions()}
        unfinished, doubtful = set(), set()
        for key, state in self.editions.items():
            counted = Counter(one.state for one in self.model.values() if one.edition == key)
            assert {state: count for state, count in rows[key].counts.items() if count} == counted
            done = state == "sending" and not self.open_count(key)
            assert rows[key].state == ("done" if done else state)
            unfinished |= {key} if state == "sending" and not done else set()
            doubtful |= {key} if counted[State.UNKNOWN] else set()
        assert (set(self.ledger.unfinished()), set(self.ledger.doubtful())) == (unfinished, doubtful)

    @invariant()
    def the_story_tells_every_move_in_order(self) -> None:
        told = [event.what for event in self.ledger.story(KEYS[0], "0@example.org") if event.recipient]
        assert told == next((one.moves for one in self.model.values() if one.edition == KEYS[0]), [])

    @invariant()
    def the_rests_are_those_that_were_asked_for(self) -> None:
        assert {rest.domain for rest in self.ledger.rests(ACCOUNT)} == set(self.rests)

    @invariant()
    def workers_hold_what_is_on_the_wire_and_nothing_else(self) -> None:
        claimed = {one.id for worker in WORKERS for one in self.ledger.claimed(worker)}
        assert claimed == {number for number, one in self.model.items() if one.state is State.SENDING}


#: More by hand: SYNDICATE_EXAMPLES=2000.
EXAMPLES = int(os.environ.get("SYNDICATE_EXAMPLES", "40"))
LIMITS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    derandomize="SYNDICATE_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_any_order_of_events_on_disk(empty: Callable[[Path], Path]) -> None:
    def make(root: Path) -> SqlLedger:
        return open_ledger(f"sqlite:///{empty(root)}", root)

    run_state_machine_as_test(lambda: LedgerMachine(make), settings=settings(LIMITS, max_examples=EXAMPLES // 2))


def test_any_order_of_events_in_memory(empty: Callable[[Path], Path]) -> None:
    def make(root: Path) -> SqlLedger:
        return rehearsal_copy(f"sqlite:///{empty(root)}", root)

    run_state_machine_as_test(lambda: LedgerMachine(make), settings=LIMITS)
