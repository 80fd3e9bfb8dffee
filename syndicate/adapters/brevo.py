"""Brevo: parts, up to a thousand versions in one call, repeats recognised for a quarter of an hour.

https://developers.brevo.com/reference/sendtransacemail, https://developers.brevo.com/docs/batch-send-transactional-emails,
https://developers.brevo.com/docs/heterogenous-versions-batch-emails
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, accepted_or_unknown, batch_field, table
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import Item, item, list_in
from syndicate.adapters.parts import name_and_address, opened, parts
from syndicate.errors import Unsupported
from syndicate.model import Dedupe, Deferred, Email, Outcome, Paused, Receipt, Refused, Request

#: Stands in the body, and in what is hashed, where the idempotency key of the call goes when it is sent.
HOLE = "{{idempotencyKey}}"
_HINT = "Check the key, its allowed IP addresses, the credits and the senders of the account at Brevo."
_ACCOUNT = frozenset({"not_enough_credits", "permission_denied", "unauthorized", "account_under_validation"})
_DOUBT = (
    "recipients of one call. One without an answer is repeated as it was, if we can do so within a quarter of an hour; "
    "after that all of it are in doubt"
)


class BrevoOptions(base.Options):
    """An account at Brevo."""

    api_key: SecretStr = Field(description="xkeysib-…, of API version 3")
    sandbox: bool = Field(default=False, description="mails are checked and not delivered")
    batch: int = batch_field(1000, description=_DOUBT)
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.brevo.com", description="another address of the API, for a proxy"
    )


class Brevo(Provider):
    """Hands parts to Brevo."""

    name = "brevo"
    Options = BrevoOptions
    # Their pages say 15 and 30 minutes; a repeat has to arrive before the shorter one ends.
    dedupe = Dedupe(repeat=timedelta(minutes=14))
    max_bytes = max_mail = 20_000_000
    lost = "MIME parts, Date, Message-ID; `{{` and `{%` are kept apart by an invisible character"
    options: BrevoOptions

    def __init__(self, options: BrevoOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        special = {400: _bad_request, 409: _bad_request, 429: self._throttled}
        self.table = table(special, _words, _HINT)

    def item(self, email: Email) -> Item:
        """One element of `messageVersions` of `POST /v3/smtp/email`, whole: nothing of it is filled in by Brevo."""
        found = parts(email)
        headers = found.headers_without("Message-ID") | {"X-Mailin-custom": canonical({MARK: email.mark}).decode()}
        if not all(value.isascii() for value in headers.values()):
            raise Unsupported("brevo takes headers in ASCII alone")
        version = {
            "to": [name_and_address(found.reader, email.recipient.address)],
            "htmlContent": _literal(found.html, "&#8288;"),
            "textContent": _literal(found.text, "\u2060"),
            "headers": headers,
        }
        url = f"{self.options.base_url.rstrip('/')}/v3/smtp/email"
        return item(url, list_in(self._shared(email), "messageVersions"), (canonical(version),), email.mark)

    def _shared(self, email: Email) -> dict[str, Any]:
        """What a call has to have; every version has its own content."""
        letter = email.letter
        content = opened(letter.segments)
        shared: dict[str, Any] = {
            "headers": {"idempotencyKey": HOLE} | ({"X-Sib-Sandbox": "drop"} if self.options.sandbox else {}),
            "sender": name_and_address(letter.sender.name, letter.sender.address),
            "subject": _literal(letter.subject, "\u2060"),
            "htmlContent": _literal("".join(content.html), "&#8288;"),
        }
        if letter.reply_to:
            shared["replyTo"] = {"email": letter.reply_to}
        return shared

    def credentials(self, request: Request) -> Mapping[str, str]:
        """The key."""
        return {"api-key": self.options.api_key.get_secret_value()}

    def keyed(self, request: Request, key: str) -> Request:
        """The key is a UUID and stands in the body, in the hole that what is hashed has."""
        name = str(UUID(hex=key[:32], version=4)).encode()
        return replace(request, body=request.body.replace(HOLE.encode(), name, 1))

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """An id for each version; a call with one version may have it in the singular."""
        body = answer.json()
        ids = body.get("messageIds") or ([body["messageId"]] if "messageId" in body else [])
        return [accepted_or_unknown(answer, one) for one in ids] if isinstance(ids, list) else []

    def _throttled(self, answer: http.Answer) -> Outcome:
        """`x-sib-ratelimit-reset` counts seconds from now."""
        reset = answer.headers.get("x-sib-ratelimit-reset", "")
        seconds = timedelta(seconds=min(int(reset), 86400)) if reset.isascii() and reset.isdecimal() else None
        return Deferred(http.said(answer, self.table), http.retry_after(answer, self.now) or seconds)


def _literal(text: str, apart: str) -> str:
    """The text as it is read: their template language begins with `{{` or `{%`, and articles may speak of others."""
    return re.sub(r"\{(?=[{%])", "{" + apart, text)


def _words(answer: http.Answer) -> str:
    body = answer.json()
    return " ".join(str(body[name]) for name in ("code", "message") if body.get(name))


def _bad_request(answer: http.Answer) -> Outcome:
    """A call that they have had already, the account's fault, or one of the readers."""
    said, code = f"{answer.status} {_words(answer)}", str(answer.json().get("code", ""))
    if code.startswith("duplicate"):
        return Receipt(status=said)
    if code in _ACCOUNT or "sender" in said.lower():
        return Paused(said, _HINT)
    return Refused(said)
