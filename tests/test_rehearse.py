"""`syndicate rehearse`: weeks of the configured channels against the fakes, in seconds."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicate import adapters
from syndicate.adapters.linkedin import LinkedIn, LinkedInOptions
from syndicate.app import assemble
from syndicate.model import Deferred, Recipient
from syndicate.rehearse import Days, Line, staged
from syndicate.testing.clock import Clock
from syndicate.testing.entries import entry
from syndicate.testing.http import BUSY, FakeNetwork
from syndicate.testing.messages import post
from syndicate.testing.networks import FAKES, fake_of
from tests.adapters.social import deliver
from tests.project import Project

# Among the plugins that Apprise loads some import what Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")

KOLKATA = ZoneInfo("Asia/Kolkata")
MONDAY = datetime(2025, 3, 10, tzinfo=KOLKATA)
#: adapter -> its options as somebody would write them, with secrets that are set nowhere
SOCIAL = {
    "apprise": 'url: "${env:NOT_SET}"',
    "bluesky": 'handle: news.example.com, password: "${env:NOT_SET}"',
    "discord": 'webhook: "${env:NOT_SET}"',
    "linkedin": 'token: "${env:NOT_SET}", author: "urn:li:organization:1"',
    "mastodon": 'server: https://social.example, token: "${env:NOT_SET}"',
    "slack": 'token: "${env:NOT_SET}", channel: C0123456789',
    "telegram": 'token: "${env:NOT_SET}", chat: "@example"',
    "threads": 'user: 1, token: "${env:NOT_SET}"',
    "webhook": 'url: https://hook.example/in, secret: "${env:NOT_SET}"',
    "x": 'token: "${env:NOT_SET}"',
}
MAIL = {
    "brevo": 'api_key: "${env:NOT_SET}"',
    "mailgun": 'api_key: "${env:NOT_SET}", domain: mg.example.com',
    "postmark": 'server_token: "${env:NOT_SET}"',
    "resend": 'api_key: "${env:NOT_SET}"',
    "sendgrid": 'api_key: "${env:NOT_SET}", region: eu',
    "ses": 'region: eu-central-1, access_key_id: AKIA0000000000000000, secret_access_key: "${env:NOT_SET}"',
    "smtp": 'host: smtp.example.com, username: news, password: "${env:NOT_SET}"',
}


@pytest.fixture
def everywhere(project: Project) -> Project:
    """The starter with an account and a channel on each network, in `mode: live`."""
    options = SOCIAL | MAIL
    accounts = "".join(f"  {name}: {{adapter: {name}, {options[name]}}}\n" for name in options)
    posts = "".join(
        f"  {name}: {{kind: post, account: {name}, template: {'post' if name in {'apprise', 'webhook'} else name}, "
        f'schedule: {{cron: "30 10 * * MON-FRI"}}, select: {{max: 1, order: oldest, lookback: all}}}}\n'
        for name in SOCIAL
    )
    mails = "".join(
        f"  {name}: {{kind: digest, account: {name}, audience: readers, template: digest, "
        f'schedule: {{cron: "0 9 * * MON"}}, select: {{lookback: all}}}}\n'
        for name in MAIL
    )
    project.configure(
        ("mode: rehearsal", "mode: live"),
        ("accounts:\n", f"accounts:\n{accounts}"),
        ("{csv: config/readers.csv}", '{csv: config/readers.csv, consent: "form on example.com"}'),
        ("  linkedin:\n    kind: post", "  outbox-posts:\n    kind: post"),
        ("channels:\n", f"channels:\n{posts}{mails}"),
    )
    return project


@pytest.fixture
def nowhere_else() -> Iterator[list[Any]]:
    """Every address that is connected to."""
    seen: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        seen.append(address)
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    yield seen
    socket.socket.connect = real  # type: ignore[method-assign]


def course(project: Project, days: int, at: datetime = MONDAY, seed: int | None = None) -> list[Line]:
    app = assemble(project.folder / "config" / "syndicate.yaml", lambda: at)
    try:
        with staged(app, at, seed) as stage:
            return list(Days(stage).until(at + timedelta(days=days)))
    finally:
        app.close()


def ends(lines: list[Line]) -> dict[str, Line]:
    """Edition -> how it stands in the end."""
    return {line.key: line for line in lines if line.key}


def article(project: Project, slug: str, published: str) -> None:
    file = project.folder / "seeds" / f"{slug}.md"
    file.write_text(f"---\ntitle: {slug}\nslug: {slug}\npublish_date: {published}\n---\nSomething.\n", "utf-8")


def test_every_adapter_has_a_fake_that_its_accounts_lead_to() -> None:
    assert FAKES.keys() == adapters.BUILTIN.keys()


def test_a_fake_lives_at_the_time_of_the_rehearsal() -> None:
    fake = fake_of("linkedin", Clock(datetime(2025, 3, 10, 22, tzinfo=UTC)))
    assert isinstance(fake, FakeNetwork)
    with fake:
        fake.fault(BUSY)
        options = fake.lead({"author": "urn:li:organization:1"})
        outcome = deliver(LinkedIn(LinkedInOptions.model_validate(options)), post())
    assert isinstance(outcome, Deferred)
    assert outcome.after == timedelta(hours=2)  # its limits end at midnight UTC


def test_every_network_gets_its_editions_and_nothing_of_the_project_changes(
    everywhere: Project, nowhere_else: list[Any]
) -> None:
    before = everywhere.files()
    lines = course(everywhere, 3)
    assert everywhere.files() == before
    assert nowhere_else
    assert {address[0] for address in nowhere_else} == {"127.0.0.1"}
    stand = ends(lines)
    assert {key.split("/")[0] for key in stand} == {*SOCIAL, *MAIL, "weekly-digest", "outbox-posts"}
    assert {line.what for line in stand.values()} == {"sent"}, [one for one in stand.values() if one.what != "sent"]
    assert {line.sent for line in stand.values() if line.channel in MAIL} == {3}
    assert [line.at.isoformat() for line in lines if line.channel == "x" and line.key] == [
        "2025-03-10T10:30:00+05:30",
        "2025-03-11T10:30:00+05:30",
    ]
    assert all(line.approval for line in lines if line.channel == "linkedin" and line.key)  # its terms want a person
    assert not any(line.approval for line in lines if line.channel == "x")


def test_what_goes_wrong_goes_wrong_again_and_is_resolved_or_named(everywhere: Project) -> None:
    first, second = (course(everywhere, 4, seed=3) for _ in range(2))
    assert [(one.at, one.key, one.what, one.says) for one in first] == [
        (one.at, one.key, one.what, one.says) for one in second
    ]
    troubled = {one.key for one in first if one.what in {"later", "unknown", "refused"}}
    stand = ends(first)
    assert troubled
    assert any(stand[key].what == "sent" and stand[key].says for key in troubled)  # and it says how it ended
    assert all(one.says for one in first if one.what in {"later", "unknown", "refused"})
    assert {stand[key].what for key in troubled} <= {"sent", "unknown", "refused"}
    for one in stand.values():  # a doubt stays only where the network cannot be asked and knows no repeat
        if one.what == "unknown" and one.channel in {"bluesky", "mastodon", "threads", "resend"}:
            raise AssertionError(one)


def test_articles_appear_as_their_dates_come(project: Project) -> None:
    for day in (12, 19, 26):
        article(project, f"march-{day}", f"2025-03-{day}")
    lines = course(project, 30)
    posts = {one.key: f"{one.at:%m-%d}" for one in lines if one.channel == "linkedin" and one.key}
    assert {key: posts[f"linkedin/{key}"] for key in ("march-12", "march-19", "march-26")} == {
        "march-12": "03-12",
        "march-19": "03-19",
        "march-26": "03-26",
    }
    digests = [one for one in lines if one.channel == "weekly-digest" and one.key]
    assert [(one.key, one.articles, one.readers) for one in digests] == [
        ("weekly-digest/2025-03-10T09:00", 2, 3),
        ("weekly-digest/2025-03-17T09:00", 1, 3),
        ("weekly-digest/2025-03-24T09:00", 1, 3),
        ("weekly-digest/2025-03-31T09:00", 1, 3),
    ]
    assert sum(one.what == "nothing" for one in lines) > 10


def test_each_article_has_its_own_moment_where_the_channel_says_so(project: Project) -> None:
    project.configure(('{cron: "30 10 * * MON-FRI"}', "{on: publish, quiet: 22:00-07:00}"))
    article(project, "by-day", "2025-03-12T14:35")
    article(project, "by-night", "2025-03-12T23:10")
    posts = {one.key: f"{one.at:%d %H:%M}" for one in course(project, 5) if one.channel == "linkedin" and one.key}
    assert posts == {"linkedin/by-day": "12 14:35", "linkedin/by-night": "13 07:00"}


def test_what_was_missed_and_what_may_not_be_said_has_a_line(project: Project) -> None:
    project.configure(('{cron: "30 10 * * MON-FRI"}', '{cron: "30 10 * * MON-FRI", blackout: [2025-03-11]}'))
    lines = course(project, 2, MONDAY + timedelta(days=1))
    missed = {(one.channel, one.what) for one in lines}
    assert {("weekly-digest", "late-skip"), ("linkedin", "late-skip"), ("linkedin", "blackout")} <= missed
    assert [f"{one.at:%d}" for one in lines if one.key] == ["12", "12"]


def test_it_goes_on_where_the_ledger_stands(project: Project) -> None:
    project.syndicate("run", "--once", "--at", "2025-03-10T12:00")
    before = project.files()
    assert not ends(course(project, 7, MONDAY + timedelta(days=1)))
    assert project.files() == before


def test_what_is_in_doubt_at_the_real_network_is_not_decided_by_a_fake(everywhere: Project) -> None:
    app = assemble(everywhere.folder / "config" / "syndicate.yaml", lambda: MONDAY)
    app.ledger().enter(entry("mastodon/old", [Recipient("mastodon")], kind="post", account="mastodon"), MONDAY)
    (doubt,) = app.ledger().claim("mastodon/old", "w", 1, MONDAY, timedelta(minutes=15))
    app.close()
    assert doubt.epoch == 1
    assert "mastodon/old" not in ends(course(everywhere, 1))


def test_a_rate_limit_stretches_an_edition_and_delays_no_other_account(project: Project) -> None:
    rows = "".join(f"r{number}@example.org,R\n" for number in range(12))
    (project.folder / "config" / "readers.csv").write_text(f"email,name\n{rows}")
    project.configure(
        (
            "outbox: {adapter: file, folder: outbox}",
            "outbox: {adapter: file, folder: outbox, limits: {per_hour: 5}}\n  other: {adapter: file, folder: other}",
        ),
        (
            "kind: post                      # one message per article\n    account: outbox",
            "kind: post\n    account: other",
        ),
    )
    lines = course(project, 1)
    digest = [one for one in lines if one.channel == "weekly-digest" and one.key]
    assert digest[0].sent < 12
    assert digest[0].what == "later"
    assert digest[-1].sent == 12
    assert digest[-1].at - digest[0].at >= timedelta(hours=2)
    posts = [one for one in lines if one.channel == "linkedin" and one.key]
    assert {f"{one.at:%H:%M}" for one in posts} == {"10:30"}


def test_an_account_that_cannot_be_used_says_why_and_stops_no_other(project: Project) -> None:
    project.configure(
        ("accounts:\n", "accounts:\n  bad: {adapter: mastodon, visibility: everybody}\n"),
        ("account: outbox\n    template: linkedin", "account: bad\n    template: mastodon"),
    )
    stand = ends(course(project, 1))
    assert stand["weekly-digest/2025-03-10T09:00"].what == "sent"
    (failed, _) = [one for one in stand.values() if one.what == "failed"]
    assert "accounts.bad.visibility" in failed.says


def test_a_draft_that_waits_already_waits_on(project: Project) -> None:
    project.configure(("approval: none                  # none | required", "approval: required"))
    assert project.syndicate("run", "--once", "--at", "2025-03-10T12:00").status == 3
    lines = course(project, 8, MONDAY + timedelta(days=1))
    (draft,) = [one for one in lines if one.what == "awaiting"]
    assert draft.key == "weekly-digest/2025-03-10T09:00"
    assert draft.says == "syndicate editions approve weekly-digest/2025-03-10T09:00"


def test_a_paused_account_stops_what_needs_it_until_a_person_acts(everywhere: Project) -> None:
    app = assemble(everywhere.folder / "config" / "syndicate.yaml", lambda: MONDAY)
    app.ledger().pause_account("x", "401 Unauthorized", "Make a new token.", MONDAY)
    app.close()
    lines = course(everywhere, 2)
    stopped = [one for one in ends(lines).values() if one.channel == "x"]
    assert {one.what for one in stopped} == {"stopped"}
    assert all("Make a new token" in one.says for one in stopped)


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_calendar_is_printed_by_day(project: Project) -> None:
    said = project.syndicate("rehearse", "--from", "2025-03-10", "--days", "7")
    assert said.status == 0, said
    assert "Monday, 10 March 2025" in said.out
    assert "weekly-digest/2025-03-10T09:00  2 articles to 3 readers  sent 3" in said.out
    assert "nothing was sent, nothing was changed" in said.out
    assert not (project.folder / "outbox").exists()


def test_json_and_proofs(project: Project) -> None:
    said = project.syndicate("rehearse", "--json", "--from", "2025-03-10", "--days", "7", "--out", "look")
    assert said.json["channels"]["linkedin"]["sent"] == 2
    assert said.json["faked"] == {"outbox": True}
    assert {line["key"] for line in said.json["lines"] if line["what"] == "sent"} >= {"weekly-digest/2025-03-10T09:00"}
    assert (project.folder / "look" / "index.html").stat().st_size > 1000
    assert len(list((project.folder / "look").rglob("*.eml"))) == 3


def test_the_exit_status_says_whether_anything_needs_somebody(project: Project) -> None:
    project.configure(("then: skip", "then: ask"))
    late = project.syndicate("rehearse", "--from", "2025-03-11", "--days", "1")
    assert late.status == 3, late
    (project.folder / "templates" / "linkedin.txt.j2").write_text("{{ nobody.knows }}")
    assert project.syndicate("rehearse", "--from", "2025-03-11", "--days", "3").status == 1
    assert project.syndicate("rehearse", "--from", "once upon a time").status == 2


def test_it_needs_nothing_that_only_tests_have(project: Project) -> None:
    code = (
        "import sys; sys.modules |= dict.fromkeys(('pytest', 'hypothesis', 'dkim', 'aiosmtpd', 'mastodon'))\n"
        "from syndicate.testing.clock import Clock\n"
        "from syndicate.testing.networks import FAKES, fake_of\n"
        "from syndicate.cli.main import main\n"
        "for name in FAKES:\n"
        "    with fake_of(name, Clock()): pass\n"
        "main(['rehearse', '--from', '2025-03-10', '--days', '1'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
