"""`feedback fetch|list|show|rates`: what came back, and what was done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syndicate.cli.output import EXIT_FAILED, Output, clip, counted
from syndicate.cli.session import session
from syndicate.errors import SyndicateError, UsageError

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.feedback.inbox import Kept

SHOWN = 50
STATES = ("new", "done", "parked")
LEVELS = {"pause": "bold red", "alarm": "yellow"}

group = typer.Typer(no_args_is_help=True, help="Bounces, complaints and providers' events.")


@group.command("fetch")
def fetch(
    context: typer.Context,
    mailboxes: Annotated[list[str] | None, typer.Argument(metavar="[MAILBOX]…", help="Only these.")] = None,
) -> None:
    """Reads the mailboxes now, and acts on what they and the webhooks have brought."""
    from syndicate.returns import intake
    from syndicate.returns.acting import act

    now = session(context)
    app, out = now.app(), now.out
    if not (app.settings.feedback.mailboxes or app.settings.feedback.webhooks):
        raise UsageError(
            "there is no mailbox and no webhook", hint="Write the block `feedback:` into the configuration."
        )
    fetched = intake.fetch(app, mailboxes or ())
    intake.keep_refusals(app)
    done = act(app)
    out.data({"fetched": [outcome(one) for one in fetched], "done": [document(one) for one in done]})
    for one in fetched:
        text = f"{counted(one.mails, 'mail')} read, {counted(one.kept, 'report')} about mails of ours"
        trouble = f"{one.fault.message}. {one.fault.hint}" if one.fault else ""
        out.columns([(one.name, trouble or text)], styles=["bold cyan", "bold red" if trouble else ""])
    show_all(out, done)
    if any(one.fault for one in fetched):
        raise typer.Exit(EXIT_FAILED)


@group.command("list")
def list_reports(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only those that are new, done or parked.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = SHOWN,
) -> None:
    """The latest reports, and what was done about each."""
    if state and state not in STATES:
        raise UsageError(f"--state {state!r} is none", hint=f"States: {', '.join(STATES)}.")
    now = session(context)
    found = inbox(now.app()).latest(limit, state) if now.app().has_ledger() else []
    now.out.data({"reports": [document(one) for one in found]})
    if not found:
        now.out.say("Nothing came back.")
    show_all(now.out, found)


@group.command("show")
def show(context: typer.Context, number: Annotated[int, typer.Argument(metavar="NUMBER", help="As listed.")]) -> None:
    """One report, with the mail or event as it came."""
    now = session(context)
    one = inbox(now.app()).find(number) if now.app().has_ledger() else None
    if one is None:
        raise SyndicateError(f"there is no report {number}", hint="syndicate feedback list shows those there are.")
    raw = printable(one.report.raw)
    now.out.data({**document(one), "raw": raw})
    now.out.columns([(key, str(value)) for key, value in document(one).items() if value], styles=["cyan"])
    now.out.say()
    now.out.say(raw or "The bytes are no longer kept.")


@group.command("rates")
def rates(context: typer.Context) -> None:
    """How many readers complain, by account and channel, against what mailbox providers bear."""
    from syndicate.returns.rates import complaint_rates

    now = session(context)
    found = complaint_rates(now.app()) if now.app().has_ledger() else []
    now.out.data(
        {
            "rates": [
                {
                    "account": each.account,
                    "channel": each.channel,
                    "sent": each.sent,
                    "complaints": each.complaints,
                    "rate": each.rate,
                    "level": each.level,
                }
                for each in found
            ]
        }
    )
    if not found:
        now.out.say("No mail was sent within the last days.")
    for each in found:
        name = f"{each.account} / {each.channel}" if each.channel else each.account
        now.out.columns([(name, each.text, each.level or "well")], styles=["cyan", "", LEVELS.get(each.level, "green")])


def inbox(app: App) -> Any:
    """Where the reports are."""
    from syndicate.feedback.inbox import Inbox

    return Inbox(app.database())


def outcome(one: Any) -> dict[str, Any]:
    """What one look into a mailbox brought, as JSON."""
    return {"mailbox": one.name, "mails": one.mails, "reports": one.kept, "fault": one.fault and one.fault.message}


def document(one: Kept) -> dict[str, Any]:
    """A report as JSON."""
    told = one.report
    return {
        "number": one.id,
        "received": one.received,
        "source": one.source,
        "kind": told.kind,
        "recipient": told.recipient,
        "person": one.person,
        "status": told.status,
        "text": told.text,
        "state": one.state,
        "note": one.note,
        "at": told.at,
        "event": told.id,
    }


def show_all(out: Output, reports: list[Kept]) -> None:
    """A line each. What strangers wrote has no control character any more."""
    rows = [
        (
            str(one.id),
            one.source,
            one.report.kind.value,
            one.person or one.report.recipient,
            one.note or one.state,
            clip(one.report.text, 60),
        )
        for one in reports
    ]
    out.columns(rows, styles=["dim", "", "bold", "cyan"])


def printable(raw: bytes) -> str:
    """A stranger's bytes, safe on a terminal: no control character but the line end."""
    text = raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
