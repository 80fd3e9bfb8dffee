"""The moments at which a channel may speak: its crontab line, its quiet hours and its blackout days.

Quiet hours move an occasion to their end, so that several of one night become one. A blackout day strikes an occasion
out. Moments are aware and in the schedule's zone; `at` is any aware moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from syndicate.model.cron import Cron, instant
from syndicate.model.plan import Schedule

#: Quiet hours are shorter than a day, which has up to 25 hours.
LONGEST_NIGHT = timedelta(hours=25)
#: The clock says "now" once a minute, so that much later is not late.
TICK = timedelta(minutes=1)


class Occasion(NamedTuple):
    """A moment of a schedule."""

    #: when it is, after quiet hours
    moment: datetime
    #: why it does not happen, such as `blackout 2025-12-24..2026-01-02`; empty if it does
    barred: str = ""


def last(schedule: Schedule, at: datetime) -> Occasion | None:
    """The latest occasion at or before `at`, barred or not; None if there was none, or no crontab line."""
    if not schedule.cron:
        return None
    at = at.astimezone(UTC)
    found = (placed(schedule, moment) for moment in Cron.parse(schedule.cron).before(at, schedule.zone))
    return next((one for one in found if one.moment <= at), None)


def coming(schedule: Schedule, at: datetime) -> Iterator[datetime]:
    """The moments after `at` at which the channel speaks, soonest first."""
    if not schedule.cron:
        return
    latest = at.astimezone(UTC)
    for moment in Cron.parse(schedule.cron).after(latest - LONGEST_NIGHT, schedule.zone):
        one = placed(schedule, moment)
        if not one.barred and one.moment > latest:
            latest = one.moment.astimezone(UTC)
            yield one.moment


def placed(schedule: Schedule, moment: datetime) -> Occasion:
    """Where a moment comes to lie; it is barred by a blackout on its own day, and on the day to which it moves."""
    local = moment.astimezone(ZoneInfo(schedule.zone))
    moved = quiet_until(schedule, local) or local
    return Occasion(moved, blackout(schedule, local.date()) or blackout(schedule, moved.date()))


def deadline(schedule: Schedule, moment: datetime) -> datetime:
    """Until when an occasion is on time. A grace that would end in quiet hours begins anew at their end."""
    late = schedule.late
    end = (moment.astimezone(UTC) + late.grace).astimezone(ZoneInfo(schedule.zone))
    reopened = quiet_until(schedule, end)
    return (reopened + late.grace if reopened else end) + TICK


def silence(schedule: Schedule, at: datetime) -> str:
    """Why nothing new may go out at a moment; empty if it may."""
    local = at.astimezone(ZoneInfo(schedule.zone))
    if until := quiet_until(schedule, local):
        return f"quiet hours until {until:%H:%M}"
    return blackout(schedule, local.date())


def blackout(schedule: Schedule, day: date) -> str:
    """The blackout that a day belongs to, as it was written; empty if there is none."""
    found = next(((first, last) for first, last in schedule.blackout if first <= day <= last), None)
    if found is None:
        return ""
    return f"blackout {found[0]}" if found[0] == found[1] else f"blackout {found[0]}..{found[1]}"


def quiet_until(schedule: Schedule, local: datetime) -> datetime | None:
    """The end of the quiet hours in which a moment of the schedule's zone lies; None if it lies in none."""
    if schedule.quiet is None:
        return None
    begin, end = schedule.quiet
    clock, over_midnight = local.time(), begin > end
    if not (clock >= begin or clock < end if over_midnight else begin <= clock < end):
        return None
    day = local.date() + timedelta(days=over_midnight and clock >= begin)
    until = instant(datetime.combine(day, end), ZoneInfo(schedule.zone))
    # Where the clocks go back over the end of the quiet hours, they end once: the first time.
    return until if until.astimezone(UTC) > local.astimezone(UTC) else None
