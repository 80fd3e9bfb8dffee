"""Every network behind one live project: what was shown, what arrived, and what the ledger says, compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicate.app import assemble
from syndicate.model import Delivery, State
from syndicate.newsroom.tick import Newsroom
from syndicate.testing import apprise, bluesky, discord, mastodon, slack, telegram, threads, x
from syndicate.testing.clock import Clock
from syndicate.testing.http import FakeNetwork, Fault
from syndicate.testing.log import Heard
from tests.project import MONDAY, Project

# Among the plugins that Apprise loads some import what Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")

FAKES: dict[str, type[Any]] = {
    "apprise": apprise.FakeService,
    "bluesky": bluesky.FakeBluesky,
    "discord": discord.FakeDiscord,
    "mastodon": mastodon.FakeMastodon,
    "slack": slack.FakeSlack,
    "telegram": telegram.FakeTelegram,
    "threads": threads.FakeThreads,
    "x": x.FakeX,
}
#: requests before the one that counts
BEFORE = {"bluesky": 1, "threads": 2}
#: how a lost answer is resolved without a person
RESOLVED = {"bluesky", "mastodon", "threads"}


def accounts(networks: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Network -> its secret, and the options of its account."""
    url = {name: fake.url for name, fake in networks.items()}
    return {
        "apprise": (networks["apprise"].address, 'url: "${SECRET}"'),
        "bluesky": (
            bluesky.PASSWORD,
            f'handle: {bluesky.HANDLE}, service: "{url["bluesky"]}", password: "${{SECRET}}"',
        ),
        "discord": (url["discord"] + discord.HOOK, 'webhook: "${SECRET}"'),
        "mastodon": (mastodon.TOKEN, f'server: "{url["mastodon"]}", token: "${{SECRET}}"'),
        "slack": (url["slack"] + slack.HOOK, 'webhook: "${SECRET}"'),
        "telegram": (telegram.TOKEN, f'chat: "{telegram.CHAT}", base_url: "{url["telegram"]}", token: "${{SECRET}}"'),
        "threads": (threads.TOKEN, f'user: {threads.USER}, base_url: "{url["threads"]}/v1.0", token: "${{SECRET}}"'),
        "x": (x.TOKEN, f'base_url: "{url["x"]}", token: "${{SECRET}}"'),
    }


def seen(network: Any) -> list[Any]:
    """What people see there."""
    for name in ("records", "messages", "statuses", "posts", "notifications"):
        if hasattr(network, name):
            return list(getattr(network, name))
    raise AssertionError(network)


@pytest.fixture
def networks(project: Project) -> Iterator[dict[str, FakeNetwork]]:
    """Turns the starter live, with an account and a channel on each network."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(fake()) for name, fake in FAKES.items()}
        (project.folder / "var").mkdir()
        lines, channels = [], []
        for name, (secret, options) in accounts(running).items():
            file = project.folder / "var" / f"{name}.secret"
            file.write_text(secret)
            file.chmod(0o600)
            lines.append(f"  {name}: {{adapter: {name}, {options.replace('SECRET', f'file:var/{name}.secret')}}}\n")
            template = "post" if name == "apprise" else name
            channels.append(
                f"  {name}: {{kind: post, account: {name}, template: {template}, approval: none, "
                f'schedule: {{cron: "30 10 * * MON-FRI"}}, select: {{max: 2, order: oldest, lookback: all}}}}\n'
            )
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n{''.join(lines)}"),
            ("channels:\n", f"channels:\n{''.join(channels)}"),
        )
        yield running


def deliveries(project: Project) -> dict[str, list[Delivery]]:
    """Network -> what the ledger says of its posts."""
    app = assemble(project.folder / "config" / "syndicate.yaml")
    try:
        ledger = app.ledger()
        return {
            name: [one for row in ledger.editions(name, limit=10) for one in ledger.deliveries(row.key)]
            for name in FAKES
        }
    finally:
        app.close()


def test_what_a_dry_run_shows_is_sent_once_to_every_network_and_noted(
    project: Project, networks: dict[str, FakeNetwork]
) -> None:
    dry = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert dry.status == 0, dry
    assert not any(network.journal for network in networks.values())

    live = project.syndicate("run", "--once", "--at", MONDAY)
    assert live.status == 0, live
    shown = [json.loads(line) for line in (project.folder / "proofs" / "manifest.jsonl").read_text().splitlines()]
    for name, rows in deliveries(project).items():
        assert len(seen(networks[name])) == 2, name
        assert [row.state for row in rows] == [State.SENT, State.SENT]
        hashes = {line["sha256"] for line in shown if line["edition"].startswith(f"{name}/")}
        assert {row.sha256 for row in rows} == hashes
    project.syndicate("run", "--once", "--at", MONDAY)
    assert {name: len(seen(network)) for name, network in networks.items()} == dict.fromkeys(FAKES, 2)


def test_no_secret_is_written_anywhere(project: Project, networks: dict[str, FakeNetwork]) -> None:
    project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    secrets = {name: secret for name, (secret, _) in accounts(networks).items()}
    secrets |= {"last part": discord.SECRET, "of the address": slack.SECRET, "of apprise": apprise.SECRET}
    files = {path: data for path, data in project.files().items() if not path.endswith(".secret")}
    for name, secret in secrets.items():
        assert secret not in said.out + said.err, name
        assert [path for path, data in files.items() if secret.encode() in data] == [], name


def test_a_lost_answer_is_resolved_by_the_network_or_waits_for_a_person(
    project: Project, networks: dict[str, FakeNetwork]
) -> None:
    for name, network in networks.items():
        network.fault(*[None] * BEFORE.get(name, 0), Fault(then="close", apply=True))
    clock = Clock(datetime.fromisoformat(MONDAY).replace(tzinfo=ZoneInfo("Asia/Kolkata")))
    room = Newsroom(project.folder / "config" / "syndicate.yaml", Heard().log, clock)
    for _ in range(4):
        room.tick()
        clock.advance(timedelta(minutes=10))
    assert {name: len(seen(network)) for name, network in networks.items()} == dict.fromkeys(FAKES, 2)
    for name, rows in deliveries(project).items():
        states = Counter(row.state for row in rows)
        expected = {State.SENT: 2} if name in RESOLVED else {State.SENT: 1, State.UNKNOWN: 1}
        assert states == expected, name
