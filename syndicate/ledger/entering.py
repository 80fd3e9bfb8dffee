"""Writing an edition: frozen bytes, articles, deliveries and what was left out, all in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, Text, and_, cast, delete, func, insert, literal, or_, select, update

from syndicate.database.plain import micros, moment
from syndicate.database.schema import delivery, edition, edition_article, event, frozen, left_out, tally
from syndicate.database.transactions import bulk
from syndicate.errors import EditionExists, IllegalMove
from syndicate.ledger.base import Entry, LeftOut, Selection
from syndicate.model import Recipient, State, Used

T = TypeVar("T")

#: Rows of one statement; as many stand in memory.
CHUNK = 1000


def enter(connection: Connection, entry: Entry, now: datetime) -> int:
    """Writes the edition; how many deliveries it has. Raises `EditionExists`."""
    _refuse_repeat(connection, entry)
    values = _values(entry) | {"key": entry.key, "entered": micros(now), "since": micros(now), "actor": entry.actor}
    number = int(connection.execute(insert(edition), values).inserted_primary_key[0])  # type: ignore[index]
    _contents(connection, number, entry, now, what="entered", why=entry.why, actor=entry.actor)
    return _readers(connection, number, entry, entry.recipients, {}, now)


def redraft(connection: Connection, entry: Entry, reason: str, now: datetime, actor: str) -> int:
    """Writes an edition anew of which nothing was claimed. Raises `IllegalMove`."""
    number, state = connection.execute(select(edition.c.id, edition.c.state).where(edition.c.key == entry.key)).one()
    if state != "awaiting":
        raise IllegalMove(f"{entry.key} is {state} and cannot be drafted anew")
    # What never moved has no history, so its row may go; who was skipped stays so.
    planned = (delivery.c.edition == number, delivery.c.state == State.PLANNED.value)
    connection.execute(delete(delivery).where(*planned))
    rest = select(delivery.c.recipient, delivery.c.state).where(delivery.c.edition == number)
    kept: dict[str, str] = dict(connection.execute(rest).all())
    for table in (frozen, edition_article, left_out, tally):
        connection.execute(delete(table).where(table.c.edition == number))
    values = _values(entry) | {"reason": reason}
    connection.execute(update(edition).where(edition.c.id == number).values(values))
    _contents(connection, number, entry, now, what="drafted anew", why=reason, actor=actor)
    return _readers(connection, number, entry, _without(entry.recipients, kept), Counter(kept.values()), now)


def _without(recipients: Iterable[Recipient] | Selection, kept: Container[str]) -> Iterable[Recipient] | Selection:
    """Those who have no delivery yet. A selection is written past them."""
    if isinstance(recipients, Selection):
        return recipients
    return (one for one in recipients if one.address not in kept)


def _refuse_repeat(connection: Connection, entry: Entry) -> None:
    query = select(edition.c.entered, edition.c.actor).where(edition.c.key == entry.key)
    if found := connection.execute(query).first():
        by = f" by {found.actor}" if found.actor else ""
        raise EditionExists(
            f"{entry.key} was entered{by} on {moment(found.entered):%Y-%m-%d %H:%M} UTC",
            hint=f"`syndicate editions show {entry.key}` shows what became of it.",
        )
    for used in () if entry.again else entry.articles:
        query = _uses(entry.channel, used)
        if (key := connection.execute(query).scalar()) is not None:
            raise EditionExists(
                f"{used.path} was part of {key}, an earlier edition of {entry.channel}",
                hint="To say it again, ask for that in so many words: `syndicate post … --again`.",
            )


def recognise(connection: Connection, uses: Iterable[Used]) -> None:
    """Notes other slugs or paths of articles that were used, so that the next change of either finds them too."""
    article = edition_article.c
    for used in uses:
        found = connection.execute(
            select(edition.c.id, func.max(article.position))
            .join(edition_article)
            .where(edition.c.key == used.edition)
            .group_by(edition.c.id)
        ).first()
        if found:
            values = {"edition": found[0], "position": found[1] + 1, "channel": used.channel, "alias": 1}
            also = {"slug": used.slug, "path": used.path, "sha256": used.sha256, "slug_given": int(used.slug_given)}
            connection.execute(insert(edition_article), values | also)


def _uses(channel: str, used: Used) -> Any:
    """The first edition of a channel with this article: `Used.names` in SQL."""
    article = edition_article.c
    by_path = and_(article.channel == channel, article.path == used.path)
    if used.slug_given:
        by_path = and_(by_path, article.slug_given == 0)
    return (
        select(edition.c.key)
        .join(edition_article)
        .where(
            edition.c.state != "rejected",  # it was never said
            or_(
                and_(article.channel == channel, article.slug == used.slug),
                by_path,
            ),
        )
        .limit(1)
    )


def _values(entry: Entry) -> dict[str, object]:
    """What an edition says of itself, each time it is drafted."""
    return {
        "channel": entry.channel,
        "kind": entry.kind,
        "account": entry.account,
        "occasion": micros(entry.occasion),
        "title": entry.title,
        "state": "awaiting" if entry.plan else "sending",
        "plan": entry.plan,
        "list": entry.list,
        "sha256": sha256(entry.frozen).hexdigest(),
    }


def _contents(
    connection: Connection, number: int, entry: Entry, now: datetime, *, what: str, why: str, actor: str
) -> None:
    """Frozen bytes, articles, and a line of the history."""
    connection.execute(insert(frozen), {"edition": number, "data": entry.frozen})
    connection.execute(
        insert(event), {"at": micros(now), "edition": number, "what": what, "reason": why, "actor": actor}
    )
    _many(
        connection,
        edition_article,
        [
            {
                "edition": number,
                "position": position,
                "channel": entry.channel,
                "slug": used.slug,
                "path": used.path,
                "sha256": used.sha256,
                "slug_given": int(used.slug_given),
            }
            for position, used in enumerate(entry.articles)
        ],
    )


def _readers(
    connection: Connection,
    number: int,
    entry: Entry,
    recipients: Iterable[Recipient] | Selection,
    others: Mapping[str, int],
    now: datetime,
) -> int:
    """Deliveries, who was left out, and the counts (`others`: of deliveries that stand already); how many are new."""
    if isinstance(recipients, Selection):
        count = _selected(connection, number, recipients, now)
    else:
        count, twice = _deliveries(connection, number, recipients, now)
        _left_out(connection, number, twice)
    connection.execute(insert(tally), {"edition": number, State.PLANNED.value: count, **others})
    _left_out(connection, number, entry.left_out)  # only now: an audience knows whom it left out once it was read
    return count


def _selected(connection: Connection, number: int, chosen: Selection, now: datetime) -> int:
    """The same of recipients whom the database holds, without one of them passing through here."""
    # Past those who have a delivery already, which an edition that is drafted anew may.
    statement = insert(delivery).prefix_with("OR IGNORE", dialect="sqlite")
    planned = {"edition": number, "state": State.PLANNED.value, "moved": micros(now)}
    rows = chosen.recipients.add_columns(*map(literal, planned.values()))
    written = statement.from_select(["recipient", "name", "fields", "reader", *planned], rows, include_defaults=False)
    count = connection.execute(written, execution_options={"preserve_rowcount": True}).rowcount
    chosen.check(count)
    groups = chosen.left_out.subquery()
    many, why = groups.c
    row = select(literal(number), literal("recipients"), cast(many, Text), why)
    connection.execute(insert(left_out).from_select(["edition", "kind", "who", "reason"], row))
    return count


def _deliveries(
    connection: Connection, number: int, recipients: Iterable[Recipient], now: datetime
) -> tuple[int, list[LeftOut]]:
    """How many were written, and who was named twice: the second time is left out, with a reason."""
    statement = insert(delivery).prefix_with("OR IGNORE", dialect="sqlite")
    count, twice, moved = 0, [], micros(now)
    last = connection.scalar(select(func.max(delivery.c.id))) or 0
    for chunk in _chunks(recipients):
        rows = [_planned(number, recipient, moved) for recipient in chunk]
        written = bulk(connection, statement, rows).rowcount
        count += written
        if written < len(rows):
            new = connection.scalars(
                select(delivery.c.recipient).where(delivery.c.edition == number, delivery.c.id > last)
            )
            repeated = Counter(recipient.address for recipient in chunk) - Counter(new)
            twice += [LeftOut("recipient", who, "is in the audience twice") for who in repeated]
        last = connection.scalar(select(func.max(delivery.c.id))) or 0
    return count, twice


def _planned(number: int, recipient: Recipient, moved: int) -> Mapping[str, object]:
    fields = json.dumps(dict(recipient.fields), ensure_ascii=False) if recipient.fields else None
    return {
        "edition": number,
        "recipient": recipient.address,
        "name": recipient.name,
        "fields": fields,
        "reader": recipient.reader,
        "state": State.PLANNED.value,
        "moved": moved,
    }


def _left_out(connection: Connection, number: int, left: Iterable[LeftOut]) -> None:
    for chunk in _chunks(left):
        rows = [{"edition": number, "kind": one.kind, "who": one.who, "reason": one.reason} for one in chunk]
        _many(connection, left_out, rows)


def _many(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        bulk(connection, insert(table), rows)


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
