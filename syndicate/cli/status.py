"""`status`: next runs, last runs, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.editions import counts_text
from syndicate.cli.outcome import later
from syndicate.cli.output import clip
from syndicate.cli.session import moment, session
from syndicate.model import Channel, Cron, State

if TYPE_CHECKING:
    pass

LAST_RUNS = 5
EXIT_PERSON = 3


def status(context: typer.Context) -> None:
    """Next runs, last runs, and what waits for a person."""

    now = session(context)
    app, out = now.app(), now.out
    time, zone = app.clock(), ZoneInfo(app.settings.publication.timezone)
    upcoming = [(channel.name, next_occasion(channel, time)) for channel in app.channels()]
    rows = app.ledger().editions(limit=LAST_RUNS) if app.has_ledger() else ()
    unknown = list(app.ledger().deliveries(states=[State.UNKNOWN])) if app.has_ledger() else []
    paused = app.ledger().paused_accounts() if app.has_ledger() else ()
    open_ones = (
        [row for key in app.ledger().unfinished() if (row := app.ledger().edition(key))] if app.has_ledger() else []
    )
    document: dict[str, Any] = {"mode": app.settings.mode, "next": dict(upcoming), "last": rows}
    out.data({**document, "under_way": open_ones, "unknown": unknown, "paused_accounts": paused})
    out.say(f"{app.settings.publication.name}    {app.settings.mode}", "bold")
    out.say("Next")
    out.columns([(name, moment(at) if at else "by hand only") for name, at in upcoming], indent=2, styles=["cyan"])
    out.say("Last")
    out.columns(
        [
            (row.key, f"{row.occasion.astimezone(zone):%Y-%m-%d %H:%M}", counts_text(row.counts), clip(row.title, 50))
            for row in rows
        ]
        or [("nothing yet",)],
        indent=2,
        styles=["cyan"],
    )
    if open_ones:
        out.say("Under way")
        under_way = [(row.key, counts_text(row.counts), later(app, row.key)) for row in open_ones]
        out.columns(under_way, indent=2, styles=["cyan"])
    waits = [(f"{one.key}", "unknown", one.reason) for one in unknown]
    waits += [(f"account {pause.name}", "paused", f"{pause.reason}; {pause.hint}") for pause in paused]
    out.say("Waits for a person" if waits else "Nothing waits for a person.")
    out.columns(waits, indent=2, styles=["bold yellow"])
    for pause in paused:
        key = next((row.key for row in open_ones if row.account == pause.name), "KEY")
        out.say(f"Next: mend account {pause.name}, then syndicate editions resume {key}", "dim")
    if unknown:
        out.say(f"Next: syndicate resolve {unknown[0].key} --sent | --again | --drop", "dim")
    if waits:
        raise typer.Exit(EXIT_PERSON)


def next_occasion(channel: Channel, at: datetime) -> datetime | None:
    """The channel's next moment in its own zone."""
    if not channel.schedule.cron:
        return None
    return next(Cron.parse(channel.schedule.cron).after(at.astimezone(ZoneInfo("UTC")), channel.schedule.zone), None)
