"""`preview`: the proofs of a channel, to look at in a browser."""

from __future__ import annotations

import webbrowser
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.articles import At
from syndicate.cli.send import read_article, rehearse
from syndicate.cli.session import parse_time, session
from syndicate.errors import UsageError
from syndicate.model import Channel, ChannelPlan, Kind

if TYPE_CHECKING:
    from syndicate.app import App


def preview(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="A channel.")],
    article: Annotated[Path | None, typer.Argument(help="For a post channel: this article.")] = None,
    at: At = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to.")] = Path("proofs"),
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Writes the proofs: HTML, text, the exact messages, and an index page that opens from disk."""
    from syndicate import plan as planning

    now = session(context)
    app = now.app()
    chosen, time = app.channel(channel), parse_time(app, at)
    if article is None:
        part = would_be(app, chosen, time)
    elif chosen.kind is Kind.POST:
        part = planning.one_post(read_article(app, now.out, article), chosen, app.history(), time, again=True)
    else:
        raise UsageError(f"{channel} is a digest channel and takes no single article")
    rehearse(now, app, [part], actor="preview", at=time, folder=out, everyone=False, again=True)
    if open_page:
        webbrowser.open((out / "index.html").resolve().as_uri())


def would_be(app: App, channel: Channel, at: datetime) -> ChannelPlan:
    """What the channel would say now; where it has said everything, what it would say had it said nothing yet."""
    from syndicate import plan as planning

    articles, history = app.library().load().articles, app.history()
    if channel.kind is Kind.DIGEST:
        part = planning.by_hand(articles, channel, history, at)
    else:
        part = planning.select(articles, channel, history, planning.last_occasion(channel, at) or at)
    return part if part.editions else planning.select(articles, channel, replace(history, used=()), at)
