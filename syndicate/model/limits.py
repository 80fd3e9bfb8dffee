"""How fast an account may send, and who is left alone for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many deliveries begun within any span of this length."""

    count: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """An account's rates; all of them hold at once. Empty: as fast as the network takes it."""

    #: over all its deliveries
    account: tuple[Rate, ...] = ()
    #: over those to recipients of one domain
    domain: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """What the rates of an account leave."""

    #: deliveries that may be begun now
    count: int
    #: aware; when a good part more may be begun; None: no rate stands in the way
    more: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """An account, or one domain of its recipients, that is left alone for a while after failures."""

    account: str
    #: of recipients, such as `example.com`; empty: the whole account
    domain: str
    #: aware
    until: datetime
    #: how often in a row the network has failed since it last answered
    failures: int
    #: the network's own words
    reason: str = ""


def domain_of(recipient: str) -> str:
    """The domain of an address, in lower case; empty for the name of an account."""
    return recipient.rpartition("@")[2].lower() if "@" in recipient else ""
