"""A log that a test can look into."""

from __future__ import annotations

import json
import logging
from typing import Any

from syndicate.log import open_log
from syndicate.testing.clock import Clock


class Heard:
    """Writes everything down, as a program that reads the JSON of a log would."""

    def __init__(self, least: int = logging.INFO) -> None:
        #: as they were written
        self.raw: list[str] = []
        self.log = open_log(self.raw.append, Clock(), "json", least)

    @property
    def events(self) -> list[dict[str, Any]]:
        """All of them, in order."""
        return [json.loads(line) for line in self.raw]

    @property
    def lines(self) -> list[str]:
        """The sentences of what is no error."""
        return [event["says"] for event in self.events if event["level"] != "error" and "says" in event]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What went wrong."""
        return [event for event in self.events if event["level"] == "error"]

    def named(self, event: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [one for one in self.events if one["event"] == event]
