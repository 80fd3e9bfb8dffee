"""The cell of a CSV file that holds an address, as people write it; and when two addresses are one."""

from __future__ import annotations

import re

from syndicate.model.address import normalise

__all__ = ["normalise", "read_address", "unique"]

#: `Ada Okafor <ada@example.org>`; the name has neither of `<>@`, so that there is one way to read it.
_NAMED = re.compile(r'(?:"(?P<quoted>[^"<>@]*)"\s*|(?P<bare>[^"<>@,;]*))<(?P<address>[^<>\s]+)>')
#: Mailboxes of RFC 2142 and machines: nobody signs up with them, and complaints start there.
ROLES = frozenset({"abuse", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply", "postmaster", "security"})


def read_address(cell: str) -> tuple[str, str]:
    """(normalised address, name or empty) of a cell: `ada@example.org`, `mailto:…` or `Ada <…>`.

    Raises `ValueError` with one clause that says why the cell is no address.
    """
    text = cell.strip()
    if text and "<" in text and (found := _NAMED.fullmatch(text)):
        return normalise(found["address"]), (found["quoted"] or found["bare"] or "").strip()
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    if not text:
        raise ValueError("there is no address")
    return normalise(text), ""


def unique(address: str) -> str:
    """What two addresses share if they are one reader: no server in use tells `Ada@` from `ada@` (RFC 5321 §2.4)."""
    return address.lower()


def is_role(address: str) -> bool:
    """Whether an address belongs to a duty and not to a person."""
    return address.partition("@")[0].lower() in ROLES
