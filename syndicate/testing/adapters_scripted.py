"""A sender that answers what it was told to, and remembers what it was asked."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeAlias

from syndicate.model import Dedupe, Delivery, Mail, Outcome, Payload, Receipt

#: An answer, something that is raised instead, or something that is called for the answer.
Line: TypeAlias = "Outcome | BaseException | Callable[[], Outcome]"


@dataclass(frozen=True)
class ScriptedOptions:
    """As much of an adapter's options as the courier looks at."""

    #: how many conversations at once
    connections: int = 1


def mail_for(delivery: Delivery) -> Mail:
    """A small mail, the same at every attempt."""
    return Mail("news@example.com", delivery.recipient, f"To: {delivery.recipient}\r\n\r\nHello.\r\n".encode())


@dataclass
class ScriptedSender:
    """Plays an adapter. Whoever has no line in the script gets a receipt."""

    #: recipient -> one line for each attempt; the last one is repeated
    script: Mapping[str, Iterable[Line]] = field(default_factory=dict)
    dedupe: Dedupe = field(default_factory=Dedupe)
    options: ScriptedOptions = field(default_factory=ScriptedOptions)
    #: recipient -> what `prepare` answers instead of the payload
    preparing: Mapping[str, Line] = field(default_factory=dict)
    #: recipient -> what `find` answers; whoever has no line is certainly not there
    findings: Mapping[str, Receipt | BaseException | None] = field(default_factory=dict)
    #: raised by `open`
    fault: Exception | None = None
    #: (recipient, bytes, key) of every call of `send`, in order
    sent: list[tuple[str, bytes, str]] = field(default_factory=list)
    #: sessions that were opened, and closed again
    opened: int = 0
    closed: int = 0

    def __post_init__(self) -> None:
        self._lines = {who: deque(lines) for who, lines in self.script.items()}
        self._lock = Lock()

    @property
    def accepted(self) -> Counter[str]:
        """Recipient -> how often `send` was called."""
        return Counter(recipient for recipient, _, _ in self.sent)

    @contextmanager
    def open(self) -> Iterator[object]:
        """A session."""
        if self.fault:
            raise self.fault
        with self._lock:
            self.opened += 1
        try:
            yield object()
        finally:
            with self._lock:
                self.closed += 1

    def prepare(self, session: Any, payload: Payload) -> Payload | Outcome:
        """The payload, unless the script says otherwise."""
        line = self.preparing.get(_recipient(payload))
        return payload if line is None else _play(line)

    def send(self, session: Any, payload: Payload, key: str) -> Outcome:
        """The next line for this recipient."""
        who = _recipient(payload)
        with self._lock:
            self.sent.append((who, payload.content, key))
            lines = self._lines.get(who)
            line = None if not lines else lines.popleft() if len(lines) > 1 else lines[0]
        return Receipt(f"id-{who}", status="250 ok") if line is None else _play(line)

    def find(self, session: Any, payload: Payload, key: str) -> Receipt | None:
        """What the script says the network has."""
        found = self.findings.get(_recipient(payload))
        if isinstance(found, BaseException):
            raise found
        return found


def _recipient(payload: Payload) -> str:
    return payload.recipient if isinstance(payload, Mail) else payload.url


def _play(line: Line) -> Outcome:
    if isinstance(line, BaseException):
        raise line
    return line() if callable(line) else line
