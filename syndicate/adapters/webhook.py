"""A webhook: the message as JSON to an address of your own, signed as Standard Webhooks asks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import checked_url
from syndicate.model import Dedupe, Email, Message, Outcome, Paused, Payload, Post, Request

if TYPE_CHECKING:
    import requests


class WebhookOptions(base.Options):
    """An address that takes messages."""

    url: str = Field(description="where to POST to; https, or http on this machine")
    secret: SecretStr = Field(description="whsec_ and 24 to 64 bytes in base64; the receiver has the same")
    allow_http: bool = Field(default=False, description="send in the clear to another machine")
    repeat: timedelta | None = Field(
        default=None, description="for so long the receiver recognises a `webhook-id`; unset: not at all"
    )

    @field_validator("secret")
    @classmethod
    def _secret_is_a_key(cls, value: SecretStr) -> SecretStr:
        if not 24 <= len(signing_key(value.get_secret_value())) <= 64:
            raise ValueError("the secret must have 24 to 64 bytes")
        return value

    @model_validator(mode="after")
    def _url_may_be_used(self) -> Self:
        checked_url(self.url, allow_http=self.allow_http)
        return self


class Webhook(base.Adapter):
    """Hands every message to one receiver."""

    name = "webhook"
    Options = WebhookOptions
    supports = frozenset({"email", "post", "image"})
    options: WebhookOptions

    def __init__(self, options: WebhookOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self.dedupe = Dedupe(repeat=options.repeat)  # it is the receiver's promise, so the account declares it
        gone = Paused("410: the receiver wants no more", "Remove the account, or ask the receiver.")
        self._table = http.Table(
            special={410: lambda answer: gone}, credentials="Check `secret`: the receiver did not accept the signature."
        )

    def compose(self, message: Message) -> Request:
        """`POST` of an event with type and data."""
        event = _email(message) if isinstance(message, Email) else _post(bodies.post_of(message, self))
        body = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        return Request("POST", self.options.url, body, {"Content-Type": "application/json"})

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Any 2xx is a yes. The time of the attempt is signed with the message and is no part of its content."""
        if not isinstance(payload, Request):
            raise TypeError(f"webhook sends a Request, not {type(payload).__name__}")
        timestamp = int(self._now().timestamp())
        headers = signature(self.options.secret.get_secret_value(), message_id(key), timestamp, payload.body)
        return http.sort(http.exchange(session, payload, headers), self._table, self._now)


def message_id(key: str) -> str:
    """`webhook-id` of a delivery: the same for every attempt. The key itself has dots, which the signature must not."""
    return f"msg_{sha256(key.encode()).hexdigest()[:32]}"


def signature(secret: str, identifier: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The three headers of a signed webhook: HMAC-SHA256 over `id.timestamp.body`. `timestamp` in Unix seconds."""
    signed = hmac.digest(signing_key(secret), f"{identifier}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(signed).decode()}",
    }


def signing_key(secret: str) -> bytes:
    """The bytes of a `whsec_…` secret. Raises ValueError if it is not base64, without repeating it."""
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("the secret is not base64") from None


def _post(post: Post) -> dict[str, Any]:
    image = post.image
    return {
        "type": "post",
        "data": {
            "edition": post.edition,
            "text": post.text,
            "url": post.url,
            "title": post.title,
            "description": post.description,
            "language": post.language,
            "hashtags": post.hashtags,
            "image": image
            and {"media_type": image.media_type, "alt": image.alt, "base64": b64encode(image.data).decode()},
        },
    }


def _email(email: Email) -> dict[str, Any]:
    letter = email.letter
    return {
        "type": "email",
        "data": {
            "edition": letter.edition,
            "from": {"address": letter.sender.address, "name": letter.sender.name},
            "to": {"address": email.recipient.address, "name": email.recipient.name},
            "subject": letter.subject,
            "message": {"media_type": "message/rfc822", "base64": b64encode(email.data).decode()},
        },
    }
