"""Mailgun: our own message, one reader to a call; or parts for up to a thousand, each with variables of its own.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, form, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, accepted_or_unknown, batch_field, table
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import Frame, Item, checked, item
from syndicate.adapters.parts import Opened, mailbox, opened, parts, values
from syndicate.errors import SyndicateError, Unsupported
from syndicate.model import Dedupe, Deferred, Email, Outcome, Paused, Payload, Receipt, Refused, Request

if TYPE_CHECKING:
    import requests

HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_HINT = "Check the key, and that the domain is verified and active at Mailgun."
_ELSEWHERE = "Check `domain` and `region` of the account: a domain of the EU is unknown in the US."
_RESET = "x-ratelimit-reset"
_DOUBT = (
    "recipients of one call. 1: our own message as it is. More: parts, and variables that Mailgun fills in; all of a "
    "call that gets no answer are in doubt"
)


class MailgunOptions(base.Options):
    """A domain at Mailgun."""

    api_key: SecretStr = Field(description="of the domain or the account")
    domain: str = Field(pattern=r"^[A-Za-z0-9.-]+$", description="the sending domain")
    region: Literal["us", "eu"] = Field(default="us", description="where the domain lives")
    sandbox: bool = Field(default=False, description="mails are accepted and not delivered (test mode)")
    batch: int = batch_field(1000, description=_DOUBT)
    base_url: Annotated[str, AfterValidator(lambda url: url and checked_url(url))] = Field(
        default="", description="another address of the API, for a proxy; empty: that of the region"
    )


class Mailgun(Provider):
    """Hands our bytes, or parts, to Mailgun."""

    name = "mailgun"
    Options = MailgunOptions
    # What is found was taken; events come with a delay, so what is not found may have been taken too.
    dedupe = Dedupe(lookup=True, proves_absence=False)
    max_bytes = max_mail = 25_000_000
    lost = "nothing; with `batch` above 1: MIME parts, Date, Message-ID"
    options: MailgunOptions

    def __init__(self, options: MailgunOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        special = {
            400: _bad_request,
            404: lambda answer: Paused(f"404 {_words(answer)}", _ELSEWHERE),
            420: lambda answer: Deferred(f"420 {_words(answer)}", timedelta(hours=1)),
            429: self._throttled,
        }
        self.table = table(special, _words, _HINT)

    def item(self, email: Email) -> Item:
        """A form. For one reader the message itself is a file in it."""
        return self._variables(email) if self.batch > 1 else self._raw(email)

    def _raw(self, email: Email) -> Item:
        fields = [
            ("to", email.recipient.address.encode()),
            (f"v:{MARK}", email.mark.encode()),
            *self._settings(),
            ('message"; filename="message.eml', email.data),
        ]
        boundary = form.boundary(fields)
        body = form.fields(boundary, fields) + form.end(boundary)
        return item(self._url("/messages.mime"), Frame((body,)), (), email.mark, form.media_type(boundary))

    def _variables(self, email: Email) -> Item:
        letter, found = opened(email.letter.segments), parts(email)
        if "%recipient" in "".join((*letter.head, *letter.text, *letter.html)):
            raise Unsupported("mailgun would fill in a `%recipient` of the text; set `batch: 1` for the account")
        fields = [*self._shared(email, letter), *self._settings()]
        boundary = form.boundary(fields)
        to, variables = form.field(boundary, "to", b""), form.field(boundary, "recipient-variables", b"{")
        frame = Frame((form.fields(boundary, fields) + to, variables, b"}" + form.end(boundary)), (to, b","))
        known = {f"s{number}": value for number, value in enumerate(values(email))} | {"mark": email.mark}
        address = email.recipient.address
        pieces = (mailbox(found.reader, address).encode(), canonical({address: known})[1:-1])
        return item(self._url("/messages"), frame, pieces, email.mark, form.media_type(boundary))

    def _shared(self, email: Email, letter: Opened) -> list[tuple[str, bytes]]:
        """What all readers of a letter have in common, with the name of a variable where a value goes."""
        own = email.letter
        content = letter.parts([f"%recipient.s{number}%" for number in range(len(email.encoded))])
        headers = content.headers_without("Message-ID")
        if own.reply_to:
            headers["Reply-To"] = own.reply_to
        fields = {
            "from": mailbox(own.sender.name, own.sender.address),
            "subject": own.subject,
            **{f"h:{name}": value for name, value in headers.items()},
            "text": content.text,
            "html": content.html,
            f"v:{MARK}": "%recipient.mark%",
        }
        return [(name, value.encode()) for name, value in fields.items()]

    def _settings(self) -> list[tuple[str, bytes]]:
        """Nothing is tracked or rewritten."""
        return [("o:tracking", b"no"), *([("o:testmode", b"yes")] if self.options.sandbox else [])]

    def credentials(self, request: Request) -> Mapping[str, str]:
        """The key."""
        pair = f"api:{self.options.api_key.get_secret_value()}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """All or nobody: the id is that of the call, written as their events write it. A wrong address says 200 too."""
        identifier = answer.json().get("id")
        return [accepted_or_unknown(answer, isinstance(identifier, str) and identifier.strip("<>"))] * count

    def find(self, session: requests.Session, payload: Payload, key: str) -> Receipt | None:
        """The event of our mark, among those of the recipient."""
        mark, recipient = checked(self.name, payload).mark, quote(key.rpartition(":")[2], safe="")
        request = Request("GET", self._url(f"/events?limit=100&recipient={recipient}"), b"")
        result = http.exchange(session, request, self.credentials(request))
        events = result.json().get("items") if isinstance(result, http.Answer) and result.status == 200 else None
        if not isinstance(events, list):
            raise SyndicateError("mailgun cannot be asked now")
        return next((_receipt(event) for event in events if _mark(event) == mark), None)

    def _url(self, path: str) -> str:
        host = self.options.base_url or HOSTS[self.options.region]
        return f"{host.rstrip('/')}/v3/{self.options.domain}{path}"

    def _throttled(self, answer: http.Answer) -> Outcome:
        """`X-RateLimit-Reset` is in milliseconds here."""
        seconds = {_RESET: answer.headers.get(_RESET, "")[:-3]}
        reset = http.reset_after(http.Answer(429, {**answer.headers, **seconds}), _RESET, self.now)
        return Deferred(http.said(answer, self.table), http.retry_after(answer, self.now) or reset)


def _words(answer: http.Answer) -> str:
    """Their message; of a wrong key they speak in plain text."""
    return str(answer.json().get("message") or "") or answer.body[:200].decode("utf-8", "replace")


def _bad_request(answer: http.Answer) -> Outcome:
    """The whole call is refused: because of the sender, or because of one of the readers."""
    said = f"400 {_words(answer)}"
    return Paused(said, _HINT) if "'from' parameter" in said else Refused(said)


def _mark(event: object) -> object:
    ours = event.get("user-variables") if isinstance(event, dict) else None
    return ours.get(MARK) if isinstance(ours, dict) else None


def _receipt(event: Mapping[str, object]) -> Receipt:
    message = event.get("message")
    headers = message.get("headers") if isinstance(message, dict) else None
    identifier = headers.get("message-id") if isinstance(headers, dict) else ""
    return Receipt(str(identifier or ""), status="found by its mark")
