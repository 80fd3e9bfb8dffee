"""Resend: parts, up to a hundred mails in one call, repeats recognised for a day.

https://resend.com/docs/api-reference/emails/send-batch-emails, https://resend.com/docs/dashboard/emails/idempotency-keys
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, accepted_or_unknown, batch_field, table, tomorrow
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import LIST, Item, item
from syndicate.adapters.parts import mailbox, parts
from syndicate.model import Dedupe, Deferred, Email, Outcome, Paused, Refused, Request, Unknown

_VERIFY = "Check the key and the verified domains of the account at Resend, and publication.sender."
_ACCOUNT = ("api key", "domain is not verified", "`from`", "testing emails")


class ResendOptions(base.Options):
    """An account at Resend."""

    api_key: SecretStr = Field(description="re_…, with the right to send")
    batch: int = batch_field(100, 100, "recipients of one call; one without an answer is repeated as it was, for a day")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.resend.com", description="another address of the API, for a proxy"
    )


class Resend(Provider):
    """Hands parts to Resend."""

    name = "resend"
    Options = ResendOptions
    # They keep keys for 24 hours; the last repeat has to arrive well before.
    dedupe = Dedupe(repeat=timedelta(hours=19))
    max_bytes = max_mail = 40_000_000
    lost = "MIME parts, Date, Message-ID"
    options: ResendOptions

    def __init__(self, options: ResendOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        special = {400: _invalid, 409: _conflict, 422: _invalid, 429: self._throttled}
        self.table = table(special, _words, _VERIFY)

    def item(self, email: Email) -> Item:
        """One element of the list that `POST /emails/batch` takes."""
        letter, found = email.letter, parts(email)
        mail: dict[str, Any] = {
            "from": mailbox(letter.sender.name, letter.sender.address),
            "to": [mailbox(found.reader, email.recipient.address)],
            "subject": letter.subject,
            "html": found.html,
            "text": found.text,
            "headers": found.headers_without("Message-ID"),
            "tags": [{"name": MARK, "value": email.mark}],
        }
        if letter.reply_to:
            mail["reply_to"] = letter.reply_to
        return item(f"{self.options.base_url.rstrip('/')}/emails/batch", LIST, (canonical(mail),), email.mark)

    def credentials(self, request: Request) -> Mapping[str, str]:
        """The key."""
        return {"Authorization": f"Bearer {self.options.api_key.get_secret_value()}"}

    def keyed(self, request: Request, key: str) -> Request:
        """One bad mail is named and the others are sent (`permissive`); the same call again is answered alike."""
        headers = {"Idempotency-Key": f"syndicate/{key}", "x-batch-validation": "permissive"}
        return replace(request, headers={**request.headers, **headers})

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """`data` has the accepted ones, in order and without holes; `errors` says which are not among them."""
        body = answer.json()
        data, errors = body.get("data"), body.get("errors") or []
        if not isinstance(data, list) or not isinstance(errors, list):
            return []
        outcomes: list[Outcome | None] = [None] * count
        for error in errors:
            index = error.get("index") if isinstance(error, dict) else None
            if not isinstance(index, int) or not 0 <= index < count:
                return []
            outcomes[index] = _judged(f"{answer.status} {error.get('message', '')}")
        ids = iter(data)
        if len(data) != outcomes.count(None):
            return []
        return [one or accepted_or_unknown(answer, _id(next(ids))) for one in outcomes]

    def _throttled(self, answer: http.Answer) -> Outcome:
        """The quota of a day ends at midnight, that of a month when a person has bought more."""
        said = http.said(answer, self.table)
        match answer.json().get("name"):
            case "monthly_quota_exceeded":
                return Paused(said, "Raise the plan at Resend, or wait for the next month; then resume the account.")
            case "daily_quota_exceeded":
                return Deferred(said, tomorrow(answer, self.now))
        return Deferred(said, http.retry_after(answer, self.now))


def _words(answer: http.Answer) -> str:
    body = answer.json()
    return " ".join(str(body[name]) for name in ("name", "message") if body.get(name))


def _invalid(answer: http.Answer) -> Outcome:
    return _judged(f"{answer.status} {_words(answer)}")


def _judged(said: str) -> Outcome:
    """A mail that is not taken: the account's fault, where the words speak of the key or the sender."""
    if any(word in said.lower() for word in _ACCOUNT):
        return Paused(said, _VERIFY)
    return Refused(said)


def _conflict(answer: http.Answer) -> Outcome:
    """The first of two calls is still under way, or had other bytes: then nobody knows what became of ours."""
    said = f"409 {_words(answer)}"
    if answer.json().get("name") == "concurrent_idempotent_requests":
        return Deferred(said, timedelta(seconds=30))
    return Unknown(said)


def _id(accepted: object) -> object:
    return accepted.get("id") if isinstance(accepted, dict) else None
