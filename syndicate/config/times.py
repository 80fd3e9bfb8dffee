"""Times as people write them: `every: monday 09:00`, `blackout: [2025-12-24..2026-01-02]`, `quiet: 22:00-07:00`."""

from __future__ import annotations

import re
from datetime import date, time, timedelta

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
GROUPS = {"day": "*", "weekday": "MON-FRI", "weekend": "SAT,SUN"}
#: minutes of an hour and hours of a day: only what divides them evenly comes at even distances
UNITS = {"minute": 60, "hour": 24}
LONGEST_BLACKOUT = timedelta(days=366)
EXAMPLES = "write it like monday 09:00, weekday 09:00, day 18:30, month 09:00 or 2 hours"
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_FILLERS = {"and", "at", "on", "every"}


def crontab(text: str) -> str:
    """`monday and thursday 09:00` -> `0 9 * * MON,THU`. Raises `ValueError` with one sentence of advice."""
    words = [word for word in text.lower().replace(",", " ").split() if word not in _FILLERS]
    if words and (unit := words[-1].removesuffix("s")) in UNITS:
        return interval(words[:-1], unit, text)
    if not words or not _CLOCK.fullmatch(words[-1]):
        raise ValueError(f"{text!r} names no time of day: {EXAMPLES}")
    at, days = clock(words[-1]), words[:-1]
    if days == ["month"]:
        return f"{at.minute} {at.hour} 1 * *"
    if not days:
        raise ValueError(f"{text!r} names no day: {EXAMPLES}")
    return f"{at.minute} {at.hour} * * {','.join(dict.fromkeys(weekday(day, text) for day in days))}"


def interval(words: list[str], unit: str, text: str) -> str:
    """`2 hours` -> `0 */2 * * *`."""
    size = UNITS[unit]
    even = [count for count in range(1, size) if size % count == 0]
    if len(words) > 1 or not all(word.isdecimal() for word in words):
        raise ValueError(f"{text!r} is not a rhythm: {EXAMPLES}")
    count = int(words[0]) if words else 1
    if count not in even:
        raise ValueError(f"{text!r} does not come at even distances: every {', '.join(map(str, even))} {unit}s does")
    step = "*" if count == 1 else f"*/{count}"
    return f"{step} * * * *" if unit == "minute" else f"0 {step} * * *"


def weekday(word: str, text: str) -> str:
    """`monday`, `mondays`, `mon` or `weekday`, as crontab(5) names it."""
    for name in (word, word.removesuffix("s")):
        if name in GROUPS:
            return GROUPS[name]
        if len(name) >= 3 and (day := next((day for day in DAYS if day.startswith(name)), "")):
            return day[:3].upper()
    raise ValueError(f"{text!r}: {word!r} is not a day: {EXAMPLES}")


def blackout(text: str) -> tuple[date, date]:
    """`2025-12-24..2026-01-02` or `2025-08-15` -> first and last day. Raises `ValueError` with advice."""
    first, dots, last = text.replace(" ", "").partition("..")
    try:
        days = (date.fromisoformat(first), date.fromisoformat(last if dots else first))
    except ValueError:
        raise ValueError(f"{text!r} is not a date: write 2025-08-15, or 2025-12-24..2026-01-02") from None
    if days[1] < days[0]:
        raise ValueError(f"{text!r} ends before it begins")
    if days[1] - days[0] > LONGEST_BLACKOUT:
        raise ValueError(f"{text!r} is longer than a year: a channel without a schedule speaks by hand only")
    return days


def quiet(text: str) -> tuple[time, time]:
    """`22:00-07:00` -> from and to. Raises `ValueError` with advice."""
    begin, dash, end = text.replace(" ", "").replace("–", "-").partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a span of hours: write it like 22:00-07:00")
    span = clock(begin), clock("00:00" if end == "24:00" else end)
    if span[0] == span[1]:
        raise ValueError(f"{text!r} leaves no hour of the day, or none out")
    return span


def clock(text: str) -> time:
    """`09:00`, on 24 hours."""
    found = _CLOCK.fullmatch(text)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f"{text!r} is not a time of day: write it like 09:00 or 17:30")
    return time(int(found[1]), int(found[2]))


def write_blackout(days: tuple[date, date]) -> str:
    """As `blackout` reads it back."""
    return str(days[0]) if days[0] == days[1] else f"{days[0]}..{days[1]}"


def write_quiet(span: tuple[time, time]) -> str:
    """As `quiet` reads it back."""
    return f"{span[0]:%H:%M}-{span[1]:%H:%M}"
