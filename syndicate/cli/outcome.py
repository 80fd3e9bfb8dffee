"""What became of a run: every edition, every problem, and the exit status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.output import EXIT_FAILED, EXIT_PERSON, Output
from syndicate.cli.words import proof_document
from syndicate.model import ChannelPlan, Problem, State

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.deliver.courier import Tally
    from syndicate.editions.drafts import Failure
    from syndicate.pipeline import Done, Report


@dataclass(frozen=True, slots=True)
class Stage:
    """What one app did: the live one, or a rehearsal."""

    app: App
    report: Report
    #: nothing of it left this machine
    rehearsed: bool


def finish(out: Output, parts: Sequence[ChannelPlan], stages: Sequence[Stage], folder: Path | None = None) -> None:
    """Says what became of every edition, and leaves with the exit status that fits."""
    done = [one for stage in stages for one in stage.report.done]
    failures = [one for stage in stages for one in stage.report.failures]
    found = (*(failure.problem for failure in failures), *(one for stage in stages for one in stage.report.problems))
    problems = list(dict.fromkeys(found))
    out.data(document(parts, stages, problems, folder))
    for stage in stages:
        show_stage(out, stage)
    for problem in problems:
        out.problem(problem)
    waiting = {one.channel for stage in stages for one in stage.report.waiting}
    show_not_due(out, parts, waiting | {one.channel for one in done} | {one.channel for one in failures})
    held = [one for stage in stages for one in stage.report.waiting]
    for one in held:
        reason = f" ({one.reason})" if one.reason else ""
        out.say(f"{one.key}: waits for approval{reason}: {one.answer}", "bold yellow")
    live = [(stage.app, one) for stage in stages if not stage.rehearsed for one in stage.report.done]
    whereabouts(out, live)
    if status := exit_status(done, failures) or (EXIT_PERSON if held else 0):
        raise typer.Exit(status)


def document(
    parts: Sequence[ChannelPlan], stages: Sequence[Stage], problems: Sequence[Problem], folder: Path | None
) -> dict[str, Any]:
    """All of it as JSON, with the words of each edition."""
    return {
        "dry_run": all(stage.rehearsed for stage in stages),
        "proofs": folder,
        "messages": [proof_document(stage.app, proof) for stage in stages for proof in stage.report.proofs],
        "done": [
            {"key": one.key, "channel": one.channel, "rehearsed": stage.rehearsed, "tally": one.tally}
            for stage in stages
            for one in stage.report.done
        ],
        "waiting": [one for stage in stages for one in stage.report.waiting],
        "failures": [failure for stage in stages for failure in stage.report.failures],
        "problems": problems,
        "plan": notes(parts),
    }


def show_stage(out: Output, stage: Stage) -> None:
    """Counts, what stopped it, what comes later, and what stays in doubt."""
    would = "would be " if stage.rehearsed else ""
    out.columns([(one.key, would + tally_text(one.tally)) for one in stage.report.done], styles=["bold cyan"])
    for note in dict.fromkeys(one.tally.note for one in stage.report.done if one.tally.note):
        out.say(note, "bold yellow")
    for one in stage.report.done:
        if one.tally.waits:
            out.say(f"{one.key}: {one.tally.waits}{after(stage.app, one.tally.until)}", "yellow")
        elif one.tally.deferred and not one.tally.note:
            out.say(f"{one.key}: {later(stage.app, one.key)}", "yellow")
        if one.tally.unknown:
            out.say(f"{one.key}: {one.tally.unknown} unknown; syndicate status shows them by name", "bold yellow")


def later(app: App, key: str) -> str:
    """Why the first of the deferred deliveries waits, and until when."""
    first = next(iter(app.ledger().deliveries(key, states=[State.DEFERRED])), None)
    if first is None:
        return "nothing waits any more"
    return f"{first.reason}{after(app, first.due)}"


def after(app: App, moment: datetime | None) -> str:
    """When it goes on, in the publication's zone."""
    zone = ZoneInfo(app.settings.publication.timezone)
    return f"; the next run after {moment.astimezone(zone):%Y-%m-%d %H:%M} tries again" if moment else ""


def exit_status(done: Iterable[Done], failures: Sequence[Failure]) -> int:
    """1 if something failed, else 3 if a person has to decide, else 0."""
    from syndicate.editions.recipients import TOO_MANY

    tallies = [one.tally for one in done]
    failed = [one for one in failures if one.problem.code != TOO_MANY]
    if failed or any(tally.refused for tally in tallies):
        return EXIT_FAILED
    return EXIT_PERSON if failures or any(tally.unknown or tally.note for tally in tallies) else 0


def notes(parts: Iterable[ChannelPlan]) -> list[dict[str, Any]]:
    """Each channel's note and what it had entered before, as JSON."""
    return [{"channel": part.channel.name, "note": part.note, "entered": part.entered} for part in parts]


def tally_text(tally: Tally) -> str:
    """`sent 3   refused 0   later 0   unknown 0`; what another process has in its hands comes last."""
    held = f"   under way {tally.planned}" if tally.planned else ""
    return f"sent {tally.sent}   refused {tally.refused}   later {tally.deferred}   unknown {tally.unknown}{held}"


def show_not_due(out: Output, parts: Iterable[ChannelPlan], heard_of: set[str]) -> None:
    """Channels that had nothing to say, and why."""
    for part in parts:
        if not part.editions and part.channel.name not in heard_of:
            told = any(key in part.note for key in part.entered)
            keys = f": {', '.join(part.entered)}" if part.entered and not told else ""
            out.columns([(part.channel.name, f"nothing due: {part.note}{keys}")], styles=["bold cyan", "dim"])


def whereabouts(out: Output, live: Sequence[tuple[App, Done]]) -> None:
    """Where to look now."""
    if not live:
        out.say("Next: syndicate plan   ·   syndicate status", "dim")
        return
    for page in dict.fromkeys(filter(None, (app.outbox_page(one.channel) for app, one in live))):
        out.say(f"Look: {page}", "bold")
    out.say(f"Next: syndicate editions show {live[0][1].key}", "dim")
