"""`rehearse`: what the coming weeks would bring, day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syndicate.cli.output import EXIT_FAILED, EXIT_PERSON, Output, clip, counted
from syndicate.cli.session import parse_time, session

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.pipeline import Report
    from syndicate.proofs import Folder
    from syndicate.rehearse import Line

STYLES = {
    "sent": "green",
    "later": "yellow",
    "unknown": "bold yellow",
    "stopped": "bold yellow",
    "refused": "bold red",
    "failed": "bold red",
}
#: Said in so many words where there is no better one.
WORDS = {"late-skip": "late, skipped", "late-ask": "late, waits", "awaiting": "to approve", "nothing": "no article"}

From = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Begin at this time (now).")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the proofs of all editions.")]


def rehearse(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days.")] = 30,
    begin: From = None,
    faults: Annotated[bool, typer.Option("--faults", help="The networks fail at times.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="With --faults: another number, other faults.")] = 1,
    out: Out = None,
) -> None:
    """Days or weeks of all channels against fake networks, with a fast clock. Nothing is sent, nothing is changed."""
    from syndicate.rehearse import Days, staged

    now = session(context)
    app = now.app()
    start = parse_time(app, begin)
    end = start + timedelta(days=days)
    with staged(app, start, seed if faults else None) as stage:
        course = Days(stage)
        lines = list(course.until(end))
        if out:
            write_proofs(now.out, stage.app, start, course.reports, out)
        now.out.data(lambda: document(start, end, stage.faked, lines, out))
        show(now.out, start, end, lines)
        show_ground(now.out, stage.faked, faults=faults)
    if status := exit_status(lines):
        raise typer.Exit(status)


def document(
    start: datetime, end: datetime, faked: Mapping[str, bool], lines: Sequence[Line], out: Path | None
) -> dict[str, Any]:
    """All of it as JSON."""
    return {"from": start, "until": end, "faked": faked, "proofs": out, "lines": lines, "channels": summary(lines)}


def show(out: Output, start: datetime, end: datetime, lines: Sequence[Line]) -> None:
    """A heading for each day on which something happens; occasions without an article are only counted."""
    told = [line for line in lines if line.what != "nothing" or out.verbose]
    for day, of_day in groupby(told, key=lambda line: line.at.date()):
        out.say(f"{day:%A, %-d %B %Y}", "bold")
        for line in of_day:
            what = WORDS.get(line.what, line.what)
            out.columns([(f"{line.at:%H:%M}", f"{what:13}", said(line))], 2, ["dim", STYLES.get(line.what, "yellow")])
            if line.says:
                out.say(f"{'':22}{line.says}", "dim")
    out.say(f"{start:%-d %B %Y} to {end:%-d %B %Y}", "bold")
    out.columns(
        [
            (name, ", ".join(f"{WORDS.get(what, what)} {count}" for what, count in counts.items()))
            for name, counts in summary(lines).items()
        ],
        2,
        ["bold cyan"],
    )


def said(line: Line) -> str:
    """What an edition is, and how its deliveries stand."""
    if not line.key:
        return f"{line.channel}  {clip(line.title, 70)}".rstrip()
    what = f"{counted(line.articles, 'article')} to {counted(line.readers, 'reader')}" if line.readers else line.title
    counts = {"sent": line.sent, "refused": line.refused, "later": line.later, "unknown": line.unknown}
    stand = "  " + ", ".join(f"{name} {count}" for name, count in counts.items() if count) if line.readers else ""
    return f"{line.key}  {clip(what, 50)}{stand}{'  (after approval)' if line.approval else ''}"


def summary(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """Channel -> how its editions stand in the end, and how many occasions passed without one."""
    found: dict[str, Counter[str]] = {}
    for line in last_of_each(lines):
        found.setdefault(line.channel, Counter())[line.what] += 1
    return {channel: dict(counts) for channel, counts in found.items()}


def last_of_each(lines: Iterable[Line]) -> list[Line]:
    """Of each edition the line that came last; of what is no edition, all."""
    return list({line.key or (line.channel, line.what, line.at): line for line in lines}.values())


def show_ground(out: Output, faked: Mapping[str, bool], *, faults: bool) -> None:
    """What stood behind the accounts."""
    if taken := [name for name, fake in faked.items() if not fake]:
        out.say(f"{', '.join(taken)}: nobody has made a fake of this network; all was taken for sent", "yellow")
    weather = "fake networks that fail at times" if faults else "fake networks"
    out.say(f"Rehearsed against {weather}: nothing was sent, nothing was changed.", "yellow")


def exit_status(lines: Iterable[Line]) -> int:
    """1 if something would fail, else 3 if something would wait for a person, else 0. Approval is foreseen."""
    last = {line.what for line in last_of_each(lines)}
    if last & {"failed", "refused"}:
        return EXIT_FAILED
    return EXIT_PERSON if last & {"unknown", "late-ask", "stopped", "awaiting"} else 0


def write_proofs(out: Output, app: App, at: datetime, reports: Sequence[Report], folder: Path) -> None:
    """The pages and files of a dry run, for all editions; of each the messages to its first readers."""
    from syndicate.proofs import Folder

    whole = replace(
        reports[0],
        proofs=tuple(proof for report in reports for proof in report.proofs),
        failures=tuple(dict.fromkeys(failure for report in reports for failure in report.failures)),
    )
    with Folder(folder) as proofs:
        for proof in whole.proofs:
            take_first(app, proof.edition.key, proofs)
        page = proofs.page(app, at, (), whole)
    out.say(f"Proofs: {page}   every byte: {proofs.manifest}", "bold")


def take_first(app: App, key: str, proofs: Folder) -> None:
    """Composes the messages to the first readers of an edition once more, as they were frozen."""
    from syndicate.pipeline import composer, links_of
    from syndicate.proofs import FIRST
    from syndicate.render.freeze import thaw

    ledger = app.ledger()
    row = ledger.edition(key)
    if row is None:
        return
    compose = composer(app, thaw(ledger.frozen(key)), app.adapter(row.account), links_of(app, row))
    for delivery in islice(ledger.deliveries(key), FIRST):
        proofs.take(delivery.key, compose(delivery))
