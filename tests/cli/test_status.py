"""`status`: what comes, what waits for whom, what ends soon, and all of it as a calendar."""

from pathlib import Path

from tests.project import MONDAY, Project
from tests.render.test_ics import read

DIGEST = "weekly-digest/2025-03-10T09:00"
WEEKLY = 'cron: "0 9 * * MON", late: {grace: 6h, then: skip}'
PAGE = 'page: {adapter: linkedin, token: "${env:NO_TOKEN}", author: "urn:li:person:1"'


def test_the_calendar_is_written_and_can_be_read(project: Project) -> None:
    said = project.syndicate("status", "--ics", "editions.ics")
    assert said.status == 0
    events = read((project.folder / "editions.ics").read_bytes())
    assert f"Calendar: editions.ics, {len(events)} moments of 90 days" in said.out
    assert {one["SUMMARY"] for one in events} == {"weekly-digest", "linkedin"}
    assert sorted(path.name for path in project.folder.glob("*.part")) == []


def test_next_moments_are_told_in_the_channels_zone_and_in_utc(project: Project) -> None:
    project.configure((f"    schedule: {{{WEEKLY}}}   # then: send | skip | ask\n", ""))
    out = project.syndicate("status").out
    assert "weekly-digest  nothing by the clock" in out
    assert "10:30 IST (05:00 UTC)" in out


def test_an_api_version_that_has_ended_is_told_without_any_secret(project: Project) -> None:
    project.configure(("accounts:\n", f"accounts:\n  {PAGE}, version: 202401, token_until: 2025-01-31}}\n"))
    said = project.syndicate("status")
    assert said.status == 0, "it is not yet in anybody's way"
    assert "account page  API version 202401 has ended on 2025-01-15. Set `version` of the account to" in said.out
    assert "account page  the token has ended on 2025-01-31. Sign in again" in said.out
    document = project.syndicate("status", "--json").json
    assert [name for name, _ in document["warnings"]] == ["page", "page"]


def test_a_missed_occasion_that_needs_a_person_waits_in_status(project: Project) -> None:
    project.configure((WEEKLY, 'cron: "0 0 1 1 *", late: {grace: 1m, then: ask}'))
    said = project.syndicate("status")
    assert said.status == 3
    assert "late" in said.out
    assert "Next: syndicate send weekly-digest" in said.out


def test_who_has_to_do_what_stands_in_one_list(project: Project) -> None:
    project.configure(("approval: none ", "approval: required "))
    project.syndicate("run", "--once", "--at", MONDAY)
    project.syndicate("editions", "pause", "--all", "--reason", "stop")
    document = project.syndicate("status", "--json").json
    assert [(one["what"], one["why"]) for one in document["waits"]] == [(DIGEST, "approval"), ("everything", "paused")]
    assert [one["answer"] for one in document["waits"]] == [
        f"syndicate editions approve {DIGEST}",
        "syndicate editions resume --all",
    ]


def test_a_calendar_that_cannot_be_written_is_a_sentence(project: Project, tmp_path: Path) -> None:
    said = project.syndicate("status", "--ics", "nowhere/editions.ics")
    assert said.status == 1
    assert "Traceback" not in said.err
