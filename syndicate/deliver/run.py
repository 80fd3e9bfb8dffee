"""One edition on its way through one lane: the motion from the claim to the settlement."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from syndicate.deliver import recovery
from syndicate.deliver.attempts import LogBroken
from syndicate.deliver.base import Compose, EditionLike, Job, PauseLike, Sender, Tried
from syndicate.deliver.breaker import Breaker
from syndicate.deliver.lanes import TICK, lane_of
from syndicate.deliver.pace import Pace, pause
from syndicate.deliver.tally import Tally, tally
from syndicate.errors import IllegalMove, LedgerError
from syndicate.model import (
    EVERY_ACCOUNT,
    Deferred,
    Delivery,
    Mail,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    Settlement,
    State,
    Unknown,
)

if TYPE_CHECKING:
    from syndicate.deliver.courier import Courier

#: A wait that connections stay open for; nothing is read from them meanwhile.
BRIEF = timedelta(seconds=1.1)


class Run:
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
        self._before = tally(self._row.counts).settled
        self._pace = Pace(self._ledger, edition, self._row.account, courier.limits)
        self._breaker = Breaker(self._ledger, self._row.account, courier.policy, courier.clock)
        self._log = courier.attempts.begin(f"{courier.worker}-{secrets.token_hex(3)}")
        #: claimed and not settled
        self._held: dict[int, Delivery] = {}
        self._answers: list[Settlement] = []
        # While one batch is on the wire, the ledger writes what became of the one before and claims the one after it:
        # SQLite needs neither the wire nor the interpreter meanwhile.
        self._clerk = ThreadPoolExecutor(1, "clerk")
        self._ahead: Future[Sequence[Delivery]] | None = None
        self._writing: Future[Sequence[Settlement]] | None = None
        self._halted = False
        #: whether the lane was told that there are no more jobs
        self._fed = False
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
            self._clerk.shutdown(cancel_futures=True)
            self._log.close(finished=finished)
        ended = self._with_prospects(self._tally(self._read()))
        self._progress(ended)
        return ended

    def _send_all(self) -> None:
        try:
            self._run_lane()
            while not self._held and self._wait(self._courier.policy.patience):
                self._run_lane()
        except LogBroken:
            self._give_back()
            raise
        self._give_back()

    def _run_lane(self) -> None:
        self._fed, last = False, None
        # Closed whatever happens: what is on the wire must have its answer noted before the log is let go.
        with closing(lane_of(self._sender).run(self._jobs(), self._log)) as answers:
            for tried in answers:
                if tried:
                    self._take(tried)
                    last = tried.outcome
                self._keep_up()
        if not self._fed and isinstance(last, Deferred):
            self._breaker.gave_up(last)
        self._settle_all()

    def _jobs(self) -> Iterator[Job]:
        """What the lane is fed with."""
        yield from self._feed()
        self._fed = True

    def _feed(self) -> Iterator[Job]:
        """Claimed when the lane asks for more, in batches."""
        while not self._halt():
            batch = self._claim()
            if not batch and not self._wait(BRIEF):
                return
            for delivery in batch:
                if self._halt() or self._courier.pulse() >= self._lease_ends:
                    return
                if job := self._job(delivery):
                    yield job

    def _halt(self) -> bool:
        return self._halted or self._courier.stopping or self._breaker.rest_of() is not None

    def _claim(self) -> Sequence[Delivery]:
        """The next batch: what was claimed ahead; when that is used up, what has come due since."""
        courier, policy = self._courier, self._courier.policy
        if policy.worn_out(self._row.retries, sum(self._row.counts.values())):
            self._ask_a_person()
            return []
        portion = self._pace.portion(courier.batch)
        found = self._claimed_ahead()
        if not found:
            self._settle_all()
            self._lease_ends = courier.pulse() + courier.lease.total_seconds()
            self._ahead = self._clerk.submit(self._claim_now, portion)
            found = self._claimed_ahead()
        # What is claimed counts as begun: where there are limits, none is claimed before it can go.
        if len(found) == portion and not (courier.limits.account or courier.limits.domain):
            self._ahead = self._clerk.submit(self._claim_now, portion)
        return found

    def _claim_now(self, portion: int) -> Sequence[Delivery]:
        courier = self._courier
        return self._ledger.claim(
            self._edition, self._log.worker, portion, courier.clock(), courier.lease, limits=courier.limits
        )

    def _claimed_ahead(self) -> Sequence[Delivery]:
        found = self._ahead.result() if self._ahead else ()
        self._ahead = None
        self._held.update((delivery.id, delivery) for delivery in found)
        return found

    def _ask_a_person(self) -> None:
        """So many retries have a cause that time does not mend."""
        self._halted = True
        why = f"{self._row.retries} retries are more than it may have; look at the reasons, then resume it"
        with suppress(IllegalMove):  # somebody else was faster
            self._ledger.set_edition_state(self._edition, "paused", why, self._courier.clock(), self._log.worker)

    def _wait(self, most: timedelta) -> bool:
        """For a limit, if it is not for long; whether there is more to do then."""
        if self._halt():
            return False
        courier = self._courier
        turn = self._pace.turn(self._read().counts, courier.clock())
        return pause(turn, most, courier.clock, courier.sleep) and not self._halt()

    def _job(self, delivery: Delivery) -> Job | None:
        """What goes over the wire; None if nothing may, and then it is settled without."""
        if rest := self._breaker.rest_of(delivery.recipient):
            self._answers.append(replace(recovery.released(delivery, rest.reason), due=rest.until))
            return None
        try:
            payload = self._compose(delivery)
            job = Job.of(delivery, payload)
        except Exception as error:
            self._decide(delivery, Refused(f"the message could not be made: {type(error).__name__}: {error}"))
            return None
        if delivery.doubted and not self._may_repeat(delivery, payload):
            silence = Unknown("the network would no longer recognise a repeat")
            self._answers.append(Settlement(delivery, silence, free=True))
            return None
        return job

    def _may_repeat(self, delivery: Delivery, payload: Payload) -> bool:
        """Whether a delivery may go out that the network may have already."""
        policy, now = self._courier.policy, self._courier.clock()
        return policy.may_send(delivery, self._sender.dedupe, now, same=isinstance(payload, Mail) or payload.whole)

    def _take(self, tried: Tried) -> None:
        """Decides what an answer means. An account at fault stops everything, at once."""
        job = tried.job
        delivery = replace(job.delivery, fills=job.fills) if job.fills else job.delivery
        if isinstance(tried.outcome, Paused):
            self._halted = True
            self._ledger.pause_account(
                delivery.account, tried.outcome.reason, tried.outcome.hint, self._courier.clock(), self._log.worker
            )
        self._breaker.heard(delivery.recipient, tried.outcome)
        if isinstance(tried.outcome, Receipt):  # nothing to decide
            self._answers.append(Settlement(delivery, tried.outcome, job.sha256, job.size, job.fills))
        else:
            self._decide(delivery, tried.outcome, sha256=job.sha256, size=job.size, fills=job.fills)

    def _decide(self, delivery: Delivery, outcome: Outcome, **evidence: Any) -> None:
        """By the policy's table, with what is known of the attempt."""
        now, entered = self._courier.clock(), self._row.since
        decision = self._courier.policy.decide(delivery, outcome, self._sender.dedupe, now=now, entered=entered)
        self._answers.append(replace(decision, **evidence))

    def _keep_up(self) -> None:
        """Settles when a batch is full; when a moment has passed, also looks whether somebody said stop."""
        beat = self._courier.pulse()
        is_time = beat - self._beat >= TICK
        if is_time or len(self._answers) >= self._courier.batch:
            self._settle()
        if is_time:
            self._beat = beat
            self._row = self._read()
            self._halted = self._halted or self._row.state != "sending" or self._pause(self._row) is not None
            self._renew()
            self._progress(self._tally(self._row))

    def _renew(self) -> None:
        """A slow lane keeps what it holds; a frozen process does not."""
        courier, left = self._courier, self._lease_ends - self._courier.pulse()
        if self._held and 0 < left < courier.lease.total_seconds() / 2:
            self._lease_ends = courier.pulse() + courier.lease.total_seconds()
            self._ledger.renew(self._log.worker, courier.clock(), courier.lease)

    def _settle(self) -> None:
        """Begins to write what has been answered, once what was answered before is written."""
        written = self._writing.result() if self._writing else ()
        self._writing = None
        self._settled += len(written)
        for one in written:
            self._held.pop(one.delivery.id, None)
        if self._answers:
            self._writing = self._clerk.submit(self._write, self._answers)
            self._answers = []

    def _settle_all(self) -> None:
        while self._answers or self._writing:
            self._settle()

    def _write(self, answers: Sequence[Settlement]) -> Sequence[Settlement]:
        self._ledger.settle(answers, self._courier.clock(), self._log.worker)
        self._log.settled([one.delivery for one in answers])
        return answers

    def _give_back(self) -> None:
        """Settles the last answers, and returns what was claimed and never started."""
        self._claimed_ahead()
        self._settle_all()
        why = "the sender stopped before it was tried"
        self._answers = [
            Settlement(one, Unknown("the lane gave no answer"))
            if self._log.is_open(one)
            else recovery.released(one, why)
            for one in self._held.values()
        ]
        self._settled -= len(self._answers)
        self._settle_all()

    def _read(self) -> EditionLike:
        found = self._ledger.edition(self._edition)
        if found is None:
            raise LedgerError(f"there is no edition {self._edition}")
        return found

    def _tally(self, row: EditionLike) -> Tally:
        """Counts as they stand in the ledger, which other couriers and persons write too; the rate is that of all."""
        seconds, found = self._courier.pulse() - self._began, tally(row.counts)
        rate = max(self._settled, found.settled - self._before) / seconds if seconds > 0 else 0.0
        return replace(found, rate=rate, note=self._note(row))

    def _pause(self, row: EditionLike) -> PauseLike | None:
        """The edition's account is at fault, or a person has stopped everything."""
        stopping = {row.account, EVERY_ACCOUNT}
        return next((pause for pause in self._ledger.paused_accounts() if pause.name in stopping), None)

    def _with_prospects(self, found: Tally) -> Tally:
        """What those who were left wait for, and until when, where it is no person."""
        row, now = self._read(), self._courier.clock()
        waiting = row.counts[State.PLANNED] or row.counts[State.DEFERRED]
        if found.note or not waiting:
            return found
        if rest := self._breaker.rest_of():
            return replace(found, waits=f"account {row.account} is left alone: {rest.reason}", until=rest.until)
        until = self._pace.turn(row.counts, now) or self._pace.put_off(row.counts, now)
        why = f"{waiting} wait for the limits of account {row.account}, or for their domain" if until else ""
        return replace(found, waits=why, until=until)

    def _note(self, row: EditionLike) -> str:
        if pause := self._pause(row):
            who = "every account" if pause.name == EVERY_ACCOUNT else f"account {pause.name}"
            return f"{who} is paused: {pause.reason} {pause.hint}".strip()
        if row.state in {"paused", "cancelled"}:
            return f"the edition is {row.state}: {row.reason}".removesuffix(": ")
        return "stopped as asked" if self._courier.stopping else ""
