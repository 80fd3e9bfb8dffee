"""A receiver of webhooks that verifies as Standard Webhooks asks, and takes each id once."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from time import time
from typing import Any

from syndicate.testing.http import FakeNetwork, Received, Reply

#: the secret of the specification's own example
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TOLERANCE = 300  # seconds between the receiver's clock and the attempt


class WebhookReceiver(FakeNetwork):
    """Answers 204 to what is signed with its secret, and 401 to all else."""

    option = "url"

    def __init__(self, secret: str = SECRET, clock: Callable[[], float] = time) -> None:
        super().__init__()
        #: webhook-id -> body, each id once
        self.accepted: dict[str, bytes] = {}
        self._secret = secret
        self._clock = clock

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """With the secret that it verifies."""
        return super().lead(options) | {"secret": self._secret}

    def handle(self, request: Received) -> Reply:
        """Verifies, and keeps what is new."""
        if not verified(request.headers, request.body, self._secret, self._clock()):
            return Reply(401)
        self.accepted.setdefault(request.headers["webhook-id"], request.body)
        return Reply(204)


def verified(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Whether one of the signatures is right and recent. `headers` in lower case, `now` in Unix seconds."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE or "." in identifier:
        return False
    key = b64decode(secret.removeprefix("whsec_"))
    content = b".".join((identifier.encode(), timestamp.encode(), body))
    right = b"v1," + b64encode(hmac.new(key, content, hashlib.sha256).digest())
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(one, right) for one in given)
