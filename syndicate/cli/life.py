"""`editions approve|reject|pause|resume|cancel|diff`: a person's word on an edition, or on all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.editions import Key, edition, group
from syndicate.cli.output import Output, counted
from syndicate.cli.session import session
from syndicate.errors import UsageError
from syndicate.model import EVERY_ACCOUNT

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.editions.comparison import Comparison

__all__ = ["group"]

Reason = Annotated[str, typer.Option(help="Why; kept in the history.")]
Every = Annotated[bool, typer.Option("--all", help="All editions, and those that are still to come.")]
KeyOrAll = Annotated[str, typer.Argument(metavar="[KEY]", help="Such as weekly-digest/2025-03-10T09:00.")]
PERSON = "person"
WORD = "a person's word"


@group.command("approve")
def approve(context: typer.Context, key: Key, reason: Reason = "") -> None:
    """Yes to a draft that waits. It goes out at the next run, unless something is changed before."""
    from syndicate.editions.approval import approve as say_yes

    now = session(context)
    app, out = now.app(), now.out
    row = edition(app, key)
    say_yes(app, row, reason or WORD)
    out.data({"edition": key, "from": row.state, "to": "approved"})
    out.say(f"{key}: {row.state} -> approved; it goes out at the next run")
    out.say("Next: syndicate run --once", "dim")


@group.command("reject")
def reject(context: typer.Context, key: Key, reason: Reason = "") -> None:
    """No to a draft. Its articles stay used up; `send --again`, or `post --again`, takes them once more."""
    set_state(context, key, "rejected", reason)


@group.command("pause")
def pause(context: typer.Context, key: KeyOrAll = "", every: Every = False, reason: Reason = "") -> None:
    """Nothing more of an edition, or with --all of any, is sent; what is on the wire ends. `resume` goes on."""
    if not one_or_all(key, every):
        set_state(context, key, "paused", reason)
        return
    now = session(context)
    app, ledger = now.app(), now.app().ledger()
    hint = "syndicate editions resume --all goes on."
    ledger.pause_account(EVERY_ACCOUNT, reason or WORD, hint, app.clock(), PERSON)
    now.out.data({"paused": "all"})
    now.out.say("Everything is paused: nothing more is sent, by whomever, until it is resumed.", "bold yellow")
    now.out.say("Next: syndicate editions resume --all", "dim")


@group.command("resume")
def resume(
    context: typer.Context,
    key: KeyOrAll = "",
    every: Every = False,
    reason: Reason = "",
    account: Annotated[str, typer.Option(metavar="NAME", help="An account that was paused, and nothing else.")] = "",
) -> None:
    """Goes on with an edition, and with its account if that was paused (a new password, a newer version)."""
    if account:
        resume_account(context, account)
        return
    if not one_or_all(key, every):
        set_state(context, key, "sending", reason)
        return
    now = session(context)
    app = now.app()
    resumed = app.has_ledger() and app.ledger().resume_account(EVERY_ACCOUNT, app.clock(), PERSON)
    now.out.data({"resumed": resumed})
    now.out.say("Going on; what was paused by its own key stays so." if resumed else "Nothing was paused with --all.")
    now.out.say("Next: syndicate run --once", "dim")


def resume_account(context: typer.Context, name: str) -> None:
    """Somebody has mended what it was paused for."""
    now = session(context)
    app = now.app()
    if name not in app.settings.accounts:
        raise UsageError(f"there is no account {name!r}", hint=f"Accounts: {', '.join(app.settings.accounts)}.")
    resumed = app.has_ledger() and app.ledger().resume_account(name, app.clock(), PERSON)
    now.out.data({"account": name, "resumed": resumed})
    now.out.say(f"Account {name} goes on." if resumed else f"Account {name} was not paused.")
    now.out.say("Next: syndicate run --once", "dim")


@group.command("cancel")
def cancel(context: typer.Context, key: Key, reason: Reason = "") -> None:
    """Nothing more of an edition is ever sent."""
    set_state(context, key, "cancelled", reason)


@group.command("diff")
def diff(context: typer.Context, key: Key) -> None:
    """What an edition would say now, against what is frozen."""
    from syndicate.editions.comparison import compare

    now = session(context)
    app, out = now.app(), now.out
    found = compare(app, edition(app, key))
    out.data({"edition": key, "same": not found, "difference": found})
    if not found:
        out.say(f"{key}: nothing would be different now.")
        return
    show_difference(out, found)


def one_or_all(key: str, every: bool) -> bool:
    """Whether all are meant. Raises `UsageError` unless exactly one of the two is given."""
    if bool(key) == every:
        raise UsageError("say either the KEY of one edition or --all")
    return every


def set_state(context: typer.Context, key: str, state: str, reason: str) -> None:
    """A person's word on a whole edition."""
    now = session(context)
    app, out = now.app(), now.out
    row, ledger = edition(app, key), app.ledger()
    resumed = state == "sending" and ledger.resume_account(row.account, app.clock(), PERSON)
    if row.state != state:
        ledger.set_edition_state(key, state, reason or WORD, app.clock(), PERSON)
    out.data({"edition": key, "from": row.state, "to": state, "account_resumed": resumed})
    out.say(f"{key}: {row.state} -> {state}{f', account {row.account} resumed' if resumed else ''}")
    if state == "sending" and (stop := stopped(app)):
        out.say(stop, "bold yellow")
    out.say("Next: syndicate run --once" if state == "sending" else f"Next: syndicate editions show {key}", "dim")


def stopped(app: App) -> str:
    """That a person has stopped everything; empty if nobody has."""
    for one in app.ledger().paused_accounts():
        if one.name == EVERY_ACCOUNT:
            return f"Everything is paused ({one.reason}); {one.hint}"
    return ""


def show_difference(out: Output, found: Comparison) -> None:
    """`-` what is frozen, `+` what would be said now."""
    if found.changed:
        out.say(f"Changed: {', '.join(found.changed)}", "bold")
    if found.title:
        out.columns([("-", found.title[0]), ("+", found.title[1])])
    out.columns([("-", path) for path in found.removed_articles] + [("+", path) for path in found.added_articles])
    for sign, count, first in (
        ("-", found.removed_recipients, found.first_removed),
        ("+", found.added_recipients, found.first_added),
    ):
        if count:
            more = f" and {count - len(first)} more" if count > len(first) else ""
            out.say(f"{sign} {counted(count, 'recipient')}: {', '.join(first)}{more}")
    for line in found.text:
        out.say(line, {"-": "red", "+": "green"}.get(line[:1], "dim"))
