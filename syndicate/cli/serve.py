"""`serve`: the public pages, with the scheduler in the same process."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.output import line, terminal
from syndicate.cli.send import LogForm
from syndicate.cli.session import session
from syndicate.errors import UsageError

if TYPE_CHECKING:
    from syndicate.newsroom.tick import Newsroom

HOST, PORT = "127.0.0.1", 8000


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="H", help="Where to listen; another place needs https links.")] = HOST,
    port: Annotated[int, typer.Option(metavar="P", min=0, max=65535, help="0: any port that is free.")] = PORT,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="The pages alone; editions wait.")] = False,
    standby: Annotated[
        bool,
        typer.Option("--standby", help="While another scheduler runs: show the pages, and take over when it ends."),
    ] = False,
    log: Annotated[LogForm, typer.Option("--log", help="How it says what happens.")] = LogForm.TEXT,
) -> None:
    """The public pages (sign-up, preferences, unsubscribing, webhooks), and the scheduler."""
    from syndicate import scheduler
    from syndicate.app import now as clock
    from syndicate.log import level, open_log
    from syndicate.web.server import served

    now = session(context)
    if now.out.as_json:
        raise UsageError("a server has no end, and so no JSON document", hint="Say --log json for a document a line.")
    if standby and no_scheduler:
        raise UsageError("--standby belongs to the scheduler", hint="Leave out --no-scheduler.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a journal is to have each line when it is said
    least = level(verbose=now.out.verbose, quiet=now.out.quiet)
    opened = open_log(line, clock, log.value, least, colour=terminal(sys.stdout) is not None)

    @contextmanager
    def pages(newsroom: Newsroom) -> Iterator[None]:
        from syndicate.newsroom.exposition import registry

        numbers = registry(newsroom.meter, newsroom.present) if newsroom.meter else None
        with served(newsroom.present, newsroom.log, host, port, numbers) as address:
            newsroom.log.info("pages served", says=f"Pages: {address}/subscribe", address=address)
            yield

    scheduler.serve(now.config, opened, standby=standby, beside=pages, ticking=not no_scheduler)
