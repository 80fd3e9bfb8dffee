"""Mailgun's webhooks: one event each, with a signature that covers a timestamp and a token, and not the event.

https://documentation.mailgun.com/docs/mailgun/user-manual/tracking-messages/#webhooks. Whoever sees one signature could
sign any event with it; so the token is the event's id, and one that comes back with another body is a forgery.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr

from syndicate.feedback import base, events
from syndicate.feedback.codes import bounce_kind, status_in
from syndicate.model.feedback import Report, ReportKind

#: It repeats for 8 hours, and does not say whether a repeat is signed anew.
TOO_OLD = timedelta(hours=26)
_KINDS: Mapping[str, ReportKind] = {
    "delivered": ReportKind.DELIVERED,
    "complained": ReportKind.COMPLAINT,
    "unsubscribed": ReportKind.UNSUBSCRIBED,
}
#: What says nothing of a delivery.
_SILENT = ("accepted", "opened", "clicked", "stored", "list_member_uploaded")


class MailgunOptions(base.Options):
    """What a webhook of Mailgun may say in the configuration."""

    signing_keys: tuple[SecretStr, ...] = Field(
        min_length=1, description="HTTP webhook signing keys: the present, and the next while one is replaced"
    )


class Status(events.Event):
    """What the receiving server said."""

    code: int | None = None
    message: str | None = None
    description: str | None = None


class Told(events.Event):
    """The event."""

    event: str
    recipient: str = ""
    timestamp: int | float | None = None
    severity: str = ""
    reason: str = ""
    delivery_status: Status | None = Field(default=None, alias="delivery-status")
    message: dict[str, Any] = Field(default={})
    user_variables: dict[str, Any] | str = Field(default={}, alias="user-variables")


class Mailgun(base.Source):
    """The signature stands in the body."""

    name = "mailgun"
    Options = MailgunOptions
    signs_body = False
    options: MailgunOptions

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """HMAC-SHA256 over timestamp and token. Raises `Malformed` for a body that is no event."""
        token, stamp, signature = _signature(body)
        data = f"{stamp}{token}".encode()
        signed = False
        for key in self.options.signing_keys:
            mac = hmac.new(key.get_secret_value().encode(), data, "sha256").hexdigest()
            signed |= hmac.compare_digest(mac.encode(), signature.encode())
        if not (signed and token and events.fresh(stamp, now, TOO_OLD)):
            raise base.Forged

    def reports(self, body: bytes) -> Sequence[Report]:
        """One event, or none where it says nothing of a delivery."""
        told = events.parse(body).get("event-data")
        if events.is_any(told, _SILENT):
            return []
        token, _, _ = _signature(body)
        return [events.named(events.read(Told, told, _report), token)]


def _signature(body: bytes) -> tuple[str, str, str]:
    """Token, timestamp and signature; empty where one is missing or no text."""
    told = events.parse(body)
    if not isinstance(told, dict):
        raise base.Malformed("the body is no event")
    signature = told.get("signature")
    parts = signature if isinstance(signature, dict) else {}
    token, stamp, mac = (parts.get(name) for name in ("token", "timestamp", "signature"))
    return _text(token), _text(stamp), _text(mac)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _report(told: Told) -> Report:
    status = told.delivery_status or Status()
    text = " ".join(filter(None, (str(status.code or ""), status.message or status.description or "")))
    headers = told.message.get("headers")
    ours = told.user_variables if isinstance(told.user_variables, dict) else {}
    message_id = _text(headers.get("message-id")) if isinstance(headers, dict) else ""
    return Report(
        id="",
        kind=_kind(told, text),
        recipient=told.recipient,
        mark=_text(ours.get("syndicate_mark")) or message_id.partition("@")[0],
        receipt=message_id,
        at=events.moment(told.timestamp),
        status=status_in(text),
        text=text,
    )


def _kind(told: Told, text: str) -> ReportKind:
    """Its own suppression list counts as the bounce or complaint that put the address there."""
    if told.event != "failed":
        return _KINDS.get(told.event, ReportKind.OTHER)
    if told.reason in {"suppress-bounce", "suppress-complaint", "suppress-unsubscribe"}:
        return _SUPPRESSED[told.reason]
    if told.severity == "permanent":
        return bounce_kind("", text)
    return ReportKind.DEFERRED


_SUPPRESSED: Mapping[str, ReportKind] = {
    "suppress-bounce": ReportKind.HARD,
    "suppress-complaint": ReportKind.COMPLAINT,
    "suppress-unsubscribe": ReportKind.UNSUBSCRIBED,
}
