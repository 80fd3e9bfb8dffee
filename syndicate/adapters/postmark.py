"""Postmark: parts, up to 500 mails in one call, an answer for each of them.

https://postmarkapp.com/developer/api/email-api, https://postmarkapp.com/developer/api/messages-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, batch_field, parsed, table
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import LIST, Item, checked, item
from syndicate.adapters.parts import mailbox, parts
from syndicate.errors import SyndicateError
from syndicate.model import (
    Dedupe,
    Deferred,
    Email,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    Request,
    Unknown,
)

if TYPE_CHECKING:
    import requests

_HINT = "Look at the server and the sender signatures at Postmark, then resume the account."
#: ErrorCode of the account: token, signature, credits, approval, stream, and what was not allowed to be sent.
_ACCOUNT = frozenset({10, 400, 401, 405, 412, 413, 1221, 1235})
_LATER = frozenset({100, 429})


class PostmarkOptions(base.Options):
    """A server at Postmark."""

    server_token: SecretStr = Field(description="of the server; POSTMARK_API_TEST accepts and sends nothing")
    stream: str = Field(
        default="broadcast", pattern=r"^[a-z0-9-]+$", description="message stream; newsletters go on a broadcast stream"
    )
    batch: int = batch_field(500)
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.postmarkapp.com", description="another address of the API, for a proxy"
    )


class Postmark(Provider):
    """Hands parts to Postmark."""

    name = "postmark"
    Options = PostmarkOptions
    # What is found was taken; what is not found may still be on its way into the search.
    dedupe = Dedupe(lookup=True, proves_absence=False)
    max_bytes, max_mail = 50_000_000, 10_000_000
    lost = "MIME parts, Date"
    options: PostmarkOptions

    def __init__(self, options: PostmarkOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        special = {422: _refused, 503: _unavailable}
        self.table = table(special, lambda answer: _words(answer.json()), _HINT)

    def item(self, email: Email) -> Item:
        """One element of the list that `POST /email/batch` takes."""
        letter, found = email.letter, parts(email)
        # Their own Message-ID would take the place of ours.
        headers = {**found.headers_without(), "X-PM-KeepID": "true"}
        mail: dict[str, Any] = {
            "From": mailbox(letter.sender.name, letter.sender.address),
            "To": mailbox(found.reader, email.recipient.address),
            "Subject": letter.subject,
            "HtmlBody": found.html,
            "TextBody": found.text,
            "MessageStream": self.options.stream,
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "Metadata": {MARK: email.mark},
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        if letter.reply_to:
            mail["ReplyTo"] = letter.reply_to
        return item(self._url("/email/batch"), LIST, (canonical(mail),), email.mark)

    def credentials(self, request: Request) -> Mapping[str, str]:
        """The server's token."""
        return {"X-Postmark-Server-Token": self.options.server_token.get_secret_value()}

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """A list in the order of the request, with refusals inside of a 200; or one object that speaks of the call."""
        body = parsed(answer)
        if isinstance(body, dict):
            return [_verdict(answer.status, body)] * count
        return [_verdict(answer.status, one) for one in body] if isinstance(body, list) else []

    def find(self, session: requests.Session, payload: Payload, key: str) -> Receipt | None:
        """The mail with our mark, if their search knows it already."""
        mark = checked(self.name, payload).mark
        request = Request(
            "GET",
            self._url(f"/messages/outbound?count=1&offset=0&metadata_{MARK}={mark}"),
            b"",
            {"Accept": "application/json"},
        )
        result = http.exchange(session, request, self.credentials(request))
        found = result.json().get("Messages") if isinstance(result, http.Answer) and result.status == 200 else None
        if not isinstance(found, list):
            raise SyndicateError("postmark cannot be asked now")
        return Receipt(str(found[0].get("MessageID", "")), status="found by its mark") if found else None

    def _url(self, path: str) -> str:
        return self.options.base_url.rstrip("/") + path


def _words(body: object) -> str:
    found = body if isinstance(body, dict) else {}
    return f"{found.get('ErrorCode', '')} {found.get('Message', '')}".strip()


def _verdict(status: int, body: object) -> Outcome:
    """By ErrorCode, which collides with HTTP's numbers and means something else. A late delivery has none."""
    said = f"{status} {_words(body)}"
    if not isinstance(body, dict):
        return Unknown(said)
    code, identifier = body.get("ErrorCode", 0), body.get("MessageID")
    if code == 0:
        return Receipt(identifier, status=said) if isinstance(identifier, str) and identifier else Unknown(said)
    # The same 300 tells of a bad reader and of a bad sender.
    if code in _ACCOUNT or (code == 300 and "'From'" in said):
        return Paused(said, _HINT)
    return Deferred(said) if code in _LATER else Refused(said)


def _refused(answer: http.Answer) -> Outcome:
    """422 of the whole call: nothing of it was accepted."""
    found = _verdict(422, answer.json())
    return Refused(found.reason) if isinstance(found, Unknown) else found


def _unavailable(answer: http.Answer) -> Outcome:
    """Maintenance says so; any other 503 leaves a doubt."""
    found = _verdict(503, answer.json())
    return found if isinstance(found, Deferred) else Unknown(f"503 {_words(answer.json())}".strip())
