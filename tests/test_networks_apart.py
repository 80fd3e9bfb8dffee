"""Accounts beside each other: a slow or dead network holds up no other, limits and Retry-After hold for an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from syndicate.app import App, assemble
from syndicate.desks import Desks
from syndicate.model import State
from syndicate.newsroom.tick import carry_out, tick
from syndicate.pipeline import make_plan
from syndicate.testing import mastodon, x
from syndicate.testing.clock import Clock
from syndicate.testing.http import Fault, Reply
from syndicate.testing.mastodon import FakeMastodon
from syndicate.testing.postmark import FakePostmark
from syndicate.testing.providers import KEY
from syndicate.testing.x import FakeX
from tests.project import Project

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
MINUTE = timedelta(minutes=1)
EVERY_MINUTE = 'schedule: {cron: "* * * * *"}, select: {max: 5, order: oldest, lookback: all}'


@dataclass
class Two:
    """A live newsroom with an account on each of two networks, and one at a mail provider."""

    project: Project
    mastodon: FakeMastodon
    x: FakeX
    postmark: FakePostmark
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    desks: Desks = field(default_factory=lambda: Desks(patience=0.05))
    apps: list[App] = field(default_factory=list)

    def app(self) -> App:
        """As another process would have it."""
        self.apps.append(assemble(self.project.folder / "config" / "syndicate.yaml", self.clock))
        return self.apps[-1]

    def tick(self, app: App) -> None:
        """One of a scheduler that waits for nobody for long."""
        carry_out(app, make_plan(app, self.clock()), lambda key, tally: None, self.desks)

    def until_x_has(self, app: App, count: int) -> None:
        """A thread may need longer to begin than a tick waits; no time passes for the plan."""
        for _ in range(400):
            self.tick(app)
            if len(self.x.posts) >= count and len(self.states(app, "x")) == self.states(app, "x").count(State.SENT):
                return
        raise AssertionError(f"x has {len(self.x.posts)}")

    def states(self, app: App, channel: str) -> list[State]:
        """Of the channel's deliveries."""
        ledger = app.ledger()
        return [one.state for row in ledger.editions(channel) for one in ledger.deliveries(row.key)]

    def write(self, slug: str) -> None:
        """A new article."""
        file = self.project.folder / "seeds" / f"{slug}.md"
        file.write_text(f"---\ntitle: About {slug}\nslug: {slug}\npublish_date: 2025-03-10\n---\nSomething.\n", "utf-8")


@pytest.fixture
def two(project: Project) -> Iterator[Two]:
    for file in (project.folder / "seeds").glob("*.md"):
        file.unlink()
    (project.folder / "var").mkdir()
    for name, secret in (("m", mastodon.TOKEN), ("x", x.TOKEN), ("p", KEY)):
        path = project.folder / "var" / name
        path.write_text(secret)
        path.chmod(0o600)
    with ExitStack() as stack:
        fakes = [stack.enter_context(kind()) for kind in (FakeMastodon, FakeX, FakePostmark)]
        accounts = (
            f'  mastodon: {{adapter: mastodon, server: "{fakes[0].url}", token: "${{file:var/m}}"}}\n'
            f'  x: {{adapter: x, base_url: "{fakes[1].url}", token: "${{file:var/x}}"}}\n'
            f'  post: {{adapter: postmark, base_url: "{fakes[2].url}", server_token: "${{file:var/p}}", '
            "connections: 4}\n"
        )
        channels = "".join(
            f"  {name}: {{kind: post, account: {name}, template: {name}, {EVERY_MINUTE}}}\n"
            for name in ("mastodon", "x")
        )
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n{accounts}"),
            ("channels:\n", f"channels:\n{channels}"),
            ("{csv: config/readers.csv}", '{csv: config/readers.csv, consent: "form on example.com"}'),
        )
        made = Two(project, *fakes)
        made.write("first")
        yield made
        for fake in fakes:  # whoever hangs is let go
            fake.stop()
        made.desks.close()
        for app in made.apps:
            app.close()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(then="hang"),
        Fault(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 9999, drip=0.02),
    ],
    ids=["says nothing", "says a byte now and then"],
)
def test_a_slow_network_holds_up_no_other(two: Two, fault: Fault) -> None:
    two.mastodon.fault(fault)
    app = two.app()
    two.until_x_has(app, 1)
    for slug in ("second", "third"):  # and the ticks after it go on as well
        two.clock.advance(MINUTE)
        two.write(slug)
        two.until_x_has(app, len(two.x.posts) + 1)
    assert len(two.x.posts) == 3
    assert two.mastodon.statuses == []
    assert State.SENDING in two.states(app, "mastodon")
    two.mastodon.stop()
    two.desks.close()
    assert State.SENDING not in two.states(app, "mastodon")


def test_a_dead_network_holds_up_no_other_and_is_caught_up_with(two: Two) -> None:
    two.mastodon.stop()
    app = two.app()
    two.until_x_has(app, 1)
    two.clock.advance(MINUTE)
    two.write("second")
    two.until_x_has(app, 2)
    two.desks.close()
    assert set(two.states(app, "mastodon")) <= {State.DEFERRED, State.PLANNED}


def test_a_wait_that_a_network_asks_for_is_kept_by_the_account_and_by_nobody_else(two: Two) -> None:
    two.write("second")
    two.mastodon.fault(Fault(Reply(429, headers={"Retry-After": "600"})))
    app, other = two.app(), two.app()
    for minute in range(10):
        tick((app, other)[minute % 2], two.clock())  # two processes: the wait stands in the ledger
        assert len(two.mastodon.journal) == 1, f"asked again after {minute} minutes"
        two.clock.advance(MINUTE)
    assert len(two.x.posts) == 2
    tick(app, two.clock())
    assert len(two.mastodon.statuses) == 2
    assert two.states(app, "mastodon") == [State.SENT, State.SENT]


def test_a_rate_limit_is_shared_by_all_workers_of_an_account(two: Two) -> None:
    readers = "".join(f"reader{number}@example{number}.org,R\n" for number in range(12))
    (two.project.folder / "config" / "readers.csv").write_text(f"email,name\n{readers}")
    digest = "kind: digest, account: post, audience: readers, template: digest, select: {lookback: all}, "
    digest += 'schedule: {cron: "0 12 * * *"}'
    two.project.configure(
        ("connections: 4}", "connections: 4, limits: {per_hour: 5}}"),
        ("channels:\n", f"channels:\n  one: {{{digest}}}\n  two: {{{digest}}}\n"),
    )
    two.app().ledger()  # a process makes the schema before its threads begin
    for hour in range(1, 4):
        workers = [Thread(target=tick, args=(two.app(), two.clock())) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(two.postmark.taken) == 5 * hour
        two.clock.advance(timedelta(hours=1))
    assert len({(one.recipient, one.mark) for one in two.postmark.taken}) == 15
    assert len(two.x.posts) == 1  # it has no limit, and was not held up
