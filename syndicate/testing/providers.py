"""The frame of a fake e-mail provider: it reads a call as the real one does, and keeps a journal of what it took.

The journal is on the disk before the answer is sent: against the ledger it is the oracle of promise 2. For each
recipient it has the SHA-256 of the request that would have carried it alone, cut out of the bytes that arrived: against
the manifest of a dry run it is the oracle of promise 1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from syndicate.testing.http import FakeNetwork, Received, Reply

MARK = "syndicate_mark"
#: The key that every fake takes.
KEY = "key-of-the-tests-0123456789"


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that its reader would get."""

    recipient: str
    #: as events would bring it back
    mark: str
    #: of the request that would carry it alone, as manifest and ledger hash it
    sha256: str
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    #: names in lower case
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: the provider's name for it
    id: str = ""


class FakeProvider(FakeNetwork):
    """Subclasses read a call in `take`, and refuse the wrong key in `authorised`."""

    #: what a wrong key is answered
    wrong_key = Reply(401)

    def __init__(self, journal: Path | None = None) -> None:
        super().__init__()
        #: in order
        self.taken: list[Taken] = []
        #: addresses that are refused for good
        self.bad: set[str] = set()
        self._descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if journal else -1
        self.lock = Lock()

    def stop(self) -> None:
        """Refuses connections from now on."""
        if not self.stopping.is_set() and self._descriptor >= 0:
            os.fsync(self._descriptor)
        super().stop()

    def handle(self, request: Received) -> Reply:
        """One call after the other, so that what is taken has an order."""
        if not self.authorised(request):
            return self.wrong_key
        with self.lock:
            return self.take(request) if request.method == "POST" else self.show(request)

    def authorised(self, request: Received) -> bool:
        """Whether the right key came with it."""
        raise NotImplementedError

    def take(self, request: Received) -> Reply:
        """Reads a call, and keeps what it carries."""
        raise NotImplementedError

    def show(self, request: Received) -> Reply:
        """What it has, for those that can be asked."""
        return Reply(404)

    def keep(self, found: Sequence[Taken]) -> None:
        """From here on these readers get their mail."""
        if self._descriptor >= 0:
            lines = "".join(f"{one.recipient} {one.sha256}\n" for one in found)
            os.write(self._descriptor, lines.encode())
            os.fsync(self._descriptor)
        self.taken += found

    def digest(self, request: Received, body: bytes) -> str:
        """As `model.message.digest` would have it."""
        return sha256(f"{request.method} {self.url}{request.path}\n".encode() + body).hexdigest()


def journalled(path: Path) -> list[tuple[str, str]]:
    """(recipient, SHA-256) of all that a fake took, in order."""
    return [(line.split()[0], line.split()[1]) for line in path.read_text("utf-8").splitlines()]


def elements(body: bytes, opening: str) -> Iterator[tuple[Any, bytes]]:
    """Each element of the JSON list that follows `opening`, and the same body with it as the only one."""
    text = body.decode()
    start = text.index(opening) + len(opening)
    found = list(_values(text, start, "]"))
    end = found[-1][2] if found else start
    for value, begin, after in found:
        yield value, (text[:start] + text[begin:after] + text[end:]).encode()


def members(text: str) -> Iterator[tuple[str, str]]:
    """Name, and bytes as they came, of each member of a JSON object without blanks."""
    decode, at = json.JSONDecoder().raw_decode, 1
    while text[at] != "}":
        name, colon = decode(text, at)
        _, after = decode(text, colon + 1)
        yield name, text[at:after]
        at = after + (text[after] == ",")


def _values(text: str, at: int, closing: str) -> Iterator[tuple[Any, int, int]]:
    decode = json.JSONDecoder().raw_decode
    while text[at] != closing:
        value, after = decode(text, at)
        yield value, at, after
        at = after + (text[after] == ",")


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """JSON, or text as it is."""
    data = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, data.encode(), headers or {})


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def filled(text: str, values: Mapping[str, str], token: Callable[[str], str] = str) -> str:
    """A content with the values of one reader, as the providers put them in."""
    for name, value in values.items():
        text = text.replace(token(name), value)
    return text
