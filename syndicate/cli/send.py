"""`send`, `post` and `run`: what leaves, or in a dry run would."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.articles import At
from syndicate.cli.outcome import Stage, finish
from syndicate.cli.output import EXIT_PERSON, Output, counted, line, terminal
from syndicate.cli.progress import meter
from syndicate.cli.session import Session, moment, parse_time, session
from syndicate.errors import NeedsPerson, UsageError
from syndicate.model import Article, Channel, ChannelPlan, Kind, Plan, Severity

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.pipeline import Report

DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Show every byte; open no socket, change nothing.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Dry run: write the proofs and manifest.jsonl.")]
All = Annotated[bool, typer.Option("--all", help="With --out: the message files of all recipients.")]
#: Digits of a plan's hash that nobody gets right by chance.
SHORTEST_HASH = 8


class LogForm(StrEnum):
    """How a log is written."""

    TEXT = "text"
    JSON = "json"


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def send(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="A digest channel.")],
    at: At = None,
    dry_run: DryRunFlag = False,
    out: Out = None,
    everyone: All = False,
    plan: Annotated[str | None, typer.Option("--plan", metavar="HASH", help="Only if the plan is still this.")] = None,
    test: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="To these only; counts for nothing.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also articles of editions that were rejected.")] = False,
    yes: Yes = False,
) -> None:
    """A digest now: the occasion that is due and not yet sent, else an extra edition under the key of the time."""
    from syndicate import plan as planning
    from syndicate.app import trial

    now = session(context)
    app = now.app()
    chosen, time = app.channel(channel), parse_time(app, at)
    if chosen.kind is not Kind.DIGEST:
        raise UsageError(f"{channel} is a post channel", hint=f"syndicate post ARTICLE --to {channel}")
    part = planning.by_hand(app.library().load().articles, chosen, app.history(), time, again=again)
    check_hash(app, part, time, plan)
    grant = f"a person named the plan {plan}" if plan else ""
    if test:
        app, part = trial(app, test), renamed(part, "#test")
    carry_out(
        now, app, [part], actor="send", at=time, dry_run=dry_run, folder=out, everyone=everyone, yes=yes, grant=grant
    )


def renamed(part: ChannelPlan, suffix: str) -> ChannelPlan:
    """The same editions under other keys, so that nothing takes them for the real ones."""
    return replace(part, editions=tuple(replace(one, key=f"{one.key}{suffix}") for one in part.editions))


def check_hash(app: App, part: ChannelPlan, at: datetime, wanted: str | None) -> None:
    """Refuses, and says what has changed, if what would be sent is not what the person looked at."""
    from syndicate import pipeline
    from syndicate.editions import fingerprints, seen

    if wanted is None:
        return
    prefix = wanted.replace("-", "").replace("·", "").lower()
    if len(prefix) < SHORTEST_HASH:
        raise UsageError(f"--plan {wanted!r} is too short", hint=f"Give the {SHORTEST_HASH} digits that plan shows.")
    alone = Plan(at=at, channels=(part,))
    digest = fingerprints.plan_hash(app, alone)
    if digest.startswith(prefix) or fingerprints.plan_hash(app, pipeline.make_plan(app, at)).startswith(prefix):
        return  # it was looked at alone, or among the plans of all channels
    changed = seen.plan_changes(app, prefix, alone)
    what = f": {', '.join(changed)}" if changed else ""
    raise NeedsPerson(
        f"the plan has changed since {wanted}{what}",
        hint=f"Look at it again: syndicate plan {part.channel.name}. It is {digest[:4]}-{digest[4:8]} now.",
    )


def post(
    context: typer.Context,
    article: Annotated[Path, typer.Argument(help="A Markdown file.")],
    to: Annotated[list[str], typer.Option("--to", metavar="CHANNEL", help="Where to; may be repeated.")],
    text: Annotated[str | None, typer.Option("--text", help="These words instead of the template's.")] = None,
    at: At = None,
    dry_run: DryRunFlag = False,
    out: Out = None,
    again: Annotated[bool, typer.Option("--again", help="Once more, although it was posted before.")] = False,
    yes: Yes = False,
) -> None:
    """A manual one-off post of one article."""
    from syndicate import plan as planning

    now = session(context)
    app = now.app()
    time, found = parse_time(app, at), read_article(app, now.out, article)
    if text is not None and not text.strip():
        raise UsageError("--text is empty", hint="Leave it out to post the words of the template.")
    if text is not None:
        found = replace(found, overrides=replace(found.overrides, text=dict.fromkeys(to, text)))
    channels = app.channels(to)
    if wrong := [channel.name for channel in channels if channel.kind is not Kind.POST]:
        raise UsageError(f"{wrong[0]} is a digest channel", hint=f"syndicate send {wrong[0]}")
    parts = [planning.one_post(found, channel, app.history(), time, again=again) for channel in channels]
    carry_out(
        now,
        app,
        parts,
        actor="post",
        at=time,
        dry_run=dry_run,
        folder=out,
        everyone=True,
        yes=yes,
        again=again,
        grant="a person posted it",
    )


def read_article(app: App, out: Output, path: Path) -> Article:
    """The article in this file. Raises `UsageError` with its problems if it cannot be read."""
    found = app.library().read(path)
    for problem in found.problems:
        if problem.severity is not Severity.ERROR:
            out.problem(problem)
    if not found.articles:
        raise UsageError(f"{path} cannot be posted", problems=found.problems)
    article: Article = found.articles[0]
    return article


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One tick, then leave.")] = False,
    at: At = None,
    dry_run: DryRunFlag = False,
    out: Out = None,
    everyone: All = False,
    standby: Annotated[
        bool, typer.Option("--standby", help="While another scheduler runs: wait, and take over when it ends.")
    ] = False,
    log: Annotated[LogForm | None, typer.Option("--log", help="How the scheduler says what happens (text).")] = None,
    metrics: Annotated[
        str, typer.Option(metavar="[HOST:]PORT", help="Serve the scheduler's numbers to Prometheus, on 127.0.0.1.")
    ] = "",
) -> None:
    """The scheduler: sends what is due, when it is due. With --once, what is due now."""
    from syndicate import pipeline

    now = session(context)
    if not (once or at or dry_run):
        schedule(now, standby, log or LogForm.TEXT, metrics)
        return
    for flag, given in (("--standby", standby), ("--log", log), ("--metrics", metrics)):
        if given:
            raise UsageError(f"{flag} belongs to the scheduler", hint="Leave out --once, --at and --dry-run.")
    app = now.app()
    time = parse_time(app, at)
    if not dry_run:
        hear(now.out, app)
    made = pipeline.make_plan(app, time)
    now.out.say(f"{moment(time)}    {app.settings.mode}", "bold")
    for part in (waiting := [part for part in made.channels if part.waiting]):
        now.out.say(f"{', '.join(part.waiting)}: waits for a person; to send it: {part.answer}", "bold yellow")
    carry_out(now, app, made.channels, actor="run", at=time, dry_run=dry_run, folder=out, everyone=everyone, yes=True)
    if waiting:
        raise typer.Exit(EXIT_PERSON)


def hear(out: Output, app: App) -> None:
    """What came back since the last run is acted on first: who has complained gets nothing more."""
    from syndicate.returns.intake import listen

    for one in listen(app, in_turn=False).fetched:
        if one.fault:
            out.say(f"{one.name}: {one.fault.message}. {one.fault.hint}", "bold red")


def schedule(now: Session, standby: bool, form: LogForm, metrics: str) -> None:
    """Ticks until a signal comes."""
    from syndicate.app import now as clock
    from syndicate.log import level, open_log
    from syndicate.scheduler import serve

    if now.out.as_json:
        hint = "Add --once for one tick, or say --log json for a document a line."
        raise UsageError("a scheduler has no end, and so no JSON document", hint=hint)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a journal is to have each line when it is said
    least = level(verbose=now.out.verbose, quiet=now.out.quiet)
    log = open_log(line, clock, form.value, least, colour=terminal(sys.stdout) is not None)
    serve(now.config, log, standby=standby, metrics=metrics)


def carry_out(
    now: Session,
    app: App,
    parts: Sequence[ChannelPlan],
    *,
    actor: str,
    at: datetime,
    dry_run: bool,
    folder: Path | None,
    everyone: bool,
    yes: bool,
    again: bool = False,
    grant: str = "",
) -> None:
    """Shows what a plan holds and does it, or rehearses it; leaves with the exit status that fits."""
    if folder and not dry_run:
        raise UsageError("--out belongs to --dry-run", hint=f"Add --dry-run, or leave out --out {folder}.")
    if dry_run:
        rehearse(now, app, parts, actor=actor, at=at, folder=folder, everyone=everyone, again=again)
        return
    from syndicate.newsroom.reminders import remind

    ready = parts if yes else confirmed(now, app, parts)
    grant = grant if yes else "a person looked at it and said yes"
    stages = [
        Stage(stage, with_progress(now.out, stage, mine, actor, again, grant), rehearsed=stage is not app)
        for stage, channels in stages_of(now.out, app, ready)
        if (mine := [part for part in ready if part.channel in channels])
    ]
    if actor == "run":
        remind(app, Plan(at=at, channels=tuple(parts)), [one.report for one in stages if not one.rehearsed])
    finish(now.out, parts, stages)


def stages_of(out: Output, app: App, parts: Iterable[ChannelPlan]) -> Iterable[tuple[App, tuple[Channel, ...]]]:
    """Live and rehearsed channels apart, and said so."""
    from syndicate.app import stages

    for stage, channels in stages(app, [part.channel for part in parts]):
        if stage is not app:
            names = ", ".join(channel.name for channel in channels)
            out.say(f"{names}: rehearsed only, nothing leaves this machine (mode: rehearsal)", "yellow")
        yield stage, channels


def with_progress(out: Output, app: App, parts: Sequence[ChannelPlan], actor: str, again: bool, grant: str) -> Report:
    """Runs the pipeline under a progress bar; what is done by hand carries on nothing that another run began."""
    from syndicate import pipeline

    with meter(out) as progress:
        others = actor == "run"
        return pipeline.run(app, parts, actor=actor, again=again, progress=progress, others=others, grant=grant)


def confirmed(now: Session, app: App, parts: Sequence[ChannelPlan]) -> Sequence[ChannelPlan]:
    """Shows the exact messages and asks. Raises `UsageError` where nobody can be asked."""
    from syndicate.cli.words import show_proof
    from syndicate.editions.drafts import Failure, proofs
    from syndicate.editions.recipients import audience

    editions = [edition for part in parts for edition in part.editions]
    if not editions:
        return parts
    for proof in proofs(app, editions):
        if not isinstance(proof, Failure):
            show_proof(now.out, app, proof)
    if not sys.stdin.isatty() or now.out.as_json:
        raise UsageError("nothing was sent: nobody can be asked here", hint="Add --yes to send, or --dry-run to look.")
    people = sum(1 for part in parts if part.editions for _ in audience(app, part.channel).recipients)
    if not typer.confirm(f"{counted(len(editions), 'edition')} to {counted(people, 'recipient')}. Send?"):
        now.out.say("Nothing was sent.")
        raise typer.Exit
    return parts


def rehearse(
    now: Session,
    app: App,
    parts: Sequence[ChannelPlan],
    *,
    actor: str,
    at: datetime,
    folder: Path | None,
    everyone: bool,
    again: bool,
) -> None:
    """The real run over doubles: every message, byte for byte, and nothing else."""
    from syndicate.app import rehearsal
    from syndicate.cli.words import show_proof
    from syndicate.proofs import Folder

    with ExitStack() as stack:
        proofs_folder = stack.enter_context(Folder(folder, everyone=everyone)) if folder else None
        dry = rehearsal(app, proofs_folder.take) if proofs_folder else rehearsal(app)
        report = with_progress(now.out, dry, parts, actor, again, grant="")
        for proof in report.proofs:
            show_proof(now.out, dry, proof)
            if proof.edition.channel.approval == "required":
                now.out.say("  would wait for approval first", "yellow")
        if proofs_folder:
            page = proofs_folder.page(dry, at, parts, report)
            now.out.say(f"Proofs: {page}   every byte: {proofs_folder.manifest}", "bold")
    now.out.say("Dry run: nothing was sent, nothing was changed.", "yellow")
    finish(now.out, parts, [Stage(dry, report, rehearsed=True)], folder)
