"""Amazon SES: our own message, one reader to a call. Their bulk call takes templates alone.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http, sigv4
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.batch import MARK, Provider, accepted_or_unknown, table
from syndicate.adapters.bodies import canonical
from syndicate.adapters.items import Frame, Item, item
from syndicate.model import Deferred, Email, Outcome, Paused, Refused, Request

_HINT = "Check the key, its right to ses:SendEmail, the region, and the clock of this machine."
#: Errors of the account: what to do.
_ACCOUNT = {
    "AccountSuspendedException": "Ask AWS Support to let the account send again, then resume it.",
    "SendingPausedException": "Sending is paused for the account or the configuration set at SES; let it go on there.",
    "MailFromDomainNotVerifiedException": "Verify the MAIL FROM domain at SES, in this region.",
    "NotFoundException": "Check `configuration_set` and `region` of the account.",
    "IncompleteSignature": _HINT,
    "RequestExpired": _HINT,
}
_UNVERIFIED = "Verify the sender at SES in this region; in the sandbox every reader has to be verified too."
_LATER = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException"})


class SesOptions(base.Options):
    """An identity at SES."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="such as eu-central-1")
    access_key_id: str = Field(pattern=r"^[A-Z0-9]{16,128}$", description="AKIA…; no secret")
    secret_access_key: SecretStr = Field(description="of the access key, with the right to ses:SendEmail")
    session_token: SecretStr = Field(default=SecretStr(""), description="of temporary credentials")
    configuration_set: str = Field(
        default="", pattern=r"^[A-Za-z0-9_-]*$", description="whose events come back; empty: the identity's default"
    )
    base_url: Annotated[str, AfterValidator(lambda url: url and checked_url(url))] = Field(
        default="", description="another address of the API, for a proxy; empty: that of the region"
    )


class Ses(Provider):
    """Hands our bytes to SES."""

    name = "ses"
    Options = SesOptions
    max_bytes = max_mail = 40_000_000
    lost = "Date, Message-ID and a DKIM signature of our own"
    options: SesOptions

    def __init__(self, options: SesOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options, now)
        self.table = table(dict.fromkeys((400, 403, 404, 429), self._by_name), _words, _HINT)

    def item(self, email: Email) -> Item:
        """`POST /v2/email/outbound-emails` of the raw message. The mark travels as a tag, which readers do not see."""
        mail: dict[str, Any] = {
            "Content": {"Raw": {"Data": b64encode(email.data).decode()}},
            "Destination": {"ToAddresses": [email.recipient.address]},
            "EmailTags": [{"Name": MARK, "Value": email.mark}],
        }
        if self.options.configuration_set:
            mail["ConfigurationSetName"] = self.options.configuration_set
        host = self.options.base_url or f"https://email.{self.options.region}.amazonaws.com"
        return item(f"{host.rstrip('/')}/v2/email/outbound-emails", Frame((canonical(mail),)), (), email.mark)

    def credentials(self, request: Request) -> Mapping[str, str]:
        """A signature, good for some minutes."""
        options = self.options
        secret, session = options.secret_access_key.get_secret_value(), options.session_token.get_secret_value()
        key = sigv4.Key(options.access_key_id, secret, session)
        return sigv4.headers(request, key, options.region, "ses", self.now())

    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """The id of the one."""
        return [accepted_or_unknown(answer, answer.json().get("MessageId"))] * count

    def _by_name(self, answer: http.Answer) -> Outcome:
        """An error has a name. What is throttled was refused and not queued."""
        name, said = _name(answer), http.said(answer, self.table)
        if name in _LATER or answer.status == 429:
            daily = "daily" in said.lower()  # the window of 24 hours moves with the mails of yesterday
            return Deferred(said, timedelta(hours=1) if daily else http.retry_after(answer, self.now))
        if answer.status in {403, 404} or name in _ACCOUNT:
            return Paused(said, _ACCOUNT.get(name, _HINT))
        return Paused(said, _UNVERIFIED) if "is not verified" in said else Refused(said)


def _name(answer: http.Answer) -> str:
    """The error's name, without the namespace before or the address behind it that some answers have."""
    given = answer.headers.get("x-amzn-errortype") or str(answer.json().get("__type", ""))
    return given.partition(":")[0].rpartition("#")[2]


def _words(answer: http.Answer) -> str:
    body = answer.json()
    return f"{_name(answer)} {body.get('message') or body.get('Message') or ''}".strip()
