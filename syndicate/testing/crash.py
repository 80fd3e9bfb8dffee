"""A whole courier in a process of its own, so that a test can kill it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from syndicate.adapters.linkedin import LinkedIn, LinkedInOptions
from syndicate.deliver.attempts import Attempts
from syndicate.deliver.courier import Courier
from syndicate.ledger import attempts_folder, open_ledger
from syndicate.ledger.sql import SqlLedger
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


def deliver(url: str, root: Path, port: int, key: str, connections: int, batch: int) -> None:
    """Delivers an edition to the journal server at `port`; until it is done, or killed."""
    courier, ledger = courier_over(url, root, batch)
    with ledger:
        courier.deliver(key, JournalSender(port, options=JournalOptions(connections)), mail_for)
