"""`editions list|show`, `why` and `resolve`: what was said, to whom, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.output import Output, clip, counted
from syndicate.cli.session import moment, session
from syndicate.errors import UsageError
from syndicate.model import Delivery, State

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.ledger.base import EditionRow, Event, LeftOut

group = typer.Typer(help="The editions that were entered, and what became of them.", no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="KEY", help="Such as weekly-digest/2025-03-10T09:00.")]
SHOWN_DELIVERIES = 20


@group.command("list")
def list_editions(
    context: typer.Context,
    channel: Annotated[str, typer.Option("--channel", help="Only this channel's.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """The latest editions first."""
    now = session(context)
    app, out = now.app(), now.out
    rows = app.ledger().editions(channel, limit) if app.has_ledger() else ()
    out.data({"editions": rows})
    out.columns(
        [(row.key, row.state, counts_text(row.counts), clip(row.title, 60)) for row in rows],
        styles=["bold cyan"],
    )
    out.say(
        f"Next: syndicate editions show {rows[0].key}" if rows else "Nothing was sent yet. Next: syndicate plan", "dim"
    )


@group.command("show")
def show(
    context: typer.Context,
    key: Key,
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the frozen messages.")] = None,
) -> None:
    """One edition: its articles, its deliveries with the SHA-256 of their bytes, and whom it left out."""
    now = session(context)
    app, out = now.app(), now.out
    row = edition(app, key)
    if folder:
        out.say(f"Messages: {write_messages(app, row, folder)}", "bold")
    ledger = app.ledger()
    left_out = list(ledger.left_out(key))
    if out.as_json:
        out.data({"edition": row, "deliveries": list(ledger.deliveries(key)), "left_out": left_out})
        return
    zone = ZoneInfo(app.settings.publication.timezone)
    out.say(f"{row.key}    {row.state}", "bold cyan")
    if row.reason:
        out.say(f"  {row.reason}", "yellow")
    out.columns(
        [
            ("title", row.title),
            ("occasion", moment(row.occasion.astimezone(zone))),
            ("entered", f"{moment(row.entered.astimezone(zone))} by {row.actor}"),
            ("account", row.account),
            ("deliveries", counts_text(row.counts)),
        ],
        indent=2,
        styles=["dim"],
    )
    out.columns([(use.path, use.slug) for use in row.articles], indent=4)
    show_deliveries(out, app, row)
    out.columns([left_out_row(one) for one in left_out[:SHOWN_DELIVERIES]], indent=2, styles=["", "", "dim"])
    if len(left_out) > SHOWN_DELIVERIES:
        out.say(f"  and {len(left_out) - SHOWN_DELIVERIES} more left out (--json lists all)", "dim")
    if row.state == "awaiting":
        show_words(out, app, row)
        out.say(f"Next: syndicate editions approve {key}   ·   syndicate editions reject {key}", "dim")
        return
    out.say(f"Next: syndicate why {row.key} RECIPIENT", "dim")


def left_out_row(one: LeftOut) -> tuple[str, str, str]:
    """`- who  reason`; members of a list are counted by reason."""
    return "-", counted(int(one.who), "reader") if one.kind == "recipients" else one.who, one.reason


def write_messages(app: App, row: EditionRow, folder: Path) -> Path:
    """The messages to the first recipients, and a manifest of those, from the bytes that were frozen."""
    from syndicate.app import rehearsal
    from syndicate.pipeline import composer, links_of
    from syndicate.proofs import FIRST, Folder
    from syndicate.render.freeze import thaw

    adapter, ledger = rehearsal(app).adapter(row.account), app.ledger()
    compose = composer(app, thaw(ledger.frozen(row.key)), adapter, links_of(app, row))
    with Folder(folder) as proofs:
        for one in islice(ledger.deliveries(row.key), FIRST):
            proofs.take(one.key, compose(one))
    return folder


def show_words(out: Output, app: App, row: EditionRow) -> None:
    """The frozen message, as a dry run would show it."""
    from syndicate.cli.words import show_proof
    from syndicate.editions.drafts import Proof
    from syndicate.model import Edition
    from syndicate.render.freeze import thaw

    edition = Edition(key=row.key, channel=app.channel(row.channel), occasion=row.occasion, articles=())
    show_proof(out, app, Proof(edition, thaw(app.ledger().frozen(row.key))))


def show_deliveries(out: Output, app: App, row: EditionRow) -> None:
    """The first deliveries with state, size and SHA-256."""
    total = sum(row.counts.values())
    for number, one in enumerate(app.ledger().deliveries(row.key)):
        if number == SHOWN_DELIVERIES:
            out.say(f"  and {total - number} more (--json lists all)", "dim")
            break
        out.columns([(one.recipient, one.state.value, f"{one.size:,} bytes", one.sha256[:12], one.reason)], indent=2)


def edition(app: App, key: str) -> EditionRow:
    """Raises `UsageError` if the ledger has no edition of this key."""
    row = app.ledger().edition(key) if app.has_ledger() else None
    if row is None:
        raise UsageError(f"there is no edition {key}", hint="syndicate editions list shows the keys there are.")
    return row


def counts_text(counts: Mapping[State, int]) -> str:
    """`sent 3, refused 1`."""
    return ", ".join(f"{state} {count}" for state, count in counts.items() if count) or "no deliveries"


def why(
    context: typer.Context,
    key: Key,
    recipient: Annotated[str, typer.Argument(help="An address, or an article's slug or path.")] = "",
) -> None:
    """Why an article or a recipient was, or was not, part of an edition; with what happened, line by line."""
    from syndicate.editions.recipients import spelled, why_not
    from syndicate.ledger.base import LeftOut

    now = session(context)
    app, out = now.app(), now.out
    row = edition(app, key)
    ledger = app.ledger()
    wanted = slug_of(app, recipient).casefold()
    recipient = spelled(app, recipient)
    found = list(ledger.deliveries(key, recipient=recipient)) if recipient else []
    uses = [use for use in row.articles if wanted in {use.slug.casefold(), use.path.casefold()} or not wanted]
    left = [one for one in ledger.left_out(key) if not wanted or one.who.casefold() == wanted]
    if "@" in recipient and not found and not left and (reason := why_not(app, row, recipient)):
        left = [LeftOut("recipient", recipient, reason)]
    story = ledger.story(key, recipient) if found or not recipient else []
    out.data({"edition": row, "deliveries": found, "articles": uses, "left_out": left, "story": story})
    if recipient and not (found or uses or left):
        raise UsageError(f"{recipient} is unknown to {key}", hint=f"syndicate editions show {key} lists who is in it.")
    zone = ZoneInfo(app.settings.publication.timezone)
    for one in found:
        show_delivery(out, one, zone)
    out.columns([("article", use.path, f"was part of {key}") for use in uses], styles=["green"])
    out.columns([("left out", *left_out_row(one)[1:]) for one in left], styles=["yellow"])
    out.columns(
        [event_row(event, zone) for event in story],
        indent=2,
        styles=["dim"],
    )


def slug_of(app: App, text: str) -> str:
    """A file of the library by its slug, under which the ledger knows it; anything else as it is."""
    if not text.endswith(".md"):
        return text
    return next((article.slug for article in app.library().load().articles if article.path == text), text)


def event_row(event: Event, zone: ZoneInfo) -> tuple[str, str, str, str, str]:
    """When, to whom, what, by whom, and why."""
    when = f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return when, event.recipient or "-", event.what, event.actor, event.reason


def show_delivery(out: Output, one: Delivery, zone: ZoneInfo) -> None:
    """State, time, the network's words, attempts, and the SHA-256 of what went out."""
    when = f"{one.moved.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if one.moved else ""
    tries = f"{one.attempt} attempt{'' if one.attempt == 1 else 's'}"
    out.columns([(one.state.value, when, one.reason, tries, f"sha256 {one.sha256[:12] or '-'}")], styles=["bold"])
    if one.permalink:
        out.say(f"  {one.permalink}")


def resolve(
    context: typer.Context,
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="EDITION:RECIPIENT, as status shows it.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived.")] = False,
    again: Annotated[bool, typer.Option("--again", help="It did not arrive: send it again.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Whether it arrived or not: leave it.")] = False,
    reason: Annotated[str, typer.Option(help="How you know; kept in the history.")] = "",
) -> None:
    """A person's word on a delivery that is unknown."""
    now = session(context)
    app, out = now.app(), now.out
    if sent + again + drop != 1:
        raise UsageError("say exactly one of --sent, --again, --drop")
    key, colon, recipient = delivery.rpartition(":")
    if not (colon and "/" in key):
        raise UsageError(f"{delivery} is no delivery", hint="Write EDITION:RECIPIENT, as syndicate status shows it.")
    edition(app, key)
    found = next(iter(app.ledger().deliveries(key, recipient=recipient)), None)
    if found is None:
        raise UsageError(f"there is no delivery {delivery}", hint=f"syndicate editions show {key} lists them.")
    to = State.SENT if sent else State.DEFERRED if again else State.CANCELLED
    app.ledger().resolve(found, to, reason or "a person's word", app.clock(), "person")
    after: dict[str, Any] = {"delivery": delivery, "from": found.state, "to": to}
    out.data(after)
    out.say(f"{delivery}: {found.state} -> {to}")
    if again:
        out.say("Next: syndicate run --once", "dim")
