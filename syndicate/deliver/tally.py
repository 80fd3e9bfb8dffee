"""How far an edition is, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How far an edition is: counts of its deliveries, whoever moved them."""

    total: int = 0
    #: planned, or just on the wire
    planned: int = 0
    sent: int = 0
    refused: int = 0
    #: certainly not accepted; tried again later
    deferred: int = 0
    unknown: int = 0
    #: unsubscribed, cancelled, or deferred until it was too late
    skipped: int = 0
    #: settled since this run began, for each second, whoever did it
    rate: float = 0.0
    #: why it did not go on, and what to do; empty if nothing stopped it
    note: str = ""
    #: what those who were not tried wait for; it goes on by itself
    waits: str = ""
    #: aware; when a run can go on
    until: datetime | None = None
    #: deliveries of whichever edition that dead workers had left, settled before this run
    recovered: int = 0

    @property
    def settled(self) -> int:
        """Deliveries that nobody will try again on his own."""
        return self.sent + self.refused + self.unknown + self.skipped

    @property
    def left(self) -> timedelta | None:
        """How long those who were not tried yet will take at this rate; None while nobody can tell."""
        return timedelta(seconds=self.planned / self.rate) if self.rate > 0 else None


def tally(counts: Mapping[State, int]) -> Tally:
    """The counts of an edition, grouped as people ask for them."""
    return Tally(
        total=sum(counts.values()),
        planned=counts[State.PLANNED] + counts[State.SENDING],
        sent=counts[State.SENT],
        refused=counts[State.REFUSED],
        deferred=counts[State.DEFERRED],
        unknown=counts[State.UNKNOWN],
        skipped=counts[State.SKIPPED] + counts[State.CANCELLED] + counts[State.EXPIRED],
    )
