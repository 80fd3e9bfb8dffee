"""The moves of deliveries, each a function over one transaction. Triggers write the history and the counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, case, func, literal_column, select, update

from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger.plain import micros
from syndicate.ledger.rows import COLUMNS, bulk, delivery_of
from syndicate.ledger.schema import HELD, WAITING, account_pause, delivery, edition, event
from syndicate.model import MOVES, Deferred, Delivery, Paused, Receipt, Refused, Settlement, State, Unknown

d = delivery.c

#: What the network said -> where the delivery goes from `sending`.
STATE_OF: Mapping[type, State] = {
    Receipt: State.SENT,
    Refused: State.REFUSED,
    Deferred: State.DEFERRED,
    Paused: State.DEFERRED,
    Unknown: State.UNKNOWN,
}

#: Edition state -> where a person may move it. `done` is not stored: it follows from the counts.
EDITION_MOVES: Mapping[str, frozenset[str]] = {
    "sending": frozenset({"paused", "cancelled"}),
    "paused": frozenset({"sending", "cancelled"}),
}

EMPTY: ColumnElement[str] = literal_column("''")

# Statements of the hot path are made once: to build one costs as much as SQLite needs for a hundred rows.
_SENDABLE = select(edition.c.id).where(
    edition.c.key == bindparam("key"),
    edition.c.state == "sending",
    edition.c.account.not_in(select(account_pause.c.name)),
)
_DUE = (d.edition == bindparam("number"), WAITING, d.due <= bindparam("now"))
#: What a claim changes; read before it is written, since `RETURNING` promises no order.
_CLAIMED: Mapping[Any, Any] = {
    d.state: literal_column("'sending'"),
    d.attempt: d.attempt + 1,
    d.epoch: d.epoch + 1,
    d.reason: EMPTY,
    d.moved: bindparam("now", type_=BigInteger),
}
_FOUND = (
    select(*(_CLAIMED.get(column, column) for column in COLUMNS))
    .select_from(delivery.join(edition))
    .where(*_DUE)
    .order_by(d.due, d.id)
    .limit(bindparam("most"))
)
_TAKE = (
    update(delivery)
    .where(d.id.in_(select(d.id).where(*_DUE).order_by(d.due, d.id).limit(bindparam("most"))))
    .values({**_CLAIMED, d.worker: bindparam("who"), d.lease: bindparam("until"), d.actor: bindparam("who")})
)
# One parameter and not hundreds, each of which SQLAlchemy would write into the text of the query.
_THOSE = func.json_each(bindparam("those")).table_valued("value")
_STANDING = select(d.id, d.state, d.epoch).join(_THOSE, d.id == _THOSE.c.value)
_SETTLE = (
    update(delivery)
    .where(d.id == bindparam("row"))
    .values(
        state=bindparam("to"),
        attempt=d.attempt - bindparam("free"),
        due=bindparam("later"),
        doubted=bindparam("doubt"),
        sha256=case((bindparam("digest") == EMPTY, d.sha256), else_=bindparam("digest")),
        size=case((bindparam("digest") == EMPTY, d.size), else_=bindparam("bytes")),
        receipt=bindparam("name_there"),
        permalink=bindparam("link"),
        reason=bindparam("why"),
        worker=EMPTY,
        lease=literal_column("0"),
        moved=bindparam("now"),
        actor=bindparam("who"),
    )
)
_SECOND_MOVE = (
    update(delivery)
    .where(d.id == bindparam("row"))
    .values(state=bindparam("to"), due=bindparam("later"), reason=bindparam("why"))
)


def claim(
    connection: Connection, key: str, worker: str, limit: int, now: datetime, lease: timedelta
) -> Sequence[Delivery]:
    """Takes due deliveries, those never tried first."""
    number = connection.scalar(_SENDABLE, {"key": key})
    if number is None:
        return ()
    due = {"number": number, "now": micros(now), "most": limit}
    found = [delivery_of(row) for row in connection.execute(_FOUND, due).all()]
    connection.execute(_TAKE, due | {"who": worker, "until": micros(now + lease)})
    return found


def held(connection: Connection, worker: str) -> Sequence[Delivery]:
    """What a worker has claimed and not settled."""
    query = select(*COLUMNS).select_from(delivery.join(edition)).where(HELD, d.worker == worker)
    return sorted(map(delivery_of, connection.execute(query).all()), key=lambda one: one.id)


def renew(connection: Connection, worker: str, now: datetime, lease: timedelta) -> int:
    """Prolongs what a worker holds."""
    statement = update(delivery).where(HELD, d.worker == worker).values(lease=micros(now + lease))
    return connection.execute(statement).rowcount


def settle(connection: Connection, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
    """Writes outcomes; returns the deliveries that somebody else has by now."""
    for one in settlements:
        _refuse_illegal(one)
    those = {"those": json.dumps([one.delivery.id for one in settlements])}
    standing = {number: (State(state), epoch) for number, state, epoch in connection.execute(_STANDING, those).all()}
    mine, lost = [], []
    for one in settlements:
        state, epoch = standing.pop(one.delivery.id, (State.SENT, -1))  # taken out: only its first settlement counts
        waits = epoch == one.delivery.epoch and state in {State.SENDING, State.UNKNOWN}
        if waits and STATE_OF[type(one.outcome)] in MOVES[state]:
            mine.append(one)
        else:
            lost.append(one.delivery)
    if mine:
        bulk(connection, _SETTLE, [_first_move(one, micros(now), actor) for one in mine])
    if second := [_second_move(one) for one in mine if one.then]:
        bulk(connection, _SECOND_MOVE, second)
    return lost


def _refuse_illegal(one: Settlement) -> None:
    to = STATE_OF[type(one.outcome)]
    if to not in MOVES[one.delivery.state]:
        raise IllegalMove(f"{one.delivery.key} cannot go from {one.delivery.state} to {to}")
    if one.then and one.then not in MOVES[to]:
        raise IllegalMove(f"{one.delivery.key} cannot go from {to} to {one.then}")


def _first_move(one: Settlement, now: int, actor: str) -> Mapping[str, object]:
    outcome, asked = one.outcome, one.delivery.doubted
    if isinstance(outcome, Unknown):
        asked = asked or one.delivery.moved  # in doubt since it was claimed
    receipt = outcome if isinstance(outcome, Receipt) else Receipt()
    return {
        "row": one.delivery.id,
        "to": STATE_OF[type(outcome)].value,
        "free": int(one.free),
        "later": micros(one.due) if one.due else 0,
        "doubt": micros(asked) if asked else None,
        "digest": one.sha256,
        "bytes": one.size,
        "name_there": receipt.id,
        "link": receipt.permalink,
        "why": outcome.status if isinstance(outcome, Receipt) else outcome.reason,
        "now": now,
        "who": actor,
    }


def _second_move(one: Settlement) -> Mapping[str, object]:
    later = micros(one.due) if one.due and one.then is State.DEFERRED else 0
    return {"row": one.delivery.id, "to": one.then, "later": later, "why": one.why}


def recover(connection: Connection, now: datetime) -> Sequence[Delivery]:
    """Claims whose lease ran out become `unknown`. Looks at what is in flight only, by its index."""
    query = select(*COLUMNS).select_from(delivery.join(edition)).where(HELD, d.lease <= micros(now))
    found = sorted(map(delivery_of, connection.execute(query).all()), key=lambda one: one.id)
    silence = Unknown("whoever was sending it has not been heard of since")
    settle(connection, [Settlement(one, silence) for one in found], now, "recovery")
    doubt = {one.id: one.doubted or one.moved for one in found}
    return [replace(one, state=State.UNKNOWN, reason=silence.reason, moved=now, doubted=doubt[one.id]) for one in found]


def resolve(
    connection: Connection, one: Delivery, to: State, reason: str, now: datetime, actor: str, doubt: bool
) -> None:
    """Evidence's or a person's word. Raises `IllegalMove` or `Superseded`."""
    row = connection.execute(select(d.state, d.epoch).where(d.id == one.id)).first()
    if row is None or (row.state, row.epoch) != (one.state, one.epoch):
        raise Superseded(f"{one.key} is {row.state if row else 'gone'} by now, no longer {one.state}")
    if one.state is State.SENDING or to not in MOVES[one.state] - {State.SENDING}:
        raise IllegalMove(f"{one.key} cannot go from {one.state} to {to} on anybody's word")
    values = {
        "state": to.value,
        "reason": reason,
        "receipt": one.receipt,
        "permalink": one.permalink,
        "due": micros(one.due or now) if to is State.DEFERRED else 0,
        "doubted": micros(one.doubted) if doubt and one.doubted else None,
        "moved": micros(now),
        "actor": actor,
    }
    connection.execute(update(delivery).where(d.id == one.id).values(values))


def set_edition_state(
    connection: Connection, key: str, state: str, reason: str, now: datetime, actor: str, standing: str
) -> None:
    """Moves an edition from `standing`; cancels what waits in it if that is what was asked."""
    if state not in EDITION_MOVES.get(standing, ()):
        raise IllegalMove(f"{key} is {standing} and cannot be {state}")
    number = connection.scalar(select(edition.c.id).where(edition.c.key == key))
    connection.execute(update(edition).where(edition.c.id == number).values(state=state, reason=reason))
    what = f"{standing} -> {state}"
    connection.execute(
        event.insert(), {"at": micros(now), "edition": number, "what": what, "reason": reason, "actor": actor}
    )
    if state == "cancelled":
        gone = {"state": State.CANCELLED.value, "reason": reason, "moved": micros(now), "actor": actor, "due": 0}
        connection.execute(update(delivery).where(d.edition == number, WAITING).values(gone))
