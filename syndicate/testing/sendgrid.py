"""A SendGrid: all readers of a call or none, and an id for the call alone."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, MARK, FakeProvider, Taken, answer, elements, filled, lower

# Documented answers, https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors


def error(status: int, message: str, field: str | None = None, **headers: str) -> Reply:
    """Their envelope."""
    body = {"errors": [{"message": message, "field": field, "help": None}]}
    return answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


WRONG_KEY = error(401, "The provided authorization grant is invalid, expired, or revoked")
NO_CREDITS = error(401, "Maximum credits exceeded")
NO_SENDER = error(
    403,
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
    "from",
)
BAD_FROM = error(400, "The from email does not contain a valid address.", "from.email")
TOO_LARGE = error(413, "The JSON payload you have included in your request is too large.")
TOO_FAST = error(429, "too many requests", x_ratelimit_reset="1741597230")
PROXY = Reply(500, b"Ack! Bad proxy!")


class FakeSendGrid(FakeProvider):
    """`POST /v3/mail/send`."""

    credentials: ClassVar = {"api_key": KEY}
    wrong_key = WRONG_KEY

    def authorised(self, request: Received) -> bool:
        """A bearer token."""
        return request.headers.get("authorization") == f"Bearer {KEY}"

    def take(self, request: Received) -> Reply:
        """One content, many readers."""
        if request.path != "/v3/mail/send":
            return Reply(404)
        call = json.loads(request.body)
        if len(call["personalizations"]) > 1000:
            return error(400, "The personalizations block is limited to 1000 personalizations per API request.")
        found = list(elements(request.body, '"personalizations":['))
        for number, (one, _) in enumerate(found):
            if one["to"][0]["email"] in self.bad:
                place = f"personalizations.{number}.to.0.email"
                return error(400, "Does not contain a valid address.", place)
        if call.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Reply(200)
        identifier = f"wrfRRvF7Q0GgwUo2C{len(self.taken):05}"
        self.keep([self._one(request, call, one, alone, identifier) for one, alone in found])
        return Reply(202, headers={"X-Message-Id": identifier})

    def _one(self, request: Received, call: Any, one: Any, alone: bytes, identifier: str) -> Taken:
        forbidden = {"to", "from", "subject", "reply-to", "cc", "bcc", "content-type", "content-transfer-encoding"}
        headers = lower(one["headers"])
        assert not forbidden & headers.keys()
        values = one.get("substitutions", {})
        text, html = (filled(content["value"], values) for content in call["content"])
        return Taken(
            recipient=one["to"][0]["email"],
            mark=one["custom_args"][MARK],
            sha256=self.digest(request, alone),
            subject=call["subject"],
            text=text,
            html=html,
            headers=headers,
            id=identifier,
        )
