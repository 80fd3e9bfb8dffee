"""Who may receive an e-mail edition, and why or why not: subscribers, memberships, consent, suppression.

All times are aware. A *person* is what two spellings of an address share (`audience.addresses.unique`); a *reader* is
the number of a subscriber, which is never given twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

#: As the list of a suppression: every list there is, and every one to come.
EVERYWHERE = ""


class Standing(StrEnum):
    """Where a subscriber stands on a list."""

    PENDING = "pending"  #: asked for, or imported without proof of consent; not mailed
    ACTIVE = "active"  #: gets editions, unless suppressed
    UNSUBSCRIBED = "unsubscribed"


class Said(StrEnum):
    """What a line of the record of consent says."""

    ASKED = "asked"  #: a form was sent, by somebody who gave this address
    CONFIRMED = "confirmed"  #: the owner of the address said yes
    IMPORTED = "imported"  #: said yes elsewhere, at a known time and place
    WITHDRAWN = "withdrawn"


class Reason(StrEnum):
    """Why somebody is not to be mailed."""

    UNSUBSCRIBED = "unsubscribed"  #: by own word; a confirmed subscription lifts it
    COMPLAINT = "complained"  #: reported a mail as spam
    BOUNCE = "bounced"  #: the address takes no mail
    MANUAL = "suppressed by hand"
    ERASED = "erased"  #: only a keyed hash of the address is left


@dataclass(frozen=True, slots=True)
class Grounds:
    """How somebody said yes or no: what the record of consent keeps of it."""

    #: where: `form`, `import`, `one-click`, `command line`, …
    source: str
    #: what the person was shown, word by word
    wording: str = ""
    #: what points back to it: file and line of an import, id of a token
    evidence: str = ""
    #: of the visit; both are forgotten after 90 days
    ip: str = ""
    agent: str = ""
    #: aware; when the person said it; None: now
    given: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One line of the record of consent, which only grows."""

    list: str
    what: Said
    #: aware; when it was written down
    at: datetime
    #: aware; when the person said it
    given: datetime
    #: as in `Grounds`
    source: str
    wording: str = ""
    #: hex SHA-256 of the wording; empty where there is none
    sha256: str = ""
    evidence: str = ""
    ip: str = ""
    agent: str = ""
    #: who wrote it: `web`, `import`, `person`, …
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A subscriber on a list."""

    reader: int
    list: str
    state: Standing
    #: aware; since when active; before that, since when asked for
    joined: datetime
    #: aware; last change of state
    moved: datetime


@dataclass(frozen=True, slots=True)
class Suppression:
    """Somebody who is not to be mailed."""

    #: as `audience.addresses.unique` has it, or `hmac:` and a keyed hash for the erased
    person: str
    #: `EVERYWHERE`, or the list that was left
    list: str
    #: a `Reason`, or words of the caller
    reason: str
    #: what it comes from: `one-click`, `550 5.1.1 …`, a file
    source: str
    #: aware
    at: datetime
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person whom the store knows by address."""

    #: number, in tokens and deliveries; never given twice
    reader: int
    #: normalised, as it is mailed
    address: str
    name: str = ""
    #: what templates and segments may use
    fields: Mapping[str, str] = field(default_factory=dict)
    #: in lower case, sorted
    tags: tuple[str, ...] = ()
    #: aware; since when the store knows the address
    created: datetime
    #: by name of the list
    memberships: tuple[Membership, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A row of an import: what a file says of one person."""

    #: normalised
    address: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    #: as the file has it; `ACTIVE` without `grounds.given` and `grounds.source` becomes `PENDING`
    state: Standing = Standing.ACTIVE
    #: not to be mailed on any list, and why (`Reason.BOUNCE`, `Reason.COMPLAINT`, …); empty: nothing says so
    suppressed: str = ""
    #: the consent that the file documents
    grounds: Grounds
    #: aware; since when on the list elsewhere; None: since the consent, or now
    joined: datetime | None = None


class Taken(StrEnum):
    """What became of a row of an import."""

    ADDED = "added"
    UPDATED = "updated"  #: was a member already; what was missing was filled in
    KNOWN = "known"  #: was a member already, and nothing is new
    PENDING = "pending"  #: without proof of consent: not mailed
    LEFT = "unsubscribed"  #: the file says so: kept, so that no other file brings them in
    SUPPRESSED = "suppressed"  #: not to be mailed here, whatever the file says
    ERASED = "erased"  #: asked to be forgotten; nothing was kept


@dataclass(frozen=True, slots=True)
class ListCount:
    """A list with its members."""

    name: str
    #: in tokens
    number: int
    #: all states
    counts: Mapping[Standing, int]
    #: of the active: suppressed on this list or everywhere
    suppressed: int = 0

    @property
    def mailable(self) -> int:
        """Who would get an edition to the whole list."""
        return self.counts[Standing.ACTIVE] - self.suppressed


@dataclass(frozen=True, slots=True)
class Mailed:
    """A delivery, as the person it went to may ask about it."""

    edition: str
    #: subject
    title: str
    state: str
    #: aware; None: nothing has happened to it yet
    moved: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is known of a person: the answer to a request for access (GDPR Art. 15)."""

    #: as asked for, normalised
    address: str
    #: None: the store has no subscriber of this address
    subscriber: Subscriber | None = None
    consents: tuple[Consent, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    deliveries: tuple[Mailed, ...] = ()
    #: (edition, why it was left out)
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was removed of a person."""

    #: rows of subscriber, memberships, tags, consents and suppressions
    audience: int
    #: deliveries that name nobody any more
    deliveries: int
    #: of these, how many still waited and were skipped
    skipped: int
    #: other rows that quoted the address
    lines: int = 0
    #: whether the free space of the database was overwritten; not while others use it
    swept: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything was known of the address."""
        return bool(self.audience or self.deliveries or self.lines)
