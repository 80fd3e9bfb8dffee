"""A whole courier in a process of its own, so that a test can kill it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from syndicate.adapters.linkedin import LinkedIn, LinkedInOptions
from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.app import assemble
from syndicate.deliver.attempts import Attempts
from syndicate.deliver.base import Sender
from syndicate.deliver.courier import Courier
from syndicate.ledger import attempts_folder, open_ledger
from syndicate.ledger.sql import SqlLedger
from syndicate.newsroom import tick as ticking
from syndicate.testing import messages
from syndicate.testing.adapters_scripted import mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.journal import JournalOptions, JournalSender
from syndicate.testing.linkedin import TOKEN

__all__ = [
    "SqlLedger",
    "courier_over",
    "deliver",
    "post",
    "posting",
]  # imported here, so that a fork server has it loaded


def courier_over(url: str, root: Path, batch: int) -> tuple[Courier, closing[SqlLedger]]:
    """A courier on the ledger at `url`, with the logs beside it; close the second when done."""
    ledger = open_ledger(url, root)
    courier = Courier(ledger, Clock(), attempts=Attempts(attempts_folder(url, root)), batch=batch)
    return courier, closing(ledger)


def post(url: str, root: Path, network: str, key: str) -> None:
    """Posts an edition with a picture to the fake LinkedIn at `network`; until it is done, or killed."""
    courier, ledger = courier_over(url, root, 1)
    with ledger:
        linkedin = posting(network)
        courier.deliver(key, linkedin, lambda delivery: linkedin.compose(messages.post(image=messages.picture())))


def posting(network: str) -> LinkedIn:
    """The adapter for the fake LinkedIn at `network`."""
    options = {"token": TOKEN, "author": "urn:li:person:782bbtaQ", "base_url": network}
    return LinkedIn(LinkedInOptions.model_validate(options), now=Clock())


def deliver(network: str, url: str, root: Path, port: int, key: str, connections: int, batch: int) -> None:
    """Delivers an edition to the server at `port` that keeps a journal; until it is done, or killed.

    `network` is `journal` or `smtp`.
    """
    courier, ledger = courier_over(url, root, batch)
    with ledger:
        courier.deliver(key, SENDERS[network](port, connections), mail_for)


def tick(config: Path, at: str) -> None:
    """What a scheduler does at one time."""
    now = datetime.fromisoformat(at)
    app = assemble(config, lambda: now)
    ticking.tick(app, now)
    app.close()


def mailing(port: int, connections: int) -> Smtp:
    """The adapter for the SMTP server at `port`."""
    options = {"host": "127.0.0.1", "port": port, "tls": "none", "helo": "client.test", "connections": connections}
    return Smtp(SmtpOptions.model_validate(options))


SENDERS: Mapping[str, Callable[[int, int], Sender]] = {
    "journal": lambda port, connections: JournalSender(port, options=JournalOptions(connections)),
    "smtp": mailing,
}
