"""`status`: next runs, last runs, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.editions import counts_text
from syndicate.cli.outcome import later
from syndicate.cli.output import EXIT_PERSON, Output, clip, counted
from syndicate.cli.session import moment, session
from syndicate.errors import ConfigError
from syndicate.model import EVERY_ACCOUNT, State

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.editions.upcoming import Upcoming
    from syndicate.ledger.base import EditionRow

LAST_RUNS = 5
AHEAD = timedelta(days=90)
Ics = Annotated[
    Path | None, typer.Option("--ics", metavar="FILE", help="Write the editions of 90 days as a calendar feed.")
]


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that only a person can bring forward."""

    #: an edition's or a delivery's key, or `account NAME`
    what: str
    #: `approval`, `unknown`, `paused` or `late`
    why: str
    reason: str
    #: the command, or what to do
    answer: str


def status(context: typer.Context, ics: Ics = None) -> None:
    """Next runs, last runs, and what waits for a person; with --ics also as a calendar."""
    now = session(context)
    app, out = now.app(), now.out
    time = app.clock()
    upcoming, warnings = dict(next_moments(app, time)), list(expiries(app, time))
    rows = app.ledger().editions(limit=LAST_RUNS) if app.has_ledger() else ()
    open_ones, waits = under_way(app), [*passed(app, time), *waiting(app)]
    document: dict[str, Any] = {"mode": app.settings.mode, "last": rows, "under_way": open_ones}
    document |= {"next": {name: one.moment if one else None for name, one in upcoming.items()}}
    out.data({**document, "waits": waits, "warnings": warnings})
    out.say(f"{app.settings.publication.name}    {app.settings.mode}", "bold")
    show_next(out, upcoming)
    show_last(out, app, rows, open_ones)
    show_waits(out, waits)
    out.columns([("soon", f"account {name}", text) for name, text in warnings], styles=["yellow"])
    if ics:
        write_calendar(out, app, time, ics)
    if waits:
        raise typer.Exit(EXIT_PERSON)


def next_moments(app: App, at: datetime) -> Iterator[tuple[str, Upcoming | None]]:
    """Channel -> its next moment."""
    from syndicate.editions.upcoming import next_of_each

    return ((channel.name, found) for channel, found in next_of_each(app, at))


def expiries(app: App, at: datetime) -> Iterator[tuple[str, str]]:
    """(account, what ends soon). An account that cannot be used says why."""
    from syndicate.app import rehearsal
    from syndicate.newsroom.expiry import endings

    today, adapter = at.date(), rehearsal(app).adapter  # without resolving a secret
    for name in app.settings.accounts:
        try:
            yield from ((name, text) for text in adapter(name).warnings(today))
        except ConfigError as error:
            yield name, "; ".join(problem.message for problem in error.problems) or error.message
    yield from ((one.account, one.text(at)) for one in endings(app) if one.step(at) is not None)


def under_way(app: App) -> list[EditionRow]:
    """What is open and needs nobody."""
    keys = app.ledger().unfinished() if app.has_ledger() else ()
    return [row for key in keys if (row := app.ledger().edition(key))]


def passed(app: App, at: datetime) -> Iterator[Wait]:
    """Occasions that nobody looked after in time, where a person is to decide."""
    from syndicate.pipeline import make_plan

    for part in make_plan(app, at).channels:
        for key in part.waiting:
            yield Wait(key, "late", part.note, part.answer)


def waiting(app: App) -> Iterator[Wait]:
    """What the ledger has for a person."""
    if not app.has_ledger():
        return
    from syndicate.pipeline import waiting as drafts

    ledger = app.ledger()
    for draft in drafts(app):
        yield Wait(draft.key, "approval", draft.reason, draft.answer)
    for one in ledger.deliveries(states=[State.UNKNOWN]):
        yield Wait(one.key, "unknown", one.reason, f"syndicate resolve {one.key} --sent | --again | --drop")
    open_ones = under_way(app)
    for pause in ledger.paused_accounts():
        if pause.name == EVERY_ACCOUNT:
            yield Wait("everything", "paused", pause.reason, "syndicate editions resume --all")
            continue
        key = next((row.key for row in open_ones if row.account == pause.name), "KEY")
        answer = f"mend account {pause.name}, then syndicate editions resume {key}"
        yield Wait(f"account {pause.name}", "paused", f"{pause.reason}; {pause.hint}", answer)


def show_next(out: Output, upcoming: dict[str, Upcoming | None]) -> None:
    """The next moment of each channel, in its own zone and in UTC."""
    out.say("Next")
    rows = []
    for name, one in upcoming.items():
        article = f"    {clip(one.article.title, 50)}" if one and one.article else ""
        rows.append((name, f"{moment(one.moment)}{article}" if one else "nothing by the clock"))
    out.columns(rows, indent=2, styles=["cyan"])


def show_last(out: Output, app: App, rows: Sequence[EditionRow], open_ones: list[EditionRow]) -> None:
    """The latest editions with their counts, and what is under way."""
    zone = ZoneInfo(app.settings.publication.timezone)
    last = [
        (row.key, f"{row.occasion.astimezone(zone):%Y-%m-%d %H:%M}", counts_text(row.counts), clip(row.title, 50))
        for row in rows
    ]
    out.say("Last")
    out.columns(last, indent=2, styles=["cyan"])
    if not last:
        out.say("  nothing yet")
    if open_ones:
        out.say("Under way")
        found = [(row.key, row.state, counts_text(row.counts), hopes(app, row)) for row in open_ones]
        out.columns(found, indent=2, styles=["cyan"])


def hopes(app: App, row: EditionRow) -> str:
    """When an edition goes on."""
    return later(app, row.key) if row.counts[State.DEFERRED] else "the next run goes on with it"


def show_waits(out: Output, waits: list[Wait]) -> None:
    """What waits for a person, and with what it goes on."""
    out.say("Waits for a person" if waits else "Nothing waits for a person.")
    out.columns([(one.what, one.why, one.reason) for one in waits], indent=2, styles=["bold yellow"])
    for answer in dict.fromkeys(one.answer for one in waits):
        out.say(f"Next: {answer}", "dim")


def write_calendar(out: Output, app: App, at: datetime, path: Path) -> None:
    """The feed, put into its place in one step: a calendar program may be reading it."""
    from syndicate.editions.upcoming import calendar

    feed, count = calendar(app, at, AHEAD)
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(feed)
    draft.replace(path)
    out.say(f"Calendar: {path}, {counted(count, 'moment')} of {AHEAD.days} days")
