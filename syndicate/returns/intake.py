"""Bounces and complaints come in: mailboxes are fetched, webhooks received; all is kept before it is acted on."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from syndicate.accounts import at, resolve_strictly, rooted
from syndicate.errors import ConfigError, LedgerError, SyndicateError, UsageError
from syndicate.model import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

    from syndicate.app import App
    from syndicate.config.settings import Webhook
    from syndicate.feedback.base import Source
    from syndicate.feedback.inbox import Kept
    from syndicate.feedback.mailbox import Box, Options

M = TypeVar("M", bound="BaseModel")
#: Bytes of one request.
LARGEST = 5_000_000
#: A server that asks for a password is not visited at each tick, but at each fifth minute.
IMAP_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider is answered."""

    #: of HTTP
    status: int
    #: says nothing that helps a stranger
    text: str
    #: what the operator should hear of; empty: nothing
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one look into a mailbox brought."""

    #: key of the mailbox
    name: str
    #: mails read
    mails: int = 0
    #: reports about mails of ours that were not known
    kept: int = 0
    #: why it could not be read; None: it could
    fault: SyndicateError | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What one round of listening brought."""

    fetched: tuple[Fetched, ...] = ()
    #: what was acted on
    done: tuple[Kept, ...] = ()


def receive(app: App, name: str, secret: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """Takes what was posted to `/hooks/{name}/{secret}`: verified, then stored durably, then answered.

    The names of `headers` are in lower case; `body` is raw, at most `LARGEST` bytes of it were read. Nothing is acted
    on here: that is `acting.act`. Whoever is no source of ours learns nothing, not even which names there are.
    """
    from syndicate.feedback.base import Forged, Malformed, NotNow

    webhook = app.settings.feedback.webhooks.get(name)
    try:
        if not is_secret_of(app, webhook, secret) or webhook is None:
            return Answer(404, "not found")
        if len(body) > LARGEST:
            return Answer(413, "too large")
        source = make_source(app, name, webhook)
    except ConfigError as error:
        return Answer(come_again(webhook), "come again", f"webhook {name}: {error.message}")
    try:
        source.verify(body, headers, app.clock())
        keep(app, name, source, body)
    except Forged as error:
        return Answer(401, "not signed", f"webhook {name}: {error.message}")
    except Malformed as error:
        return Answer(400, "not understood", f"webhook {name}: {error.message}")
    except (LedgerError, NotNow) as error:
        return Answer(source.come_again, "come again", f"webhook {name}: {error.message}")
    return Answer(200, "kept")


def come_again(webhook: Webhook | None) -> int:
    """The status that makes a provider come again, also where its source cannot be made."""
    from syndicate.feedback import load
    from syndicate.feedback.base import Source

    try:
        return load(webhook.provider).come_again if webhook else Source.come_again
    except ConfigError:
        return Source.come_again


def keep(app: App, name: str, source: Source, body: bytes) -> int:
    """The reports of a verified body, durably; how many were not known. Raises `Malformed`, `Forged`, `LedgerError`."""
    from hashlib import sha256

    from syndicate.feedback.inbox import Inbox

    reports = source.reports(body)
    witness = "" if source.signs_body else sha256(body).hexdigest()
    return Inbox(app.database()).keep(name, reports, app.clock(), witness) if reports else 0


def is_secret_of(app: App, webhook: Webhook | None, secret: str) -> bool:
    """Compared in the same time for right and wrong, and for a name that there is not."""
    known = resolve_strictly(app.root)(webhook.secret) if webhook else "no such webhook"
    return hmac.compare_digest(known.encode(), secret.encode("utf-8", "replace")) and webhook is not None


def make_source(app: App, name: str, webhook: Webhook) -> Source:
    """A provider's source with its checked options. Raises `ConfigError` with the problems."""
    from syndicate.feedback import load

    where = ("feedback", "webhooks", name)
    try:
        kind = load(webhook.provider)
    except ConfigError as error:
        raise ConfigError(f"webhook {name} cannot be used", problems=[at(app.loaded, where, error)]) from error
    return kind(checked(app, kind.Options, webhook.options, where))


def make_mailbox(app: App, name: str) -> Options:
    """A mailbox's checked options. Raises `ConfigError` with the problems."""
    from syndicate.feedback.mailbox import Options

    return checked(app, Options, app.settings.feedback.mailboxes[name], ("feedback", "mailboxes", name))


def checked(app: App, model: type[M], options: Mapping[str, Any], where: tuple[str, str, str]) -> M:
    """Options of a file against their model, secrets resolved, paths in the project. Raises `ConfigError`."""
    from syndicate.config.load import validate
    from syndicate.config.secrets import resolve_all

    name = ".".join(where)
    try:
        resolved = resolve_all(options, resolve_strictly(app.root))
    except ConfigError as error:
        raise ConfigError(f"{name} cannot be used", problems=[at(app.loaded, where, error)]) from error
    found, problems = validate(model, resolved, name, app.loaded)
    if found is None:
        raise ConfigError(f"{name} cannot be used", problems=problems)
    return cast("M", rooted(found, app.root))


def check_feedback(app: App) -> Iterator[Problem]:
    """What is wrong with mailboxes and webhooks, without asking anybody."""
    feedback = app.settings.feedback
    for name in feedback.mailboxes:
        yield from faults(partial(make_mailbox, app, name))
    for name, webhook in feedback.webhooks.items():
        yield from faults(partial(make_source, app, name, webhook))


def faults(make: Callable[[], object]) -> Iterator[Problem]:
    """The problems for which something cannot be made."""
    try:
        make()
    except ConfigError as error:
        yield from error.problems


def fetch(app: App, names: Iterable[str] = ()) -> list[Fetched]:
    """Reads the named mailboxes, or all. One that cannot be read stops only itself. Raises `UsageError` for a name."""
    known = app.settings.feedback.mailboxes
    wanted = tuple(names) or tuple(known)
    for name in wanted:
        if name not in known:
            raise UsageError(f"there is no mailbox {name!r}", hint=f"Mailboxes: {', '.join(known) or 'none'}.")
    return [fetch_one(app, name) for name in wanted]


def fetch_one(app: App, name: str) -> Fetched:
    """One mailbox, from the first unread mail to the last."""
    from syndicate.feedback.mailbox import opened

    try:
        with opened(make_mailbox(app, name)) as box:
            return read_all(app, name, box)
    except SyndicateError as error:
        return Fetched(name, fault=error)


def read_all(app: App, name: str, box: Box) -> Fetched:
    """What each mail tells is kept before the mail is marked as read."""
    from syndicate.feedback.inbox import Inbox
    from syndicate.feedback.mail import Ours, reports

    inbox, ours = Inbox(app.database()), Ours(app.settings.publication.bounces, app.secrets())
    mails = kept = 0
    for key, data in box.unread():
        told = reports(data, ours)
        kept += inbox.keep(name, told, app.clock()) if told else 0
        box.read([key])
        mails += 1
    return Fetched(name, mails, kept)


def listen(app: App, *, in_turn: bool = True) -> Heard:
    """One round: the mailboxes, what servers refused while we spoke to them, then acting on all of it.

    `in_turn`: this is called each minute, and a server is not visited each time. In a rehearsal, or with
    `mode: rehearsal`, nobody is visited.
    """
    from syndicate.feedback.inbox import Inbox
    from syndicate.returns.acting import act

    if not app.durable or not app.has_ledger():
        return Heard()
    live = app.settings.mode == "live"
    fetched = [fetch_one(app, name) for name in (due(app, in_turn=in_turn) if live else ())]
    keep_refusals(app)
    Inbox(app.database()).tidy(app.clock())
    return Heard(tuple(fetched), tuple(act(app)))


def keep_refusals(app: App) -> int:
    """What the ledger has been told in SMTP sessions, as reports; how many are new."""
    from syndicate.feedback.inbox import Inbox
    from syndicate.feedback.traces import SESSION, refusals

    told = refusals(app.database())
    return Inbox(app.database()).keep(SESSION, told, app.clock()) if told else 0


def due(app: App, *, in_turn: bool) -> list[str]:
    """Mailboxes to look into now: a Maildir each time, a server at each fifth minute."""
    visits = not in_turn or app.clock().minute % IMAP_MINUTES == 0
    mailboxes = app.settings.feedback.mailboxes
    return [name for name, options in mailboxes.items() if visits or options.get("maildir")]
