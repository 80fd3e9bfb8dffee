"""One message to the operator for each thing that waits for a person, has failed, or is unknown; each is told once.

It comes after the work and never stops it: what cannot be told now is told after the next tick, and `status` has it all
the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from threading import Thread
from typing import TYPE_CHECKING

from syndicate.errors import SyndicateError
from syndicate.model import (
    Deferred,
    Email,
    Letter,
    Mailbox,
    Message,
    Outcome,
    Plan,
    Post,
    Receipt,
    Recipient,
    Refused,
    State,
)
from syndicate.newsroom.expiry import endings, written

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App
    from syndicate.config.settings import Operator
    from syndicate.pipeline import Report

#: Seconds that a tick waits for the message to be taken; a slower answer is not waited for.
PATIENCE = 5.0
#: Lines of one message.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that the operator has to know."""

    #: the same for as long as it is the same thing
    name: str
    text: str


def remind(app: App, plan: Plan, reports: Iterable[Report]) -> None:
    """Tells the operator what he has not been told yet. Never fails a run, and never waits for long."""
    operator = app.settings.operator
    with suppress(SyndicateError):
        if operator and may_tell(app, operator):
            tell_news(app, operator, plan, reports)


def tell_news(app: App, operator: Operator, plan: Plan, reports: Iterable[Report]) -> None:
    """Notes what is new, and tells it in a thread of its own."""
    facts = list(dict.fromkeys(all_facts(app, plan, reports)))
    new = set(app.ledger().remind([fact.name for fact in facts], app.clock())) if facts else set()
    if told := [fact for fact in facts if fact.name in new]:
        teller = Thread(target=tell, args=(app, operator, told), name="reminder", daemon=True)
        teller.start()
        teller.join(PATIENCE)


def may_tell(app: App, operator: Operator) -> bool:
    """In a rehearsal nothing leaves this machine, and a ledger in memory would not know what was told."""
    from syndicate.adapters import load

    return app.durable and (app.settings.mode == "live" or load(app.settings.accounts[operator.account].adapter).local)


def all_facts(app: App, plan: Plan, reports: Iterable[Report]) -> Iterator[Fact]:
    """All there is to tell, whether or not it was told before."""
    ledger = app.ledger()
    for key in ledger.awaiting():
        if row := ledger.edition(key):
            why = f" ({row.reason})" if row.reason else ""
            yield Fact(f"awaiting {key} {row.sha256} {row.plan}", f"{key} waits for approval{why}")
    for part in plan.channels:
        yield from (Fact(f"late {key}", f"{key} was missed and waits: {part.answer}") for key in part.waiting)
    for one in ledger.deliveries(states=[State.UNKNOWN]):
        yield Fact(f"unknown {one.key} {one.epoch}", f"{one.key} is unknown: {one.reason}")
    for pause in ledger.paused_accounts():
        yield Fact(f"paused {pause.name} {pause.since}", f"account {pause.name} is paused: {pause.reason} {pause.hint}")
    yield from complaints(app)
    yield from ending(app)
    for report in reports:
        yield from failed(report)


def complaints(app: App) -> Iterator[Fact]:
    """Accounts whose readers complain more than mailbox providers bear; each is told once a day."""
    from syndicate.returns.rates import complaint_rates

    for rate in complaint_rates(app):
        if rate.level and not rate.channel:
            name = f"complaints {rate.account} {rate.level} {app.clock():%Y-%m-%d}"
            yield Fact(name, f"account {rate.account}: readers complain: {rate.text}; syndicate feedback rates")


def ending(app: App) -> Iterator[Fact]:
    """Sign-ins that end, once at each step before their end."""
    now = app.clock()
    for one in (*endings(app), *written(app)):
        if (step := one.step(now)) is not None:
            name = f"ending {one.account} {one.until:%Y-%m-%dT%H:%M} {step}"
            yield Fact(name, f"account {one.account}: {one.text(now)}")


def failed(report: Report) -> Iterator[Fact]:
    """What a run could not do."""
    for one in report.failures:
        problem = one.problem
        yield Fact(f"failed {one.key} {problem.message}", f"{one.key}: {problem.message} {problem.hint}".rstrip())
    for done in report.done:
        if done.tally.refused:
            yield Fact(f"refused {done.key} {done.tally.refused}", f"{done.key}: {done.tally.refused} refused")


def tell(app: App, operator: Operator, facts: Sequence[Fact]) -> None:
    """Sends one message. What nobody took is forgotten, so that it is told another time, perhaps twice."""
    names = [fact.name for fact in facts]
    key = f"operator/{sha256(' '.join(names).encode()).hexdigest()[:16]}"
    try:
        adapter = app.adapter(operator.account)
        outcome = send(adapter, message(app, operator, adapter, key, facts), key)
    except Exception as error:  # a reminder that fails must not be what stops a run
        outcome = Deferred(f"{type(error).__name__}: {error}")
    if not isinstance(outcome, Receipt | Refused):
        with suppress(SyndicateError):
            app.ledger().forget(names)


def send(adapter: Adapter, message: Message, key: str) -> Outcome:
    """One message, beside the ledger: it is about the editions, and none itself."""
    with adapter.open() as session:
        payload = adapter.prepare(session, adapter.compose(message))
        return payload if isinstance(payload, Outcome) else adapter.send(session, payload, key)


def message(app: App, operator: Operator, adapter: Adapter, key: str, facts: Sequence[Fact]) -> Message:
    """A post, or a mail where the account takes only those."""
    name = app.settings.publication.name
    title = f"{name}: {facts[0].text}" if len(facts) == 1 else f"{name}: {len(facts)} things need a person"
    lines = [fact.text for fact in facts[:SHOWN]]
    if len(facts) > SHOWN:
        lines.append(f"and {len(facts) - SHOWN} more")
    text = "\n".join((*lines, "", "syndicate status shows what waits, and what to do."))
    if "post" in adapter.supports:
        return Post(edition=key, date=app.clock(), text=text, url="", title=title)
    return mail(app, operator.to, key, title, text)


def mail(app: App, to: str, key: str, subject: str, text: str) -> Email:
    """A plain mail that no list header or auto-reply belongs to (RFC 3834 §5)."""
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime

    now, sender = app.clock(), app.settings.publication.sender
    domain = sender.address.rpartition("@")[2]
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(display_name=app.settings.publication.name, addr_spec=sender.address)
    made["To"] = to
    made["Subject"] = " ".join(subject.split())[:200]
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{key.replace('/', '.')}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text, cte="quoted-printable")
    letter = Letter(
        edition=key,
        channel="operator",
        date=now,
        subject=subject,
        preheader="",
        sender=Mailbox(sender.address, sender.name),
        html="",
        text=text,
        headers=tuple((name, str(value)) for name, value in made.items()),
        segments=(made.as_bytes(),),
        slots=(),
    )
    return Email(letter=letter, recipient=Recipient(to), values={}, encoded=())
