"""Which fake stands in for which adapter: what `syndicate rehearse` sends to.

A package that brings an adapter registers its fake in the group `syndicate.fakes`, under the name of the adapter and in
the form of `FAKES`. Where there is none, a message is taken for sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from importlib import import_module
from importlib.metadata import entry_points
from random import Random
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Protocol, Self

from syndicate.errors import ConfigError
from syndicate.testing.http import FakeNetwork

GROUP = "syndicate.fakes"

#: name of the adapter -> `module:class`
FAKES = {
    "apprise": "syndicate.testing.apprise:FakeService",
    "bluesky": "syndicate.testing.bluesky:FakeBluesky",
    "brevo": "syndicate.testing.brevo:FakeBrevo",
    "discord": "syndicate.testing.discord:FakeDiscord",
    "file": "syndicate.testing.networks:Disk",
    "linkedin": "syndicate.testing.linkedin:FakeLinkedIn",
    "mailgun": "syndicate.testing.mailgun:FakeMailgun",
    "mastodon": "syndicate.testing.mastodon:FakeMastodon",
    "postmark": "syndicate.testing.postmark:FakePostmark",
    "resend": "syndicate.testing.resend:FakeResend",
    "sendgrid": "syndicate.testing.sendgrid:FakeSendGrid",
    "ses": "syndicate.testing.ses:FakeSes",
    "slack": "syndicate.testing.slack:FakeSlack",
    "smtp": "syndicate.testing.smtp:SmtpServer",
    "telegram": "syndicate.testing.telegram:FakeTelegram",
    "threads": "syndicate.testing.threads:FakeThreads",
    "webhook": "syndicate.testing.webhook:WebhookReceiver",
    "x": "syndicate.testing.x:FakeX",
}


class Fake(AbstractContextManager[Any], Protocol):
    """A network on this machine, running as long as its context."""

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of an account, changed so that they lead here and it is let in."""

    def storm(self, random: Random) -> None:
        """Scripts what goes wrong from now on."""


def fake_of(adapter: str, clock: Callable[[], datetime]) -> Fake | None:
    """A new fake for an account of this adapter, at this time; None where nobody has made one. Raises `ConfigError`."""
    place = FAKES.get(adapter) or next((one.value for one in entry_points(group=GROUP, name=adapter)), None)
    if place is None:
        return None
    module, _, name = place.partition(":")
    try:
        made: Fake = getattr(import_module(module), name)()
    except (ImportError, AttributeError) as error:
        hint = "Install the package again, or remove it."
        raise ConfigError(
            f"the fake for adapter '{adapter}' cannot be loaded from {place}: {error}", hint=hint
        ) from error
    if isinstance(made, FakeNetwork):
        made.clock = clock
    return made


class Disk:
    """A folder that is gone afterwards, for accounts that write to one."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="syndicate-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Into the folder."""
        return {**options, "folder": self._folder.name}

    def storm(self, random: Random) -> None:
        """A disk that is there works."""
