"""What is to come, as a calendar, on a day that the tests own."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from syndicate.app import App, assemble
from syndicate.editions.upcoming import MOST, calendar, next_of_each
from tests.project import Project
from tests.render.test_ics import read

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
WEEKLY = 'cron: "0 9 * * MON", late: {grace: 6h, then: skip}'
WEEKDAYS = 'cron: "30 10 * * MON-FRI"'


@contextmanager
def at_noon(project: Project) -> Iterator[App]:
    with closing(assemble(project.folder / "config" / "syndicate.yaml", clock=lambda: NOON)) as app:
        yield app


def feed(project: Project, days: int = 14, at: datetime = NOON) -> list[dict[str, str]]:
    with at_noon(project) as app:
        data, count = calendar(app, at, timedelta(days=days))
    events = read(data)
    assert len(events) == count
    return events


def test_the_calendar_has_every_moment_in_order(project: Project) -> None:
    events = feed(project)
    assert [one["DTSTART"] for one in events] == sorted(one["DTSTART"] for one in events)
    digests = [one for one in events if one["SUMMARY"] == "weekly-digest"]
    assert [one["DTSTART"] for one in digests] == ["20250317T033000Z", "20250324T033000Z"]
    assert [one["UID"] for one in digests] == [
        "weekly-digest/2025-03-17T09:00@magick.ai",
        "weekly-digest/2025-03-24T09:00@magick.ai",
    ]
    assert digests[0]["DESCRIPTION"] == "digest to readers by outbox (file)"
    assert digests[0]["DTSTAMP"] == "20250310T063000Z"
    assert len([one for one in events if one["SUMMARY"] == "linkedin"]) == 10


def test_a_moment_has_the_same_name_in_every_feed(project: Project) -> None:
    first, second = feed(project), feed(project, at=NOON + timedelta(days=3))
    names = [one["UID"] for one in first]
    assert len(set(names)) == len(names)
    known = {one["UID"]: one["DTSTART"] for one in first}
    assert all(known.get(one["UID"], one["DTSTART"]) == one["DTSTART"] for one in second)
    assert len(known.keys() & {one["UID"] for one in second}) >= 8


def test_a_post_of_a_publish_date_is_an_event_with_its_title(project: Project) -> None:
    project.configure((WEEKDAYS, "on: publish"), (WEEKLY, 'cron: "0 9 1 1 *"'))
    text = "---\ntitle: Soon, at last\npublish_date: 2025-03-12T08:15\n---\nText.\n"
    (project.folder / "seeds" / "soon.md").write_text(text, "utf-8")
    (event,) = feed(project)
    assert (event["SUMMARY"], event["UID"]) == ("linkedin: Soon, at last", "linkedin/soon-at-last@magick.ai")
    assert event["DTSTART"] == "20250312T024500Z"
    with at_noon(project) as app:
        found = {channel.name: one for channel, one in next_of_each(app, NOON)}
    post = found["linkedin"]
    assert post is not None
    assert post.article is not None
    assert post.article.title == "Soon, at last"


def test_blackouts_and_approval_are_in_it(project: Project) -> None:
    project.configure((WEEKLY, f"{WEEKLY}, blackout: [2025-03-17]"), ("approval: none ", "approval: required "))
    (digest,) = [one for one in feed(project) if one["SUMMARY"] == "weekly-digest"]
    assert digest["DTSTART"] == "20250324T033000Z"
    assert digest["DESCRIPTION"].endswith(", after approval")


def test_a_channel_that_speaks_every_minute_does_not_fill_the_calendar(project: Project) -> None:
    project.configure((WEEKDAYS, "every: minute"))
    assert len([one for one in feed(project) if one["SUMMARY"] == "linkedin"]) == MOST
