"""What became of deliveries, each a function over one transaction. Triggers write the history and the counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    text,
    update,
)

from syndicate.database.plain import micros
from syndicate.database.schema import HELD, delivery, edition
from syndicate.database.transactions import bulk
from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger.rows import COLUMNS, EMPTY, STATES, THOSE, delivery_of, in_one, rows_of
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

#: Answers in one statement at most, a power of two: more in one save no time, and need a megabyte.
TOGETHER = 128

#: (row, epoch, SHA-256, size, receipt, permalink, reason): a plain yes.
Yes = tuple[int, int, str, int, str, str, str]
_WIDTH = 7

# Statements of the hot path are made once: to build one costs as much as SQLite needs for a hundred rows.
_ZERO: ColumnElement[int] = literal_column("0")
_SENDING: ColumnElement[str] = literal_column("'sending'")
_UNKNOWN: ColumnElement[str] = literal_column("'unknown'")
_NEXT: ColumnElement[Any] = literal_column("?")
_ANSWERED = {
    d.state: literal_column("'sent'"),
    d.due: _ZERO,
    d.worker: EMPTY,
    d.lease: _ZERO,
    d.moved: _NEXT,
    d.actor: _NEXT,
}
_SETTLE = (
    update(delivery)
    .where(d.id == bindparam("row"), d.epoch == bindparam("fence"))
    .where(d.state.in_((_SENDING, case((bindparam("late"), _UNKNOWN), else_=_SENDING))))
    .values(
        state=bindparam("to"),
        attempt=d.attempt - bindparam("free"),
        due=bindparam("later"),
        doubted=bindparam("doubt"),
        sha256=case((bindparam("digest") == EMPTY, d.sha256), else_=bindparam("digest")),
        size=case((bindparam("digest") == EMPTY, d.size), else_=bindparam("bytes")),
        fills=func.coalesce(bindparam("ids"), d.fills),
        receipt=bindparam("name_there"),
        permalink=bindparam("link"),
        reason=bindparam("why"),
        worker=EMPTY,
        lease=_ZERO,
        moved=bindparam("now"),
        actor=bindparam("who"),
    )
)
_SECOND_MOVE = (
    update(delivery)
    .where(d.id == bindparam("row"))
    .values(state=bindparam("to"), due=bindparam("later"), reason=bindparam("why"))
)
_STANDING = select(in_one(d.id, d.state, d.epoch)).join(THOSE, d.id == THOSE.c.value)


@lru_cache(maxsize=16)
def _sent(count: int, dialect: Dialect) -> str:
    """What nearly all come to: one statement that takes when, who, and so many `Yes`.

    They are parameters, since SQLite needs as long to take them out of a JSON value as for the update itself; and one
    statement, since the driver lets go of the interpreter at every one.
    """
    rows = ", ".join([f"({', '.join('?' * _WIDTH)})"] * count)
    # Without names of its own, which only a CTE could give it: both databases call the columns of VALUES so.
    answers = text(f"VALUES {rows}").columns(*(column(f"column{place + 1}") for place in range(_WIDTH)))
    row, fence, sha256, size, receipt, permalink, reason = answers.subquery("those").c
    said = {d.sha256: sha256, d.size: size, d.receipt: receipt, d.permalink: permalink, d.reason: reason}
    ours = (d.id == row, d.epoch == fence, d.state.in_((_SENDING, _UNKNOWN)))
    return str(update(delivery).where(*ours).values({**_ANSWERED, **said}).compile(dialect=dialect))


def settle(connection: Connection, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
    """Writes outcomes; returns the deliveries that somebody else has by now."""
    with connection.begin_nested() as attempt:
        if _written(connection, settlements, now, actor):
            return ()
        attempt.rollback()
    mine, lost = _ours(connection, settlements)
    _written(connection, mine, now, actor)
    return lost


def _written(connection: Connection, settlements: Sequence[Settlement], now: datetime, actor: str) -> bool:
    """Writes them; False where one of them is somebody else's by now, and what was written has to be undone."""
    plain, others = _sorted(settlements)
    count = sum(_say_yes(connection, rows, now, actor) for rows in _portions(plain))
    if others:
        moves = [_first_move(one, micros(now), actor) for one in others]
        count += bulk(connection, _SETTLE, moves).rowcount
    if count < len(settlements):
        return False
    if second := [_second_move(one) for one in others if one.then]:
        bulk(connection, _SECOND_MOVE, second)
    return True


def _sorted(settlements: Sequence[Settlement]) -> tuple[list[Yes], list[Settlement]]:
    """Every plain yes, and where there is more to write. Raises `IllegalMove`."""
    plain: list[Yes] = []
    others = []
    for one in settlements:
        to, said = one.delivery, one.outcome
        more = one.fills or one.free or one.due or one.then
        if isinstance(said, Receipt) and one.sha256 and not more and State.SENT in MOVES[to.state]:
            plain.append((to.id, to.epoch, one.sha256, one.size, said.id, said.permalink, said.status))
        else:
            _refuse_illegal(one)
            others.append(one)
    return plain, others


def _portions(plain: list[Yes]) -> Iterator[list[Yes]]:
    for start in range(0, len(plain), TOGETHER):
        yield plain[start : start + TOGETHER]


def _say_yes(connection: Connection, rows: list[Yes], now: datetime, actor: str) -> int:
    """How many were written. Filled up to a power of two: so there are eight statements, not one for each number."""
    most = 1 << (len(rows) - 1).bit_length()
    nobody = (None,) * _WIDTH * (most - len(rows))
    values = (micros(now), actor, *chain.from_iterable(rows), *nobody)
    return connection.exec_driver_sql(_sent(most, connection.dialect), values).rowcount


def _ours(connection: Connection, settlements: Sequence[Settlement]) -> tuple[Sequence[Settlement], Sequence[Delivery]]:
    """Those that may be written, and the deliveries of the others."""
    those = {"those": json.dumps([one.delivery.id for one in settlements])}
    standing = {number: (STATES[state], epoch) for number, state, epoch in rows_of(connection, _STANDING, those)}
    mine, lost = [], []
    for one in settlements:
        state, epoch = standing.pop(one.delivery.id, (State.SENT, -1))  # taken out: only its first settlement counts
        waits = epoch == one.delivery.epoch and state in {State.SENDING, State.UNKNOWN}
        if waits and STATE_OF[type(one.outcome)] in MOVES[state]:
            mine.append(one)
        else:
            lost.append(one.delivery)
    return mine, lost


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
        "fence": one.delivery.epoch,
        "late": STATE_OF[type(outcome)] in MOVES[State.UNKNOWN],
        "to": STATE_OF[type(outcome)].value,
        "free": int(one.free),
        "later": micros(one.due) if one.due else 0,
        "doubt": micros(asked) if asked else None,
        "digest": one.sha256,
        "bytes": one.size,
        "ids": json.dumps(dict(one.fills)) if one.fills else None,
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
