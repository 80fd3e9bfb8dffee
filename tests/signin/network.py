"""Accounts at fake networks, in a project, and a browser that agrees at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import requests

from syndicate.app import App, assemble
from syndicate.connect import Connection, connect
from syndicate.testing.clock import Clock
from syndicate.testing.http import FakeNetwork
from syndicate.testing.linkedin import FakeLinkedIn
from syndicate.testing.mastodon import FakeMastodon
from syndicate.testing.oauth import CLIENT, SECRET
from syndicate.testing.threads import FakeThreads
from syndicate.testing.x import FakeX
from tests.project import Project

START = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
FREE = "http://127.0.0.1/callback"
FAKES: dict[str, type[Any]] = {"linkedin": FakeLinkedIn, "mastodon": FakeMastodon, "threads": FakeThreads, "x": FakeX}
OURS = f"client_id: {CLIENT}, client_secret: {SECRET}, redirect: '{FREE}'"


def options(name: str, url: str) -> str:
    """An account of a network at `url`, as YAML."""
    return {
        "linkedin": f"{OURS}, base_url: '{url}', login_url: '{url}/oauth/v2'",
        "mastodon": f"server: '{url}'",
        "threads": f"{OURS}, base_url: '{url}/v1.0', login_url: '{url}/oauth/authorize'",
        "x": f"{OURS}, base_url: '{url}', login_url: '{url}/i/oauth2/authorize'",
    }[name]


@contextmanager
def at(project: Project, name: str, more: str = "") -> Iterator[Any]:
    """The network, with an account of that name in a live project that posts by it."""
    with FAKES[name]() as network:
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  {name}: {{adapter: {name}, {options(name, network.url)}{more}}}\n"),
            ("account: outbox\n    template: linkedin", f"account: {name}\n    template: linkedin\n    approval: none"),
        )
        yield network


def open_app(project: Project, clock: Clock | None = None) -> App:
    """The live app at `START`, or by a clock."""
    return assemble(project.folder / "config" / "syndicate.yaml", clock or Clock(START))


def signed_in(app: App, name: str, browse: Callable[[str], None] | None = None, patience: float = 5) -> Connection:
    """Signs in with a browser that agrees at once."""
    return connect(app, name, browse or browser, patience=patience)


def browser(page: str) -> None:
    """Follows the network back to where it is listened, as a browser would, beside the terminal."""
    Thread(target=requests.get, args=(page,), kwargs={"timeout": 5}, daemon=True).start()


def token_calls(network: FakeNetwork) -> int:
    """How often the network was asked for a token."""
    return sum("token" in one.path.lower() for one in network.journal)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
