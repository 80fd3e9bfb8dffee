"""Resend's webhooks: one event each, signed by Svix over id, time and body.

https://resend.com/docs/webhooks/event-types, https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr, field_validator

from syndicate.feedback import base, events
from syndicate.feedback.codes import bounce_kind, has_code, status_in
from syndicate.model.feedback import Report, ReportKind

#: Svix signs each repeat anew.
TOO_OLD = timedelta(minutes=5)
#: Signatures that are looked at; while a key is replaced there are two.
MOST_SIGNATURES = 16
_KINDS: Mapping[str, ReportKind] = {
    "email.delivered": ReportKind.DELIVERED,
    "email.complained": ReportKind.COMPLAINT,
    "email.delivery_delayed": ReportKind.DEFERRED,
}
#: What says nothing of a delivery.
_SILENT = frozenset({"email.sent", "email.opened", "email.clicked", "email.scheduled"})


class ResendOptions(base.Options):
    """What a webhook of Resend may say in the configuration."""

    signing_secrets: tuple[SecretStr, ...] = Field(
        min_length=1, description="whsec_…, of the webhook: the present, and the next while one is replaced"
    )

    @field_validator("signing_secrets")
    @classmethod
    def _are_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for one in value:
            try:
                _key(one)
            except ValueError:
                raise ValueError("a signing secret is `whsec_` and base64") from None
        return value


class Bounce(events.Event):
    """Why a mail came back."""

    type: str = ""
    message: str = ""
    codes: list[str] = Field(default=[], alias="diagnosticCode")


class Suppressed(events.Event):
    """Why it was not even tried."""

    reason: str = ""
    message: str = ""


class Data(events.Event):
    """The mail of an event."""

    email_id: str
    #: every mail of ours has one reader
    to: list[str] = Field(min_length=1, max_length=1)
    tags: dict[str, Any] = Field(default={})
    bounce: Bounce = Field(default=Bounce())
    suppressed: Suppressed = Field(default=Suppressed())


class Told(events.Event):
    """The event."""

    type: str
    created_at: str = ""
    data: Data


class Resend(base.Source):
    """The signature stands in headers."""

    name = "resend"
    Options = ResendOptions
    options: ResendOptions

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """HMAC-SHA256 over `id.timestamp.body`; the header lists a signature for each key."""
        identifier, stamp = headers.get("svix-id", ""), headers.get("svix-timestamp", "")
        if not identifier or not events.fresh(stamp, now, TOO_OLD):
            raise base.Forged
        data = f"{identifier}.{stamp}.".encode() + body
        right = [hmac.digest(_key(one), data, "sha256") for one in self.options.signing_secrets]
        given = [_signature(part) for part in headers.get("svix-signature", "").split(" ")[:MOST_SIGNATURES]]
        if sum(hmac.compare_digest(one, other) for one in given for other in right) == 0:  # all of them are compared
            raise base.Forged

    def reports(self, body: bytes) -> Sequence[Report]:
        """One event, or none where it says nothing of a delivery."""
        told = events.parse(body)
        if not isinstance(told, dict):
            raise base.Malformed("the body is no event")
        return [] if told.get("type") in _SILENT else [events.read(Told, told, _report)]


def _key(secret: SecretStr) -> bytes:
    return b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True)


def _signature(part: str) -> bytes:
    """The bytes of `v1,BASE64`; none for anything else, which is no key's signature."""
    version, _, encoded = part.partition(",")
    try:
        return b64decode(encoded, validate=True) if version == "v1" else b""
    except ValueError:
        return b""


def _report(told: Told) -> Report:
    data = told.data
    text = " ".join(data.bounce.codes) or data.bounce.message or data.suppressed.message
    mark = data.tags.get("syndicate_mark")
    return Report(
        id="",  # Svix names an event in a header alone; a repeat has the same body
        kind=_kind(told, text),
        recipient=data.to[0].rpartition("<")[2].removesuffix(">"),
        mark=mark if isinstance(mark, str) else "",
        receipt=data.email_id,
        at=events.instant(told.created_at),
        status=status_in(text),
        text=text,
    )


def _kind(told: Told, text: str) -> ReportKind:
    match told.type:
        case "email.bounced":
            return _bounced(told.data.bounce, text)
        case "email.suppressed":
            complained = "complain" in told.data.suppressed.reason
            return ReportKind.COMPLAINT if complained else ReportKind.HARD
    return _KINDS.get(told.type, ReportKind.OTHER)


def _bounced(bounce: Bounce, text: str) -> ReportKind:
    """By the receiver's own code where there is one; else by Resend's word, which older events hide in a sentence."""
    if bounce.type == "Permanent":
        return bounce_kind("", text) if has_code(text) else ReportKind.HARD
    if bounce.type == "Transient":
        return ReportKind.SOFT
    permanent = not bounce.type and ("hard bounce" in text or "suppress" in text)
    return ReportKind.HARD if permanent else ReportKind.OTHER
