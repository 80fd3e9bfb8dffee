"""The moves of deliveries, each a function over one transaction. Triggers write the history and the counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, case, func, literal_column, or_, select, update

from syndicate.database.people import suppression
from syndicate.database.plain import micros
from syndicate.database.schema import HELD, WAITING, account_pause, delivery, edition
from syndicate.database.transactions import bulk
from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger import quotas
from syndicate.ledger.rows import COLUMNS, STATES, at_once, delivery_of, rows_of
from syndicate.model import (
    EVERY_ACCOUNT,
    MOVES,
    Deferred,
    Delivery,
    Kind,
    Paused,
    Receipt,
    Refused,
    Settlement,
    State,
    Unknown,
)
from syndicate.model.limits import Limits, domain_of
from syndicate.model.people import Reason

d = delivery.c

#: What the network said -> where the delivery goes from `sending`.
STATE_OF: Mapping[type, State] = {
    Receipt: State.SENT,
    Refused: State.REFUSED,
    Deferred: State.DEFERRED,
    Paused: State.DEFERRED,
    Unknown: State.UNKNOWN,
}

#: Deliveries that are looked at at once, where some may have to wait, or be skipped.
LOOK = 500

EMPTY: ColumnElement[str] = literal_column("''")


def _literal(word: str) -> ColumnElement[str]:
    return literal_column(f"'{word}'")


# Statements of the hot path are made once: to build one costs as much as SQLite needs for a hundred rows.
_SENDABLE = select(edition.c.id, edition.c.account).where(
    edition.c.key == bindparam("key"),
    edition.c.state == "sending",
    edition.c.account.not_in(select(account_pause.c.name)),
    literal_column(f"'{EVERY_ACCOUNT}'").not_in(select(account_pause.c.name)),
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
#: Why its recipient is not to have it: looked up in the claim's own transaction, since who leaves while an edition is
#: being sent must not get it. NULL for nearly everybody. `lower`, as `suppression.person` was made. Who has left may
#: ask to come back, and is asked for confirmation.
_UNWANTED = (
    select(suppression.c.reason)
    .where(suppression.c.person == func.lower(d.recipient), suppression.c.list.in_((EMPTY, edition.c.list)))
    .where(or_(edition.c.kind != _literal(Kind.CONFIRMATION), suppression.c.reason != _literal(Reason.UNSUBSCRIBED)))
    .limit(literal_column("1"))
    .scalar_subquery()
)
_FOUND = at_once(
    select(_UNWANTED, *(_CLAIMED[column].label(column.name) if column in _CLAIMED else column for column in COLUMNS))
    .select_from(delivery.join(edition))
    .where(*_DUE)
    .order_by(d.due, d.id)
    .limit(bindparam("most"))
)
# One parameter and not hundreds, each of which SQLAlchemy would write into the text of the query.
_THOSE = func.json_each(bindparam("those")).table_valued("value")
_TAKE = (
    update(delivery)
    .where(d.id.in_(select(_THOSE.c.value)))
    .values({**_CLAIMED, d.worker: bindparam("who"), d.lease: bindparam("until"), d.actor: bindparam("who")})
)
_SKIP = (
    update(delivery)
    .where(d.id == bindparam("row"))
    .values(state=literal_column("'skipped'"), due=literal_column("0"), reason=bindparam("why"))
    .values(moved=bindparam("now"), actor=bindparam("who"))
)
_PUT_OFF = update(delivery).where(d.id == bindparam("row")).values(due=bindparam("later"))
_STANDING = at_once(select(d.id, d.state, d.epoch).join(_THOSE, d.id == _THOSE.c.value))
_ANSWERS = func.json_each(bindparam("answers")).table_valued("value")


def _answer(place: int) -> Any:
    return _ANSWERS.c.value.op("->>")(literal_column(str(place)))


#: What nearly all come to: one statement for many.
_SENT = (
    update(delivery)
    .where(d.id == _answer(0))
    .values(
        state=literal_column("'sent'"),
        due=literal_column("0"),
        sha256=_answer(1),
        size=_answer(2),
        receipt=_answer(3),
        permalink=_answer(4),
        reason=_answer(5),
        worker=EMPTY,
        lease=literal_column("0"),
        moved=bindparam("now"),
        actor=bindparam("who"),
    )
)
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
        fills=func.coalesce(bindparam("ids"), d.fills),
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
    connection: Connection, key: str, worker: str, limit: int, now: datetime, lease: timedelta, limits: Limits
) -> Sequence[Delivery]:
    """Takes due deliveries, those never tried first; who may not be begun yet is put off."""
    row = connection.execute(_SENDABLE, {"key": key}).first()
    if row is None:
        return ()
    resting = {one.domain: one.until for one in quotas.rests(connection, row.account) if one.until > now}
    room = quotas.Quotas(connection, row.account, [""], now).room("", limits.account) if limits.account else None
    limit = min(limit, room.count) if room else limit
    if "" in resting or not limit:
        return ()
    number: int = row.id
    if limits.domain or resting:
        found = _admitted(connection, (number, row.account), worker, limit, now, resting, limits)
    else:
        found = _due(connection, number, worker, limit, now)
    if found:
        taken = {"those": json.dumps([one.id for one in found]), "who": worker, "until": micros(now + lease)}
        connection.execute(_TAKE, taken | {"now": micros(now)})
        _count(connection, number, found, now, limits)
    return found


def _due(connection: Connection, number: int, worker: str, most: int, now: datetime) -> list[Delivery]:
    """The next ones, as they will be once they are claimed. Who is suppressed moves out of the way for good."""
    wanted = {"number": number, "now": micros(now), "most": most}
    while (found := rows_of(connection, _FOUND, wanted)) and any(row[0] for row in found):
        ahead = rows_of(connection, _FOUND, wanted | {"most": max(most, LOOK)})
        said = {"now": micros(now), "who": worker}
        bulk(connection, _SKIP, [{"why": row[0], "row": row[1]} | said for row in ahead if row[0]])
    return [delivery_of(row[1:]) for row in found]


def _admitted(
    connection: Connection,
    edition_of: tuple[int, str],
    worker: str,
    most: int,
    now: datetime,
    resting: Mapping[str, datetime],
    limits: Limits,
) -> list[Delivery]:
    """The next ones whose domains may have them now. The others move out of the way, and the next are looked at."""
    number, account = edition_of
    while found := _due(connection, number, worker, max(most, LOOK), now):
        domains = {domain_of(one.recipient) for one in found}
        begun = quotas.Quotas(connection, account, domains, now)
        result = quotas.sort(found, most, begun, resting, limits)
        if result.later:
            bulk(connection, _PUT_OFF, [{"row": row, "later": later} for row, later in result.later])
        if result.admitted:
            return result.admitted
    return []


def _count(connection: Connection, number: int, found: Sequence[Delivery], now: datetime, limits: Limits) -> None:
    """Remembers what was begun: for the rates, and as retries of the edition."""
    if limits.account:
        quotas.Quotas(connection, found[0].account, (), now).count({"": len(found)}, limits.account)
    if limits.domain:
        domains = Counter(filter(None, (domain_of(one.recipient) for one in found)))
        quotas.Quotas(connection, found[0].account, (), now).count(domains, limits.domain)
    if retries := sum(one.attempt > 1 for one in found):
        connection.execute(update(edition).where(edition.c.id == number).values(retries=edition.c.retries + retries))


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
    standing = {number: (STATES[state], epoch) for number, state, epoch in rows_of(connection, _STANDING, those)}
    mine, lost = [], []
    for one in settlements:
        state, epoch = standing.pop(one.delivery.id, (State.SENT, -1))  # taken out: only its first settlement counts
        waits = epoch == one.delivery.epoch and state in {State.SENDING, State.UNKNOWN}
        if waits and STATE_OF[type(one.outcome)] in MOVES[state]:
            mine.append(one)
        else:
            lost.append(one.delivery)
    if plain := [row for one in mine if (row := _sent(one))]:
        connection.execute(_SENT, {"answers": json.dumps(plain), "now": micros(now), "who": actor})
    if others := [_first_move(one, micros(now), actor) for one in mine if not _sent(one)]:
        bulk(connection, _SETTLE, others)
    if second := [_second_move(one) for one in mine if one.then]:
        bulk(connection, _SECOND_MOVE, second)
    return lost


def _refuse_illegal(one: Settlement) -> None:
    to = STATE_OF[type(one.outcome)]
    if to not in MOVES[one.delivery.state]:
        raise IllegalMove(f"{one.delivery.key} cannot go from {one.delivery.state} to {to}")
    if one.then and one.then not in MOVES[to]:
        raise IllegalMove(f"{one.delivery.key} cannot go from {to} to {one.then}")


def _sent(one: Settlement) -> tuple[object, ...] | None:
    """The row of `_SENT` for a plain yes; None where there is more to write."""
    said = one.outcome
    if not isinstance(said, Receipt) or not one.sha256 or one.fills or one.free or one.due or one.then:
        return None
    return one.delivery.id, one.sha256, one.size, said.id, said.permalink, said.status


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
