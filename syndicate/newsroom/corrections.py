"""The text of a post that is out, put right where its network lets that be done: what would change, and doing it.

The edition keeps the bytes that were sent; what was put right later stands in its history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from syndicate.editions.approval import drafted_now, proof_of
from syndicate.editions.comparison import diff_of
from syndicate.errors import NeedsPerson, UsageError
from syndicate.model import EVERY_ACCOUNT, Delivery, Letter, Outcome, Post, Receipt, State, Unknown

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.ledger.base import EditionRow

#: How the line in the history begins, before the hash of the new text.
CORRECTED = "text corrected"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a network would be told."""

    delivery: Delivery
    #: the post with its new text
    message: Post = field(repr=False)
    #: lines of a unified diff from the text that was sent; empty: nothing differs
    text: tuple[str, ...]
    #: of `link`, `title`, `description`, `picture`: what differs as well, and stays as it is
    stays: tuple[str, ...]
    #: whether the network has this very text already, by an earlier correction
    done: bool = False

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the new text, by which the history knows it."""
        return sha256(self.message.text.encode()).hexdigest()


def correction(app: App, row: EditionRow, text: str = "") -> Correction:
    """What the article would say now, or `text`, against what was sent.

    Raises `UsageError` where nothing can be put right: a digest, a post that is not out, a network without corrections.
    """
    from syndicate.render.freeze import thaw

    delivery = sent_one(app, row)
    frozen = thaw(app.ledger().frozen(row.key))
    assert isinstance(frozen, Post)  # the kind of the edition says so
    now = replace(frozen, text=text.strip(), mentions=()) if text else proof_of(app, row, drafted_now(app, row)).message
    assert not isinstance(now, Letter)
    # The card was made once: what a network can change is the text alone.
    message = replace(frozen, text=now.text, mentions=now.mentions)
    found = Correction(delivery, message, tuple(diff_of(frozen.text, now.text)), tuple(others(frozen, now)))
    last = [one.reason for one in app.ledger().story(row.key) if one.what == CORRECTED]
    if last:
        return replace(found, done=last[-1].endswith(found.sha256))
    return replace(found, done=not found.text)


def sent_one(app: App, row: EditionRow) -> Delivery:
    """The delivery of a post that is out. Raises `UsageError`."""
    if row.kind != "post":
        raise UsageError(f"{row.key} went out as mail, which nobody can change any more")
    if not app.adapter(row.account).corrects:
        raise UsageError(
            f"the posts of account {row.account} cannot be changed from here",
            hint="Its network does not let them be, or the adapter does not know how: change it there by hand.",
        )
    found = next(app.ledger().deliveries(row.key, states=[State.SENT]), None)
    if found is None or not found.receipt:
        raise UsageError(f"{row.key} is not out, or its network has not said under which id")
    return found


def others(frozen: Post, now: Post) -> Iterator[str]:
    """What differs beside the text."""
    pairs = {"link": "url", "title": "title", "description": "description", "picture": "image"}
    return (name for name, field in pairs.items() if getattr(frozen, field) != getattr(now, field))


def carry_out(app: App, row: EditionRow, found: Correction, reason: str) -> Outcome:
    """Tells the network, and writes what it answered into the history.

    Silence does no harm here: the same correction again leaves the same text. Raises `UsageError` in a rehearsal, from
    which nothing leaves, and `NeedsPerson` for an account that is paused.
    """
    if app.settings.mode != "live":
        raise UsageError("nothing leaves in `mode: rehearsal`", hint="Look at it with --dry-run.")
    ledger = app.ledger()
    for pause in ledger.paused_accounts():
        if pause.name in {row.account, EVERY_ACCOUNT}:
            raise NeedsPerson(f"account {row.account} is paused: {pause.reason}", hint=pause.hint)
    app.renew(row.account)
    adapter = app.adapter(row.account)
    with adapter.open() as session:
        outcome = adapter.correct(session, found.delivery.receipt, found.message)
    told = outcome.status if isinstance(outcome, Receipt) else outcome.reason
    what = CORRECTED if isinstance(outcome, Receipt) else "correction " + named(outcome)
    ledger.note(row.key, what, f"{reason}; {told}; sha256 {found.sha256}", app.clock(), "person")
    return outcome


def named(outcome: Outcome) -> str:
    """What the history calls it."""
    return "unknown" if isinstance(outcome, Unknown) else "refused"
