from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.content import dates

INDIA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


def at(*parts: int, hours: float | None = None) -> datetime:
    return datetime(*parts, tzinfo=INDIA if hours is None else timezone(timedelta(hours=hours)))  # type: ignore[misc,arg-type]


READABLE = [
    ("2025-03-07", at(2025, 3, 7)),
    ("  2025-03-07 ", at(2025, 3, 7)),
    ("2017-2-5", at(2017, 2, 5)),
    ("2025/03/07", at(2025, 3, 7)),
    ("2025.03.07", at(2025, 3, 7)),
    ("20250307", at(2025, 3, 7)),
    ("2025-03-07T09:30", at(2025, 3, 7, 9, 30)),
    ("2025-03-07 9:30:15", at(2025, 3, 7, 9, 30, 15)),
    ("2025-03-07T09:30:15.250Z", at(2025, 3, 7, 9, 30, 15, 250_000, hours=0)),
    ("2013-12-02 7:37:00 -0400", at(2013, 12, 2, 7, 37, hours=-4)),
    ("2014-03-12T10:11:00-04:00", at(2014, 3, 12, 10, 11, hours=-4)),
    ("2015-03-19 18:00:00 -4", at(2015, 3, 19, 18, hours=-4)),
    ("2022-02-27 07:10:00 -0000", at(2022, 2, 27, 7, 10, hours=0)),
    ("2016-03-23 09:00 EDT", at(2016, 3, 23, 9, hours=-4)),
    ("2016-03-23 09:00 UTC", at(2016, 3, 23, 9, hours=0)),
    ("18 Dec 2014", at(2014, 12, 18)),
    ("1st March 2025", at(2025, 3, 1)),
    ("August 4, 2020", at(2020, 8, 4)),
    ("Aug. 4th, 2020 at 10:15 PM", at(2020, 8, 4, 22, 15)),
    ("Dec 18, 2014 12:05 am", at(2014, 12, 18, 0, 5)),
    ("Fri, 18 Dec 2014 10:00:00 +0100", at(2014, 12, 18, 10, hours=1)),
    ("Fri Sep  3 11:21:31 CEST 2021", at(2021, 9, 3, 11, 21, 31, hours=2)),
    ("Fri Sep  3 11:21:31 2021", at(2021, 9, 3, 11, 21, 31)),
    ("07.03.2025", at(2025, 3, 7)),
    ("13/03/2025", at(2025, 3, 13)),
    ("03/13/2025", at(2025, 3, 13)),
    ("05/05/2025", at(2025, 5, 5)),
    ("2024年3月1日", at(2024, 3, 1)),
    ("2024년 3월 1일 14:30", at(2024, 3, 1, 14, 30)),
    ("1741338000", at(2025, 3, 7, 9, hours=0)),
    ("1741338000000", at(2025, 3, 7, 9, hours=0)),
    ("2026-06-25T02:30:00 Europe/Berlin", datetime(2026, 6, 25, 2, 30, tzinfo=BERLIN)),
]


@pytest.mark.parametrize(("written", "expected"), READABLE)
def test_a_date_as_people_write_it(written: str, expected: datetime) -> None:
    moment = dates.parse(written, INDIA)
    assert moment == dates.Moment(expected.astimezone(INDIA))
    assert moment.when
    assert moment.when.tzinfo is INDIA


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("2019-22-08", "did you mean 2019-08-22?"),
        ("2025-22-01", "did you mean 2025-01-22?"),
        ("2022-02-29", "mend the date"),
        ("2024-06-00", "mend the date"),
        ("07/03/2025", "did you mean 2025-07-03 or 2025-03-07? Write it so"),
        ("0001-01-01", "mend the year"),
        ("9999-12-31T23:59:59+14:00", "mend the year"),
        ("2026-01-01T00:00:00+99:99", "mend the offset"),
        ("2026-01-01T10:00 Mars/Phobos", "name it as in Europe/Berlin"),
        ("YYYY-MM-DD (optional)", "write it as 2025-03-07, or 2025-03-07T09:30"),
        ("2025-03-07 (draft)", "write it as 2025-03-07, or 2025-03-07T09:30"),
        ("tomorrow", "write it as 2025-03-07, or 2025-03-07T09:30"),
        ("1e400", "write it as 2025-03-07, or 2025-03-07T09:30"),
        ("18 Foo 2014", "write it as 2025-03-07"),
        ("", "write it as 2025-03-07, or 2025-03-07T09:30"),
    ],
)
def test_an_impossible_or_ambiguous_date_is_refused_with_a_hint(written: str, hint: str) -> None:
    moment = dates.parse(written, INDIA)
    assert moment.when is None
    assert moment.doubt
    assert moment.hint == hint


@pytest.mark.parametrize(
    "written",
    ["2024-04-17 14:4g5:00 -0000", "2024-04-17 00:10::00", "2024-04-17 18:30:22 2023 -0800", "2024-04-17 25:00"],
)
def test_of_a_date_with_a_broken_time_the_day_is_read_and_doubted(written: str) -> None:
    moment = dates.parse(written, INDIA)
    assert moment.when == at(2024, 4, 17)
    assert moment.doubt.startswith("only the day of")


def test_a_time_that_the_clocks_skip_is_moved_on_and_doubted() -> None:
    moment = dates.parse("2026-03-29T02:30:00", BERLIN)
    assert moment.when == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert moment.doubt == "the clocks skip 02:30 on that day; read as 03:30"


def test_a_time_that_the_clocks_make_twice_is_the_first_one() -> None:
    moment = dates.parse("2026-10-25T02:30:00", BERLIN)
    assert moment.when
    assert moment.when.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stem", "written"),
    [
        ("2016-01-12-hacking-inclusion", "2016-01-12"),
        ("40-case-2017-2-5-i-dont-like-zeroes", "2017-2-5"),
        ("release-2-5-0", ""),
        ("12345-01-01", ""),
        ("notes", ""),
    ],
)
def test_the_date_in_a_file_name(stem: str, written: str) -> None:
    assert dates.in_file_name(stem) == written


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2999, 12, 30), timezones=st.just(UTC)))
def test_every_moment_that_iso_8601_spells_is_read_back(moment: datetime) -> None:
    assert dates.parse(moment.isoformat(), INDIA).when == moment


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}.{0,20}", fullmatch=True))
def test_no_text_raises(text: str) -> None:
    moment = dates.parse(text, BERLIN)
    assert moment.when or moment.doubt
