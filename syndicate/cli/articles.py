"""`articles` and `plan`: what is there, what is due, and what was left out and why."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syndicate.cli.output import Output, clip, counted
from syndicate.cli.session import moment, parse_time, session
from syndicate.model import (
    Article,
    Channel,
    ChannelPlan,
    Edition,
    History,
    Kind,
    Plan,
    Problem,
    Severity,
    Skipped,
    Used,
)

if TYPE_CHECKING:
    from syndicate.app import App

At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="As if it were TIME (ISO 8601).")]
SHOWN_LEFT_OUT = 8
#: States of an edition of which nothing was sent.
UNSENT = {"awaiting", "approved", "rejected"}


def articles(
    context: typer.Context,
    channel: Annotated[str | None, typer.Option("--channel", help="Only the fate in this channel.")] = None,
    at: At = None,
) -> None:
    """Every article and its fate in each channel: picked, or why not."""
    gc.disable()  # looking for garbage among all these articles takes longer than the plan
    from syndicate.plan import plan_channel

    now = session(context)
    app, out = now.app(), now.out
    time = parse_time(app, at)
    catalogue, history = app.library().load(), app.history()
    parts = [plan_channel(catalogue.articles, one, history, time) for one in app.channels([channel] if channel else [])]
    fates = {part.channel.name: fate_of(part, edited(catalogue.articles, part.channel, history)) for part in parts}
    rows = [(article, {name: fate(article) for name, fate in fates.items()}) for article in catalogue.articles]
    documents = [article_document(article, fate) for article, fate in rows]
    out.data({"at": time, "articles": documents, "problems": catalogue.problems})
    for article, fate in rows:
        date = f"{article.published:%Y-%m-%d}" if article.published else "no date   "
        out.columns([(date, clip(article.title, 60), article.path)], styles=["dim", "bold", "dim"])
        out.columns(list(fate.items()), indent=12, styles=["", "green" if "picked" in fate.values() else "dim"])
    read = {article.path for article in catalogue.articles}
    refused = [one for one in catalogue.problems if one.severity is Severity.ERROR and one.path not in read]
    out.columns([("refused   ", one.where, one.message) for one in refused], styles=["bold red", "bold"])
    summary(out, catalogue.problems)
    out.say(f"{counted(len(rows), 'article')} at {moment(time)}")
    out.say(f"Next: syndicate plan{f' --at {at}' if at else ''}", "dim")


def edited(articles: Iterable[Article], channel: Channel, history: History) -> dict[str, Used]:
    """Path -> where an article was sent, for those that were edited since."""
    from syndicate.plan import changed_since

    found = changed_since(articles, channel.name, history)
    return {article.path: use for article, use in found if history.editions.get(use.edition) not in UNSENT}


def fate_of(part: ChannelPlan, changed: Mapping[str, Used]) -> Any:
    """Article -> what becomes of it in this channel; `changed`: path -> where it was used before it was edited."""
    picked = {article.path: edition.key for edition in part.editions for article in edition.articles}
    reasons = {skipped.article.path: skipped.reason for skipped in part.skipped}

    def fate(article: Article) -> str:
        if article.path in picked:
            return f"picked for {picked[article.path]}"
        if use := changed.get(article.path):
            return f"left out: already in {use.edition}, and changed since it was sent there"
        return f"left out: {reasons.get(article.path, part.note)}"

    return fate


def article_document(article: Article, fate: dict[str, str]) -> dict[str, Any]:
    """An article as JSON."""
    return {
        "path": article.path,
        "slug": article.slug,
        "title": article.title,
        "published": article.published,
        "undated": article.undated,
        "draft": article.draft,
        "author": article.author,
        "tags": article.tags,
        "read_minutes": article.read_minutes,
        "url": article.url,
        "sha256": article.sha256,
        "fate": fate,
    }


def plan(
    context: typer.Context,
    channel: Annotated[list[str] | None, typer.Argument(help="Channels; all if none is named.")] = None,
    at: At = None,
) -> None:
    """The editions that are due, their articles, who gets them, and what was left out and why."""
    gc.disable()  # looking for garbage among all these articles takes longer than the plan
    from syndicate.editions import fingerprints, seen
    from syndicate.plan import make_plan

    now = session(context)
    app, out = now.app(), now.out
    time = parse_time(app, at)
    history, catalogue = app.history(), app.library().load()
    made = make_plan(catalogue.articles, app.channels(channel or ()), history, time)
    digest = fingerprints.plan_hash(app, made)
    seen.keep_plan(app, digest, made)
    problems = list(catalogue.problems)
    counts = {part.channel.name: reader_count(app, part, problems) for part in made.channels}
    awaiting = awaiting_in(made, history)
    changed = [use for part in made.channels for use in edited(catalogue.articles, part.channel, history).items()]
    changes = [{"path": path, "edition": use.edition} for path, use in changed]
    said = {"awaiting": awaiting, "changed_since": changes}
    out.data(lambda: plan_document(made, digest, app.settings.mode, counts, problems) | said)
    out.say(f"Plan {digest[:4]}-{digest[4:8]} for {moment(time)}    {app.settings.mode}", "bold")
    for part in made.channels:
        show_channel(app, out, part, counts[part.channel.name], history, catalogue.problems)
    out.say()
    left_out(out, made)
    for key in awaiting:
        out.say(f"{key}: waits for approval: syndicate editions approve {key}", "bold yellow")
    for path, use in changed[:SHOWN_LEFT_OUT]:
        out.say(f"{path}: changed since it was sent in {use.edition}; it is not sent again", "yellow")
    if len(changed) > SHOWN_LEFT_OUT:
        out.say(f"and {len(changed) - SHOWN_LEFT_OUT} more changed since: syndicate articles lists each", "yellow")
    summary(out, problems)
    out.say(next_step(made, at), "dim")


def awaiting_in(made: Plan, history: History) -> list[str]:
    """Keys of the plan's channels that wait for approval."""
    names = {part.channel.name for part in made.channels}
    return [key for key, state in history.editions.items() if state == "awaiting" and key.partition("/")[0] in names]


def reader_count(app: App, part: ChannelPlan, problems: list[Problem]) -> int | None:
    """How many an edition of this channel would go to; None where there is no edition or no audience."""
    if not part.editions or part.channel.kind is not Kind.DIGEST:
        return None
    readers = app.readers(part.channel.audience)
    count = readers.count()
    problems += readers.problems
    return count


def show_channel(
    app: App, out: Output, part: ChannelPlan, readers: int | None, history: History, problems: Sequence[Problem]
) -> None:
    """A channel's editions with their articles, or why there are none."""
    out.say()
    for edition in part.editions:
        adapter = app.settings.accounts[edition.channel.account].adapter
        approval = ", after approval" if edition.channel.approval == "required" else ""
        where = f"by {edition.channel.account} ({adapter}){approval}"
        what = (
            f"{counted(len(edition.articles), 'article')} → {counted(readers, 'reader')} {where}"
            if readers is not None
            else where
        )
        out.columns([(edition.key, what)], styles=["bold cyan"])
        out.columns([article_row(article, problems) for article in edition.articles], indent=2, styles=["", "dim"])
    if part.note:
        keys = f": {', '.join(part.entered)}" if part.entered else ""
        out.columns([(part.channel.name, f"nothing due: {part.note}{keys}")], styles=["bold cyan", "dim"])
    if last := last_edition(part.channel, part.editions, history):
        out.say(f"  last: {last}", "dim")


def last_edition(channel: Channel, editions: Iterable[Edition], history: History) -> str:
    """The channel's latest edition in the ledger, with the number of its articles, for comparison."""
    if not editions:
        return ""
    used = [use for use in history.used if use.channel == channel.name]
    if not used:
        return ""
    last = max(used, key=lambda use: use.occasion)
    count = sum(use.edition == last.edition for use in used)
    return f"{last.edition}, {count} article{'' if count == 1 else 's'}, none of them again"


def article_row(article: Article, problems: Iterable[Problem]) -> tuple[str, str, str]:
    """`+ title  date  ! warning`."""
    warnings = [p.message for p in problems if p.path == article.path and p.severity is Severity.WARNING]
    date = f"{article.published:%Y-%m-%d}" if article.published else ""
    return f"+ {clip(article.title, 52)}", date, f"! {warnings[0]}" if warnings else ""


def left_out(out: Output, made: Plan) -> None:
    """The articles that no edition takes; many of one reason in one line."""
    codes = Counter(one.code for part in made.channels for one in part.skipped)
    if not codes:
        out.say("Left out: nothing.")
        return
    out.say(f"Left out: {codes.total()}", "bold")
    skipped = ((part.channel.name, one) for part in made.channels for one in part.skipped)
    shown = list(islice(skipped, SHOWN_LEFT_OUT))
    out.columns([left_out_row(name, one) for name, one in shown], indent=2, styles=["", "", "dim"])
    rest = codes - Counter(one.code for _, one in shown)
    if rest:
        counts = ", ".join(f"{count} {code}" for code, count in rest.most_common())
        out.say(f"  and {sum(rest.values())} more ({counts}): syndicate articles lists each with its reason", "dim")


def left_out_row(channel: str, skipped: Skipped) -> tuple[str, str, str]:
    """`- title  channel  reason`."""
    return f"- {clip(skipped.article.title, 52)}", channel, skipped.reason


def summary(out: Output, problems: Sequence[Problem]) -> None:
    """How many problems there are, by severity."""
    if not problems:
        return
    counts = Counter(problem.severity.value for problem in problems)
    said = ", ".join(f"{count} {severity}" for severity, count in counts.items())
    out.say(f"Problems: {said} (syndicate check)", "yellow")


def next_step(made: Plan, at: str | None) -> str:
    """The command that most people want now."""
    when = f" --at {at}" if at else ""
    if not made.editions:
        return "Next: syndicate articles   ·   syndicate status"
    return f"Next: syndicate preview {made.editions[0].channel.name}{when}   ·   syndicate run --once{when}"


def plan_document(
    made: Plan, digest: str, mode: str, counts: dict[str, int | None], problems: Sequence[Problem]
) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "at": made.at,
        "hash": digest,
        "mode": mode,
        "channels": [
            {
                "channel": part.channel.name,
                "occasion": part.occasion,
                "note": part.note,
                "entered": part.entered,
                "readers": counts[part.channel.name],
                "editions": [edition_document(edition) for edition in part.editions],
                "skipped": [
                    {"path": one.article.path, "slug": one.article.slug, "code": one.code, "reason": one.reason}
                    for one in part.skipped
                ],
            }
            for part in made.channels
        ],
        "problems": problems,
    }


def edition_document(edition: Edition) -> dict[str, Any]:
    """An edition of a plan as JSON."""
    return {
        "key": edition.key,
        "occasion": edition.occasion,
        "account": edition.channel.account,
        "articles": [
            {"path": article.path, "slug": article.slug, "title": article.title, "published": article.published}
            for article in edition.articles
        ],
    }
