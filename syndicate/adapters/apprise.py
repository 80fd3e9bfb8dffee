"""Apprise: alerts for the operator, and the services that have no adapter of their own.

https://appriseit.com. It says yes or no and neither an id nor a reason, so the reason is taken from its log.
Optional: `pip install 'syndicate[apprise]'`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.util import find_spec
from threading import local
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator

from syndicate.adapters import base, bodies
from syndicate.adapters.addresses import SECRET_HOLE
from syndicate.model import (
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
)

NO_ID = "sent; apprise tells no id"
_MISSING = "the package apprise is not installed"
_INSTALL = "Install it: pip install 'syndicate[apprise]'"
# What urllib3 and requests call a connection that never stood.
_NOT_REACHED = re.compile(r"NewConnectionError|ConnectTimeout|NameResolutionError|Failed to establish a new connection")
_STATUS = re.compile(r"error=(\d{3})")


class AppriseOptions(base.Options):
    """One destination, as Apprise writes it."""

    url: SecretStr = Field(description="such as ntfy://topic or matrix://user:password@host; it is a secret")
    max_characters: int = Field(default=0, ge=0, description="what the service takes, title included; 0: any length")

    @field_validator("url")
    @classmethod
    def _one_destination(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if not parts.scheme or any(char.isspace() for char in value.get_secret_value()):
            raise ValueError("not an address of Apprise: scheme://…")
        # Both would send more than one message: the courier repeats, and the text is made to fit before.
        if {"retry", "overflow"} & {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}:
            raise ValueError("`retry` and `overflow` do not belong here: leave them out")
        return value


class Apprise(base.Adapter):
    """Hands a title and a text to one service. Nothing is known of a message afterwards: silence is for a person."""

    name = "apprise"
    Options = AppriseOptions
    rules = TextRules()
    supports = frozenset({"post"})
    options: AppriseOptions

    def __init__(self, options: AppriseOptions) -> None:
        super().__init__(options)
        self.rules = TextRules(max_length=options.max_characters)

    def compose(self, message: Message) -> Request:
        """Title and text; the address is filled in by `send`."""
        post = bodies.post_of(message, self)
        body = bodies.canonical({"title": post.title, "body": post.text})
        return Request("NOTIFY", f"apprise:{SECRET_HOLE}", body, bodies.JSON)

    def send(self, session: Any, payload: Payload, key: str) -> Outcome:
        """Notifies, once. Apprise is loaded here, so that nobody needs it who does not use it."""
        if not find_spec("apprise"):
            return Paused(_MISSING, _INSTALL)
        message = json.loads(bodies.request_of(payload).body)
        with _ear().listening() as lines:
            return _notified(self.options.url.get_secret_value(), message["title"], message["body"], lines)

    def warnings(self, today: date) -> tuple[str, ...]:
        """Whether the package is there."""
        return () if find_spec("apprise") else (f"{_MISSING}. {_INSTALL}",)


def _notified(url: str, title: str, text: str, lines: list[str]) -> Outcome:
    """One notification by the library, which logs into `lines`."""
    from apprise import Apprise as Library

    service = Library.instantiate(url)
    if service is None:
        return Paused("apprise does not know this address", "Check `url`: appriseit.com lists what there is.")
    if len(service) > 1:
        return Paused("the address names several destinations", "Make an account of each: one may fail alone.")
    most, length = service.body_maxlen, len(title) + len(text)
    if length > most:
        return Refused(f"{length} characters, and {service.service_name} takes {most}: set `max_characters`")
    # The service itself, and not a list of services: that one repeats where an address asks it to.
    return Receipt(status=NO_ID) if service.notify(body=text, title=title) else _why(" ".join(lines))


class _Ear(logging.Handler):
    """Keeps what Apprise logs, for each thread its own: only there does it say why a service took nothing."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._heard = local()

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        if (lines := getattr(self._heard, "lines", None)) is not None:
            lines.append(record.getMessage())

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The lines of this thread, as they come."""
        self._heard.lines = []
        try:
            yield self._heard.lines
        finally:
            del self._heard.lines


@cache
def _ear() -> _Ear:
    """At the logger of Apprise, whose debug lines hold addresses with secrets: nobody else gets to hear them."""
    logger, ear = logging.getLogger("apprise"), _Ear()
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return ear


def _why(log: str) -> Outcome:
    """What a no means, by the status that the service answered with; in our own words, for the log may hold secrets."""
    found = _STATUS.search(log)
    status = int(found[1]) if found else 0
    reason = f"the service answered {status}" if status else "apprise says no, and not why"
    if status in {401, 403}:
        return Paused(reason, "Check `url`: the service does not accept its credentials.")
    if status in {408, 425, 429}:
        return Deferred(reason)
    if 400 <= status < 500:
        return Refused(reason)
    if not status and _NOT_REACHED.search(log):
        return Deferred("the service cannot be reached", reached=False)
    return Unknown(reason)
