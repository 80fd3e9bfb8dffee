"""`run --once` with schedules that move, skip and ask."""

from tests.project import MONDAY, Project

DIGEST = "weekly-digest/2025-03-10T09:00"
THURSDAY = "2025-03-13T12:00"
WEEKLY = 'cron: "0 9 * * MON", late: {grace: 6h, then: skip}'
WEEKDAYS = 'cron: "30 10 * * MON-FRI"'


def test_an_occasion_that_waits_for_a_person_is_named_with_its_answer(project: Project) -> None:
    project.configure((WEEKLY, "every: monday 09:00, late: {then: ask}"))
    said = project.syndicate("run", "--once", "--at", THURSDAY)
    assert said.status == 3
    assert f"{DIGEST}: waits for a person; to send it: syndicate send weekly-digest" in said.out
    sent = project.syndicate("send", "weekly-digest", "--at", THURSDAY, "--yes")
    assert sent.status == 0, sent
    assert DIGEST in sent.out
    assert project.syndicate("run", "--once", "--at", THURSDAY).status == 0


def test_a_skipped_occasion_is_told_and_needs_nobody(project: Project) -> None:
    said = project.syndicate("run", "--once", "--at", THURSDAY)
    assert said.status == 0
    assert "more than its grace of 6 hours, and is skipped (late.then: skip)" in said.out


def test_a_post_goes_out_when_its_article_is_published_and_not_again(project: Project) -> None:
    project.configure((WEEKDAYS, "on: publish"))
    text = "---\ntitle: On time\npublish_date: 2025-03-13T11:30\n---\nText.\n"
    (project.folder / "seeds" / "on-time.md").write_text(text, "utf-8")
    before = project.syndicate("run", "--once", "--at", "2025-03-13T11:29")
    assert "linkedin  nothing due: no article's publish date and time have come" in before.out
    assert "linkedin/on-time  sent 1" in project.syndicate("run", "--once", "--at", "2025-03-13T11:30").out
    assert "linkedin/on-time" not in project.syndicate("run", "--once", "--at", THURSDAY).out
    fate = project.syndicate("articles", "--channel", "linkedin", "--at", THURSDAY).out
    assert "already in linkedin/on-time" in fate
    assert "more than its grace of 1 day, and is skipped" in fate or "older than the" in fate


def test_quiet_hours_and_blackouts_are_told(project: Project) -> None:
    project.configure(
        (WEEKLY, "every: monday 09:00, quiet: 08:00-13:00"),
        (WEEKDAYS, "every: weekday 10:30, blackout: [2025-03-10]"),
    )
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 0
    assert (
        "linkedin  nothing due: Monday, 10 March 2025, 10:30 falls into the blackout 2025-03-10 and is skipped"
        in said.out
    )
    assert DIGEST not in said.out
    assert (
        "weekly-digest/2025-03-10T13:00  sent 3" in project.syndicate("run", "--once", "--at", "2025-03-10T13:00").out
    )
