"""A calendar that any program can read: checked by a small reader of its own."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from syndicate.render.ics import Event, calendar

STAMP = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
START = datetime(2025, 3, 17, 9, tzinfo=ZoneInfo("Asia/Kolkata"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def read(feed: bytes) -> list[dict[str, str]]:
    """The events as RFC 5545 §3.1 and §3.3.11 say that they are read."""
    assert feed.endswith(b"\r\n")
    assert feed.count(b"\r") == feed.count(b"\n") == feed.count(b"\r\n")
    assert all(len(line) <= 75 for line in feed.split(b"\r\n"))
    lines = [line.decode() for line in feed.replace(b"\r\n ", b"").split(b"\r\n")[:-1]]
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and name not in {"BEGIN", "END"}:
            assert name not in events[-1], "each property once"
            events[-1][name] = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), value)
    return events


def test_an_event_is_read_back_with_its_moment_in_utc() -> None:
    event = Event("weekly-digest/2025-03-17T09:00@example.org", START, "weekly-digest", "digest to readers, by mail")
    assert read(calendar("Dispatch", [event], STAMP)) == [
        {
            "UID": event.uid,
            "DTSTAMP": "20250310T063000Z",
            "DTSTART": "20250317T033000Z",
            "SUMMARY": "weekly-digest",
            "DESCRIPTION": "digest to readers, by mail",
            "TRANSP": "TRANSPARENT",
        }
    ]


def test_a_calendar_without_events_is_one() -> None:
    assert read(calendar("Dispatch", [], STAMP)) == []


def test_the_required_properties_stand_in_front() -> None:
    head = calendar("Café; a, b", [], STAMP).decode().split("\r\n")
    assert "VERSION:2.0" in head
    assert any(line.startswith("PRODID:") for line in head)
    assert "X-WR-CALNAME:Café\\; a\\, b" in head


@given(summary=TEXT, description=TEXT)
def test_any_text_comes_back_and_no_line_is_too_long(summary: str, description: str) -> None:
    event = Event("a/b@example.org", START + timedelta(days=1), summary, description)
    (found,) = read(calendar("Dispatch", [event], STAMP))
    assert found["SUMMARY"] == shown(summary)
    assert found.get("DESCRIPTION", "") == shown(description)


def shown(text: str) -> str:
    """What a calendar can hold of a text: no control character but the end of a line."""
    return "".join(one for one in text.replace("\r\n", "\n") if one == "\n" or (one >= " " and one != "\x7f"))
