"""Every decision about what a network answered, in one place.

| answer    | the delivery becomes | and then                                                                       |
|-----------|----------------------|--------------------------------------------------------------------------------|
| Receipt   | sent                 |                                                                                |
| Refused   | refused              | unknown instead, if an earlier attempt is in doubt: that one may have arrived  |
| Deferred  | deferred             | due as the network asks or by the schedule; expired once it is too old         |
| Paused    | deferred, at once    | at no cost; the account waits for a person and nobody else is tried            |
| Unknown   | unknown              | deferred, if the network will recognise a repeat or the channel says `resend`  |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import assert_never

from syndicate.model import (
    Dedupe,
    Deferred,
    Delivery,
    Outcome,
    Paused,
    Receipt,
    Refused,
    Settlement,
    State,
    Unknown,
)

SCHEDULE = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
#: A network that asks for no wait at all would be asked without end.
SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How patient the courier is, and what it does about silence. `decide` is the table above."""

    #: wait after the first, second, … attempt; the last holds for all further ones
    schedule: tuple[timedelta, ...] = SCHEDULE
    #: the wait varies by this share in both directions, so that a thousand refusals do not come back at once
    jitter: float = 0.2
    #: since its edition was entered; older deliveries are given up
    max_age: timedelta = timedelta(hours=48)
    #: `hold`: a person decides about silence | `resend`: the same bytes again, for what may arrive twice
    unknown: str = "hold"

    def decide(
        self, delivery: Delivery, outcome: Outcome, dedupe: Dedupe, *, now: datetime, entered: datetime
    ) -> Settlement:
        """What the ledger is told."""
        match outcome:
            case Receipt():
                return Settlement(delivery, outcome)
            case Refused():
                return Settlement(delivery, _still_in_doubt(delivery, outcome.reason) or outcome)
            case Deferred():
                return self._defer(delivery, outcome, now, entered)
            case Paused():
                return Settlement(delivery, outcome, free=True)
            case Unknown():
                return self._repeat(delivery, outcome, dedupe, now, entered)
            case _:
                assert_never(outcome)

    def may_send(self, delivery: Delivery, dedupe: Dedupe, now: datetime) -> bool:
        """Whether a claimed delivery may go out, though the network may have it from an earlier attempt."""
        return delivery.doubted is None or self.unknown == "resend" or recognised(delivery.doubted, dedupe, now)

    def wait(self, delivery: Delivery) -> timedelta:
        """Until the next attempt: a function of the delivery and its attempt, so that a restart changes nothing."""
        base = self.schedule[min(max(delivery.attempt, 1), len(self.schedule)) - 1]
        seed = blake2b(f"{delivery.key} {delivery.attempt}".encode(), digest_size=8).digest()
        share = int.from_bytes(seed, "big") / 2**63 - 1
        return base * (1 + self.jitter * share)

    def _defer(self, delivery: Delivery, outcome: Deferred, now: datetime, entered: datetime) -> Settlement:
        due = now + (self.wait(delivery) if outcome.after is None else max(outcome.after, SHORTEST))
        if due < entered + self.max_age:
            return Settlement(delivery, outcome, due=due)
        if doubt := _still_in_doubt(delivery, outcome.reason):
            return Settlement(delivery, doubt)
        return Settlement(delivery, outcome, then=State.EXPIRED, why=f"given up after {_hours(self.max_age)}")

    def _repeat(
        self, delivery: Delivery, outcome: Unknown, dedupe: Dedupe, now: datetime, entered: datetime
    ) -> Settlement:
        due = now + self.wait(delivery)
        since = delivery.doubted or delivery.moved or now
        if recognised(since, dedupe, due):
            why = "the network recognises a repeat of the same bytes"
        elif self.unknown == "resend" and due < entered + self.max_age:
            why = "the channel says `unknown: resend`"
        else:
            return Settlement(delivery, outcome)
        return Settlement(delivery, outcome, due=due, then=State.DEFERRED, why=why)


def recognised(since: datetime, dedupe: Dedupe, now: datetime) -> bool:
    """Whether a repeat at `now` is certain to be recognised by a network that may have the message `since` then."""
    return dedupe.repeat is not None and now - since < dedupe.repeat


def _still_in_doubt(delivery: Delivery, reason: str) -> Unknown | None:
    """An answer to the repeat says nothing about the attempt that stayed without one."""
    if delivery.doubted is None:
        return None
    return Unknown(f"an earlier attempt may have arrived; the repeat was answered: {reason}")


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} hours"
