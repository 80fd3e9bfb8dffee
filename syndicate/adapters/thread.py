"""A thread: posts that answer one another, as one delivery.

Only for networks that recognise a repeat of every part by itself: then, after silence, all parts are sent again, those
that are there are answered as the first time, and those that are missing are added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown


def in_turn(request: Request, post: Callable[[Request, Sequence[Receipt]], Outcome]) -> Outcome:
    """Sends a request and those that stand in its `then`, each handed to `post` with the receipts of those before.

    The receipt is that of the first. Where a later one fails, nothing is taken back, and the outcome says what is
    there: only a refusal is final, everything else is a doubt, because a part of the message has arrived.
    """
    done: list[Receipt] = []
    parts = (replace(request, then=()), *request.then)
    for part in parts:
        outcome = post(part, done)
        if not isinstance(outcome, Receipt):
            return _broken_off(outcome, done, len(parts)) if done else outcome
        done.append(outcome)
    first = done[0]
    return replace(first, status=f"{first.status}, thread of {len(done)}") if len(done) > 1 else first


def _broken_off(outcome: Refused | Deferred | Paused | Unknown, done: Sequence[Receipt], total: int) -> Outcome:
    said = f"{len(done)} of {total} posts of the thread are there, from {done[0].permalink or done[0].id}"
    if isinstance(outcome, Refused):
        return Refused(f"{said}; the next was refused: {outcome.reason}")
    return Unknown(f"{said}; then: {outcome.reason}")
