"""What comes back: bounce and complaint mails, and the webhooks of providers, as `Report` values in a durable inbox.

base.py      the contract of a source, on one screen
events.py    JSON from strangers: size, depth, types
codes.py     status codes and words -> what kind of bounce it is
verp.py      return addresses that name a delivery and cannot be made up
mail.py      a mail -> reports: who it speaks of, and whether it is ours
dsn.py       bounces (RFC 3464)
arf.py       complaints (RFC 5965)
mailbox.py   IMAP and Maildir
inbox.py     where reports are kept before anybody acts on them
sendgrid.py, mailgun.py, …   one file a provider

Nothing here acts: `returns/` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syndicate.errors import ConfigError

if TYPE_CHECKING:
    from syndicate.feedback.base import Source

#: Provider -> module and class of its source.
BUILTIN = {
    "brevo": "syndicate.feedback.brevo:Brevo",
    "mailgun": "syndicate.feedback.mailgun:Mailgun",
    "postmark": "syndicate.feedback.postmark:Postmark",
    "resend": "syndicate.feedback.resend:Resend",
    "sendgrid": "syndicate.feedback.sendgrid:SendGrid",
    "ses": "syndicate.feedback.ses:Ses",
}


def load(provider: str) -> type[Source]:
    """The source of a provider. Raises `ConfigError` with the names there are."""
    from importlib import import_module

    if provider not in BUILTIN:
        raise ConfigError(f"there is no provider {provider!r}", hint=f"Providers: {', '.join(sorted(BUILTIN))}.")
    module, _, name = BUILTIN[provider].partition(":")
    found: type[Source] = getattr(import_module(module), name)
    return found
