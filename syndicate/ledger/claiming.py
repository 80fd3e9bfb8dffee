"""The moves of deliveries, each a function over one transaction. Triggers write the history and the counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, or_, select, update

from syndicate.database.people import suppression
from syndicate.database.plain import micros
from syndicate.database.schema import HELD, WAITING, account_pause, delivery, edition
from syndicate.database.transactions import bulk
from syndicate.ledger import quotas
from syndicate.ledger.rows import COLUMNS, EMPTY, NOTHING, PAST, THOSE, again, delivery_of, in_one, moment_of, rows_of
from syndicate.model import EVERY_ACCOUNT, Delivery, Kind, State
from syndicate.model.limits import Limits, domain_of
from syndicate.model.people import Reason

d = delivery.c

#: Deliveries that are looked at at once, where some may have to wait, or be skipped.
LOOK = 500


def _literal(word: str) -> ColumnElement[str]:
    return literal_column(f"'{word}'")


# Statements of the hot path are made once: to build one costs as much as SQLite needs for a hundred rows.
_SENDABLE = select(edition.c.id, edition.c.key, edition.c.account, edition.c.list, edition.c.kind).where(
    edition.c.key == bindparam("key"),
    edition.c.state == "sending",
    edition.c.account.not_in(select(account_pause.c.name)),
    literal_column(f"'{EVERY_ACCOUNT}'").not_in(select(account_pause.c.name)),
)
#: Why its recipient is not to have it: looked up in the claim's own transaction, since who leaves while an edition is
#: being sent must not get it. NULL for nearly everybody. `lower`, as `suppression.person` was made. Who has left may
#: ask to come back, and is asked for confirmation.
_UNWANTED = (
    select(suppression.c.reason)
    .where(suppression.c.person == func.lower(d.recipient), suppression.c.list.in_((EMPTY, bindparam("list"))))
    .where(or_(bindparam("unasked"), suppression.c.reason != _literal(Reason.UNSUBSCRIBED)))
    .limit(literal_column("1"))
    .scalar_subquery()
    .label("unwanted")
)
#: What a claim returns beside what it writes.
_WHO = (d.id, d.recipient, d.name, d.fields, d.reader, d.due)
_NEXT = (
    select(_UNWANTED, *_WHO, PAST)
    .where(d.edition == bindparam("number"), WAITING, d.due <= bindparam("now"))
    .order_by(d.due, d.id)
    .limit(bindparam("most"))
    .subquery()
)
#: How many are unwanted, and all. Read before it is written, since `RETURNING` promises no order.
_FOUND = select(func.count(_NEXT.c.unwanted), in_one(*(_NEXT.c[one.name] for one in (*_WHO, PAST))))
_SUPPRESSED = select(in_one(_NEXT.c.id, _NEXT.c.unwanted)).where(_NEXT.c.unwanted.is_not(None))
_TAKE = (
    update(delivery)
    .where(d.id.in_(select(THOSE.c.value)))
    .values(
        state=literal_column("'sending'"),
        attempt=d.attempt + literal_column("1"),
        epoch=d.epoch + literal_column("1"),
        reason=EMPTY,
        worker=bindparam("who"),
        lease=bindparam("until"),
        moved=bindparam("now"),
        actor=bindparam("who"),
    )
)
_SKIP = (
    update(delivery)
    .where(d.id == bindparam("row"))
    .values(state=literal_column("'skipped'"), due=literal_column("0"), reason=bindparam("why"))
    .values(moved=bindparam("now"), actor=bindparam("who"))
)
_PUT_OFF = update(delivery).where(d.id == bindparam("row")).values(due=bindparam("later"))


class Sendable(NamedTuple):
    """An edition of which something may be claimed."""

    number: int
    key: str
    account: str
    #: whose suppressions hold
    list: str
    kind: str


def claim(
    connection: Connection, key: str, worker: str, limit: int, now: datetime, lease: timedelta, limits: Limits
) -> Sequence[Delivery]:
    """Takes due deliveries, those never tried first; who may not be begun yet is put off."""
    row = connection.execute(_SENDABLE, {"key": key}).first()
    if row is None:
        return ()
    of = Sendable(*row)
    resting = {one.domain: one.until for one in quotas.rests(connection, of.account) if one.until > now}
    room = quotas.Quotas(connection, of.account, [""], now).room("", limits.account) if limits.account else None
    limit = min(limit, room.count) if room else limit
    if "" in resting or not limit:
        return ()
    if limits.domain or resting:
        found = _admitted(connection, of, worker, limit, now, resting, limits)
    else:
        found = _due(connection, of, worker, limit, now)
    if found:
        taken = {"those": json.dumps([one.id for one in found]), "who": worker, "until": micros(now + lease)}
        connection.execute(_TAKE, taken | {"now": micros(now)})
        _count(connection, of.number, found, now, limits)
    return found


def _due(connection: Connection, of: Sendable, worker: str, most: int, now: datetime) -> list[Delivery]:
    """The next ones, as they will be once they are claimed. Who is suppressed moves out of the way for good."""
    wanted = {"number": of.number, "list": of.list, "unasked": of.kind != Kind.CONFIRMATION, "now": micros(now)}
    while True:
        unwanted, rows = connection.execute(_FOUND, wanted | {"most": most}).one()
        if not unwanted:
            return _claimed(json.loads(rows), of, moment_of(micros(now)))
        ahead = rows_of(connection, _SUPPRESSED, wanted | {"most": max(most, LOOK)})
        said = {"now": micros(now), "who": worker}
        bulk(connection, _SKIP, [{"row": number, "why": why} | said for number, why in ahead])


def _claimed(rows: list[list[Any]], of: Sendable, now: datetime) -> list[Delivery]:
    """Rows of `_FOUND` as they will be. What is the same for all of a batch was not asked for."""
    found = []
    for number, recipient, name, fields, reader, due, past in rows:
        told, when = json.loads(fields) if fields else NOTHING, moment_of(due) if due else None
        # By position: to match twelve names costs as much as to make the delivery.
        one = Delivery(
            number, of.key, recipient, of.account, name, told, reader, State.SENDING, 1, 1, when,
            None, "", 0, NOTHING, "", "", "", now,
        )  # fmt: skip
        found.append(again(one, past) if past else one)
    return found


def _admitted(
    connection: Connection,
    of: Sendable,
    worker: str,
    most: int,
    now: datetime,
    resting: Mapping[str, datetime],
    limits: Limits,
) -> list[Delivery]:
    """The next ones whose domains may have them now. The others move out of the way, and the next are looked at."""
    while found := _due(connection, of, worker, max(most, LOOK), now):
        domains = {domain_of(one.recipient) for one in found}
        begun = quotas.Quotas(connection, of.account, domains, now)
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
