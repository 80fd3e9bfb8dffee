"""Twilio SendGrid's Event Webhook: a batch of events, signed with ECDSA over timestamp and body.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events: /event, and
/getting-started-event-webhook-security-features.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field

from syndicate.feedback import base, events
from syndicate.feedback.codes import bounce_kind, status_in
from syndicate.model.feedback import Report, ReportKind

#: It repeats for 24 hours, and does not say whether a repeat is signed anew.
TOO_OLD = timedelta(hours=26)
#: Its event -> what it says. `bounce` and `dropped` need a second look.
_KINDS: Mapping[str, ReportKind] = {
    "delivered": ReportKind.DELIVERED,
    "deferred": ReportKind.DEFERRED,
    "spamreport": ReportKind.COMPLAINT,
    "unsubscribe": ReportKind.UNSUBSCRIBED,
    "group_unsubscribe": ReportKind.UNSUBSCRIBED,
}
#: Why it did not even try: what it remembers of the address.
_DROPPED: Mapping[str, ReportKind] = {
    "bounced address": ReportKind.HARD,
    "invalid": ReportKind.HARD,
    "spam reporting address": ReportKind.COMPLAINT,
    "unsubscribed address": ReportKind.UNSUBSCRIBED,
}
#: What says nothing of a delivery.
_SILENT = ("processed", "open", "click", "group_resubscribe")


class SendGridOptions(base.Options):
    """What a webhook of SendGrid may say in the configuration."""

    public_keys: tuple[str, ...] = Field(
        min_length=1, description="verification keys of the signed event webhook (base64): the present, and the next"
    )


class Told(events.Event):
    """One event of a batch."""

    event: str
    email: str = ""
    sg_event_id: str = ""
    sg_message_id: str = ""
    timestamp: int | float | None = None
    status: str = ""
    reason: str = ""
    response: str = ""
    type: str = ""
    #: our own, from `custom_args`
    syndicate_mark: str = ""


class SendGrid(base.Source):
    """The signature stands in headers."""

    name = "sendgrid"
    Options = SendGridOptions
    options: SendGridOptions

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """The timestamp is part of what is signed, so its age is that of the signature."""
        stamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
        signature = headers.get("x-twilio-email-event-webhook-signature", "")
        if not events.fresh(stamp, now, TOO_OLD) or not any(
            _signed(key, signature, stamp.encode() + body) for key in self.options.public_keys
        ):
            raise base.Forged

    def reports(self, body: bytes) -> Sequence[Report]:
        """An array of events, which may be empty."""
        batch = events.parse(body)
        if not isinstance(batch, list):
            raise base.Malformed("the body is no array of events")
        return [events.read(Told, raw, _report) for raw in batch if not events.is_any(raw, _SILENT)]


def _report(told: Told) -> Report:
    text = told.reason or told.response
    return Report(
        id=told.sg_event_id,
        kind=_kind(told, text),
        recipient=told.email,
        mark=told.syndicate_mark,
        # The answer to a request names it by the part before the first dot.
        receipt=told.sg_message_id.partition(".")[0],
        at=events.moment(told.timestamp),
        status=status_in(told.status) or status_in(text),
        text=text,
    )


def _kind(told: Told, text: str) -> ReportKind:
    if told.event == "bounce":
        return ReportKind.POLICY if told.type == "blocked" else bounce_kind(told.status, text)
    if told.event == "dropped":
        return _DROPPED.get(told.reason.lower(), ReportKind.OTHER)
    return _KINDS.get(told.event, ReportKind.OTHER)


def _signed(key: str, signature: str, data: bytes) -> bool:
    """Whether this key made the signature. Any fault of strangers' input is a `no`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey

    try:
        public = serialization.load_der_public_key(b64decode(key))
        if not isinstance(public, EllipticCurvePublicKey):
            return False
        public.verify(b64decode(signature, validate=True), data, ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
