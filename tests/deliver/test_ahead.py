"""While one batch is on the wire, the ledger writes what became of the last and claims the next."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.courier import Courier
from syndicate.errors import LedgerError
from syndicate.ledger.base import Ledger
from syndicate.model import Outcome, Receipt, State
from syndicate.model.limits import Limits, Rate
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.entries import KEY, entry, people
from tests.deliver.conftest import MakeCourier

BATCH = 10


class Behind:
    """Any ledger, with a hand on one of its methods."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def states(ledger: Ledger) -> Counter[State]:
    return Counter(one.state for one in ledger.deliveries(KEY))


def test_the_wire_does_not_wait_for_the_ledger(ledger: Ledger, clock: Clock) -> None:
    further = threading.Event()

    class Slow(Behind):
        def settle(self, *args: Any) -> Any:
            assert further.wait(10)  # until somebody of a later batch was sent
            return self._ledger.settle(*args)

    ledger.enter(entry(recipients=3 * BATCH), clock())
    late = people(3 * BATCH)[BATCH + 5].address
    sender = ScriptedSender({late: [lambda: further.set() or Receipt("late")]})
    tally = Courier(Slow(ledger), clock, batch=BATCH, pulse=lambda: 0.0).deliver(KEY, sender, mail_for)  # type: ignore[arg-type]
    assert tally.sent == 3 * BATCH


def test_what_was_claimed_ahead_is_given_back(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=5 * BATCH), clock())
    mine = courier(batch=BATCH)

    def stop() -> Outcome:
        mine.stop()
        return Receipt("the last one")

    sender = ScriptedSender({people(1)[0].address: [stop]})
    assert mine.deliver(KEY, sender, mail_for).sent == 1
    assert states(ledger)[State.SENDING] == 0
    assert courier().deliver(KEY, sender, mail_for).sent == 5 * BATCH
    assert {one.attempt for one in ledger.deliveries(KEY)} == {1}


def test_a_claim_ahead_that_fails_ends_the_run_and_costs_nobody_anything(
    ledger: Ledger, clock: Clock, attempts: Attempts
) -> None:
    class Once(Behind):
        claims = 0

        def claim(self, *args: Any, **more: Any) -> Any:
            self.claims += 1
            found = self._ledger.claim(*args, **more)
            if self.claims == 2:
                raise LedgerError("the disk is full, or perhaps not")
            return found

    ledger.enter(entry(recipients=5 * BATCH), clock())
    sender = ScriptedSender()
    with pytest.raises(LedgerError, match="perhaps not"):
        Courier(Once(ledger), clock, attempts=attempts, batch=BATCH).deliver(KEY, sender, mail_for)  # type: ignore[arg-type]
    Courier(ledger, clock, attempts=attempts).deliver(KEY, sender, mail_for)
    assert sender.accepted == {person.address: 1 for person in people(5 * BATCH)}
    assert states(ledger) == {State.SENT: 5 * BATCH}


def test_where_there_are_limits_nothing_is_claimed_ahead(ledger: Ledger, clock: Clock) -> None:
    """What is claimed counts as begun: a crash would use up twice as much of the limit."""
    limits = Limits((Rate(100, timedelta(hours=1)),))
    most = 0

    class Watching(ScriptedSender):
        def send(self, *args: Any) -> Outcome:
            nonlocal most
            most = max(most, states(ledger)[State.SENDING])
            return super().send(*args)

    ledger.enter(entry(recipients=5 * BATCH), clock())
    Courier(ledger, clock, batch=BATCH, limits=limits).deliver(KEY, Watching(), mail_for)
    assert most == BATCH
