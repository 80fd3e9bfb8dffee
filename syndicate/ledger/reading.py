"""Questions to the ledger, each a function over one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from syndicate.database.plain import moment
from syndicate.database.schema import (
    DOUBTFUL,
    HELD,
    IN_DOUBT,
    OPEN,
    WAITING,
    account_pause,
    delivery,
    edition,
    edition_article,
    event,
    frozen,
    left_out,
    tally,
)
from syndicate.ledger.base import AccountPause, EditionRow, Event, LeftOut
from syndicate.ledger.rows import COLUMNS, delivery_of
from syndicate.model import Delivery, State, Used

d = delivery.c

#: Deliveries whose moves stand in the story of a whole edition.
STORY_OF = 100

#: States that have an index of their own, with the condition that makes the database use it.
_INDEXED: Mapping[frozenset[State], ColumnElement[bool]] = {
    frozenset({State.PLANNED, State.DEFERRED}): WAITING,
    frozenset({State.SENDING}): HELD,
    frozenset({State.UNKNOWN}): IN_DOUBT,
}


def edition_rows(connection: Connection, *conditions: ColumnElement[bool], limit: int) -> Sequence[EditionRow]:
    """Editions with their counts and articles, the latest first."""
    query = (
        select(edition, *(tally.c[state.value] for state in State))
        .join_from(edition, tally)
        .where(*conditions)
        .order_by(edition.c.id.desc())
        .limit(limit)
    )
    rows = connection.execute(query).all()
    articles = _articles(connection, [row.id for row in rows])
    return [_edition_row(row, articles.get(row.id, ())) for row in rows]


def _edition_row(row: Any, articles: Sequence[tuple[str, str, str, bool]]) -> EditionRow:
    counts = {state: getattr(row, state.value) for state in State}
    occasion = moment(row.occasion)
    return EditionRow(
        key=row.key,
        channel=row.channel,
        kind=row.kind,
        account=row.account,
        occasion=occasion,
        title=row.title,
        state=standing(row.state, counts),
        entered=moment(row.entered),
        since=moment(row.since),
        actor=row.actor,
        counts=counts,
        reason=row.reason,
        sha256=row.sha256,
        plan=row.plan,
        retries=row.retries,
        list=row.list,
        articles=tuple(Used(row.key, row.channel, occasion, *article) for article in articles),
    )


def standing(stored: str, counts: Mapping[State, int]) -> str:
    """The state of an edition: `done` follows from its counts."""
    waiting = counts[State.PLANNED] + counts[State.SENDING] + counts[State.DEFERRED]
    return "done" if stored == "sending" and not waiting else stored


def _articles(connection: Connection, editions: Sequence[int]) -> Mapping[int, list[tuple[str, str, str, bool]]]:
    """Edition number -> (slug, path, sha256, slug_given) of its articles in their order."""
    article = edition_article.c
    query = (
        select(article.edition, article.slug, article.path, article.sha256, article.slug_given)
        .where(article.edition.in_(editions), article.alias == 0)
        .order_by(article.edition, article.position)
    )
    found: dict[int, list[tuple[str, str, str, bool]]] = {}
    for number, slug, path, digest, given in connection.execute(query):
        found.setdefault(number, []).append((slug, path, digest, bool(given)))
    return found


def unfinished(connection: Connection) -> Sequence[str]:
    """Keys of editions on which a courier has work."""
    return _keys(connection, OPEN, edition.c.state.in_(("sending", "approved")))


def awaiting(connection: Connection) -> Sequence[str]:
    """Keys of editions that wait for approval."""
    return _keys(connection, OPEN, edition.c.state == "awaiting")


def doubtful(connection: Connection) -> Sequence[str]:
    """Keys of editions with unknown deliveries."""
    return _keys(connection, DOUBTFUL)


def _keys(connection: Connection, tallied: ColumnElement[bool], *conditions: ColumnElement[bool]) -> Sequence[str]:
    # A subquery, because a join would walk through all editions to have them in order.
    those = select(tally.c.edition).where(tallied)
    query = select(edition.c.key).where(edition.c.id.in_(those), *conditions).order_by(edition.c.id)
    return list(connection.scalars(query))


def next_due(connection: Connection, key: str) -> datetime | None:
    """When the first waiting delivery of an edition is due."""
    wanted = select(edition.c.id).where(edition.c.key == key).scalar_subquery()
    first = select(d.due).where(d.edition == wanted, WAITING).order_by(d.due).limit(1)
    found = connection.scalar(first)
    return None if found is None else moment(found)


def frozen_bytes(connection: Connection, key: str) -> bytes | None:
    """The message of an edition."""
    return connection.scalar(select(frozen.c.data).join(edition).where(edition.c.key == key))


def delivery_query(key: str, states: Iterable[State], recipient: str) -> Select[Any]:
    """Deliveries in the order of their ids, to be read in pages with `page`."""
    query = select(*COLUMNS).select_from(delivery.join(edition)).order_by(d.id)
    if key:
        query = query.where(d.edition == select(edition.c.id).where(edition.c.key == key).scalar_subquery())
    if recipient:
        query = query.where(d.recipient == recipient)
    if wanted := frozenset(states):
        query = query.where(_INDEXED.get(wanted, d.state.in_(sorted(wanted))))
    return query


def page(connection: Connection, query: Select[Any], after: int, size: int) -> Sequence[Delivery]:
    """Up to `size` deliveries whose ids are greater than `after`."""
    return [delivery_of(row) for row in connection.execute(query.where(d.id > after).limit(size)).all()]


def left_out_page(connection: Connection, key: str, after: int, size: int) -> Sequence[tuple[int, LeftOut]]:
    """Up to `size` of those an edition does not have, with their row numbers, from the one after `after`."""
    row = left_out.c
    wanted = select(edition.c.id).where(edition.c.key == key).scalar_subquery()
    query = select(row.id, row.kind, row.who, row.reason).where(row.edition == wanted, row.id > after)
    found = connection.execute(query.order_by(row.id).limit(size))
    return [(number, LeftOut(*rest)) for number, *rest in found]


def story(connection: Connection, key: str, recipient: str) -> Sequence[Event]:
    """What happened to the edition as such, and to the recipient or the first of its deliveries."""
    number = connection.scalar(select(edition.c.id).where(edition.c.key == key))
    those = select(d.id).where(d.edition == number).order_by(d.id).limit(STORY_OF)
    if recipient:
        those = select(d.id).where(d.edition == number, d.recipient == recipient)
    one = event.c
    query = (
        select(one.at, d.recipient, one.what, one.reason, one.actor)
        .select_from(event.outerjoin(delivery, d.id == one.delivery))
        .where(one.edition == number, or_(one.delivery.is_(None), one.delivery.in_(list(connection.scalars(those)))))
        .order_by(one.id)
    )
    return [
        Event(moment(at), key, who or "", what, reason, actor)
        for at, who, what, reason, actor in connection.execute(query)
    ]


def paused_accounts(connection: Connection) -> Sequence[AccountPause]:
    """Accounts that wait for a person."""
    row = account_pause.c
    query = select(row.name, row.reason, row.hint, row.since).order_by(row.name)
    return [AccountPause(name, reason, hint, moment(since)) for name, reason, hint, since in connection.execute(query)]
