"""One tick: the last good configuration, what is due, and what the operator hears of it."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicate.app import assemble
from syndicate.errors import ConfigError
from syndicate.newsroom.tick import Newsroom, tick
from syndicate.testing.clock import Clock
from syndicate.testing.log import Heard
from tests.project import Project

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
DIGEST = "weekly-digest/2025-03-10T09:00"


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def room(project: Project, heard: Heard, clock: Clock) -> Newsroom:
    return Newsroom(file_of(project), heard.log, clock)


def file_of(project: Project) -> Path:
    return project.folder / "config" / "syndicate.yaml"


def keys(room: Newsroom) -> list[str]:
    return sorted(row.key for row in room.app().ledger().editions())


def test_a_second_tick_of_the_same_time_sends_nothing(project: Project) -> None:
    app = assemble(file_of(project), clock=lambda: NOON)
    first = [done.key for report in tick(app, NOON) for done in report.done]
    assert len(first) == 3
    assert [done.key for report in tick(app, NOON) for done in report.done] == []


def test_late_and_missed_ticks_come_to_the_same_editions(project: Project) -> None:
    app = assemble(file_of(project), clock=lambda: NOON)
    for hours in (0, 1, 2, 24, 25):
        tick(app, NOON + timedelta(hours=hours))
    assert sorted(row.key.split("/")[0] for row in app.ledger().editions()) == ["linkedin", "linkedin", "weekly-digest"]


def test_a_clock_that_goes_back_and_forth_sends_nothing_twice(room: Newsroom, heard: Heard, clock: Clock) -> None:
    room.tick()
    sent = keys(room)
    for hours in (-2, 26, -26, 24 * 365, -24 * 365 * 55, 24 * 365 * 54):
        clock.advance(timedelta(hours=hours))
        room.tick()
    assert keys(room) == sent
    assert heard.errors == []


def test_a_new_article_and_a_new_template_are_in_the_next_tick(project: Project, room: Newsroom, clock: Clock) -> None:
    room.tick()
    (project.folder / "seeds" / "new.md").write_text(
        "---\ntitle: Brand new\npublish_date: 2025-03-11\n---\nText.\n", "utf-8"
    )
    template = project.folder / "templates" / "linkedin.txt.j2"
    template.write_text(template.read_text("utf-8").replace("{{ post.hook }}", "Freshly written."), "utf-8")
    clock.advance(timedelta(days=1))
    room.tick()
    assert "linkedin/brand-new" in keys(room)
    assert b"Freshly written." in room.app().ledger().frozen("linkedin/brand-new")


def test_a_changed_configuration_is_in_force_at_the_next_tick(project: Project, room: Newsroom, heard: Heard) -> None:
    room.tick()
    project.configure(("max: 10", "max: 9"))
    room.tick()
    assert room.app().settings.channels["weekly-digest"].select.max == 9
    assert heard.lines[-1] == f"{file_of(project)} has changed and is in force."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("channels:", "channels: [", "the configuration cannot be used"),
        ("folder: outbox", "foldr: outbox", "an account cannot be used"),
        ("syndicate.db", "other.db", "the database cannot change while the scheduler runs"),
    ],
)
def test_a_broken_edit_keeps_the_last_good_configuration_and_is_told_once(
    project: Project, room: Newsroom, heard: Heard, old: str, new: str, message: str
) -> None:
    room.tick()
    good, sent = room.app(), keys(room)
    project.configure((old, new))
    for _ in range(3):
        room.tick()
    assert room.app() is good
    assert keys(room) == sent
    assert [error["says"] for error in heard.errors] == [f"{file_of(project)}: {message}"]
    assert heard.errors[0]["hint"].startswith("The last good configuration stays in force.")
    project.configure((new, old))
    room.tick()
    assert room.app() is not good
    assert len(heard.errors) == 1


def test_a_broken_edit_names_the_line(project: Project, room: Newsroom, heard: Heard) -> None:
    room.tick()
    project.configure(("max: 10", "max: ten"))
    room.tick()
    assert [problem.split(": ")[0] for problem in heard.errors[0]["problems"]] == ["config/syndicate.yaml:29:19"]


def test_a_configuration_that_was_never_good_is_an_error(project: Project, room: Newsroom) -> None:
    file_of(project).write_text("channels: [", "utf-8")
    with pytest.raises(ConfigError):
        room.app()


def test_a_renewed_token_is_a_change_of_the_configuration(project: Project, room: Newsroom, heard: Heard) -> None:
    token = project.folder / "token"
    token.write_text("old")
    token.chmod(0o600)
    page = '  page: {adapter: linkedin, token: "${file:token}", author: "urn:li:organization:1"}'
    project.configure(("accounts:\n", f"accounts:\n{page}\n"))
    old = room.app()
    assert old.adapter("page").options.token.get_secret_value() == "old"
    token.write_text("renewed")
    assert room.app() is not old
    assert room.app().adapter("page").options.token.get_secret_value() == "renewed"


def test_an_edition_that_fails_is_told_once_and_the_others_go_on(
    project: Project, room: Newsroom, heard: Heard
) -> None:
    (project.folder / "templates" / "linkedin.txt.j2").write_text("{{ nothing }}", "utf-8")
    for _ in range(3):
        room.tick()
    assert [line for line in heard.lines if line.startswith(f"{DIGEST}: sent 3")]
    assert len([line for line in heard.lines if "linkedin.txt.j2" in line]) == 2, "one for each of two posts"


def test_a_missed_digest_is_told_once_for_each_occasion(
    project: Project, room: Newsroom, heard: Heard, clock: Clock
) -> None:
    project.configure(("then: skip", "then: ask"), ('schedule: {cron: "30 10 * * MON-FRI"}', ""))
    for _ in range(3):
        clock.advance(timedelta(hours=7))
        room.tick()
    missed = "Monday, 10 March 2025, 09:00 passed 10 hours ago, more than its grace of 6 hours"
    assert heard.lines == [
        f"weekly-digest: {missed}, and waits for a person (late.then: ask)",
        f"{DIGEST}: waits for a person; to send it: syndicate send weekly-digest",
    ]
    assert keys(room) == []


def test_whatever_breaks_a_tick_is_told_once_and_the_next_tick_comes(
    project: Project, room: Newsroom, heard: Heard, clock: Clock
) -> None:
    room.app()
    folder = project.folder / "var"
    folder.mkdir(exist_ok=True)
    (folder / "syndicate.db").write_bytes(b"")
    for _ in range(2):
        room.tick()
    assert len(heard.errors) == 1
    assert "syndicate.db" in heard.errors[0]["says"]
    (folder / "syndicate.db").unlink()
    room.tick()
    assert len(keys(room)) == 3


def test_after_the_stop_nothing_more_is_claimed(room: Newsroom, project: Project) -> None:
    room.stop.set()
    room.tick()
    assert not (project.folder / "outbox").exists()
    assert [row.state for row in room.app().ledger().editions()] == ["sending"] * 3


def test_what_waits_for_approval_is_told_once_and_goes_out_after_it(
    project: Project, room: Newsroom, heard: Heard, clock: Clock
) -> None:
    project.configure(("approval: none ", "approval: required "), ('schedule: {cron: "30 10 * * MON-FRI"}', ""))
    for _ in range(3):
        room.tick()
    assert heard.lines == [f"{DIGEST}: waits for approval: syndicate editions approve {DIGEST}"]
    assert project.syndicate("editions", "approve", DIGEST).status == 0
    clock.advance(timedelta(minutes=1))
    room.tick()
    assert heard.lines[1:] == [f"{DIGEST}: sent 3, refused 0, later 0, unknown 0"]
    told = " ".join(project.syndicate("why", DIGEST).out.split())
    assert "- awaiting -> approved person a person's word" in told
    assert "- approved -> sending scheduler as it was approved" in told
