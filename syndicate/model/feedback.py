"""What comes back after a mail was sent: bounces, complaints, and what providers tell of their own accord."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReportKind(StrEnum):
    """What a report says. The order in which reports of one delivery come does not matter."""

    HARD = "hard"  #: bounced for good: there is no such mailbox
    SOFT = "soft"  #: bounced this time: mailbox full, host down
    POLICY = "policy"  #: the receiver does not want mail from us; says nothing about the person
    COMPLAINT = "complaint"  #: the reader pressed `spam`
    NOT_SPAM = "not-spam"  #: the reader took it out of the spam folder
    UNSUBSCRIBED = "unsubscribed"  #: through the provider's own link
    DELIVERED = "delivered"  #: the reader's server took it
    DEFERRED = "deferred"  #: the provider tries again by itself
    OTHER = "other"  #: anything else; kept, and never acted on


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing that a source told of one recipient.

    It is acted on only where it names a delivery of ours beyond doubt: by `delivery`, by `mark` and `recipient`, or,
    from a provider, by `receipt` and `recipient`.
    """

    #: the source's own name for the event: the same event has the same one, however often it comes
    id: str
    kind: ReportKind
    #: address as the source writes it
    recipient: str = ""
    #: row of the ledger, from a return address whose MAC has been verified; 0: none
    delivery: int = 0
    #: `Email.mark` as it came back, in a Message-ID or in a provider's metadata; verified before it counts
    mark: str = ""
    #: the provider's name for the message, equal to `Receipt.id`; never from a mail, which anybody can write
    receipt: str = ""
    #: aware; when it happened, as the source says; None: it does not say
    at: datetime | None = None
    #: enhanced status code (RFC 3463), such as `5.1.1`; empty: none
    status: str = ""
    #: the receiver's own words
    text: str = ""
    #: the event or mail as it came
    raw: bytes = field(default=b"", repr=False)
