"""`audience list|add|remove|suppress|erase|show`: one person at a time; files are in `audience_files`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.audience_files import group
from syndicate.cli.output import Output
from syndicate.cli.session import session
from syndicate.errors import UsageError
from syndicate.model.address import normalise
from syndicate.model.people import EVERYWHERE, Grounds, Reason, Standing, Taken

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.model.people import Dossier
    from syndicate.returns.erasure import Forgotten

__all__ = ["group"]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Such as ada@example.org; its case does not count.")]
OnList = Annotated[str, typer.Option("--list", metavar="LIST", help="This list alone; without it, all of them.")]
#: What a person is told who puts somebody on a list.
SAID = {
    Taken.ADDED: "is on the list and gets its editions",
    Taken.KNOWN: "was on the list already",
    Taken.UPDATED: "was on the list already; what was missing was filled in",
    Taken.PENDING: "is pending and not mailed: add --consent-source and --consent-date where you know them",
    Taken.LEFT: "has left this list and stays so: only they can come back, by the sign-up form",
    Taken.SUPPRESSED: "is suppressed and was not added: `syndicate audience show` says why",
    Taken.ERASED: "asked to be forgotten and was not added",
}


@group.command("list")
def list_(context: typer.Context) -> None:
    """Every list with its members."""
    now = session(context)
    app, out = now.app(), now.out
    found = app.subscribers().lists() if app.has_ledger() else ()
    out.data({"lists": [{"list": one.name, "mailable": one.mailable, "counts": one.counts} for one in found]})
    heads = ("list", *Standing, "of these suppressed")
    rows = [(one.name, *(f"{one.counts[state]:,}" for state in Standing), f"{one.suppressed:,}") for one in found]
    if not rows:
        out.say("There is no list yet. Next: syndicate audience import FILE --list NAME", "dim")
        return
    out.columns([heads, *rows], styles=["bold"])


@group.command("add")
def add(
    context: typer.Context,
    address: Address,
    where: Annotated[str, typer.Option("--list", metavar="LIST", help="Where they go.")],
    name: Annotated[str, typer.Option(help="Full name.")] = "",
    fields: Annotated[list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="May be repeated.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="May be repeated.")] = None,
    source: Annotated[str, typer.Option("--consent-source", metavar="TEXT", help="How they agreed.")] = "",
    given: Annotated[str, typer.Option("--consent-date", metavar="DATE", help="When they agreed.")] = "",
) -> None:
    """Puts somebody on a list: active where source and date of the consent are known, else pending and not mailed."""
    from syndicate.audience.importing import LIST_NAME

    now = session(context)
    app, person = now.app(), checked(address)
    if not LIST_NAME.fullmatch(where):
        raise UsageError(f"--list {where!r} is not a name", hint="Use letters, digits, - and _, at most 64.")
    grounds = Grounds(source or "command line", given=date_of(app, given) if source else None)
    told = app.subscribers().add(person, where, grounds, name=name, fields=pairs(fields or ()), tags=tags or ())
    now.out.data({"address": person, "list": where, "result": told})
    now.out.say(f"{person} {SAID[told]}.", "bold" if told in {Taken.ADDED, Taken.KNOWN, Taken.UPDATED} else "yellow")


@group.command("remove")
def remove(context: typer.Context, address: Address, where: OnList = EVERYWHERE) -> None:
    """Unsubscribes somebody, from one list or from all. What waits for them is not sent; the record of it stays."""
    now = session(context)
    person = checked(address)
    new = now.app().subscribers().unsubscribe(person, where, source="command line", actor="person")
    now.out.data({"address": person, "list": where, "changed": new})
    scope = f"from {where}" if where else "from every list"
    now.out.say(f"{person} is unsubscribed {scope}." if new else f"{person} was unsubscribed {scope} already.")


@group.command("suppress")
def suppress(
    context: typer.Context,
    address: Address,
    where: OnList = EVERYWHERE,
    reason: Annotated[str, typer.Option(help="Why; kept, and shown wherever they are left out.")] = Reason.MANUAL,
    lift: Annotated[bool, typer.Option("--lift", help="Take a suppression back.")] = False,
) -> None:
    """Nothing is mailed to this address any more, whoever brings it in; --lift takes that back."""
    now = session(context)
    store, person = now.app().subscribers(), checked(address)
    changed = bool(store.lift(person, where)) if lift else store.suppress(person, reason, list=where)
    now.out.data({"address": person, "list": where, "changed": changed})
    scope = f"on {where}" if where else "everywhere"
    state = "is not suppressed" if lift else "is suppressed"
    now.out.say(f"{person} {state} {scope}{' any more' if lift and changed else '' if changed else ' (as before)'}.")


@group.command("erase")
def erase(
    context: typer.Context,
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…", help="Who asked to be forgotten.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forgets a person: in the store, the ledger and under var/. A keyed hash stays: no file brings them back."""
    from syndicate.returns.erasure import erase as forget

    now = session(context)
    persons = [checked(address) for address in addresses]
    if not yes:
        if not sys.stdin.isatty() or now.out.as_json:
            raise UsageError("nothing was erased: nobody can be asked here", hint="Add --yes.")
        if not typer.confirm(f"Erase {', '.join(persons)}? This cannot be undone."):
            now.out.say("Nothing was erased.")
            raise typer.Exit
    app = now.app()
    found = [forget(app, person) for person in persons]
    now.out.data({"erased": found})
    for one in found:
        show_erasure(now.out, one)


def show_erasure(out: Output, one: Forgotten) -> None:
    """What was removed, and what a person has to look after."""
    erased = one.erasure
    out.say(f"{one.address}: erased.", "bold")
    out.columns(
        [
            (f"{erased.audience:,}", "rows of the audience removed"),
            (f"{erased.deliveries:,}", f"deliveries name nobody any more, {erased.skipped:,} of them were waiting"),
            (f"{erased.lines:,}", "other lines cleared"),
        ],
        indent=2,
    )
    for path in one.files:
        out.say(f"  still in {path}: not Syndicate's own; look at it", "yellow")
    if not erased.swept:
        out.say(
            "  Somebody else uses the database: its free space was not overwritten. Run this again later.", "yellow"
        )


@group.command("show")
def show(context: typer.Context, address: Address) -> None:
    """All that is known of a person; --json is the export that they may ask for."""
    now = session(context)
    app, out = now.app(), now.out
    person = checked(address)
    if not app.has_ledger():
        raise UsageError("nobody is known yet", hint="syndicate audience import FILE --list NAME brings people in.")
    found = app.subscribers().show(person)
    out.data(found)
    show_dossier(out, found)


def show_dossier(out: Output, found: Dossier) -> None:
    """The same for people."""
    person = found.subscriber
    if person is None:
        out.say(f"{found.address} is no subscriber.", "bold")
    else:
        out.say(f"{person.address}    {person.name}".rstrip(), "bold cyan")
        rows = [("known since", day(person.created)), *sorted(person.fields.items())]
        out.columns([*rows, *([("tags", ", ".join(person.tags))] if person.tags else [])], indent=2, styles=["dim"])
        out.columns([(one.list, one.state, f"since {day(one.moved)}") for one in person.memberships], indent=2)
    out.columns([(day(one.given), one.what, one.list, one.source, one.evidence) for one in found.consents], indent=2)
    out.columns(
        [("suppressed", one.list or "everywhere", one.reason, one.source, day(one.at)) for one in found.suppressions],
        indent=2,
        styles=["yellow"],
    )
    out.columns([(one.state, one.edition, one.reason) for one in found.deliveries], indent=2)
    out.columns([("left out", edition, reason) for edition, reason in found.left_out], indent=2, styles=["dim"])


def checked(address: str) -> str:
    """The address as it is stored. Raises `UsageError`."""
    try:
        return normalise(address.strip())
    except ValueError as error:
        raise UsageError(f"{address!r} is not an address: {error}") from None


def date_of(app: App, text: str) -> datetime | None:
    """Raises `UsageError` for what is no date."""
    from syndicate.audience.dates import read_date

    try:
        return read_date(text, app.clock()) if text else None
    except ValueError as error:
        raise UsageError(f"--consent-date: {error}") from None


def pairs(texts: Sequence[str]) -> Mapping[str, str]:
    """`country=IN` as name and value. Raises `UsageError`."""
    found = dict(text.partition("=")[::2] for text in texts)
    if wrong := next((text for text in texts if "=" not in text), None):
        raise UsageError(f"--field {wrong!r} has no =", hint="Write it like --field country=IN.")
    return found


def day(moment: datetime) -> str:
    """`2025-03-10`, in UTC."""
    return f"{moment:%Y-%m-%d}"
