"""A clock that the tests own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: A Monday; the moment of the sample project.
MONDAY = datetime(2025, 3, 10, 12, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is moved. Called, it says what time it is."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The aware moment."""
        return self.now

    def advance(self, span: timedelta) -> datetime:
        """Moves on by `span`, which may be negative; the new moment."""
        self.now += span
        return self.now
