"""A Resend: strict about keys, and answers a call that it knows with what it answered before."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, FakeProvider, Taken, answer, elements, lower

# Documented answers, https://resend.com/docs/api-reference/errors


def error(status: int, name: str, message: str, **headers: str) -> Reply:
    """Their envelope."""
    body = {"statusCode": status, "message": message, "name": name}
    return answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


MISSING_KEY = error(401, "missing_api_key", "Missing API key in the authorization header.")
WRONG_KEY = error(403, "invalid_api_key", "API key is invalid.")
ODD_KEY = error(400, "validation_error", "API key is invalid")
TESTING = error(403, "validation_error", "You can only send testing emails to your own email address (me@example.com).")
BAD_TO = (
    "Invalid `to` field. The email address needs to follow the `email@example.com` or "
    "`Name <email@example.com>` format."
)
INVALID_TO = error(422, "validation_error", BAD_TO)
OTHER_BYTES = error(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.")
IN_PROGRESS = error(
    409,
    "concurrent_idempotent_requests",
    "Same idempotency key used while original request is still in progress.",
)
TOO_FAST = error(
    429,
    "rate_limit_exceeded",
    "Too many requests. You can only make 2 requests per second. See rate limit response headers for more information.",
    retry_after="1",
)
DAILY = error(429, "daily_quota_exceeded", "You have reached your daily email sending quota.", retry_after="1")
MONTHLY = error(429, "monthly_quota_exceeded", "You have reached your monthly email sending quota.", retry_after="1")
BROKEN = error(500, "internal_server_error", "An unexpected error occurred.")


class FakeResend(FakeProvider):
    """The batch endpoint."""

    credentials: ClassVar = {"api_key": KEY}
    wrong_key = WRONG_KEY
    #: whether it names bad mails and takes the others, where it is asked to
    knows_permissive = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: idempotency key -> (body, answer)
        self.known: dict[str, tuple[bytes, Reply]] = {}
        #: idempotency keys that it was given, in order
        self.keys: list[str] = []

    def authorised(self, request: Received) -> bool:
        """A bearer token."""
        return request.headers.get("authorization") == f"Bearer {KEY}"

    def take(self, request: Received) -> Reply:
        """A list of mails."""
        key = request.headers.get("idempotency-key", "")
        if request.path != "/emails/batch":
            return error(404, "not_found", "The requested endpoint does not exist.")
        self.keys.append(key)
        if not 1 <= len(key) <= 256:
            return error(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        if key in self.known:
            body, before = self.known[key]
            return before if body == request.body else OTHER_BYTES
        reply = self._send(request)
        if reply.status == 200:
            self.known[key] = request.body, reply
        return reply

    def _send(self, request: Received) -> Reply:
        mails = list(elements(request.body, "["))
        if len(mails) > 100:
            return error(422, "validation_error", "The batch is limited to 100 emails.")
        wrong = [number for number, (mail, _) in enumerate(mails) if _to(mail) in self.bad]
        permissive = self.knows_permissive and request.headers.get("x-batch-validation") == "permissive"
        if wrong and not permissive:
            return INVALID_TO
        good = [one for number, one in enumerate(mails) if number not in wrong]
        found = [self._taken(request, mail, alone, number) for number, (mail, alone) in enumerate(good)]
        self.keep(found)
        body: dict[str, Any] = {"data": [{"id": one.id} for one in found]}
        if permissive:
            body["errors"] = [{"index": number, "message": BAD_TO} for number in wrong]
        return answer(200, body, {"ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1"})

    def _taken(self, request: Received, mail: Any, alone: bytes, number: int) -> Taken:
        (tag,) = mail["tags"]
        assert json.loads(alone) == [mail]
        return Taken(
            recipient=_to(mail),
            mark=tag["value"],
            sha256=self.digest(request, alone),
            subject=mail["subject"],
            text=mail["text"],
            html=mail["html"],
            headers=lower(mail["headers"]),
            id=f"ae2014de-c168-4c61-8267-{len(self.taken) + number:012}",
        )


def _to(mail: Any) -> str:
    (to,) = mail["to"]
    return str(to).rpartition("<")[2].removesuffix(">")
