"""What is in force: frozen values with every default filled in, and references instead of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from syndicate.model import Channel, Publication
from syndicate.model.limits import Limits


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

    #: path of a CSV file, relative to the project folder
    csv: Path


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is told when something waits for a person, has failed, or is unknown."""

    #: key of `accounts:`
    account: str
    #: address of the mail, where the account mails
    to: str


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
    #: where the articles are
    folders: tuple[Path, ...]
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
