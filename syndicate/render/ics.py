"""A calendar feed: iCalendar (RFC 5545), with times in UTC, so that it needs no table of zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from syndicate import __version__

#: Octets of a line without its end (RFC 5545 §3.1).
LONGEST = 75


@dataclass(frozen=True, slots=True)
class Event:
    """A moment of the calendar."""

    #: unique in the world, and the same in every feed: programs then move what they know and add no second one
    uid: str
    #: aware
    start: datetime
    summary: str
    description: str = ""


def calendar(name: str, events: Iterable[Event], stamp: datetime) -> bytes:
    """The feed as it was made at `stamp` (aware)."""
    head = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//Syndicate//Syndicate {__version__}//EN",
        "METHOD:PUBLISH",
        f"NAME:{escaped(name)}",  # RFC 7986 §5.1; older programs read the next one
        f"X-WR-CALNAME:{escaped(name)}",
    )
    body = (line for event in events for line in event_lines(event, stamp))
    return b"".join(folded(line) for line in (*head, *body, "END:VCALENDAR"))


def event_lines(event: Event, stamp: datetime) -> Iterator[str]:
    """An event without a duration, which keeps nobody's time busy (RFC 5545 §3.6.1)."""
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(event.uid)}"
    yield f"DTSTAMP:{moment(stamp)}"
    yield f"DTSTART:{moment(event.start)}"
    yield f"SUMMARY:{escaped(event.summary)}"
    if event.description:
        yield f"DESCRIPTION:{escaped(event.description)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def moment(at: datetime) -> str:
    """`20250317T033000Z` (RFC 5545 §3.3.5, form 2)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """Text as a value (RFC 5545 §3.3.11); control characters have no form there."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return "".join(character for character in text if character >= " " and character != "\x7f")


def folded(line: str) -> bytes:
    """A content line with its ends: no piece is longer than 75 octets, and no character is cut in two."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > LONGEST:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece, b""))
