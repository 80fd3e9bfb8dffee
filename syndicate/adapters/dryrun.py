"""Any adapter, minus the wire."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import Any

from syndicate.adapters.base import Adapter
from syndicate.model import Message, Outcome, Payload, Receipt


class DryRun(Adapter):
    """Composes like the adapter it wraps, refusals included; what would be sent goes to `sink(key, payload)`."""

    def __init__(self, adapter: Adapter, sink: Callable[[str, Payload], None]) -> None:
        super().__init__(adapter.options)
        self._adapter = adapter
        self._sink = sink
        self.name, self.rules, self.dedupe = adapter.name, adapter.rules, adapter.dedupe
        self.supports, self.local, self.pictures = adapter.supports, adapter.local, adapter.pictures

    def compose(self, message: Message) -> Payload:
        """The very payload of the wrapped adapter."""
        return self._adapter.compose(message)

    def open(self) -> AbstractContextManager[None]:
        """Opens nothing."""
        return nullcontext()

    def prepare(self, session: Any, payload: Payload) -> Payload:
        """The payload as it is, its holes unfilled."""
        return payload

    def send(self, session: Any, payload: Payload, key: str) -> Outcome:
        """Shows the payload instead of sending it."""
        self._sink(key, payload)
        return Receipt(status="dry run")

    def warnings(self, today: date) -> tuple[str, ...]:
        """Those of the wrapped adapter."""
        return self._adapter.warnings(today)

    def find(self, session: Any, payload: Payload, key: str) -> Receipt | None:
        """Nothing was sent, so nothing is found."""
        return None
