"""What became of a run: every edition, every problem, and the exit status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from syndicate.cli.output import Output
from syndicate.model import ChannelPlan

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.deliver.courier import Tally
    from syndicate.pipeline import Done, Failure, Report

EXIT_FAILED, EXIT_PERSON = 1, 3


def finish(
    out: Output, app: App, parts: Sequence[ChannelPlan], reports: Sequence[Report], *, dry_run: bool = False
) -> None:
    """Says what became of every edition, and leaves with the exit status that fits."""
    done = [one for report in reports for one in report.done]
    failures = [one for report in reports for one in report.failures]
    problems = [one for report in reports for one in report.problems]
    out.data({"dry_run": dry_run, "done": done, "failures": failures, "problems": problems, "plan": notes(parts)})
    would = "would be " if dry_run else ""
    out.columns([(one.key, would + tally_text(one.tally)) for one in done], styles=["bold cyan"])
    show_notes(out, done)
    for problem in (*(failure.problem for failure in failures), *problems):
        out.problem(problem)
    show_not_due(out, parts, {one.channel for one in done} | {one.channel for one in failures})
    if not dry_run:
        whereabouts(out, app, done)
    if status := exit_status(done, failures):
        raise typer.Exit(status)


def exit_status(done: Iterable[Done], failures: Sequence[Failure]) -> int:
    """1 if something failed, else 3 if a person has to decide, else 0."""
    tallies = [one.tally for one in done]
    if failures or any(tally.refused for tally in tallies):
        return EXIT_FAILED
    return EXIT_PERSON if any(tally.unknown or tally.note for tally in tallies) else 0


def notes(parts: Iterable[ChannelPlan]) -> list[dict[str, Any]]:
    """Each channel's note and what it had entered before, as JSON."""
    return [{"channel": part.channel.name, "note": part.note, "entered": part.entered} for part in parts]


def tally_text(tally: Tally) -> str:
    """`sent 3   refused 0   later 0   unknown 0`."""
    return f"sent {tally.sent}   refused {tally.refused}   later {tally.deferred}   unknown {tally.unknown}"


def show_notes(out: Output, done: Iterable[Done]) -> None:
    """What stopped an edition, and what stays in doubt."""
    for one in done:
        if one.tally.note:
            out.say(f"{one.key}: {one.tally.note}", "bold yellow")
        if one.tally.unknown:
            out.say(f"{one.key}: {one.tally.unknown} unknown; syndicate status shows them by name", "bold yellow")


def show_not_due(out: Output, parts: Iterable[ChannelPlan], heard_of: set[str]) -> None:
    """Channels that had nothing to say, and why."""
    for part in parts:
        if not part.editions and part.channel.name not in heard_of:
            keys = f": {', '.join(part.entered)}" if part.entered else ""
            out.columns([(part.channel.name, f"nothing due: {part.note}{keys}")], styles=["bold cyan", "dim"])


def whereabouts(out: Output, app: App, done: Sequence[Done]) -> None:
    """Where to look now."""
    if not done:
        out.say("Next: syndicate plan   ·   syndicate status", "dim")
        return
    for page in dict.fromkeys(filter(None, (app.outbox_page(one.channel) for one in done))):
        out.say(f"Look: {page}", "bold")
    out.say(f"Next: syndicate editions show {done[0].key}", "dim")
