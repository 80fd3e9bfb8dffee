"""Providers that call our webhooks: they sign as the real ones do, and their events have the recorded shapes."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: What a webhook is called with: headers in lower case, and the raw body.
Call = tuple[dict[str, str], bytes]

_SENDGRID: Mapping[str, Mapping[str, Any]] = {
    "delivered": {"event": "delivered", "response": "250 2.0.0 OK 1461095248 m143si2210036ioe.159 - gsmtp ", "tls": 1},
    "bounce": {
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "tls": 1,
    },
    "blocked": {
        "event": "bounce",
        "type": "blocked",
        "status": "5.7.1",
        "reason": "550 5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail.",
    },
    "deferred": {
        "event": "deferred",
        "attempt": "1",
        "response": "Email was deferred due to the following reason(s): [IPs were throttled by recipient server]",
    },
    "dropped": {"event": "dropped", "reason": "Bounced Address", "status": "5.0.0"},
    "invalid": {"event": "dropped", "reason": "Invalid"},
    "spamreport": {"event": "spamreport", "category": ["digest"]},
    "unsubscribe": {"event": "unsubscribe"},
    "group_unsubscribe": {"event": "group_unsubscribe", "asm_group_id": 10, "useragent": "Mozilla/4.0"},
    "processed": {"event": "processed", "category": ["digest"]},
    "open": {"event": "open", "useragent": "Mozilla/5.0", "ip": "192.0.2.7"},
    "click": {"event": "click", "url": "https://example.com/", "url_offset": {"index": 0, "type": "html"}},
}

_MAILGUN: Mapping[str, Mapping[str, Any]] = {
    "delivered": {
        "event": "delivered",
        "log-level": "info",
        "delivery-status": {"tls": True, "attempt-no": 1, "description": "", "code": 250, "message": "OK"},
    },
    "permanent": {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "log-level": "error",
        "delivery-status": {
            "code": 550,
            "message": "5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "5.1.1 double-checking the recipient's email address for typos",
            "description": "",
            "session-seconds": 2.952177047729492,
        },
    },
    "temporary": {
        "event": "failed",
        "severity": "temporary",
        "reason": "generic",
        "log-level": "warn",
        "delivery-status": {"code": 498, "message": "No MX for nomx.example.com", "retry-seconds": 1800},
    },
    "suppressed": {
        "event": "failed",
        "severity": "permanent",
        "reason": "suppress-bounce",
        "delivery-status": {"code": 605, "message": "", "description": "Not delivering to previously bounced address"},
    },
    "complained": {"event": "complained", "log-level": "warn"},
    "unsubscribed": {"event": "unsubscribed", "log-level": "info"},
    "opened": {"event": "opened", "ip": "192.0.2.7", "client-info": {"client-type": "browser"}},
    "accepted": {"event": "accepted", "delivery-status": None},
}


@dataclass
class SendGridCalls:
    """An account at SendGrid with the signed event webhook switched on."""

    now: datetime
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public_key(self) -> str:
        """As its settings page shows it."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return b64encode(self.key.public_key().public_bytes(encoding, form)).decode()

    def event(self, kind: str, email: str, event_id: str, mark: str = "", **changes: Any) -> dict[str, Any]:
        """One event as it was recorded, about a mail of ours."""
        ours = {"syndicate_mark": mark} if mark else {}
        return {
            "email": email,
            "timestamp": int(self.now.timestamp()),
            "sg_event_id": event_id,
            "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
            **ours,
            **_SENDGRID[kind],
            **changes,
        }

    def call(self, *events: Mapping[str, Any]) -> Call:
        """A batch with the line end that belongs to what is signed."""
        return self.signed(json.dumps(list(events), separators=(",", ":")).encode() + b"\r\n")

    def signed(self, body: bytes) -> Call:
        """Any body, with a signature that holds."""
        stamp = str(int(self.now.timestamp()))
        signature = self.key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        prefix = "x-twilio-email-event-webhook"
        return {f"{prefix}-timestamp": stamp, f"{prefix}-signature": b64encode(signature).decode()}, body


@dataclass
class MailgunCalls:
    """A domain at Mailgun with webhooks."""

    now: datetime
    key: str = "TEST_WEBHOOK_SIGNING_KEY"

    def event(self, kind: str, recipient: str, mark: str = "", **changes: Any) -> dict[str, Any]:
        """One event as it was recorded, about a mail of ours."""
        return {
            "timestamp": self.now.timestamp(),
            "recipient": recipient,
            "tags": [],
            "message": {"headers": {"to": recipient, "message-id": "20180812211713.1.DF5966851B4BAA99@example.org"}},
            "user-variables": {"syndicate_mark": mark} if mark else {},
            **_MAILGUN[kind],
            **changes,
        }

    def signature(self, token: str) -> dict[str, str]:
        """Over timestamp and token alone."""
        stamp = str(int(self.now.timestamp()))
        mac = hmac.new(self.key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
        return {"timestamp": stamp, "token": token, "signature": mac}

    def call(self, event: object, token: str) -> Call:
        """One event."""
        return {}, json.dumps({"signature": self.signature(token), "event-data": event}).encode()
