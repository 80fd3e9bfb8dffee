"""Occasions with quiet hours and blackout days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import Late, Schedule
from syndicate.model.occasions import coming, deadline, last, placed, silence

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = (time(22), time(7))
CHRISTMAS = ((date(2025, 12, 24), date(2026, 1, 2)),)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def schedule(cron: str, **other: object) -> Schedule:
    return Schedule(cron=cron, zone="Europe/Berlin", **other)  # type: ignore[arg-type]


def shown(moments: object) -> list[str]:
    return [f"{moment:%m-%d %H:%M}" for moment in islice(moments, 3)]  # type: ignore[call-overload]


def test_an_occasion_in_quiet_hours_moves_to_their_end() -> None:
    nightly = schedule("30 23 * * *", quiet=NIGHT)
    assert shown(coming(nightly, at("2025-03-10T12:00"))) == ["03-11 07:00", "03-12 07:00", "03-13 07:00"]
    found = last(nightly, at("2025-03-11T06:59"))
    assert found is not None
    assert found.moment == at("2025-03-10T07:00")


def test_quiet_hours_begin_at_their_first_minute_and_end_before_their_last() -> None:
    hourly = schedule("0 * * * *", quiet=NIGHT)
    assert shown(coming(hourly, at("2025-03-10T20:30"))) == ["03-10 21:00", "03-11 07:00", "03-11 08:00"]
    assert silence(hourly, at("2025-03-10T22:00")) == "quiet hours until 07:00"
    assert silence(hourly, at("2025-03-11T07:00")) == ""


def test_quiet_hours_may_lie_within_a_day() -> None:
    siesta = schedule("0 13 * * *", quiet=(time(12), time(14, 30)))
    assert shown(coming(siesta, at("2025-03-10T12:00")))[:1] == ["03-10 14:30"]


def test_a_blackout_strikes_its_days_out_first_and_last_included() -> None:
    daily = schedule("0 9 * * *", blackout=CHRISTMAS)
    assert shown(coming(daily, at("2025-12-22T12:00"))) == ["12-23 09:00", "01-03 09:00", "01-04 09:00"]
    found = last(daily, at("2026-01-02T12:00"))
    assert found is not None
    assert found.barred == "blackout 2025-12-24..2026-01-02"


@pytest.mark.parametrize("nominal", ["2025-12-23T23:00", "2026-01-02T23:00"])
def test_what_quiet_hours_move_into_or_out_of_a_blackout_does_not_happen(nominal: str) -> None:
    assert placed(schedule("", quiet=NIGHT, blackout=CHRISTMAS), at(nominal)).barred


def test_quiet_hours_follow_the_clock_through_daylight_saving_time() -> None:
    night = schedule("", quiet=(time(22), time(2, 30)))
    spring = placed(night, at("2025-03-30T01:00")).moment
    assert spring.isoformat() == "2025-03-30T03:00:00+02:00"
    again = datetime(2025, 10, 26, 1, 15, tzinfo=UTC).astimezone(BERLIN)
    assert f"{again:%H:%M}" == "02:15"
    assert placed(night, again).moment == again, "they ended at the first 02:30"


def test_a_grace_that_ends_in_quiet_hours_begins_anew_at_their_end() -> None:
    evening = schedule("", quiet=NIGHT, late=Late(grace=timedelta(hours=6)))
    assert deadline(evening, at("2025-03-10T21:00")) == at("2025-03-11T13:01")
    assert deadline(evening, at("2025-03-10T09:00")) == at("2025-03-10T15:01")


@given(
    st.sampled_from(["0 9 * * *", "*/30 * * * *", "30 2 * * *", "0 23 * * SAT"]),
    st.sampled_from([None, NIGHT, (time(1), time(2, 45)), (time(12), time(0))]),
    st.sampled_from([(), CHRISTMAS, ((date(2025, 10, 26), date(2025, 10, 26)),)]),
    st.datetimes(datetime(2025, 3, 1), datetime(2026, 4, 1)),
)
def test_backwards_and_forwards_agree(cron: str, quiet: object, blackout: object, wall: datetime) -> None:
    plan, now = schedule(cron, quiet=quiet, blackout=blackout), wall.replace(tzinfo=UTC)
    found = [moment.astimezone(UTC) for moment in islice(coming(plan, now), 4)]
    assert now < found[0]
    assert found == sorted(set(found))
    for moment in found:
        assert silence(plan, moment) == ""
        before = last(plan, moment)
        assert before is not None
        assert (before.moment.astimezone(UTC), before.barred) == (moment, "")
