"""Sign-ins that end: what is said of them, and how long before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from syndicate.errors import ConfigError

if TYPE_CHECKING:
    from syndicate.app import App

#: Days ahead at which the operator is told once more; on the last day, and after it, once.
STEPS = (14, 7, 3, 1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A token that somebody has to replace."""

    account: str
    #: aware; its last moment
    until: datetime
    #: what speaks against its being renewed by itself; empty: nobody expects that
    why: str = ""

    def step(self, now: datetime) -> int | None:
        """The smallest of `STEPS` that has been reached, 0 once it has ended; None long before."""
        left = self.until - now
        if left <= timedelta(0):
            return 0
        return min((step for step in STEPS if left <= step * DAY), default=None)

    def text(self, now: datetime) -> str:
        """What ends when, and what to do."""
        left = (self.until - now) // DAY
        when = f"ends on {self.until:%Y-%m-%d}, in {left} day{'' if left == 1 else 's'}"
        if left < 0:
            when = f"has ended on {self.until:%Y-%m-%d}"
        why = f", and is not renewed: {self.why}" if self.why else ""
        return f"the sign-in {when}{why}. Sign in again: syndicate connect {self.account}"


def endings(app: App) -> Iterator[Ending]:
    """The tokens of all accounts whose last day is known. What cannot be opened is left to those who send with it."""
    for account in app.settings.accounts:
        try:
            kept = app.vault.read(account)
        except ConfigError:
            continue
        if kept and kept.last_day:
            yield Ending(account, kept.last_day, kept.failed)


def written(app: App) -> Iterator[Ending]:
    """The tokens that stand in the configuration with their last day (`token_until`)."""
    from syndicate.app import rehearsal

    adapter = rehearsal(app).adapter
    for account, configured in app.settings.accounts.items():
        if "token_until" not in configured.options:
            continue
        try:
            day = getattr(adapter(account).options, "token_until", None)
        except ConfigError:
            continue
        if day:
            yield Ending(account, datetime.combine(day, time.max, UTC))
