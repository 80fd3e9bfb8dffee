"""Dates as people write them: the forms that 167,000 real values have, and a few cheap ones more.

Nothing is guessed: an impossible date, or one that can be read as day.month or month.day, is refused with the
question that decides it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

#: what lies outside is a slip, and near the ends of the calendar a zone would overflow it
YEARS = range(1900, 3000)
_LONGEST = 100
_FORM = "write it as 2025-03-07, or 2025-03-07T09:30"

_REST = r"(?:(?:[T,]|\s+at\s|\s)\s*(?P<rest>\S.*))?"
_DAY, _MONTH, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4})"
_NAME, _WEEKDAY = r"(?P<name>[A-Za-z]{3,9})\.?", r"(?:[A-Za-z]{3,9}\.?,?\s+)?"
_FORMS = [
    re.compile(pattern)
    for pattern in (
        rf"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}{_REST}",
        rf"{_YEAR}\s*[年년]\s*{_MONTH}\s*[月월]\s*{_DAY}\s*[日일]{_REST}",
        rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th|\.)?[\s-]+{_NAME},?[\s-]+{_YEAR}{_REST}",
        rf"{_WEEKDAY}{_NAME}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}{_REST}",
        # date(1): Fri Sep  3 11:21:31 CEST 2021
        rf"[A-Za-z]{{3}}\s+{_NAME}\s+{_DAY}\s+(?P<rest>\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s+[A-Z]{{3,5}})?)\s+{_YEAR}",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})" + _REST,
        r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})" + _REST,
    )
]
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp])?(?(5)\.?[Mm]\.?)\s*(.*)")
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: hours from UTC; RFC 5322 §4.3 has the American ones. IST, BST and CST (China) mean two things and are not here
_ABBREVIATIONS = {
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "JST": 9, "KST": 9,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """What a written date says."""

    #: aware, in the publication's zone; None where it cannot be read
    when: datetime | None
    #: why it cannot be read, or what was assumed; a clause
    doubt: str = ""
    #: what to do about it
    hint: str = ""


class _Impossible(ValueError):
    """No such moment; the second argument is a hint."""


@lru_cache(maxsize=4096)  # articles of one day share their date
def parse(text: str, zone: ZoneInfo) -> Moment:
    """The moment that `text` names; a bare date is the start of that day in `zone`.

    A local time that a change of clocks makes twice is the first of the two; one that it leaves out is moved on by
    the length of the gap, with a doubt.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return Moment(None, f"{_shown(text)} is not a date", _FORM)
    try:
        if _EPOCH.fullmatch(text):
            seconds = int(text) / (1000 if len(text) == 13 else 1)
            return Moment(datetime.fromtimestamp(seconds, zone))
        found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
        if found is None:
            return Moment(None, f"{_shown(text)} is not a date", _FORM)
        return _moment(found, zone)
    except _Impossible as error:
        return Moment(None, f"{_shown(text)}: {error.args[0]}", error.args[1])
    except (ValueError, OverflowError) as error:
        return Moment(None, f"{_shown(text)}: {error}", _FORM)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _moment(found: re.Match[str], zone: ZoneInfo) -> Moment:
    parts = found.groupdict()
    day = _day(parts)
    rest = parts.get("rest")
    if not rest:
        return _local(day, zone)
    if not rest[0].isdigit():
        raise _Impossible("the text after the date is no time", _FORM)
    clock = _clock(rest)
    if clock is None:
        return Moment(day.replace(tzinfo=zone), f"only the day of {_shown(found.string)} can be read", "mend its time")
    time, written_zone = clock
    where = _zone(written_zone, zone)
    if where is None:
        return Moment(day.replace(tzinfo=zone), f"only the day of {_shown(found.string)} can be read", "mend its time")
    moment = _local(day + time, where)
    return Moment(moment.when and moment.when.astimezone(zone), moment.doubt, moment.hint)


def _day(parts: dict[str, str | None]) -> datetime:
    year = int(parts["year"] or 0)
    if year not in YEARS:
        raise _Impossible(f"the year {year} is out of range", "mend the year")
    if parts.get("first"):
        month, day = _order(int(parts["first"] or 0), int(parts["second"] or 0), parts["mark"] or "", year)
    else:
        month, day = _month(parts), int(parts["day"] or 0)
    try:
        return datetime(year, month, day)
    except ValueError as error:
        swapped = month > 12 >= day >= 1 and month <= 31
        hint = f"did you mean {year}-{day:02}-{month:02}?" if swapped else "mend the date"
        raise _Impossible(f"no such day ({error})", hint) from None


def _order(first: int, second: int, mark: str, year: int) -> tuple[int, int]:
    """(month, day) of 07/03/2025, where one reading alone is possible; with dots the day comes first."""
    if mark == "." or first > 12 or first == second:
        return second, first
    if second > 12:
        return first, second
    hint = f"did you mean {year}-{first:02}-{second:02} or {year}-{second:02}-{first:02}? Write it so"
    raise _Impossible("day and month can be read both ways", hint)


def _month(parts: dict[str, str | None]) -> int:
    if name := parts.get("name"):
        try:
            return _MONTHS.index(name[:3].lower()) + 1
        except ValueError:
            raise _Impossible(f"{name} is no month", "write it as 2025-03-07") from None
    return int(parts["month"] or 0)


def _clock(rest: str) -> tuple[timedelta, str] | None:
    """(time of day, written zone), or None if this is no time."""
    found = _TIME.fullmatch(rest)
    if not found:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    if found[5]:
        hour = hour % 12 + (12 if found[5] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((found[4] or "0").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=fraction), found[6]


def _zone(written: str, default: ZoneInfo) -> tzinfo | None:
    """The zone that was written, `default` for none, or None if it is no zone. Raises for an impossible offset."""
    if not written:
        return default
    if written.upper() in _ABBREVIATIONS:
        return timezone(timedelta(hours=_ABBREVIATIONS[written.upper()]))
    if found := _OFFSET.fullmatch(written):
        hours, minutes = int(found[2]), int(found[3] or 0)
        if hours > 14 or minutes > 59:
            raise _Impossible(f"no zone lies {written} from UTC", "mend the offset")
        away = timedelta(hours=hours, minutes=minutes)
        return timezone(-away if found[1] == "-" else away)
    if re.fullmatch(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+", written):
        return named_zone(written)
    return None


def named_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises `ValueError` where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise _Impossible(f"there is no time zone {name!r}", "name it as in Europe/Berlin") from None


def _local(naive: datetime, zone: tzinfo) -> Moment:
    """A wall-clock time in a zone."""
    when = naive.replace(tzinfo=zone)
    there_and_back = when.astimezone(UTC).astimezone(zone)
    if there_and_back.replace(tzinfo=None) == naive:
        return Moment(when)
    doubt = f"the clocks skip {naive:%H:%M} on that day; read as {there_and_back:%H:%M}"
    return Moment(there_and_back, doubt, "give a time that exists, or an offset")


def in_file_name(stem: str) -> str:
    """`2017-2-5` of `2017-2-5-my-post`: how Jekyll and its heirs date articles; empty if there is none."""
    found = re.search(r"(?<![\d-])(\d{4}-\d{1,2}-\d{1,2})(?!\d)|(?<=-)(\d{4}-\d{1,2}-\d{1,2})(?=-)", stem)
    return found[0] if found else ""
