"""Postmark's webhooks: one event each, unsigned; a password in the address of the hook is what they offer.

https://postmarkapp.com/developer/webhooks/webhooks-overview, https://postmarkapp.com/developer/api/bounce-api#bounce-types
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field, SecretStr

from syndicate.feedback import base, events, passwords
from syndicate.feedback.codes import status_in
from syndicate.model.feedback import Report, ReportKind

#: What says nothing of a delivery.
_SILENT = frozenset({"Open", "Click"})
#: Type of a bounce -> what it says. Decided by the word: the numbers beside it are used twice.
_BOUNCES: Mapping[str, ReportKind] = {
    "HardBounce": ReportKind.HARD,
    "BadEmailAddress": ReportKind.HARD,
    "ManuallyDeactivated": ReportKind.HARD,
    "SpamComplaint": ReportKind.COMPLAINT,
    "Unsubscribe": ReportKind.UNSUBSCRIBED,
    "Transient": ReportKind.SOFT,
    "SoftBounce": ReportKind.SOFT,
    "DnsError": ReportKind.SOFT,
    "Blocked": ReportKind.POLICY,
    "SpamNotification": ReportKind.POLICY,
    "DMARCPolicy": ReportKind.POLICY,
}
#: Why it sends no more to somebody.
_SUPPRESSED: Mapping[str, ReportKind] = {
    "HardBounce": ReportKind.HARD,
    "SpamComplaint": ReportKind.COMPLAINT,
    "ManualSuppression": ReportKind.UNSUBSCRIBED,
}


class PostmarkOptions(base.Options):
    """What a webhook of Postmark may say in the configuration."""

    passwords: tuple[SecretStr, ...] = Field(
        default=(), description="`user:password` of basic authentication, where the hook has it: the present, the next"
    )


class Told(events.Event):
    """The event; each kind has some of these."""

    RecordType: str
    MessageID: str = ""
    ID: int | None = None
    Type: str = ""
    Email: str = ""
    Recipient: str = ""
    Details: str = ""
    Description: str = ""
    Inactive: bool = False
    BouncedAt: str = ""
    DeliveredAt: str = ""
    ChangedAt: str = ""
    Origin: str = ""
    SuppressSending: bool = False
    SuppressionReason: str | None = None
    Metadata: dict[str, Any] = Field(default={})


class Postmark(base.Source):
    """A password stands in a header, or nowhere but in the address."""

    name = "postmark"
    Options = PostmarkOptions
    options: PostmarkOptions

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """The password, if there is one."""
        passwords.check(headers, self.options.passwords)

    def reports(self, body: bytes) -> Sequence[Report]:
        """One event, or none where it says nothing of a delivery."""
        told = events.parse(body)
        if not isinstance(told, dict):
            raise base.Malformed("the body is no event")
        return [] if told.get("RecordType") in _SILENT else [events.read(Told, told, _report)]


def _report(told: Told) -> Report:
    text = told.Details or told.Description
    when = told.BouncedAt or told.DeliveredAt or told.ChangedAt
    mark = told.Metadata.get("syndicate_mark")
    return Report(
        id=f"{told.RecordType} {told.MessageID} {told.ID or when}",
        kind=_kind(told),
        recipient=told.Email or told.Recipient,
        mark=mark if isinstance(mark, str) else "",
        receipt=told.MessageID,
        at=events.instant(when),
        status=status_in(text),
        text=text or told.SuppressionReason or "",
    )


def _kind(told: Told) -> ReportKind:
    match told.RecordType:
        case "Delivery":
            return ReportKind.DELIVERED
        case "SpamComplaint":
            return ReportKind.COMPLAINT
        case "Bounce":
            return _BOUNCES.get(told.Type, ReportKind.HARD if told.Inactive else ReportKind.OTHER)
        case "SubscriptionChange" if told.SuppressSending and told.Origin == "Recipient":
            return _SUPPRESSED.get(told.SuppressionReason or "", ReportKind.OTHER)
    return ReportKind.OTHER
