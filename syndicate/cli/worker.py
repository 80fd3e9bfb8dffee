"""`worker`: one more courier for an edition that is being sent."""

from __future__ import annotations

from typing import Annotated

import typer

from syndicate.cli.output import EXIT_PERSON, counted
from syndicate.cli.progress import meter
from syndicate.cli.session import session

Share = Annotated[int, typer.Option("--share", metavar="N", min=1, help="Use one Nth of the account's connections.")]


def worker(
    context: typer.Context,
    edition: Annotated[str, typer.Argument(help="Its key, as `editions list` shows it.")],
    share: Share = 1,
    beside: Annotated[int, typer.Option("--beside", metavar="PID", hidden=True, help="End when it does.")] = 0,
) -> None:
    """One more courier for an edition that is being sent: in another process it has another processor."""
    from syndicate import pipeline

    now = session(context)
    app = now.app()
    with meter(now.out) as progress:
        done = pipeline.assist(app, edition, share, beside, progress)
    now.out.say(f"{edition}: {done.sent} of {counted(done.total, 'message')} sent so far, by all who work on it.")
    if done.note or done.waits:
        now.out.say(done.note or done.waits, "yellow")
    now.out.data({"edition": edition, "total": done.total, "sent": done.sent, "planned": done.planned})
    if done.note or done.unknown:
        raise typer.Exit(EXIT_PERSON)
