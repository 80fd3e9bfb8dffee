"""How fast: as much is claimed as the account's limits leave; a short wait is waited for, a long one ends the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from syndicate.deliver.base import LedgerLike
from syndicate.model import State
from syndicate.model.limits import Limits

#: What is claimed counts as begun, so a worker that dies with it costs no more than one part in so many of a limit.
PORTION = 10


class Pace:
    """The pace of one edition."""

    def __init__(self, ledger: LedgerLike, edition: str, account: str, limits: Limits) -> None:
        self._ledger = ledger
        self._edition = edition
        self._account = account
        self.limits = limits

    def portion(self, batch: int) -> int:
        """How many to claim at once."""
        return min((batch, *(max(1, rate.count // PORTION) for rate in self.limits.account)))

    def turn(self, counts: Mapping[State, int], now: datetime) -> datetime | None:
        """When more may be begun, if it is a limit that stands in the way."""
        room = self._ledger.room(self._account, self.limits, now) if self.limits.account else None
        due = self._ledger.next_due(self._edition) if room and not room.count else None
        if room and due and due <= now:
            return room.more
        return self.put_off(counts, now) if self.limits.domain else None

    def put_off(self, counts: Mapping[State, int], now: datetime) -> datetime | None:
        """When the first of those who have not been tried is due, if nobody is now."""
        due = self._ledger.next_due(self._edition) if counts[State.PLANNED] else None
        return due if due and due > now else None


def pause(
    turn: datetime | None, most: timedelta, clock: Callable[[], datetime], sleep: Callable[[float], object]
) -> bool:
    """Waits for it, if it comes soon enough; whether it did."""
    if turn is None or (span := turn - clock()) > most:
        return False
    sleep(max(0.0, span.total_seconds()))
    return True
