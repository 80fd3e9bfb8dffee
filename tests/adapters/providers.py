"""The six e-mail providers side by side: how an account of each is made, and what stands in for its network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from syndicate.adapters.batch import Provider
from syndicate.adapters.brevo import Brevo, BrevoOptions
from syndicate.adapters.mailgun import Mailgun, MailgunOptions
from syndicate.adapters.postmark import Postmark, PostmarkOptions
from syndicate.adapters.resend import Resend, ResendOptions
from syndicate.adapters.sendgrid import SendGrid, SendGridOptions
from syndicate.adapters.ses import Ses, SesOptions
from syndicate.model import Delivery, Email, Letter, Outcome, Recipient
from syndicate.model.lane import Job, Record
from syndicate.render.email import letter
from syndicate.render.fill import fill
from syndicate.testing import brevo, mailgun, postmark, resend, sendgrid, ses
from syndicate.testing.clock import Clock
from syndicate.testing.http import Reply
from syndicate.testing.providers import KEY, FakeProvider
from tests.adapters.smtp_lanes import Notes
from tests.render.factory import PUBLICATION, TEMPLATES
from tests.render.factory import digest as edition

SECRET = b"0123456789abcdef"


@dataclass(frozen=True)
class Kind:
    """One provider."""

    adapter: type[Provider]
    options: type[Any]
    fake: type[FakeProvider]
    #: not now; the wrong key, which repeats the key that it was given; one reader refused
    busy: Reply
    locked: Reply
    refusal: Reply
    #: of an account, beside the address of the API
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: most recipients of a call
    most: int = 1

    def make(self, network: FakeProvider | None = None, **changes: Any) -> Provider:
        """An account at the fake."""
        place = {"base_url": network.url} if network else {}
        return self.adapter(self.options.model_validate({**self.settings, **place, **changes}), now=Clock())


def _echo(status: int) -> Reply:
    return Reply(status, f'{{"message": "the key {KEY} is not known", "ErrorCode": 10}}'.encode())


KINDS = {
    "ses": Kind(
        Ses,
        SesOptions,
        ses.FakeSes,
        ses.TOO_FAST,
        ses.WRONG_SIGNATURE,  # the secret itself never leaves, so nobody can repeat it
        ses.ILLEGAL,
        {"region": ses.REGION, "access_key_id": ses.KEY_ID, "secret_access_key": KEY},
    ),
    "mailgun": Kind(
        Mailgun,
        MailgunOptions,
        mailgun.FakeMailgun,
        mailgun.TOO_FAST,
        _echo(401),
        mailgun.BAD_TO,
        {"api_key": KEY, "domain": "example.com"},
        most=1000,
    ),
    "sendgrid": Kind(
        SendGrid,
        SendGridOptions,
        sendgrid.FakeSendGrid,
        sendgrid.TOO_FAST,
        _echo(401),
        sendgrid.error(400, "Does not contain a valid address.", "personalizations.0.to.0.email"),
        {"api_key": KEY},
        most=1000,
    ),
    "postmark": Kind(
        Postmark,
        PostmarkOptions,
        postmark.FakePostmark,
        postmark.TOO_FAST,
        _echo(401),
        postmark.error(422, 300, "Invalid 'To' address: 'invalid@localhost'."),
        {"server_token": KEY},
        most=500,
    ),
    "resend": Kind(
        Resend, ResendOptions, resend.FakeResend, resend.TOO_FAST, _echo(401), resend.INVALID_TO, {"api_key": KEY}, 100
    ),
    "brevo": Kind(
        Brevo, BrevoOptions, brevo.FakeBrevo, brevo.TOO_FAST, _echo(401), brevo.BAD_TO, {"api_key": KEY}, 1000
    ),
}
#: Those that take many in one call.
BATCHED = [name for name, kind in KINDS.items() if kind.most > 1]


def the_letter() -> Letter:
    """The digest of both seeds, as it is mailed."""
    made, _ = letter(edition(), PUBLICATION, TEMPLATES)
    return made


def email(of: Letter, address: str, name: str = "", link: str = "") -> Email:
    """One letter to one reader."""
    link = link or f"https://news.example.com/u/{address.partition('@')[0]}"
    return fill(of, Recipient(address, name), secret=SECRET, unsubscribe=link)


def job(adapter: Provider, of: Letter, number: int, **changes: Any) -> Job:
    """A claimed delivery to reader number so-and-so."""
    address = f"reader{number}@example.org"
    delivery = Delivery(id=number, edition=of.edition, recipient=address, account="mail", epoch=1, **changes)
    payload = adapter.compose(email(of, address, f"Reader {number}"))
    return Job.of(delivery, payload)


def outcomes(adapter: Provider, jobs: Iterable[Job], log: Record | None = None) -> dict[str, Outcome]:
    """Recipient -> what became of it; each is answered once."""
    found: dict[str, Outcome] = {}
    for tried in adapter.lane().run(iter(jobs), log or CallNotes()):
        if tried:
            assert tried.job.delivery.recipient not in found
            found[tried.job.delivery.recipient] = tried.outcome
    return found


class CallNotes(Notes):
    """An attempt log that knows calls: a delivery may be started again after the call before it was refused."""

    def __init__(self, fails_at: int | None = None) -> None:
        super().__init__(fails_at)
        #: recipients of each call, in the order of the calls
        self.calls: list[list[str]] = []

    def started(self, *jobs: Job) -> None:
        """One call."""
        for one in jobs:
            self.began.discard(one.delivery.id)
            self.ended.pop(one.delivery.id, None)
        self.calls.append([one.delivery.recipient for one in jobs])
        for one in jobs:
            super().started(one)

    def all_done(self, tried: Any) -> None:
        """Its answers."""
        for one in tried:
            self.done(one.job.delivery, one.outcome)
