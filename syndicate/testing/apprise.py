"""A service as Apprise's `json://` address speaks to it: one POST, any 2xx is a yes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from syndicate.testing.http import FakeNetwork, Received, Reply

SECRET = "apprise-path-secret-of-the-tests"


class FakeService(FakeNetwork):
    """Takes notifications at one path that nobody can guess."""

    def __init__(self) -> None:
        super().__init__()
        #: title and message of what people see
        self.notifications: list[dict[str, Any]] = []

    @property
    def address(self) -> str:
        """As Apprise writes it."""
        return f"{self.url.replace('http:', 'json:')}/{SECRET}"

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """By the address that Apprise knows it under."""
        return {**options, "url": self.address}

    def handle(self, request: Received) -> Reply:
        """Keeps a notification."""
        if request.path.strip("/") != SECRET:
            return Reply(401)
        self.notifications.append(json.loads(request.body))
        return Reply(200)
