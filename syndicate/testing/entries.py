"""Small editions, and short ways to move their deliveries, for tests of ledgers and couriers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from syndicate.ledger.base import Entry, Ledger
from syndicate.model import (
    Delivery,
    Outcome,
    Recipient,
    Settlement,
    State,
    Used,
)
from syndicate.testing.clock import MONDAY

KEY = "weekly/2025-03-10T09:00"
LEASE = timedelta(minutes=15)
LATER = MONDAY + timedelta(hours=1)


def people(count: int) -> list[Recipient]:
    """Recipients `0@example.org`, `1@example.org`, …"""
    return [Recipient(f"{number}@example.org", f"Reader {number}") for number in range(count)]


def entry(key: str = KEY, recipients: Iterable[Recipient] | int = 3, **changes: Any) -> Entry:
    """A small digest on its way into the ledger."""
    channel = key.partition("/")[0]
    values: dict[str, Any] = {
        "channel": channel,
        "kind": "digest",
        "account": "mail",
        "occasion": MONDAY,
        "title": "This week",
        "frozen": b"the frozen message",
        "recipients": people(recipients) if isinstance(recipients, int) else recipients,
        "actor": "run",
    }
    return Entry(key=key, **(values | changes))


def used(slug: str, path: str = "", key: str = KEY) -> Used:
    """An article's place in an edition."""
    return Used(key, key.partition("/")[0], MONDAY, slug, path or f"seeds/{slug}.md", "5" * 64)


def claim(ledger: Ledger, limit: int = 100, at: datetime = MONDAY, worker: str = "worker") -> list[Delivery]:
    """Claims from the edition of `entry()`."""
    return list(ledger.claim(KEY, worker, limit, at, LEASE))


def settle(ledger: Ledger, delivery: Delivery, outcome: Outcome, **more: Any) -> list[Delivery]:
    """Settles one delivery; what was lost."""
    return list(ledger.settle([Settlement(delivery, outcome, **more)], MONDAY, "worker"))


def settle_next(ledger: Ledger, outcome: Outcome, **more: Any) -> list[Delivery]:
    """Claims the next delivery and settles it; what was lost."""
    (delivery,) = claim(ledger, 1)
    return settle(ledger, delivery, outcome, **more)


def only(ledger: Ledger, recipient: str = "0@example.org") -> Delivery:
    """The delivery to one recipient."""
    (found,) = ledger.deliveries(KEY, recipient=recipient)
    return found


def states(ledger: Ledger) -> dict[str, State]:
    """Recipient -> state."""
    return {one.recipient: one.state for one in ledger.deliveries(KEY)}
