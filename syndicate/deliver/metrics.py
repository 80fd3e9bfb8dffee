"""What the couriers of a process have done, in numbers that only grow.

A meter is put around what a courier is given, its ledger and its sender, so that the courier knows nothing of it.
Outcomes are counted where a batch is settled; a message costs two looks at a clock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from threading import Lock
from time import perf_counter
from typing import Any, cast

from syndicate.deliver.base import Job, Lane, LedgerLike, Record, Sender, Tried
from syndicate.deliver.lanes import lane_of
from syndicate.deliver.recovery import ACTOR
from syndicate.model import Deferred, Delivery, Outcome, Paused, Receipt, Refused, Settlement, Unknown

#: Seconds; the last but one is what RFC 5321 §4.5.3.2.6 grants to the reply after the last dot.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0)

#: What the network said, by the name under which it is counted.
NAMES: dict[type[Outcome], str] = {
    Receipt: "sent",
    Refused: "refused",
    Deferred: "deferred",
    Paused: "paused",
    Unknown: "unknown",
}
#: Given back without having been tried.
RETURNED = "returned"


class Histogram:
    """How many values were at most each of `BOUNDS`, or more than all of them."""

    def __init__(self) -> None:
        #: one for each bound, and one for what lies beyond
        self.counts = [0] * (len(BOUNDS) + 1)
        #: of all values
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more value."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


class Meter:
    """The numbers. Any thread may read them while others send."""

    def __init__(self) -> None:
        #: (edition, account, outcome) -> how many deliveries
        self._settled: Counter[tuple[str, str, str]] = Counter()
        #: account -> seconds from when a lane took a message up until its answer
        self.exchanges: dict[str, Histogram] = {}
        #: seconds for each batch
        self.settlements = Histogram()
        #: deliveries that dead workers left and that are settled now
        self.recovered = 0
        #: `done` or `failed` -> ticks of the scheduler
        self.ticks: Counter[str] = Counter()
        #: when the last one ended, in seconds since 1970
        self.last_tick = 0.0
        self._flights: list[_Flight] = []
        self._lock = Lock()

    @property
    def outcomes(self) -> Counter[tuple[str, str, str]]:
        """(channel, account, outcome) -> how many deliveries."""
        found: Counter[tuple[str, str, str]] = Counter()
        for (edition, account, outcome), count in dict(self._settled).items():
            found[edition.partition("/")[0], account, outcome] += count
        return found

    @property
    def in_flight(self) -> Counter[str]:
        """Account -> messages that lanes have taken up and not answered."""
        found: Counter[str] = Counter()
        for flight in list(self._flights):
            found[flight.account] += len(flight.begun)
        return found

    def ticked(self, at: datetime, *, failed: bool) -> None:
        """A tick of the scheduler has ended."""
        self.ticks["failed" if failed else "done"] += 1
        self.last_tick = at.timestamp()

    def around_ledger(self, ledger: LedgerLike) -> LedgerLike:
        """The same ledger, whose settlements are counted."""
        return cast(LedgerLike, _Ledger(ledger, self))

    def around_sender(self, sender: Sender, account: str) -> Sender:
        """The same sender, whose exchanges are timed."""
        return cast(Sender, _Timed(sender, account, self.exchanges.setdefault(account, Histogram()), self._flights))

    def settled(self, done: Sequence[Settlement], lost: Sequence[Delivery], actor: str, seconds: float) -> None:
        """A batch is in the ledger, but for the deliveries whose claim was lost."""
        if lost:
            gone = {one.id for one in lost}
            done = [one for one in done if one.delivery.id not in gone]
        kinds = Counter((one.delivery.edition, one.delivery.account, type(one.outcome), one.free) for one in done)
        with self._lock:
            self.settlements.add(seconds)
            self.recovered += len(done) if actor == ACTOR else 0
            for (edition, account, kind, free), count in kinds.items():
                self._settled[edition, account, RETURNED if free and kind is Deferred else NAMES[kind]] += count


class _Ledger:
    """See `Meter.around_ledger`."""

    def __init__(self, ledger: LedgerLike, meter: Meter) -> None:
        self._ledger = ledger
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def settle(self, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
        began = perf_counter()
        lost = self._ledger.settle(settlements, now, actor)
        self._meter.settled(settlements, lost, actor, perf_counter() - began)
        return lost


class _Flight:
    """What one lane has in its hands."""

    def __init__(self, account: str) -> None:
        self.account = account
        #: id of a delivery -> when it was taken up, in seconds of `perf_counter`
        self.begun: dict[int, float] = {}

    def noted(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """The jobs, as they are taken up."""
        begun = self.begun
        for job in jobs:
            begun[job.delivery.id] = perf_counter()
            yield job


class _Timed:
    """See `Meter.around_sender`; also the lane of that sender."""

    def __init__(self, sender: Sender, account: str, times: Histogram, flights: list[_Flight]) -> None:
        self._sender = sender
        self._account = account
        self._times = times
        self._flights = flights

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sender, name)

    def lane(self) -> Lane:
        return self

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        flight = _Flight(self._account)
        self._flights.append(flight)
        add, taken = self._times.add, flight.begun.pop
        try:
            with closing(lane_of(self._sender).run(flight.noted(jobs), log)) as answers:
                for tried in answers:
                    if tried:
                        now = perf_counter()
                        add(now - taken(tried.job.delivery.id, now))
                    yield tried
        finally:
            self._flights.remove(flight)
