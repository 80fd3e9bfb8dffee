"""Any order of events, on any ledger: what Hypothesis finds must agree with a model of a few lines."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
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

from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger import open_ledger, rehearsal_copy
from syndicate.ledger.base import Ledger
from syndicate.model import MOVES, Deferred, Delivery, Outcome, Paused, Receipt, Refused, Settlement, State, Unknown
from syndicate.testing.clock import Clock
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


@dataclass
class Expected:
    """What one delivery must be."""

    edition: str
    state: State = State.PLANNED
    epoch: int = 0
    #: minutes of the clock
    due: int = 0
    lease: int = 0
    moves: list[str] = field(default_factory=list)

    def move(self, to: State) -> None:
        self.moves.append(f"{self.state} -> {to}")
        self.state = to


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self, make: Callable[[Path], Ledger]) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.ledger = make(self.root)
        self.clock = Clock()
        self.minute = 0
        self.model: dict[int, Expected] = {}
        self.editions: dict[str, str] = {}
        self.held: dict[str, list[Delivery]] = {worker: [] for worker in WORKERS}

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.root)

    @initialize(sizes=st.tuples(st.integers(1, 4), st.integers(0, 2)))
    def enter(self, sizes: tuple[int, int]) -> None:
        for key, size in zip(KEYS, sizes, strict=True):
            assert self.ledger.enter(entry(key, size), self.clock()) == size
            self.editions[key] = "sending"
            self.model |= {one.id: Expected(key) for one in self.ledger.deliveries(key)}

    def open_count(self, key: str) -> int:
        return sum(one.state in WAITING | {State.SENDING} for one in self.model.values() if one.edition == key)

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.minute += minutes
        self.clock.advance(timedelta(minutes=minutes))

    @rule(worker=st.sampled_from(WORKERS), key=st.sampled_from(KEYS), limit=st.integers(1, 3))
    def claim(self, worker: str, key: str, limit: int) -> None:
        due = [
            (one.due, number)
            for number, one in self.model.items()
            if one.edition == key and one.state in WAITING and one.due <= self.minute
        ]
        expected = [number for _, number in sorted(due)][:limit] if self.editions[key] == "sending" else []
        claimed = self.ledger.claim(key, worker, limit, self.clock(), LEASE)
        assert [one.id for one in claimed] == expected
        for delivery in claimed:
            one = self.model[delivery.id]
            one.move(State.SENDING)
            one.epoch += 1
            one.lease = self.minute + 15
            assert delivery.epoch == one.epoch
        self.held[worker] += claimed

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
        if stale and one.state in WAITING and self.editions[one.edition] == "sending" and one.due <= self.minute:
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
    def make(root: Path) -> Ledger:
        return open_ledger(f"sqlite:///{empty(root)}", root)

    run_state_machine_as_test(lambda: LedgerMachine(make), settings=settings(LIMITS, max_examples=EXAMPLES // 2))


def test_any_order_of_events_in_memory(empty: Callable[[Path], Path]) -> None:
    def make(root: Path) -> Ledger:
        return rehearsal_copy(f"sqlite:///{empty(root)}", root)

    run_state_machine_as_test(lambda: LedgerMachine(make), settings=LIMITS)
