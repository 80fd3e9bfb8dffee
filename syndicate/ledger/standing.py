"""Words on whole editions and accounts: approved, paused, resumed, rejected, cancelled. Each stands in the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, literal, select, update

from syndicate.database.plain import micros
from syndicate.database.schema import OPEN, WAITING, account_pause, delivery, edition, event, reminder, rest, tally
from syndicate.errors import IllegalMove
from syndicate.ledger.base import EditionRow
from syndicate.model import EVERY_ACCOUNT, State

#: Edition state -> where it may go. `done` is not stored: it follows from the counts.
EDITION_MOVES: Mapping[str, frozenset[str]] = {
    "awaiting": frozenset({"approved", "rejected", "cancelled"}),
    "approved": frozenset({"sending", "awaiting", "paused", "rejected", "cancelled"}),
    "sending": frozenset({"paused", "cancelled", "awaiting"}),
    "paused": frozenset({"sending", "cancelled"}),
}
#: Nothing that waits in such an edition is ever sent.
ENDED = frozenset({"rejected", "cancelled"})


def refuse_unseen(row: EditionRow, seen: EditionRow) -> None:
    """A decision holds for what it was made upon. Raises `IllegalMove` if that has moved or was drafted anew."""
    if (row.state, row.sha256, row.plan) != (seen.state, seen.sha256, seen.plan):
        raise IllegalMove(f"{row.key} has changed meanwhile: it is {row.state}, and was {seen.state}")


def set_edition_state(
    connection: Connection, row: EditionRow, state: str, reason: str, now: datetime, actor: str
) -> None:
    """Moves an edition from where `row` stands; ends what waits in it if that is what was asked."""
    if state not in EDITION_MOVES.get(row.state, ()) or (state == "awaiting" and row.begun):
        raise IllegalMove(f"{row.key} is {row.state} and cannot be {state}")
    number = connection.scalar(select(edition.c.id).where(edition.c.key == row.key))
    values = {"state": state, "reason": reason, "retries": 0} | ({"since": micros(now)} if state == "sending" else {})
    connection.execute(update(edition).where(edition.c.id == number).values(values))
    what = f"{row.state} -> {state}"
    connection.execute(
        insert(event), {"at": micros(now), "edition": number, "what": what, "reason": reason, "actor": actor}
    )
    if state in ENDED:
        gone = {"state": State.CANCELLED.value, "reason": reason, "moved": micros(now), "actor": actor, "due": 0}
        connection.execute(update(delivery).where(delivery.c.edition == number, WAITING).values(gone))


def note(connection: Connection, key: str, what: str, reason: str, now: datetime, actor: str) -> bool:
    """Whether there is such an edition."""
    line = (literal(micros(now)), edition.c.id, literal(what), literal(reason), literal(actor))
    those = select(*line).where(edition.c.key == key)
    told = insert(event).from_select(["at", "edition", "what", "reason", "actor"], those)
    return bool(connection.execute(told).rowcount)


def pause_account(connection: Connection, name: str, reason: str, hint: str, now: datetime, actor: str) -> None:
    """Several connections may find the same fault: told once, and the last reason stands."""
    known = connection.execute(delete(account_pause).where(account_pause.c.name == name)).rowcount
    values = {"name": name, "reason": reason, "hint": hint, "since": micros(now)}
    connection.execute(insert(account_pause), values)
    if not known:
        _tell(connection, name, "paused", reason, now, actor)


def resume_account(connection: Connection, name: str, now: datetime, actor: str) -> bool:
    """Whether it was paused. A person who says so has mended it: it need not rest either."""
    known = bool(connection.execute(delete(account_pause).where(account_pause.c.name == name)).rowcount)
    connection.execute(delete(rest).where(rest.c.account == name))
    if known:
        _tell(connection, name, "resumed", "", now, actor)
    return known


def _tell(connection: Connection, name: str, what: str, reason: str, now: datetime, actor: str) -> None:
    """A line in the story of every edition that this holds up, or held up."""
    subject = "every account" if name == EVERY_ACCOUNT else f"account {name}"
    line: Sequence[ColumnElement[object]] = (
        literal(micros(now)),
        edition.c.id,
        literal(f"{subject} {what}"),
        literal(reason),
        literal(actor),
    )
    # A subquery, so that the index of the open ones serves.
    those = select(*line).where(edition.c.id.in_(select(tally.c.edition).where(OPEN)))
    if name != EVERY_ACCOUNT:
        those = those.where(edition.c.account == name)
    connection.execute(insert(event).from_select(["at", "edition", "what", "reason", "actor"], those))


def remind(connection: Connection, facts: Sequence[str], now: datetime) -> Sequence[str]:
    """Notes what was not noted before."""
    once = insert(reminder).prefix_with("OR IGNORE", dialect="sqlite")
    return [fact for fact in facts if connection.execute(once, {"fact": fact, "at": micros(now)}).rowcount]


def forget(connection: Connection, facts: Sequence[str]) -> None:
    """As if they had never been noted."""
    connection.execute(delete(reminder).where(reminder.c.fact.in_(facts)))
