"""Every decision about what a network answered, in one place.

| answer    | the delivery becomes | and then                                                                       |
|-----------|----------------------|--------------------------------------------------------------------------------|
| Receipt   | sent                 |                                                                                |
| Refused   | refused              | unknown instead, if an earlier attempt is in doubt: that one may have arrived  |
| Deferred  | deferred             | due as the network asks or by the schedule; expired once it is too old         |
|  not reached | deferred          | the same, at no cost                                                           |
| Paused    | deferred, at once    | at no cost; the account waits for a person and nobody else is tried            |
| Unknown   | unknown              | deferred, if the network will recognise a repeat or the channel says `resend`  |

And about those who were not asked yet:

| answers                                   | in a row    | who is left alone      | how long                      |
|-------------------------------------------|-------------|------------------------|-------------------------------|
| nobody was reached                        | `unreached` | the account            | `rests`, longer each time     |
| a lane gave up                            | 1           | the account            | `rests`                       |
| not now (4xx)                             | `busy`      | the recipient's domain | `rests`                       |
| not now, and for how long (4.7.28, 429)   | 1           | the recipient's domain | as long as the network says   |
| the same, from different domains          | `asked`     | the account            | as long as the network says   |
| the same, about a post                    | 1           | the account            | as long as the network says   |
| retries, for each recipient of an edition | `retries`   | the edition            | until a person says `go on`   |
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
from syndicate.model.lane import TOGETHER

SCHEDULE = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
RESTS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
#: Retries that every edition has, however few its recipients are.
FEW = 20
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
    #: failures in a row after which an account or a domain is left alone; the second table says which
    unreached: int = 3
    busy: int = 5
    asked: int = 3
    #: how long, the first, second, … time; the last holds for all further ones
    rests: tuple[timedelta, ...] = RESTS
    #: of an edition, for each of its recipients; then a person looks at it
    retries: float = 3.0
    #: a wait for a limit that a run waits for itself; after a longer one the next run goes on
    patience: timedelta = timedelta(seconds=90)
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

    def may_send(self, delivery: Delivery, dedupe: Dedupe, now: datetime, *, same: bool = True) -> bool:
        """Whether a claimed delivery may go out, though the network may have it from an earlier attempt.

        `same`: its bytes are certain to be those of that attempt, without which no network recognises it.
        """
        if delivery.doubted is None or self.unknown == "resend":
            return True
        return same and recognised(delivery.doubted, dedupe, now)

    def rest(self, failures: int) -> timedelta:
        """How long an account or a domain is left alone that has failed so often."""
        return self.rests[min(failures, len(self.rests)) - 1]

    def worn_out(self, retries: int, recipients: int) -> bool:
        """Whether an edition has had all the retries that it may have."""
        return retries >= max(FEW, self.retries * recipients)

    def wait(self, delivery: Delivery) -> timedelta:
        """Until the next attempt: a function of the delivery and its attempt, so that a restart changes nothing.

        What travelled in one call waits alike: only the same call again is recognised.
        """
        base = self.schedule[min(max(delivery.attempt, 1), len(self.schedule)) - 1]
        name = delivery.fills.get(TOGETHER, delivery.key)
        seed = blake2b(f"{name} {delivery.attempt}".encode(), digest_size=8).digest()
        share = int.from_bytes(seed, "big") / 2**63 - 1
        return base * (1 + self.jitter * share)

    def _defer(self, delivery: Delivery, outcome: Deferred, now: datetime, entered: datetime) -> Settlement:
        due = now + (self.wait(delivery) if outcome.after is None else max(outcome.after, SHORTEST))
        if due < entered + self.max_age:
            return Settlement(delivery, outcome, due=due, free=not outcome.reached)
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
