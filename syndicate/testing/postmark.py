"""A Postmark: an answer for each mail inside of one 200, and a search that lags behind."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from syndicate.testing.http import Received, Reply
from syndicate.testing.providers import KEY, MARK, FakeProvider, Taken, answer, elements

# Recorded and documented answers, https://postmarkapp.com/developer/api/overview#error-codes


def error(status: int, code: int, message: str) -> Reply:
    """Their envelope."""
    return answer(status, {"ErrorCode": code, "Message": message})


WRONG_TOKEN = error(401, 10, "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.")
MAINTENANCE = error(503, 100, "Maintenance")
BAD_FROM = error(422, 300, "Invalid 'From' address: 'invalid@localhost'.")
NO_SIGNATURE = error(422, 400, "Sender Signature not found")
NO_CREDITS = error(422, 405, "Not allowed to send. You ran out of credits.")
PENDING = error(422, 412, "Account is pending approval")
TOO_MANY = error(422, 410, "Too many batch messages")
TOO_FAST = error(429, 429, "Rate limit exceeded")
IN_A_200 = error(200, 451, "Helpful explanation from Postmark.")
INACTIVE = (
    "You tried to send to a recipient that has been marked as inactive.\nFound inactive addresses: {}.\n"
    "Inactive recipients are ones that have generated a hard bounce or a spam complaint."
)
LATE = {
    "Message": "Message accepted, but delivery may be delayed.",
    "MessageID": "38360f97-ff7f-44b2-bcd1-5ea94ff2af00",
    "SubmittedAt": "2024-08-05T02:03:37.0951168Z",
    "To": "to@example.com",
}


class FakePostmark(FakeProvider):
    """The batch endpoint and the search for what was sent."""

    credentials: ClassVar = {"server_token": KEY}
    wrong_key = WRONG_TOKEN
    #: whether the search knows of what was taken
    indexed = True

    def authorised(self, request: Received) -> bool:
        """The server's token."""
        return request.headers.get("x-postmark-server-token") == KEY

    def take(self, request: Received) -> Reply:
        """A list of mails, each judged alone."""
        if request.path != "/email/batch":
            return Reply(404)
        mails = list(elements(request.body, "["))
        return TOO_MANY if len(mails) > 500 else answer(200, [self._one(request, *one) for one in mails])

    def _one(self, request: Received, mail: Any, alone: bytes) -> dict[str, Any]:
        to = mail["To"].rpartition("<")[2].removesuffix(">")
        if to in self.bad:
            return {"ErrorCode": 406, "Message": INACTIVE.format(to)}
        assert all(len(name) <= 20 for name in mail["Metadata"])
        headers = {one["Name"].lower(): one["Value"] for one in mail["Headers"]}
        identifier = f"b7bc2f4a-e38e-4336-af7d-{len(self.taken):012}"
        mark, digest = mail["Metadata"][MARK], self.digest(request, alone)
        self.keep([Taken(to, mark, digest, mail["Subject"], mail["TextBody"], mail["HtmlBody"], headers, identifier)])
        submitted = {"SubmittedAt": "2016-03-12T15:27:50.4468803-05:00", "MessageID": identifier}
        return {"ErrorCode": 0, "Message": "OK", "To": to, **submitted}

    def show(self, request: Received) -> Reply:
        """`GET /messages/outbound` by metadata."""
        wanted = parse_qs(urlsplit(request.path).query).get(f"metadata_{MARK}", [""])[0]
        found = [one for one in self.taken if self.indexed and one.mark == wanted]
        messages = [{"MessageID": one.id, "To": [{"Email": one.recipient}], "Status": "Sent"} for one in found]
        return answer(200, {"TotalCount": len(messages), "Messages": messages[:1]})
