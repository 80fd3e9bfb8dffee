"""`connect`: somebody signs in at a network with an account, or looks how that stands."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from syndicate.cli.output import EXIT_PERSON, Output
from syndicate.cli.session import moment, session

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.connect import Connection


def connect(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="A key of `accounts`, such as linkedin.")],
    check: Annotated[bool, typer.Option("--check", help="Only tell how its sign-in stands.")] = False,
    paste: Annotated[bool, typer.Option("--paste", help="The browser is elsewhere: paste where it ends.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the address in the browser of this machine.")] = True,
    other: Annotated[bool, typer.Option("--other", help="Somebody else than the last time may sign in.")] = False,
    wait: Annotated[float, typer.Option(min=1, max=3600, metavar="SECONDS", help="For the answer.")] = 300.0,
) -> None:
    """Signs in at a network with an account (OAuth): LinkedIn, Mastodon, Threads, X. The token is kept encrypted."""
    from syndicate.adapters import http
    from syndicate.connect import connect as sign_in
    from syndicate.connect import state

    now = session(context)
    app, out = now.app(), now.out
    if check:
        with http.session() as opened:
            found = state(app, account, opened)
    else:
        open_page = partial(show, browser=browser and not paste)
        found = sign_in(app, account, open_page, ask if paste else None, wait, other=other)
    out.data(found)
    tell(out, app, found)
    if not found.good:
        raise typer.Exit(EXIT_PERSON)


def show(page: str, browser: bool) -> None:
    """The address to open, on stderr, so that it is also seen where stdout is a pipe or one JSON document."""
    print(f"Open this address, and agree there:\n\n  {page}\n", file=sys.stderr, flush=True)
    if browser:
        import webbrowser

        webbrowser.open(page)


def ask() -> str:
    """Where the browser ended. It holds the code, so it is not shown."""
    from getpass import getpass

    if sys.stdin.isatty():
        return getpass("Paste the address that the browser ends at (it is not shown): ")
    return sys.stdin.readline()


def tell(out: Output, app: App, found: Connection) -> None:
    """Who has signed in, what it allows, how long it lasts, and what is to be done."""
    zone = ZoneInfo(app.settings.publication.timezone)
    if not found.called:
        out.say(f"{found.account} ({found.network}): {found.fault}.", "bold yellow")
        out.say(f"Next: syndicate connect {found.account}", "dim")
        return
    out.say(f"{found.account} ({found.network}): signed in as {found.called}", "bold")
    rows = [(option, value) for option, value in (found.options or {}).items()]
    rows.append(("may", ", ".join(found.scopes)))
    if found.missing:
        rows.append(("may not", ", ".join(found.missing)))
    rows.append(("until", moment(found.until.astimezone(zone)) if found.until else "the network says of no end"))
    rows.append(("renewed", "by itself, before it ends" if found.renewed else "not: sign in again in time"))
    out.columns(rows if found.until else rows[:-1], indent=2, styles=["dim"])
    if found.fault:
        out.say(f"  {found.fault}", "bold yellow")
    if not found.good:
        out.say(f"Next: syndicate connect {found.account}", "dim")
    else:
        resume(out, app, found.account)


def resume(out: Output, app: App, account: str) -> None:
    """What is still in the way of the account, if it was paused."""
    paused = app.ledger().paused_accounts() if app.has_ledger() else ()
    if any(one.name == account for one in paused):
        out.say(f"Next: syndicate editions resume --account {account}", "dim")
