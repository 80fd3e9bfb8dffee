"""What stops a send before it begins, and what makes it wait, from the configuration to the wire."""

from contextlib import closing

import pytest

from syndicate.config.load import load
from syndicate.config.plain import build, plain
from syndicate.ledger import open_ledger
from syndicate.model import Used
from syndicate.model.limits import Limits
from syndicate.testing.clock import MONDAY as NOON
from syndicate.testing.entries import entry
from tests.project import MONDAY, Project

RUN = ("run", "--once", "--at", MONDAY)
CHANNEL = "    audience: readers\n"


def sent(project: Project) -> list[int]:
    """How many were sent of each digest."""
    with closing(open_ledger("sqlite:///var/syndicate.db", project.folder)) as ledger:
        return [row.counts["sent"] for row in ledger.editions("weekly-digest")]  # type: ignore[index]


def last_edition(project: Project, recipients: int) -> None:
    """The channel has sent before."""
    (project.folder / "var").mkdir()
    with closing(open_ledger("sqlite:///var/syndicate.db", project.folder)) as ledger:
        key = "weekly-digest/2025-03-03T09:00"
        ledger.enter(entry(key, recipients, articles=(Used(key, "weekly-digest", NOON, "old", "old.md"),)), NOON)


def test_more_recipients_than_expected_need_a_person_and_nothing_is_entered(project: Project) -> None:
    project.configure((CHANNEL, CHANNEL + "    max_recipients: 2\n"))
    said = project.syndicate(*RUN, "--json")
    assert said.status == 3
    (failure,) = said.json["failures"]
    assert "more than 2 recipients" in failure["problem"]["message"]
    assert "channels.weekly-digest.max_recipients" in failure["problem"]["hint"]
    assert sent(project) == []
    dry = project.syndicate(*RUN, "--dry-run")
    assert dry.status == 3, dry.out + dry.err

    project.configure(("max_recipients: 2", "max_recipients: 3"))
    assert project.syndicate(*RUN).status == 0
    assert sent(project) == [3]


@pytest.mark.parametrize(("growth", "status"), [(49, 3), (50, 0)])
def test_an_audience_that_grew_suddenly_needs_a_person(project: Project, growth: int, status: int) -> None:
    last_edition(project, 2)
    project.configure((CHANNEL, CHANNEL + f"    max_growth: {growth}\n"))
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes")
    assert said.status == status
    if status:
        assert "the last edition had 2" in said.out + said.err
    assert len(sent(project)) == (1 if status else 2)


def test_the_first_edition_has_nothing_to_grow_from(project: Project) -> None:
    project.configure((CHANNEL, CHANNEL + "    max_growth: 0\n"))
    assert project.syndicate(*RUN).status == 0


def test_a_limit_lets_the_rest_wait_and_says_until_when(project: Project) -> None:
    project.configure(("{adapter: file, folder: outbox}", "{adapter: file, folder: outbox, limits: {per_day: 2}}"))
    assert "would be sent 3" in project.syndicate("send", "weekly-digest", "--at", MONDAY, "--dry-run").out
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes")
    assert said.status == 0
    assert "sent 2" in said.out
    assert "1 wait for the limits of account outbox" in said.out
    assert "tries again" in said.out


def test_limits_are_ours_and_not_the_adapters(project: Project) -> None:
    given = "limits: {per_second: 10, per_minute: 300, per_hour: 5000, per_day: 20000, per_domain: {per_minute: 30}}"
    project.configure(("{adapter: file, folder: outbox}", f"{{adapter: file, folder: outbox, {given}}}"))
    loaded = load(project.folder / "config" / "syndicate.yaml", cache=False)
    assert loaded.settings is not None
    account = loaded.settings.accounts["outbox"]
    assert account.options == {"folder": "outbox"}
    assert [(one.count, one.span.total_seconds()) for one in account.limits.account] == [
        (10, 1),
        (300, 60),
        (5000, 3600),
        (20000, 86400),
    ]
    assert [(one.count, one.span.total_seconds()) for one in account.limits.domain] == [(30, 60)]
    assert build(plain(loaded.settings), loaded.settings.root) == loaded.settings


def test_without_limits_there_are_none(project: Project) -> None:
    settings = load(project.folder / "config" / "syndicate.yaml", cache=False).settings
    assert settings is not None
    assert settings.accounts["outbox"].limits == Limits()


@pytest.mark.parametrize("limits", ["{per_week: 10}", "{per_second: 0}", "{per_domain: {per_hour: many}}", "fast"])
def test_a_limit_that_makes_no_sense_is_a_problem_of_its_line(project: Project, limits: str) -> None:
    project.configure(("{adapter: file, folder: outbox}", f"{{adapter: file, folder: outbox, limits: {limits}}}"))
    loaded = load(project.folder / "config" / "syndicate.yaml", cache=False)
    assert loaded.settings is None
    (problem,) = loaded.problems
    line = next(n for n, text in enumerate(loaded.text.splitlines(), start=1) if "limits:" in text)
    assert problem.line == line
    assert "limits" in problem.message
