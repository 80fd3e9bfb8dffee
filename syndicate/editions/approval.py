"""What a person approves is what goes out. A draft is compared with what would be drafted now: when it is approved, and
again right before anything of it is sent. What was changed voids the approval, and the edition is drafted anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syndicate import plan as planning
from syndicate.editions import drafts, fingerprints, recipients
from syndicate.errors import IllegalMove, NeedsPerson, RenderError, SyndicateError
from syndicate.model import ChannelPlan

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.editions.drafts import Proof
    from syndicate.ledger.base import EditionRow


def approve(app: App, row: EditionRow, reason: str) -> None:
    """A person's yes to the draft as it stands. Raises `NeedsPerson`, and drafts it anew, if anything has changed."""
    if row.state == "awaiting" and (why := what_changed(app, row)):
        redraft(app, row, why, "person")
        raise NeedsPerson(
            f"{row.key} was not approved: {why}. It was drafted anew.",
            hint=f"Look at it (syndicate editions show {row.key}) and approve it again.",
        )
    app.ledger().set_edition_state(row.key, "approved", reason, app.clock(), "person", seen=row)


def released(app: App, row: EditionRow, actor: str) -> bool:
    """Whether an edition may be sent. One that was approved and then changed may not: it waits for approval again."""
    if not row.plan or row.begun:
        return True
    if why := what_changed(app, row):
        redraft(app, row, why, actor)
        return False
    try:
        if row.state == "approved":
            app.ledger().set_edition_state(row.key, "sending", "as it was approved", app.clock(), actor, seen=row)
    except IllegalMove:  # another run was faster, or a person has stopped it
        after = app.ledger().edition(row.key)
        return after is not None and after.state == "sending"
    return True


def redraft(app: App, row: EditionRow, why: str, actor: str) -> None:
    """Puts an edition into words once more, to be approved. Raises `SyndicateError` if that cannot be done."""
    ledger, now = app.ledger(), app.clock()
    if row.state != "awaiting":
        ledger.set_edition_state(row.key, "awaiting", f"the approval is void: {why}", now, actor, seen=row)
    part = drafted_now(app, row)
    proof = proof_of(app, row, part)
    entry = drafts.entry_of(proof, part, recipients.audience(app, part.channel))
    # Also where the channel asks no more for approval: what waits is not let out by an edit.
    ledger.redraft(replace(entry, plan=fingerprints.written(app, proof.edition)), why, now, actor)


def drafted_now(app: App, row: EditionRow) -> ChannelPlan:
    """The edition of the same articles as the plan would have it now."""
    channel = app.channel(row.channel)
    occasion = row.occasion.astimezone(ZoneInfo(channel.schedule.zone))
    articles = app.library().load().articles
    return planning.anew(articles, channel, app.history(), row.key, occasion, row.articles)


def proof_of(app: App, row: EditionRow, part: ChannelPlan) -> Proof:
    """The same in words. Raises `RenderError` where there are none."""
    if not part.editions:
        raise RenderError(f"{row.key}: {part.note}", hint=f"syndicate editions reject {row.key}")
    return drafts.proof(app, part.editions[0])


def what_changed(app: App, row: EditionRow) -> str:
    """What is not as it was when the edition was drafted, in one line; empty if all is."""
    part = drafted_now(app, row)
    if found := ", ".join(differences(app, row, part)):
        return f"changed since it was drafted: {found}"
    try:
        proof = proof_of(app, row, part)
    except SyndicateError as error:
        return f"it cannot be put into words any more: {error.message}"
    from syndicate.render.freeze import freeze

    same = sha256(freeze(proof.message)).hexdigest() == row.sha256
    return "" if same else "the message is not the same any more, such as its picture"


def differences(app: App, row: EditionRow, part: ChannelPlan) -> Iterator[str]:
    """The articles, templates, readers and keys of the configuration that have changed."""
    now = {article.path: article.sha256 for edition in part.editions for article in edition.articles}
    before = {use.path: use.sha256 for use in row.articles}
    yield from (f"{path} (edited)" for path in before if path in now and before[path] != now[path])
    reasons = {one.article.path: one.reason for one in part.skipped}
    yield from (f"{path} ({reasons.get(path, 'gone')})" for path in before if path not in now)
    yield from (f"{path} (new)" for path in now if path not in before)
    then = json.loads(row.plan) if row.plan else {}
    for edition in part.editions:
        found = fingerprints.fingerprints(app, edition)
        yield from (name for name in found if name != "articles" and found[name] != then.get(name))
