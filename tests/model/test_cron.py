"""Schedules as crontab(5) reads them, backwards and forwards, across daylight saving time."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Cron

MONDAY_NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))


def before(text: str, at: datetime = MONDAY_NOON, zone: str = "Asia/Kolkata") -> str:
    return f"{next(Cron.parse(text).before(at, zone)):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 9 * * MON", "2025-03-10T09:00"),
        ("0 12 * * 1", "2025-03-10T12:00"),
        ("30 10 * * MON-FRI", "2025-03-10T10:30"),
        ("0 9 * * 0", "2025-03-09T09:00"),
        ("0 9 * * 7", "2025-03-09T09:00"),
        ("0 9 * * sun", "2025-03-09T09:00"),
        ("*/20 * * * *", "2025-03-10T12:00"),
        ("5/20 * * * *", "2025-03-10T11:45"),
        ("0 0 29 2 *", "2024-02-29T00:00"),
        ("0 9 13 * FRI", "2025-03-07T09:00"),
        ("0 9 */2 * FRI", "2025-03-07T09:00"),
        ("@monthly", "2025-03-01T00:00"),
        ("0 8-18/5 1,15 JAN,feb *", "2025-02-15T18:00"),
    ],
)
def test_the_last_occasion_is_at_or_before_the_time(text: str, expected: str) -> None:
    assert before(text) == expected


def test_either_day_field_is_enough_when_both_are_restricted() -> None:
    found = Cron.parse("0 9 13 * FRI").after(MONDAY_NOON, "Asia/Kolkata")
    assert [f"{moment:%a %d}" for moment in islice(found, 3)] == ["Thu 13", "Fri 14", "Fri 21"]


def test_a_time_that_the_clocks_skip_runs_once_at_the_next_valid_instant() -> None:
    moments = list(islice(Cron.parse("30 2 * * *").after(datetime(2025, 3, 29, 12, tzinfo=UTC), "Europe/Berlin"), 2))
    assert [moment.isoformat() for moment in moments] == ["2025-03-30T03:00:00+02:00", "2025-03-31T02:30:00+02:00"]


def test_a_time_that_occurs_twice_runs_once_the_first_time() -> None:
    moments = list(islice(Cron.parse("30 2 * * *").after(datetime(2025, 10, 25, 12, tzinfo=UTC), "Europe/Berlin"), 2))
    assert [moment.isoformat() for moment in moments] == ["2025-10-26T02:30:00+02:00", "2025-10-27T02:30:00+01:00"]


def test_a_day_that_never_comes_has_no_occasion() -> None:
    assert next(Cron.parse("0 0 31 2 *").before(MONDAY_NOON, "UTC"), None) is None


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("0 9 * *", "a schedule has five fields (minute hour day month weekday), '0 9 * *' has 4"),
        ("60 9 * * *", "minute: '60' is not 0-59"),
        ("0 9 * * MOON", "day of week: 'moon' is not 0-7 or sun-sat"),
        ("0 18-8 * * *", "hour: the range '18-8' runs backwards"),
        ("*/0 * * * *", "minute: the step in '*/0' is not a whole number above 0"),
        ("0 9 ² * *", "day of month: '²' is not 1-31"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Cron.parse(text)
    assert str(caught.value).lower() == advice.lower()


@given(
    st.sampled_from(["0 9 * * MON", "30 2 * * *", "15 */6 1-7 * *", "0 3 * 3,10 SUN"]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
)
def test_backwards_and_forwards_meet(text: str, zone: str, wall: datetime) -> None:
    at, cron = wall.replace(tzinfo=UTC), Cron.parse(text)
    last = next(cron.before(at, zone))
    assert last <= at < next(cron.after(at, zone))
    assert (
        next(cron.after(last.astimezone(UTC) - timedelta(seconds=1), zone)) == last
    )  # its wall clock may skip an hour
