"""Dates as other services write them, and those that are none."""

import re
from datetime import UTC, datetime

import pytest

from syndicate.audience.dates import read_date

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2025-03-03", "2025-03-03T00:00:00+00:00"),
        ("2023-04-21 11:16:57", "2023-04-21T11:16:57+00:00"),
        ("2024-01-15T10:00:00.000Z", "2024-01-15T10:00:00+00:00"),
        ("2024-03-13 00:03:09.183465+00:00", "2024-03-13T00:03:09.183465+00:00"),
        ("2023-03-24 10:23:10 UTC", "2023-03-24T10:23:10+00:00"),
        ("2021-02-04 07:55:20 +0000", "2021-02-04T07:55:20+00:00"),
        ("2024-03-13 00:03:09.183465 +0000 UTC", "2024-03-13T00:03:09.183465+00:00"),
        ("2024-03-13 00:03:09.183465123 +0530 IST", "2024-03-12T18:33:09.183465+00:00"),
        ("2024-03-13T00:03:09+02:00", "2024-03-12T22:03:09+00:00"),
        ("12-04-2022 09:30", "2022-04-12T09:30:00+00:00"),
        ("12.4.2022", "2022-04-12T00:00:00+00:00"),
        ("31/3/23", "2023-03-31T00:00:00+00:00"),
        ("3/31/23", "2023-03-31T00:00:00+00:00"),
        ("5/5/2023", "2023-05-05T00:00:00+00:00"),
        ("2026/05/28 7:01:33 PM GMT+2", "2026-05-28T17:01:33+00:00"),
        ("2026/05/28 12:01:33 AM", "2026-05-28T00:01:33+00:00"),
        ("12 Mar 2025", "2025-03-12T00:00:00+00:00"),
        ("March 12, 2025", "2025-03-12T00:00:00+00:00"),
        ("Mar 12, 2025", "2025-03-12T00:00:00+00:00"),
    ],
)
def test_a_date_is_read_as_its_service_meant_it(cell: str, moment: str) -> None:
    assert read_date(cell, NOW).isoformat() == moment


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1/3/23", "'1/3/23' could be two dates; write it like 2023-03-01"),
        ("31/02/2026", "'31/02/2026' is no date; there is no such day or time"),
        ("2026/05/28 7:01:33 PM GMT+99", "'2026/05/28 7:01:33 PM GMT+99' is no date; there is no such day or time"),
        ("yesterday", "'yesterday' is no date; write it like 2025-03-10"),
        ("", "'' is no date; write it like 2025-03-10"),
        ("1736467200", "'1736467200' is no date; write it like 2025-03-10"),
        ("1970-01-01", "'1970-01-01' is before there were newsletters"),
        ("2026-06-03", "'2026-06-03' is in the future"),
        ("9999-12-31T23:59:59-14:00", "'9999-12-31T23:59:59-14:00' is no date"),
        ("x" * 9000, f"'{'x' * 40}' is no date; write it like 2025-03-10"),
    ],
)
def test_what_is_no_date_says_why(cell: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        read_date(cell, NOW)


def test_a_day_ahead_is_another_zone_and_not_the_future() -> None:
    assert read_date("2026-06-01T23:00:00", NOW) > NOW
