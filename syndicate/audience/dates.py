"""The date in a cell, in the forms in which other services export it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

#: Before that there was nothing to subscribe to; exports that know no date write 0, which is 1970.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
#: What the clocks of two machines in two zones may differ by.
_TOLERANCE = timedelta(days=1)
#: `12-04-2022 09:30`, `12.04.2022`, `1/3/23`, `2026/05/28 7:01:33 PM GMT+2`
_NUMBERS = re.compile(
    r"(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P=mark)(?P<c>\d{1,4})"
    r"(?:[ T](?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?:UTC|GMT)?(?P<offset>[+-]\d{1,2}(?::?\d\d)?)?)?(?: UTC)?"
)
#: Go prints fractions of any length and the zone twice: `2024-03-13 00:03:09.183465 +0000 UTC`.
_GO = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(?: ?(Z|UTC|[+-]\d\d:?\d\d))?(?: [A-Z]{1,5})?")
_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y")


def read_date(cell: str, now: datetime) -> datetime:
    """The moment in UTC. A date without an offset is taken as UTC, as the services that leave it out mean it.

    Raises `ValueError` with one clause: no date, one that could be two, or one that cannot be.
    """
    text = cell.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _read_thoroughly(text)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else _in_utc(found, text)
    if found < EARLIEST:
        raise ValueError(f"{text[:40]!r} is before there were newsletters")
    if found > now + _TOLERANCE:
        raise ValueError(f"{text[:40]!r} is in the future")
    return found


def _in_utc(found: datetime, text: str) -> datetime:
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is no date") from None


def _read_thoroughly(text: str) -> datetime:
    if match := _GO.fullmatch(text):
        moment, fraction, zone = match.groups()
        zone = "+00:00" if zone in {None, "Z", "UTC"} else zone
        return _tried(text, f"{moment}{(fraction or '.0')[1:].ljust(6, '0')}{zone}", "%Y-%m-%d %H:%M:%S%f%z")
    if match := _NUMBERS.fullmatch(text):
        return _from_numbers(text, match)
    for form in _WORDS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(f"{text[:40]!r} is no date; write it like 2025-03-10")


def _tried(text: str, moment: str, form: str) -> datetime:
    try:
        return datetime.strptime(moment.replace("T", " "), form)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date; there is no such day or time") from None


def _from_numbers(text: str, match: re.Match[str]) -> datetime:
    year, month, day = _ordered(text, match["a"], match["b"], match["c"], match["mark"])
    hour = int(match["hour"] or 0)
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] in "Pp")
    moment = f"{year:04}-{month:02}-{day:02} {hour:02}:{match['minute'] or '00'}:{match['second'] or '00'}"
    return _tried(text, f"{moment} {_offset(match['offset'])}", "%Y-%m-%d %H:%M:%S %z")


def _offset(text: str | None) -> str:
    """`+2` and `-0530` as `+02:00` and `-05:30`."""
    digits = (text or "+0")[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "00")
    return f"{(text or '+')[0]}{int(hours):02}:{minutes}"


def _ordered(text: str, a: str, b: str, c: str, mark: str) -> tuple[int, int, int]:
    """(year, month, day). Americans write 3/1/23 for what others write 1/3/23: what could be both is neither."""
    if len(a) == 4:
        return int(a), int(b), int(c)
    year = int(c) + (2000 if len(c) == 2 else 0)
    first, second = int(a), int(b)
    if mark != "/" or first > 12:
        return year, second, first
    if second > 12 or first == second:
        return year, first, second
    raise ValueError(f"{text[:40]!r} could be two dates; write it like {year}-{second:02}-{first:02}")
