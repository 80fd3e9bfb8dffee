"""A week in a simulated newsroom: edits, a crash, an expired token, clocks that change; then the books are compared.

Time is injected: the week runs in seconds. The ledger has to equal what the networks say they got.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicate.model import Delivery, State
from syndicate.newsroom.tick import Newsroom
from syndicate.testing.clock import Clock
from syndicate.testing.linkedin import TOKEN, FakeLinkedIn
from syndicate.testing.log import Heard
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import Project

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2025, 3, 24, 0, 0, tzinfo=BERLIN)
CONFIG = """
publication:
  name: The Week
  url: https://week.example.com
  timezone: Europe/Berlin
  sender: {{name: The Week, email: news@example.com, postal_address: "1 Example Street, Berlin"}}
mode: live
database: sqlite:///var/syndicate.db
content: {{folders: [articles]}}
accounts:
  mail: {{adapter: smtp, host: 127.0.0.1, port: {port}, tls: none}}
  page: {{adapter: linkedin, token: "${{file:var/token}}", author: "urn:li:organization:1", base_url: "{url}"}}
audiences:
  readers: {{csv: config/readers.csv, consent: "sign-up form on week.example.com, double opt-in"}}
channels:
  daily:
    kind: digest
    account: mail
    audience: readers
    template: digest
    schedule: {{cron: "30 2 * * *", late: {{grace: 3h, then: send}}}}
    select: {{max: 10, lookback: 7d}}
  linkedin:
    kind: post
    account: page
    template: linkedin
    schedule: {{cron: "0 10 * * *"}}
    select: {{max: 1, order: oldest, lookback: 30d}}
    approval: none
"""


@dataclass
class Week:
    """The newsroom with its networks and its clock."""

    project: Project
    clock: Clock
    smtp: SmtpServer
    linkedin: FakeLinkedIn
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        self.room = self.restarted()

    def restarted(self) -> Newsroom:
        """A scheduler that knows nothing but what is on the disk."""
        config = self.project.folder / "config" / "syndicate.yaml"
        self.room = Newsroom(config, self.heard.log, self.clock)
        return self.room

    def until(self, end: datetime, step: timedelta = timedelta(hours=1)) -> None:
        """Ticks up to `end`, in real time: hours that the clocks skip do not come."""
        while self.clock() < end:
            self.room.tick()
            self.clock.advance(step)

    def write(self, name: str, published: str, text: str = "Something happened today.") -> Path:
        file = self.project.folder / "articles" / f"{name}.md"
        file.write_text(f"---\ntitle: {name.title()}\npublish_date: {published}\n---\n{text}\n", "utf-8")
        return file

    def token(self, value: str) -> None:
        file = self.project.folder / "var" / "token"
        file.write_text(value)
        file.chmod(0o600)


@pytest.fixture
def week(project: Project) -> Iterator[Week]:
    """Two readers, one article, all networks well; it is Monday midnight in Berlin."""
    (project.folder / "articles").mkdir()
    (project.folder / "var").mkdir()
    with SmtpServer() as smtp, FakeLinkedIn() as linkedin:
        text = CONFIG.format(port=smtp.port, url=linkedin.url)
        (project.folder / "config" / "syndicate.yaml").write_text(text, "utf-8")
        (project.folder / "config" / "readers.csv").write_text("email,name\na@example.org,A\nb@example.org,B\n")
        made = Week(project, Clock(MONDAY.astimezone(UTC)), smtp, linkedin)
        made.token(TOKEN)
        made.write("monday news", "2025-03-23")
        yield made
        made.room.app().close()


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2025, 3, 24 + number, hour, tzinfo=BERLIN)


def test_a_week_of_a_newsroom_ends_with_books_that_balance(week: Week) -> None:
    week.until(day(1))  # Monday: one digest, one post
    assert [mail.recipient for mail in week.smtp.journal] == ["a@example.org", "b@example.org"]
    assert len(week.linkedin.published) == 1

    week.write("tuesday news", "2025-03-25")  # Tuesday: the server goes silent after the last dot, the process dies
    week.smtp.fault("dot", Fault(b"", "close", keep=True))
    week.until(day(1, 5))
    week.restarted()
    week.until(day(2))
    assert [one.recipient for one in unknowns(week)] == ["a@example.org"]

    week.write("monday news", "2025-03-23", "Something happened, and this is the mended text.")
    week.write("wednesday news", "2025-03-26")  # Wednesday: an old article is edited, a broken one comes in
    (week.project.folder / "articles" / "broken.md").write_bytes(b"---\ntitle: [\n---\n\x00")
    week.until(day(3))
    assert [key for key in keys_of(week, "linkedin") if "monday" in key] == ["linkedin/monday-news"]

    week.token("expired")  # Thursday: the token of the page has expired
    week.write("thursday news", "2025-03-27")
    posts = len(week.linkedin.published)
    week.until(day(4))
    assert len(week.linkedin.published) == posts
    assert any("page is paused" in line for line in week.heard.lines)

    week.token(TOKEN)  # Friday: a person renews it, and resumes what waited
    week.room.app().ledger().resume_account("page", week.clock(), "person")
    week.until(day(6))
    assert len(week.linkedin.published) > posts

    week.write("sunday news", "2025-03-30")  # Sunday: the clocks skip 02:30, the digest comes once, at 03:00
    week.until(day(7))
    assert "daily/2025-03-30T03:00" in keys_of(week, "daily")

    (doubt,) = unknowns(week)  # a person has asked the reader: it arrived
    week.room.app().ledger().resolve(doubt, State.SENT, "she has it", week.clock(), "person")
    assert books(week) == journals(week)
    assert max(Counter(journals(week)).values()) == 1


def unknowns(week: Week) -> list[Delivery]:
    return list(week.room.app().ledger().deliveries(states=[State.UNKNOWN]))


def keys_of(week: Week, channel: str) -> list[str]:
    return [row.key for row in week.room.app().ledger().editions(channel)]


def books(week: Week) -> list[str]:
    """SHA-256 of every delivery that the ledger calls sent."""
    return sorted(one.sha256 for one in week.room.app().ledger().deliveries(states=[State.SENT]))


def journals(week: Week) -> list[str]:
    """SHA-256 of everything that the networks accepted, hashed as the ledger hashes it."""
    mails = [sha256(mail.data).hexdigest() for mail in week.smtp.journal]
    posts = [
        sha256(f"POST {week.linkedin.url}{got.path}\n".encode() + got.body).hexdigest()
        for got in week.linkedin.journal
        if got.headers.get("authorization") == f"Bearer {TOKEN}"
    ]
    return sorted(mails + posts)
