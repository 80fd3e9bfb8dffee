"""Brevo's webhooks: events unsigned; a token or a password is what they offer, beside a list of their addresses.

https://developers.brevo.com/docs/transactional-webhooks, https://developers.brevo.com/docs/username-and-password-authentication,
https://developers.brevo.com/docs/retry-mechanism
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field, SecretStr

from syndicate.feedback import base, events, passwords
from syndicate.feedback.codes import bounce_kind, status_in
from syndicate.model.feedback import Report, ReportKind

_KINDS: Mapping[str, ReportKind] = {
    "delivered": ReportKind.DELIVERED,
    "soft_bounce": ReportKind.SOFT,
    "invalid_email": ReportKind.HARD,
    "deferred": ReportKind.DEFERRED,
    "spam": ReportKind.COMPLAINT,
    "complaint": ReportKind.COMPLAINT,
    "unsubscribe": ReportKind.UNSUBSCRIBED,
    "unsubscribed": ReportKind.UNSUBSCRIBED,
}
#: What says nothing of a delivery.
_SILENT = ("request", "sent", "opened", "unique_opened", "proxy_open", "unique_proxy_open", "click", "clicked")


class BrevoOptions(base.Options):
    """What a webhook of Brevo may say in the configuration."""

    passwords: tuple[SecretStr, ...] = Field(
        default=(), description="`user:password` of basic authentication, where the hook has it: the present, the next"
    )
    tokens: tuple[SecretStr, ...] = Field(
        default=(), description="bearer tokens, where the hook has one: the present, and the next"
    )


class Told(events.Event):
    """The event."""

    event: str
    email: str = ""
    message_id: str = Field(default="", alias="message-id")
    #: milliseconds, UTC; the other times are in the zone of the account
    ts_epoch: int | None = None
    reason: str = ""
    custom: str = Field(default="", alias="X-Mailin-custom")


class Brevo(base.Source):
    """A token stands in a header, or nowhere but in the address."""

    name = "brevo"
    Options = BrevoOptions
    # 5xx, and any 4xx but this, make it throw the event away.
    come_again = 429
    options: BrevoOptions

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """The password or token, if there is one."""
        passwords.check(headers, self.options.passwords, self.options.tokens)

    def reports(self, body: bytes) -> Sequence[Report]:
        """One event, or several where the hook is set to collect them."""
        told = events.parse(body)
        batch = told if isinstance(told, list) else [told]
        if not all(isinstance(raw, dict) for raw in batch):
            raise base.Malformed("the body is no event")
        return [events.read(Told, raw, _report) for raw in batch if not events.is_any(raw, _SILENT)]


def _report(told: Told) -> Report:
    return Report(
        id="",  # its `id` is that of the webhook
        kind=_kind(told),
        recipient=told.email,
        mark=_mark(told.custom),
        receipt=told.message_id,
        at=events.moment(told.ts_epoch / 1000 if told.ts_epoch is not None else None),
        status=status_in(told.reason),
        text=told.reason,
    )


def _kind(told: Told) -> ReportKind:
    if told.event == "hard_bounce":
        # They count a refusal for policy as a hard bounce too.
        return ReportKind.POLICY if bounce_kind("", told.reason) is ReportKind.POLICY else ReportKind.HARD
    return _KINDS.get(told.event, ReportKind.OTHER)


def _mark(custom: str) -> str:
    """Ours out of a header that others may use too."""
    try:
        found = json.loads(custom)
    except (ValueError, RecursionError):
        return ""
    mark = found.get("syndicate_mark") if isinstance(found, dict) else None
    return mark if isinstance(mark, str) else ""
