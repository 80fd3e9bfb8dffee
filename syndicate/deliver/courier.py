"""The courier brings what the ledger has planned to a network, and the network's answers back to the ledger.

It claims a batch in one commit, feeds a lane, and settles what comes back in one commit for each batch or quarter of
a second, beside the wire: the next batch is claimed while one is sent. What is on the wire between the two commits
stands in the attempt log.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.deliver import recovery
from syndicate.deliver.attempts import Attempts
from syndicate.deliver.base import Compose, LedgerLike, Sender
from syndicate.deliver.policy import Policy
from syndicate.deliver.run import Run
from syndicate.deliver.signals import draining
from syndicate.deliver.tally import Tally, tally
from syndicate.model import (
    Delivery,
    Payload,
    Request,
)
from syndicate.model.limits import Limits

__all__ = ["Courier", "Tally", "tally"]

#: How long a claim lasts: more than the ten minutes that RFC 5321 §4.5.3.2.6 grants to the reply after the last dot.
LEASE = timedelta(minutes=15)
BATCH = 500
UNLIMITED = Limits()
#: New objects after which Python looks for cycles among them. Its own 700 come with every claim, and that took a tenth
#: of the time; what a delivery leaves behind has no cycles.
GARBAGE = 20_000


class Courier:
    """Delivers editions, one after the other; any number of couriers may work on one ledger."""

    def __init__(
        self,
        ledger: LedgerLike,
        clock: Callable[[], datetime],
        policy: Policy | None = None,
        *,
        attempts: Attempts | None = None,
        worker: str = "",
        batch: int = BATCH,
        lease: timedelta = LEASE,
        limits: Limits = UNLIMITED,
        pulse: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """`pulse` counts seconds for lease and rate only; `clock` is what the ledger sees; `stop` stops many at once.

        `sleep` waits for a limit; without one, until it is time or somebody says stop.
        """
        self.ledger = ledger
        self.clock = clock
        self.policy = policy or Policy()
        self.attempts = attempts or Attempts()
        self.worker = worker or f"{socket.gethostname()}-{os.getpid()}".replace("/", "-")
        self.batch = batch
        self.lease = lease
        self.limits = limits
        self.pulse = pulse
        self._stopping = stop or threading.Event()
        self.sleep = sleep or self._stopping.wait

    def stop(self) -> None:
        """Claims nothing more, lets finish what is on the wire, gives the rest back. From any thread or signal."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def recover(self) -> int:
        """Settles what dead workers left, and how many deliveries that were; also done before each delivery."""
        return recovery.recover(self.ledger, self.attempts, self.clock())

    def deliver(
        self, edition: str, sender: Sender, compose: Compose, progress: Callable[[Tally], None] | None = None
    ) -> Tally:
        """Delivers what is due of an edition, and what a crash left of it. Safe to call again at any time.

        Raises `LedgerError` if the ledger or the attempt log cannot be written; what was on the wire then stands in
        the log, and the next call settles it.
        """
        gc.set_threshold(GARBAGE)  # for the whole process, and for good
        compose = _as_before(compose)
        with draining(self.stop):
            recovered = self.recover()
            recovery.settle_doubts(self.ledger, edition, sender, compose, self.policy, self.clock())
            tally = Run(self, edition, sender, compose, progress or (lambda tally: None)).go()
            return replace(tally, recovered=recovered)


def _as_before(compose: Compose) -> Compose:
    """Composes with the network's ids of an earlier attempt, so that a repeat has the same bytes."""

    def composed(delivery: Delivery) -> Payload:
        payload = compose(delivery)
        return replace(payload, fills=delivery.fills) if delivery.fills and isinstance(payload, Request) else payload

    return composed
