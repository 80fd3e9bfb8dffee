"""SendGrid: one content for up to a thousand readers, each with values of its own.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, accepted_or_unknown, batch_field, table
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import Item, item, list_in
from syndicate.adapters.parts import Opened, name_and_address, opened, parts, values
from syndicate.errors import Unsupported
from syndicate.model import Email, Outcome, Paused, Refused, Request

HOSTS = {"us": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
#: Bytes of the values of one reader that are put into the content.
MOST_VALUES = 10_000
_HINT = "Check the key, the credits and the verified senders of the account at SendGrid."


class SendGridOptions(base.Options):
    """An account at SendGrid."""

    api_key: SecretStr = Field(description="SG.…, with the right to send")
    region: Literal["us", "eu"] = Field(default="us", description="where the account lives")
    sandbox: bool = Field(default=False, description="mails are checked and not sent")
    batch: int = batch_field(1000)
    base_url: Annotated[str, AfterValidator(lambda url: url and checked_url(url))] = Field(
        default="", description="another address of the API, for a proxy; empty: that of the region"
    )


class SendGrid(Provider):
    """Hands content and values to SendGrid."""

    name = "sendgrid"
    Options = SendGridOptions
    max_bytes = max_mail = (
        20_000_000  # 30 MB with what they add; https://docs.sendgrid.com/for-developers/sending-email
    )
    lost = "MIME parts, Date"
    options: SendGridOptions

    def __init__(self, options: SendGridOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        self.table = table({400: _bad_request}, _words, _HINT, reset="x-ratelimit-reset")

    def item(self, email: Email) -> Item:
        """One element of `personalizations`; the frame is the content, with a token where a value goes."""
        letter, found = opened(email.letter.segments), parts(email)
        first, tokens = letter.firsts[0], _tokens(letter)
        personal: dict[str, Any] = {
            "to": [name_and_address(found.reader, email.recipient.address)],
            "headers": found.headers_without(),
            "custom_args": {MARK: email.mark},
        }
        if spoken := dict(zip(tokens[first:], values(email)[first:], strict=True)):
            personal["substitutions"] = spoken
        if len(canonical(spoken)) > MOST_VALUES:
            raise Unsupported(f"sendgrid takes {MOST_VALUES:,} bytes of values for one reader")
        url = f"{(self.options.base_url or HOSTS[self.options.region]).rstrip('/')}/v3/mail/send"
        return item(url, list_in(self._shared(email, letter), "personalizations"), (canonical(personal),), email.mark)

    def _shared(self, email: Email, opened: Opened) -> dict[str, Any]:
        """What all readers of the letter have in common. Nothing of it is tracked or rewritten."""
        letter, content = email.letter, opened.parts(_tokens(opened))
        shared: dict[str, Any] = {
            "from": name_and_address(letter.sender.name, letter.sender.address),
            "subject": letter.subject,
            "content": [
                {"type": "text/plain", "value": content.text},
                {"type": "text/html", "value": content.html},
            ],
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
                "subscription_tracking": {"enable": False},
            },
        }
        if letter.reply_to:
            shared["reply_to"] = {"email": letter.reply_to}
        if self.options.sandbox:
            shared["mail_settings"] = {"sandbox_mode": {"enable": True}}
        return shared

    def credentials(self, request: Request) -> Mapping[str, str]:
        """The key."""
        return {"Authorization": f"Bearer {self.options.api_key.get_secret_value()}"}

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """All or nobody: the id is that of the call. In the sandbox there is none."""
        if self.options.sandbox and answer.status == 200:
            return [accepted_or_unknown(answer, "sandbox")] * count
        return [accepted_or_unknown(answer, answer.headers.get("x-message-id"))] * count


@lru_cache(maxsize=4)
def _tokens(letter: Opened) -> tuple[str, ...]:
    """What stands in the content where a value goes: it hangs on the content, so no article can hold it."""
    content = repr((letter.text, letter.html)).encode()
    nonce = sha256(content).hexdigest()[:12]
    count = len(letter.head) + len(letter.text) + len(letter.html) - 3
    return tuple(f"-slot.{nonce}.{number}-" for number in range(count))


def _errors(answer: http.Answer) -> list[dict[str, Any]]:
    errors = answer.json().get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _words(answer: http.Answer) -> str:
    return "; ".join(f"{one.get('field') or ''} {one.get('message') or ''}".strip() for one in _errors(answer))


def _bad_request(answer: http.Answer) -> Outcome:
    """The whole call is refused: because of the sender, or because of one of the readers."""
    said = f"400 {_words(answer)}".strip()
    if any(str(one.get("field") or "").partition(".")[0] == "from" for one in _errors(answer)):
        return Paused(said, _HINT)
    return Refused(said)
