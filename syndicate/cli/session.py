"""What every command starts from: the project's configuration, the time to work at, and where to print."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.output import Output
from syndicate.errors import UsageError

if TYPE_CHECKING:
    from syndicate.app import App


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the command."""

    config: Path
    out: Output
    _apps: list[App] = field(default_factory=list)

    def app(self) -> App:
        """The live app. Raises `ConfigError` with every problem of the configuration."""
        from syndicate.app import assemble

        self._apps.append(assemble(self.config))
        return self._apps[-1]

    def close(self) -> None:
        """Lets go of what the command opened."""
        for app in self._apps:
            app.close()


def session(context: typer.Context) -> Session:
    """The session that the global options made."""
    made = context.obj
    assert isinstance(made, Session)
    return made


def parse_time(app: App, text: str | None) -> datetime:
    """`--at`: ISO 8601, without an offset in the publication's zone; nothing: the clock's present time."""
    zone = ZoneInfo(app.settings.publication.timezone)
    if not text:
        return app.clock().astimezone(zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--at {text!r} is not a time", hint="Write it like 2025-03-10T12:00 or 2025-03-10.") from None
    if not 1970 <= moment.year <= 9000:
        raise UsageError(f"--at {text!r}: the year has to lie between 1970 and 9000")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)


def moment(at: datetime) -> str:
    """`Monday, 10 March 2025, 12:00 IST (06:30 UTC)`."""
    utc = at.astimezone(ZoneInfo("UTC"))
    return f"{at:%A, %-d %B %Y, %H:%M %Z} ({utc:%H:%M} UTC)"
