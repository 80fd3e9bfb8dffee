"""What comes back is acted on: who bounced or complained is suppressed, an account that is blocked is paused.

Every effect can be repeated, and a report is `done` only after it: a process that is killed in between repeats it. All
that is counted is counted over what the inbox holds, so the order in which reports come does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from syndicate.audience.addresses import unique
from syndicate.errors import SyndicateError
from syndicate.feedback import traces
from syndicate.feedback.codes import is_ours
from syndicate.feedback.inbox import Inbox, Kept
from syndicate.feedback.traces import Traced
from syndicate.model import State
from syndicate.model.feedback import ReportKind
from syndicate.model.people import EVERYWHERE, Reason
from syndicate.returns.rates import rate_of

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.audience.store import Subscribers

#: Reports that one round takes.
BATCH = 500
#: How long a report whose delivery is not found is looked up again: a webhook may overtake our own commit.
PATIENCE = timedelta(days=7)
#: Soft bounces in a row: so many editions, or for so long, and the address is given up.
SOFT_EDITIONS = 3
SOFT_SPAN = timedelta(days=15)
#: Policy blocks within a span that pause an account. One may be the filter of one reader; what speaks of our own
#: authentication or host (`codes.OURS`) pauses it at once.
BLOCKS = 5
BLOCKS_SPAN = timedelta(days=1)
#: Of interest only where it is not known whether a mail was accepted; there are as many as mails.
QUIET = frozenset({ReportKind.DELIVERED, ReportKind.DEFERRED})
ACTOR = "feedback"


@dataclass(frozen=True, slots=True)
class Round:
    """What the reports of a round are acted on with."""

    app: App
    inbox: Inbox
    people: Subscribers


def act(app: App) -> list[Kept]:
    """Acts on all that is new; returns what is done with. May be called at any time, by several processes.

    A rehearsal acts on nothing: its database is a copy.
    """
    done: list[Kept] = []
    if not app.durable or not app.has_ledger():
        return done
    inbox = Inbox(app.database())
    now = Round(app, inbox, app.subscribers())
    while batch := inbox.waiting(app.clock(), BATCH):
        done += work_off(now, batch)
    return done


def work_off(now: Round, batch: Sequence[Kept]) -> list[Kept]:
    """Finds out whom the reports are about, writes that down, acts, and writes that down."""
    doubts = bool(now.app.ledger().doubtful())
    loud = [one for one in batch if doubts or one.report.kind not in QUIET]
    quiet = [replace(one, state="done", note="noted") for one in batch if not doubts and one.report.kind in QUIET]
    traced = list(zip(loud, traces.find(now.app.database(), loud, now.app.secrets()), strict=True))
    identified = [(identified_as(one, found), found) for one, found in traced if found]
    strange = [later(now, one, "no delivery of ours") for one, found in traced if not found]
    now.inbox.write((*quiet, *strange, *(one for one, _ in identified)))
    ended = [attempt(now, one, found) for one, found in identified]
    now.inbox.write(ended)
    return [*quiet, *(one for one in ended if one.state == "done")]


def identified_as(one: Kept, traced: Traced) -> Kept:
    """The report with the person it is about."""
    return replace(one, delivery=traced.delivery, edition=traced.edition, person=unique(traced.recipient))


def later(now: Round, one: Kept, why: str) -> Kept:
    """It is looked at again, after ever longer times, and parked after a week."""
    waited = now.app.clock() - one.received
    if waited >= PATIENCE:
        return replace(one, state="parked", note=why)
    return replace(one, due=now.app.clock() + max(waited, timedelta(minutes=1)), note=f"{why} yet")


def attempt(now: Round, one: Kept, traced: Traced) -> Kept:
    """What cannot be done now is tried again later, and keeps nobody else waiting."""
    try:
        return conclude(now, one, traced)
    except SyndicateError as error:
        return replace(later(now, one, ""), note=error.message)


def conclude(now: Round, one: Kept, traced: Traced) -> Kept:
    """Does what a report asks for, and says what that was."""
    witness(now, one, traced)
    match one.report.kind:
        case ReportKind.HARD if unique(one.report.recipient) in {"", one.person}:
            note = suppress(now, one, traced, Reason.BOUNCE, one.report.status)
        case ReportKind.HARD | ReportKind.SOFT:
            note = soften(now, one, traced)
        case ReportKind.COMPLAINT:
            note = suppress(now, one, traced, Reason.COMPLAINT)
            note += watch(now, traced)
        case ReportKind.UNSUBSCRIBED:
            note = leave(now, one, traced)
        case ReportKind.POLICY:
            note = block(now, one, traced)
        case _:
            note = "noted"
    return replace(one, state="done", note=note)


def suppress(now: Round, one: Kept, traced: Traced, reason: Reason, detail: str = "") -> str:
    """No list mails this person any more."""
    source = " ".join(filter(None, (one.source, detail)))
    new = now.people.suppress(traced.recipient, reason, list=EVERYWHERE, source=source, actor=ACTOR, at=now.app.clock())
    return f"suppressed: {reason}" if new else "was suppressed already"


def leave(now: Round, one: Kept, traced: Traced) -> str:
    """As if the reader had used the link in the mail."""
    name = traced.list or now.app.channel(traced.channel).audience
    new = now.people.unsubscribe(traced.recipient, name, source=one.source, actor=ACTOR, at=one.report.at)
    return f"left {name}" if new else f"had left {name} already"


def soften(now: Round, one: Kept, traced: Traced) -> str:
    """An address that bounces softly is given up after three editions in a row, or when it has done so for 15 days.

    A hard bounce of another address (the mail was forwarded) counts as a soft one: the reader's own may be well.
    """
    bounced = {
        each.edition: each.report.at or each.received
        for kind in (ReportKind.HARD, ReportKind.SOFT)
        for each in now.inbox.about(one.person, kind)
    }
    row = traces.in_a_row(now.app.database(), traced.recipient, bounced)
    span = max(bounced[edition] for edition in row) - min(bounced[edition] for edition in row)
    if len(row) >= SOFT_EDITIONS or span >= SOFT_SPAN:
        return suppress(now, one, traced, Reason.BOUNCE, f"{len(row)} editions in {span.days} days")
    return f"bounced softly: {len(row)} of {SOFT_EDITIONS} editions"


def block(now: Round, one: Kept, traced: Traced) -> str:
    """The receiver does not want our mail: the person is not to blame, the account is stopped."""
    ours, since = is_ours(one.report.status), now.app.clock() - BLOCKS_SPAN
    count = traces.blocks(now.app.database(), traced.account, since)
    if not ours and count < BLOCKS:
        return f"blocked: {count} of {BLOCKS} within a day"
    hint = f"Mend what the receiver names, then: syndicate editions resume --account {traced.account}"
    pause(now, traced.account, f"blocked by {domain(traced.recipient)}: {one.report.text or one.report.status}", hint)
    return f"account {traced.account} paused"


def watch(now: Round, traced: Traced) -> str:
    """Too many complaints stop the account, before the mailbox providers do."""
    rate = rate_of(now.app, traced.account)
    if rate is None or rate.level != "pause":
        return ""
    hint = f"Find out why, mail only who asked for it, then: syndicate editions resume --account {traced.account}"
    pause(now, traced.account, f"complaints: {rate.text}", hint)
    return f"; account {traced.account} paused"


def pause(now: Round, account: str, reason: str, hint: str) -> None:
    """Nobody is claimed for it until a person has looked. One that is paused stays as it is."""
    ledger = now.app.ledger()
    if account not in {each.name for each in ledger.paused_accounts()}:
        ledger.pause_account(account, reason, hint, now.app.clock(), ACTOR)


def witness(now: Round, one: Kept, traced: Traced) -> None:
    """Whatever is told of a delivery shows that the network had accepted it: an `unknown` is `sent`."""
    if traced.state is not State.UNKNOWN or one.report.kind is ReportKind.OTHER:
        return
    ledger = now.app.ledger()
    for delivery in ledger.deliveries(traced.key, [State.UNKNOWN], traced.recipient):
        reason = f"{one.source} tells of it: {one.report.kind}"
        ledger.resolve(delivery, State.SENT, reason, now.app.clock(), ACTOR)


def domain(recipient: str) -> str:
    """Of an address."""
    return recipient.rpartition("@")[2]
