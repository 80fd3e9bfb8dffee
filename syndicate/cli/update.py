"""`editions update`: the text of a post that is out, put right at its network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syndicate.cli.editions import Key, edition
from syndicate.cli.life import WORD, Reason, group
from syndicate.cli.session import session
from syndicate.errors import SyndicateError
from syndicate.model import Receipt, Unknown

if TYPE_CHECKING:
    from syndicate.cli.output import Output
    from syndicate.model import Outcome
    from syndicate.newsroom.corrections import Correction

__all__ = ["group"]


@group.command("update")
def update(
    context: typer.Context,
    key: Key,
    text: Annotated[str, typer.Option(help="The new text, instead of what the article says now.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reason: Reason = "",
) -> None:
    """Puts the text of a post right that is out, where its network allows that (LinkedIn); the card stays as it is."""
    from syndicate.newsroom.corrections import carry_out, correction

    now = session(context)
    app, out = now.app(), now.out
    row = edition(app, key)
    found = correction(app, row, text)
    show(out, found)
    if found.done or dry_run or not (yes or out.as_json or typer.confirm("Change it there?")):
        out.data({"edition": key, "updated": False, "same": found.done, "text": found.text, "stays": found.stays})
        out.say("The network has this text already." if found.done else "Nothing was changed.")
        return
    outcome = carry_out(app, row, found, reason or WORD)
    if not isinstance(outcome, Receipt):
        raise failure(key, outcome)
    document = {"edition": key, "updated": True, "same": False, "text": found.text, "stays": found.stays}
    out.data({**document, "permalink": found.delivery.permalink})
    out.say(f"{key}: its text was changed. {found.delivery.permalink}".rstrip())


def failure(key: str, outcome: Outcome) -> SyndicateError:
    """Why it was not changed, as far as anybody knows."""
    reason = "" if isinstance(outcome, Receipt) else outcome.reason
    if isinstance(outcome, Unknown):
        return SyndicateError(
            f"{key}: nobody knows whether it was changed: {reason}", hint="Run it again; that is safe."
        )
    return SyndicateError(f"{key} was not changed: {reason}", hint=getattr(outcome, "hint", ""))


def show(out: Output, found: Correction) -> None:
    """`-` what was sent, `+` what would be said; and what no correction reaches."""
    for line in found.text:
        out.say(line, {"-": "red", "+": "green"}.get(line[:1], "dim"))
    if found.stays:
        out.say(f"Stays as it was sent: {', '.join(found.stays)}", "yellow")
