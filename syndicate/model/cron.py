"""A crontab line as a value: when it strikes, forwards and backwards, in a zone with daylight saving time.

Own code because the clock library only looks forwards (a plan asks "what was the last occasion?") and counts
weekdays from Monday = 0, where crontab(5) counts from Sunday = 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: 29 February can be eight years away (1896 to 1904, 2096 to 2104).
HORIZON_DAYS = 8 * 366 + 2


@dataclass(frozen=True, slots=True)
class Field:
    """One of the five fields: its name, its range, and the names that stand for numbers."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    #: number of the first name
    first: int = 0


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, tuple(MONTHS), 1),
    Field("day of week", 0, 7, tuple(WEEKDAYS), 0),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields as crontab(5) reads them."""

    #: as it was written
    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    #: 0 = Sunday
    weekdays: frozenset[int]
    #: both day fields are restricted: then either is enough
    either: bool

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Raises `ValueError` with one sentence of advice."""
        parts = NICKNAMES.get(text.strip().lower(), text).split()
        if len(parts) != len(FIELDS):
            raise ValueError(f"a schedule has five fields (minute hour day month weekday), {text!r} has {len(parts)}")
        minutes, hours, days, months, weekdays = (
            values(part, field) for part, field in zip(parts, FIELDS, strict=True)
        )
        return cls(
            text,
            tuple(sorted(minutes)),
            tuple(sorted(hours)),
            frozenset(days),
            frozenset(months),
            frozenset(day % 7 for day in weekdays),
            not parts[2].startswith("*") and not parts[4].startswith("*"),
        )

    def strikes_on(self, day: date) -> bool:
        """Whether the schedule has an occasion on this day."""
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_date or by_weekday) if self.either else (by_date and by_weekday)

    def before(self, at: datetime, zone: str) -> Iterator[datetime]:
        """Occasions at or before `at` (aware), latest first, aware and in `zone`."""
        tz, at = ZoneInfo(zone), at.astimezone(UTC)  # moments of one zone would be compared by their wall clocks
        today = at.astimezone(tz).date() + timedelta(days=1)
        for back in range(HORIZON_DAYS):
            day = today - timedelta(days=back)
            if self.strikes_on(day):
                yield from (moment for moment in reversed(self._moments(day, tz)) if moment <= at)

    def after(self, at: datetime, zone: str) -> Iterator[datetime]:
        """Occasions after `at` (aware), soonest first, aware and in `zone`."""
        tz, at = ZoneInfo(zone), at.astimezone(UTC)
        today = at.astimezone(tz).date() - timedelta(days=1)
        for ahead in range(HORIZON_DAYS):
            day = today + timedelta(days=ahead)
            if self.strikes_on(day):
                yield from (moment for moment in self._moments(day, tz) if moment > at)

    def _moments(self, day: date, tz: ZoneInfo) -> list[datetime]:
        walls = (datetime(day.year, day.month, day.day, hour, minute) for hour in self.hours for minute in self.minutes)
        return sorted({instant(wall, tz) for wall in walls}, key=lambda moment: moment.astimezone(UTC))


def instant(wall: datetime, tz: ZoneInfo) -> datetime:
    """The moment at which a wall clock shows `wall`: the first of two, or, where there is none, the end of the gap."""
    moment = wall.replace(tzinfo=tz).astimezone(UTC)
    if moment.astimezone(tz).replace(tzinfo=None) == wall:
        return moment.astimezone(tz)
    before = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)  # in a gap, fold=1 lies before it and fold=0 after it
    offset = before.astimezone(tz).utcoffset()
    while before.astimezone(tz).utcoffset() == offset:
        before += timedelta(minutes=1)
    return before.astimezone(tz)


def values(text: str, field: Field) -> set[int]:
    """The numbers that one field names."""
    return {number for part in text.split(",") for number in span(part, field)}


def span(part: str, field: Field) -> range:
    """One element of a list: `*`, `5`, `MON-FRI`, `*/15`, `8-18/2`."""
    body, slash, step = part.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        raise ValueError(f"{field.name}: the step in {part!r} is not a whole number above 0")
    if body == "*":
        low, high = field.low, min(field.high, 6) if field.name == "day of week" else field.high
    else:
        first, dash, last = body.partition("-")
        low = number(first, field)
        high = number(last, field) if dash else (field.high if slash else low)
    if low > high:
        raise ValueError(f"{field.name}: the range {body!r} runs backwards")
    return range(low, high + 1, int(step) if slash else 1)


def number(text: str, field: Field) -> int:
    """A number or a name of a field, checked against its range."""
    name = text.lower()
    if name in field.names:
        return field.names.index(name) + field.first
    if not (text.isascii() and text.isdigit()) or not field.low <= int(text) <= field.high:
        names = f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
        raise ValueError(f"{field.name}: {text!r} is not {field.low}-{field.high}{names}")
    return int(text)
