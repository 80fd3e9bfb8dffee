"""A whole courier with an e-mail provider in a process of its own, so that a test can kill it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syndicate.adapters import load
from syndicate.model import Delivery, Payload
from syndicate.testing import messages
from syndicate.testing.clock import Clock
from syndicate.testing.crash import courier_over


def account(provider: str, options: Mapping[str, Any]) -> Any:
    """The adapter of an account, at a clock that stands still."""
    kind: Any = load(provider)
    return kind(kind.Options.model_validate(options), now=Clock())


def deliver(url: str, root: Path, key: str, provider: str, options: Mapping[str, Any], batch: int = 500) -> None:
    """Mails an edition through a provider; until it is done, or killed. `batch` is the courier's."""
    courier, ledger = courier_over(url, root, batch)
    adapter = account(provider, options)
    letter = messages.letter()

    def compose(delivery: Delivery) -> Payload:
        composed: Payload = adapter.compose(messages.email(delivery.recipient, letter))
        return composed

    with ledger:
        courier.deliver(key, adapter, compose)
