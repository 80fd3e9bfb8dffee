"""A Brevo: versions of one call, and an idempotency key in the body."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar
from uuid import UUID

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, MARK, FakeProvider, Taken, answer, elements, lower

# Recorded and documented answers, https://developers.brevo.com/docs/how-it-works


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    """Their envelope."""
    return answer(
        status, {"code": code, "message": message}, {name.replace("_", "-"): value for name, value in headers.items()}
    )


WRONG_KEY = error(401, "unauthorized", "Key not found")
ODD_ADDRESS = error(401, "unauthorized", "We have detected you are using an unrecognised IP address 203.0.113.7.")
BAD_SENDER = error(400, "invalid_parameter", "valid sender email required")
BAD_TO = error(400, "invalid_parameter", "email is not valid in to")
NO_CREDITS = error(402, "not_enough_credits", "Insufficient credits")
NOT_ACTIVE = error(403, "permission_denied", "Unable to send email. Your SMTP account is not yet activated.")
TOO_FAST = error(429, "too_many_requests", "Rate limit exceeded", x_sib_ratelimit_reset="7")
#: written to their description of the feature; not recorded
DUPLICATE = error(400, "duplicate_request", "A request with this idempotency key was processed already")

_KEY = re.compile(rb'"idempotencyKey":"([^"]*)"')


class FakeBrevo(FakeProvider):
    """`POST /v3/smtp/email`."""

    credentials: ClassVar = {"api_key": KEY}
    wrong_key = WRONG_KEY
    #: whether a call that it knows is answered as before, or as a duplicate
    answers_again = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: idempotency key -> answer
        self.known: dict[str, Reply] = {}
        #: idempotency keys that it was given, in order
        self.keys: list[str] = []

    def authorised(self, request: Received) -> bool:
        """The key has a header of its own."""
        return request.headers.get("api-key") == KEY

    def take(self, request: Received) -> Reply:
        """Many versions of one mail."""
        if request.path != "/v3/smtp/email":
            return Reply(404)
        call = json.loads(request.body)
        key = call["headers"]["idempotencyKey"]
        assert (str(UUID(key)), UUID(key).version) == (key, 4)
        self.keys.append(key)
        if key in self.known:
            return self.known[key] if self.answers_again else DUPLICATE
        # The key is the one thing in the body that is not hashed: what is hashed has a hole there.
        body = _KEY.sub(b'"idempotencyKey":"{{idempotencyKey}}"', request.body, count=1)
        found = list(elements(body, '"messageVersions":['))
        if any(one["to"][0]["email"] in self.bad for one, _ in found):
            return BAD_TO
        taken = [self._one(request, call, *pair, number) for number, pair in enumerate(found)]
        self.keep(taken)
        ids = [one.id for one in taken]
        # Recorded both ways for one reader; for more it is the plural.
        self.known[key] = answer(201, {"messageIds": ids} if len(ids) > 1 else {"messageId": ids[0]})
        return self.known[key]

    def _one(self, request: Received, call: Any, one: Any, alone: bytes, number: int) -> Taken:
        assert call["htmlContent"], "a call without a content is refused"
        assert "{{" not in one["htmlContent"] + one["textContent"], "this would be filled in"
        return Taken(
            recipient=one["to"][0]["email"],
            mark=json.loads(one["headers"]["X-Mailin-custom"])[MARK],
            sha256=self.digest(request, alone),
            subject=call["subject"],
            text=one["textContent"],
            html=one["htmlContent"],
            headers=lower(one["headers"]),
            id=f"<202403182259.64789700810.{len(self.taken) + number}@smtp-relay.mailin.fr>",
        )
