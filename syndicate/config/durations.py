"""How long something lasts, as people write it: `45m`, `6h`, `30d`, `1w`, or ISO 8601 (`PT6H`, `P30D`)."""

from __future__ import annotations

import re
from datetime import timedelta

#: Seconds of each unit. A month or a year has no length of its own, so neither notation has them here.
SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = 36_500 * SECONDS["d"]  # beyond that, reckoning with dates runs out of years
_SHORT = re.compile(r"([0-9]{1,10})\s*([wdhms])")
_ISO = re.compile(
    r"p(?:([0-9]{1,10})w)?(?:([0-9]{1,10})d)?(?:t(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s)?)?"
)
EXAMPLES = "write it like 45m, 6h, 30d or 1w"


def parse(text: str) -> timedelta:
    """Raises `ValueError` with one sentence of advice."""
    word = text.strip().lower()
    if short := _SHORT.fullmatch(word):
        total = int(short[1]) * SECONDS[short[2]]
    elif (iso := _ISO.fullmatch(word)) and any(iso.groups()):
        total = sum(int(number or 0) * size for number, size in zip(iso.groups(), SECONDS.values(), strict=True))
    elif word.isdecimal():
        raise ValueError(f"{text!r} has no unit: {EXAMPLES}")
    else:
        raise ValueError(f"{text!r} is not a length of time: {EXAMPLES}")
    if total > LONGEST:
        raise ValueError(f"{text!r} is longer than 100 years")
    return timedelta(seconds=total)


def write(length: timedelta) -> str:
    """The shortest form that `parse` reads back; `length` is in whole seconds."""
    total = int(length.total_seconds())
    unit = next((unit for unit in "dhm" if total and total % SECONDS[unit] == 0), "s")
    return f"{total // SECONDS[unit]}{unit}"
