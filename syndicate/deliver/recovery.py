"""What was left behind: claims of dead workers, leases that ran out, and deliveries that the network never answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from syndicate.deliver.attempts import Attempts, DeadLog
from syndicate.deliver.base import LedgerLike, Sender
from syndicate.deliver.policy import Policy, recognised
from syndicate.errors import Superseded
from syndicate.model import Deferred, Delivery, Paused, Payload, Settlement, State

T = TypeVar("T")

ACTOR = "recovery"
BATCH = 500


def recover(ledger: LedgerLike, attempts: Attempts, now: datetime) -> int:
    """Settles what dead workers of this machine held as their logs tell; then what nobody can tell, as unknown.

    How many deliveries that were, of whichever edition.
    """
    found = 0
    for log in attempts.dead():
        for batch in _batches(ledger.claimed(log.worker)):
            _settle(ledger, log, batch, now)
            found += len(batch)
    return found + len(ledger.recover(now))


def _settle(ledger: LedgerLike, log: DeadLog, batch: Sequence[Delivery], now: datetime) -> None:
    settlements = [settlement(log, delivery) for delivery in batch]
    for one in settlements:
        if isinstance(one.outcome, Paused):
            ledger.pause_account(one.delivery.account, one.outcome.reason, one.outcome.hint, now, ACTOR)
    ledger.settle(settlements, now, ACTOR)


def settlement(log: DeadLog, delivery: Delivery) -> Settlement:
    """What the ledger is told about one delivery of a dead worker; deferred ones are simply due again."""
    trace = log.of(delivery)
    if trace.outcome is None:
        return released(delivery, "its worker died before it was tried")
    free = isinstance(trace.outcome, Paused)
    return Settlement(delivery, trace.outcome, trace.sha256, trace.size, trace.fills, free=free)


def released(delivery: Delivery, reason: str) -> Settlement:
    """Back to where it was: nobody asked the network anything, so it costs no attempt."""
    return Settlement(delivery, Deferred(reason), free=True)


def settle_doubts(
    ledger: LedgerLike,
    edition: str,
    sender: Sender,
    compose: Callable[[Delivery], Payload],
    policy: Policy,
    now: datetime,
) -> None:
    """Does about each unknown delivery of an edition what its network and its channel allow; the rest stays unknown."""
    with ExitStack() as stack:
        asker = _Asker(stack, sender, compose)
        for delivery in ledger.deliveries(edition, (State.UNKNOWN,)):
            found = _verdict(delivery, sender, policy, now) or (asker.ask(delivery) if sender.dedupe.lookup else None)
            if found:
                one, to, reason, doubt = found
                try:
                    ledger.resolve(one, to, reason, now, ACTOR, doubt=doubt)
                except Superseded:
                    continue  # a person was faster


Verdict = tuple[Delivery, State, str, bool]


def _verdict(delivery: Delivery, sender: Sender, policy: Policy, now: datetime) -> Verdict | None:
    """What can be decided without asking anybody."""
    if recognised(delivery.doubted or now, sender.dedupe, now):
        return delivery, State.DEFERRED, "the network recognises a repeat of the same bytes", True
    if policy.unknown == "resend" and not sender.dedupe.lookup:
        return delivery, State.DEFERRED, "the channel says `unknown: resend`", True
    return None


class _Asker:
    """Asks a network what it has, over one session that is opened for the first question."""

    def __init__(self, stack: ExitStack, sender: Sender, compose: Callable[[Delivery], Payload]) -> None:
        self._stack = stack
        self._sender = sender
        self._compose = compose
        self._session: list[Any] = []

    def ask(self, delivery: Delivery) -> Verdict | None:
        """The network's word; None if it cannot be had now."""
        try:
            if not self._session:
                self._session.append(self._stack.enter_context(self._sender.open()))
            receipt = self._sender.find(self._session[0], self._compose(delivery), delivery.key)
        except Exception:
            return None
        if receipt is None and not self._sender.dedupe.proves_absence:
            return None
        if receipt is None:
            return delivery, State.DEFERRED, "the network says that it has no such message", False
        known = replace(delivery, receipt=receipt.id, permalink=receipt.permalink)
        return known, State.SENT, "the network says that it has it", False


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(items, BATCH)):
        yield batch
