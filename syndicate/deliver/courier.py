"""The courier brings what the ledger has planned to a network, and the network's answers back to the ledger.

It claims a batch in one commit, feeds a lane, and settles what comes back in one commit for each batch or quarter of
a second. What is on the wire between the two commits stands in the attempt log.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicate.deliver import recovery
from syndicate.deliver.attempts import Attempts, LogBroken
from syndicate.deliver.base import EditionLike, Job, LedgerLike, Sender, Tried
from syndicate.deliver.lanes import TICK, lane_of
from syndicate.deliver.policy import Policy
from syndicate.deliver.signals import draining
from syndicate.errors import LedgerError
from syndicate.model import Delivery, Paused, Payload, Refused, Settlement, State, Unknown
from syndicate.model.message import digest

Compose = Callable[[Delivery], Payload]

#: How long a claim lasts: more than the ten minutes that RFC 5321 §4.5.3.2.6 grants to the reply after the last dot.
LEASE = timedelta(minutes=15)
BATCH = 500


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
    #: settled by this run, for each second
    rate: float = 0.0
    #: why it did not go on, and what to do; empty if nothing stopped it
    note: str = ""

    @property
    def settled(self) -> int:
        """Deliveries that nobody will try again on his own."""
        return self.sent + self.refused + self.unknown + self.skipped


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
        pulse: Callable[[], float] = time.monotonic,
        stop: threading.Event | None = None,
    ) -> None:
        """`pulse` counts seconds for pace and rate only; `clock` is what the ledger sees; `stop` stops many at once."""
        self.ledger = ledger
        self.clock = clock
        self.policy = policy or Policy()
        self.attempts = attempts or Attempts()
        self.worker = worker or f"{socket.gethostname()}-{os.getpid()}".replace("/", "-")
        self.batch = batch
        self.lease = lease
        self.pulse = pulse
        self._stopping = stop or threading.Event()

    def stop(self) -> None:
        """Claims nothing more, lets finish what is on the wire, gives the rest back. From any thread or signal."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def recover(self) -> None:
        """Settles what dead workers left; also done before each delivery."""
        recovery.recover(self.ledger, self.attempts, self.clock())

    def deliver(
        self, edition: str, sender: Sender, compose: Compose, progress: Callable[[Tally], None] | None = None
    ) -> Tally:
        """Delivers what is due of an edition, and what a crash left of it. Safe to call again at any time.

        Raises `LedgerError` if the ledger or the attempt log cannot be written; what was on the wire then stands in
        the log, and the next call settles it.
        """
        with draining(self.stop):
            self.recover()
            recovery.settle_doubts(self.ledger, edition, sender, compose, self.policy, self.clock())
            return _Run(self, edition, sender, compose, progress or (lambda tally: None)).go()


class _Run:
    """One edition on its way through one lane."""

    def __init__(
        self, courier: Courier, edition: str, sender: Sender, compose: Compose, progress: Callable[[Tally], None]
    ) -> None:
        self._courier = courier
        self._ledger = courier.ledger
        self._edition = edition
        self._sender = sender
        self._compose = compose
        self._progress = progress
        self._row = self._read()
        self._log = courier.attempts.begin(f"{courier.worker}-{secrets.token_hex(3)}")
        #: claimed and not settled
        self._held: dict[int, Delivery] = {}
        self._answers: list[Settlement] = []
        self._halted = False
        self._settled = 0
        self._began = self._beat = courier.pulse()
        self._lease_ends = 0.0

    def go(self) -> Tally:
        """Sends until nothing is due, or something says stop."""
        finished = False
        try:
            self._send_all()
            finished = True
        finally:
            self._log.close(finished=finished)
        return self._tally()

    def _send_all(self) -> None:
        try:
            # Closed whatever happens: what is on the wire must have its answer noted before the log is let go.
            with closing(lane_of(self._sender).run(self._jobs(), self._log)) as answers:
                for tried in answers:
                    if tried:
                        self._take(tried)
                    self._keep_up()
        except LogBroken:
            self._give_back()
            raise
        self._give_back()

    def _jobs(self) -> Iterator[Job]:
        """What the lane is fed with: claimed when it asks for more, in batches."""
        while not self._halt():
            batch = self._claim()
            if not batch:
                return
            for delivery in batch:
                if self._halt() or self._courier.pulse() >= self._lease_ends:
                    return
                if job := self._job(delivery):
                    yield job

    def _halt(self) -> bool:
        return self._halted or self._courier.stopping

    def _claim(self) -> list[Delivery]:
        self._settle()
        courier = self._courier
        self._lease_ends = courier.pulse() + courier.lease.total_seconds()
        found = self._ledger.claim(self._edition, self._log.worker, courier.batch, courier.clock(), courier.lease)
        self._held.update((delivery.id, delivery) for delivery in found)
        return list(found)

    def _job(self, delivery: Delivery) -> Job | None:
        """What goes over the wire; None if nothing may, and then it is settled without."""
        policy, now = self._courier.policy, self._courier.clock()
        if not policy.may_send(delivery, self._sender.dedupe, now):
            silence = Unknown("the network would no longer recognise a repeat")
            self._answers.append(Settlement(delivery, silence, free=True))
            return None
        try:
            payload = self._compose(delivery)
            return Job(delivery, payload, digest(payload), len(payload.content))
        except Exception as error:
            refusal = Refused(f"the message could not be made: {type(error).__name__}: {error}")
            self._answers.append(Settlement(delivery, refusal))
            return None

    def _take(self, tried: Tried) -> None:
        """Decides what an answer means. An account at fault stops everything, at once."""
        delivery = tried.job.delivery
        now = self._courier.clock()
        if isinstance(tried.outcome, Paused):
            self._halted = True
            self._ledger.pause_account(delivery.account, tried.outcome.reason, tried.outcome.hint, now)
        decision = self._courier.policy.decide(
            delivery, tried.outcome, self._sender.dedupe, now=now, entered=self._row.entered
        )
        self._answers.append(replace(decision, sha256=tried.job.sha256, size=tried.job.size))

    def _keep_up(self) -> None:
        """Settles when a batch is full or a moment has passed; then also looks whether somebody said stop."""
        beat = self._courier.pulse()
        if len(self._answers) < self._courier.batch and beat - self._beat < TICK:
            return
        self._settle()
        self._row = self._read()
        self._halted = self._halted or self._row.state != "sending"
        self._renew()
        self._progress(self._tally())
        self._beat = beat

    def _renew(self) -> None:
        """A slow lane keeps what it holds; a frozen process does not."""
        courier, left = self._courier, self._lease_ends - self._courier.pulse()
        if self._held and 0 < left < courier.lease.total_seconds() / 2:
            self._lease_ends = courier.pulse() + courier.lease.total_seconds()
            self._ledger.renew(self._log.worker, courier.clock(), courier.lease)

    def _settle(self) -> None:
        if not self._answers:
            return
        self._ledger.settle(self._answers, self._courier.clock(), self._log.worker)
        done = [answer.delivery for answer in self._answers]
        self._answers = []
        self._settled += len(done)
        for delivery in done:
            self._held.pop(delivery.id, None)
        self._log.settled(done)

    def _give_back(self) -> None:
        """Settles the last answers, and returns what was claimed and never started."""
        self._settle()
        why = "the sender stopped before it was tried"
        self._answers = [
            Settlement(one, Unknown("the lane gave no answer"))
            if self._log.is_open(one)
            else recovery.released(one, why)
            for one in self._held.values()
        ]
        self._settled -= len(self._answers)
        self._settle()

    def _read(self) -> EditionLike:
        found = self._ledger.edition(self._edition)
        if found is None:
            raise LedgerError(f"there is no edition {self._edition}")
        return found

    def _tally(self) -> Tally:
        """Counts as they stand in the ledger, which other couriers and persons write too."""
        row = self._read()
        seconds = self._courier.pulse() - self._began
        rate = self._settled / seconds if seconds > 0 else 0.0
        return replace(tally(row.counts), rate=rate, note=self._note(row))

    def _note(self, row: EditionLike) -> str:
        for pause in self._ledger.paused_accounts():
            if pause.name == row.account:
                return f"account {pause.name} is paused: {pause.reason} {pause.hint}".strip()
        if row.state in {"paused", "cancelled"}:
            return f"the edition is {row.state}: {row.reason}".removesuffix(": ")
        return "stopped as asked" if self._courier.stopping else ""


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
