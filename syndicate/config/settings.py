"""What is in force: frozen values with every default filled in, and references instead of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from syndicate.model import Channel, Publication
from syndicate.model.limits import Limits

#: This machine.
LOOPBACK = ("127.0.0.1", "::1")


class Mode(StrEnum):
    """Whether anything may leave this machine."""

    REHEARSAL = "rehearsal"  #: only accounts that write to this disk
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Account:
    """An adapter with its options, which only the adapter understands."""

    #: name of the adapter
    adapter: str
    #: as they stand in the file, unchecked; a secret is a reference such as `${env:SMTP_PASSWORD}`
    options: Mapping[str, Any]
    #: how fast it may send
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Audience:
    """Where the readers of an e-mail channel come from."""

    #: path of a CSV file, relative to the project folder; None: the readers are those of the list in the store
    csv: Path | None
    #: list that readers leave when they unsubscribe; that of a file has the name of its audience
    list: str
    #: the part of the list that is meant; empty: all
    segment: str = ""
    #: how the people in the file said yes; empty: nobody says
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a provider tells over HTTP."""

    #: name of the provider
    provider: str
    #: last part of the URL; a reference
    secret: str
    #: as they stand in the file, unchecked; a secret is a reference
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feedback:
    """Where bounces and complaints come from."""

    #: name -> options of the mailbox, unchecked; a secret is a reference
    mailboxes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: name -> who calls `<links>/hooks/<name>/<secret>`
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is told when something waits for a person, has failed, or is unknown."""

    #: key of `accounts:`
    account: str
    #: address of the mail, where the account mails
    to: str


@dataclass(frozen=True, slots=True)
class Serve:
    """The public pages."""

    #: list that the sign-up form offers -> what it is, in one line
    lists: Mapping[str, str] = field(default_factory=dict)
    #: addresses and networks of proxies whose `X-Forwarded-For` is believed
    proxies: tuple[str, ...] = LOOPBACK
    #: further host names under which the pages may be asked for
    hosts: tuple[str, ...] = ()
    #: addresses and networks that may read `/metrics`
    metrics: tuple[str, ...] = LOOPBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. Paths are relative to `root`, unless they were written absolute."""

    #: the project folder: the one that holds `config/`
    root: Path
    publication: Publication
    mode: Mode
    #: SQLAlchemy URL; the path of a SQLite file is relative to `root`; may hold a reference
    database: str
    #: key material of tokens and Message-IDs, normally a reference
    secret: str
    #: what it was before, the latest first: links that were made with it still work
    earlier_secrets: tuple[str, ...] = ()
    #: where the articles are
    folders: tuple[Path, ...]
    #: whether hero images of the web may be fetched
    fetch_pictures: bool = False
    #: where the templates are
    templates: Path
    #: name -> account, in the order of the file
    accounts: Mapping[str, Account]
    #: name -> audience
    audiences: Mapping[str, Audience]
    #: name -> channel, in the order of the file
    channels: Mapping[str, Channel]
    #: None: nobody is told
    operator: Operator | None = None
    feedback: Feedback = field(default_factory=Feedback)
    #: None: mails do not link to the public pages, but for the one on which readers unsubscribe
    serve: Serve | None = None
