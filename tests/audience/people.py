"""Short ways to people on lists."""

from __future__ import annotations

from typing import Any

from syndicate.audience.store import Subscribers
from syndicate.model.people import Grounds, Newcomer, Taken
from syndicate.testing.clock import MONDAY

FORM = Grounds("form", "Send me the weekly.", ip="192.0.2.1", agent="Browser 1.0")
LINK = Grounds("link in a mail")
KNOWN = Grounds("sign-up sheet of the fair", evidence="people.csv:2", given=MONDAY)


def joined(store: Subscribers, address: str, to: str = "weekly", **more: Any) -> int:
    """Somebody who asked for a list and confirmed; the reader's number."""
    asked = store.subscribe(address, to, FORM, **more)
    assert asked is not None
    store.confirm(asked.reader, to, LINK)
    return asked.reader


def row(address: str, **more: Any) -> Newcomer:
    """A row of an import that documents its consent."""
    return Newcomer(address=address, **({"grounds": KNOWN} | more))


def imported(store: Subscribers, *rows: Newcomer, to: str = "weekly") -> list[Taken]:
    return list(store.import_chunk(rows, to))


def mailed(store: Subscribers, to: str = "weekly", segment: str = "") -> list[str]:
    """Who would get an edition."""
    return [reader.address for reader in store.selection(to, segment)]
