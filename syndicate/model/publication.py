"""Who speaks, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syndicate.model.value import value


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and an address."""

    #: `local@domain`
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Who speaks: what templates and headers may say about the publisher."""

    name: str
    url: str
    language: str = "en"
    #: IANA zone
    timezone: str = "UTC"
    sender: Mailbox
    #: where replies go; empty: the sender
    reply_to: str = ""
    postal_address: str = ""
    #: the page behind "Follow us on LinkedIn"
    linkedin: str = ""
    #: absolute base of unsubscribe and preference pages, without a slash at its end
    links: str = ""
    #: mailbox that takes bounces, at an address of its own for each delivery; empty: the account says where they go
    bounces: str = ""
    #: whether `syndicate serve` shows all its pages there, so that mails may link to them
    pages: bool = False


@value()
class Recipient:
    """Who gets a delivery: a subscriber, or the account itself for a post."""

    #: normalised `local@domain`, or the account's name
    address: str
    name: str = ""
    #: other columns that templates may show
    fields: Mapping[str, str] = field(default_factory=dict)
    #: number of the subscriber; 0 for those of a file, and for posts
    reader: int = 0
