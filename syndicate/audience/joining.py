"""Coming and going: subscribers, their memberships, and the record of consent. Functions over one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, literal, select, text, union, update

from syndicate.audience import suppressing
from syndicate.database.people import consent, lists, member, subscriber, suppression, tag, wording
from syndicate.database.plain import micros, moment
from syndicate.database.schema import edition
from syndicate.database.transactions import bulk
from syndicate.model.people import EVERYWHERE, Grounds, Membership, Reason, Said, Standing, Suppression

_ONCE = "OR IGNORE"
# Made once: to build a statement costs as much as to run it, and `bulk` keeps its text.
_RECORD = insert(consent)
_SHOWN = insert(wording).prefix_with(_ONCE, dialect="sqlite")
_LISTS_OF = select(member).where(member.c.subscriber == bindparam("reader")).order_by(member.c.list)
_ON_LIST = select(member).where(member.c.list == bindparam("to"), member.c.subscriber == bindparam("reader"))
_MOVE = text(
    "INSERT INTO member (list, subscriber, state, joined, moved) VALUES (:list, :subscriber, :state, :joined, :moved) "
    "ON CONFLICT (list, subscriber) DO UPDATE SET state = excluded.state, joined = excluded.joined, "
    "moved = excluded.moved"
)
_TAG = insert(tag).prefix_with(_ONCE, dialect="sqlite")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the record of consent that is to be written."""

    reader: int
    list: str
    what: Said
    grounds: Grounds


def subscriber_of(
    connection: Connection, person: str, address: str, name: str, fields: Mapping[str, str], now: datetime
) -> tuple[int, bool]:
    """(number, whether it is new) of the subscriber of an address. Who is known keeps the data that are known."""
    known = connection.scalar(select(subscriber.c.id).where(subscriber.c.person == person))
    if known is not None:
        return known, False
    values = {"person": person, "address": address, "name": name, "fields": packed(fields), "created": micros(now)}
    return int(connection.execute(insert(subscriber), values).inserted_primary_key[0]), True  # type: ignore[index]


def packed(fields: Mapping[str, str]) -> str | None:
    """Fields as they are stored."""
    held = {name: value for name, value in fields.items() if value}
    return json.dumps(held, ensure_ascii=False) if held else None


def make_list(connection: Connection, name: str) -> None:
    """A list begins with its first member."""
    connection.execute(insert(lists).prefix_with(_ONCE, dialect="sqlite"), {"name": name})


def changed(connection: Connection, names: Iterable[str]) -> None:
    """Somebody may be in the next edition to these lists who was not before, or in other words."""
    connection.execute(update(lists).where(lists.c.name.in_(tuple(names))).values(version=lists.c.version + 1))


def put_tags(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """(reader, tag) of each."""
    told = {(reader, name.strip().lower()) for reader, name in rows if name.strip()}
    if told:
        values = [{"subscriber": reader, "name": name} for reader, name in sorted(told)]
        bulk(connection, _TAG, values)


def record(connection: Connection, lines: Sequence[Line], now: datetime, actor: str) -> None:
    """Adds to the record of consent. Each wording is kept once."""
    if not lines:
        return
    shown = {line.grounds.wording for line in lines} - {""}
    hashes = {words: sha256(words.encode()).hexdigest() for words in shown} | {"": ""}
    for words in shown:
        connection.execute(_SHOWN, {"sha256": hashes[words], "text": words})
    bulk(connection, _RECORD, [_line(line, hashes[line.grounds.wording], micros(now), actor) for line in lines])


def _line(line: Line, digest: str, now: int, actor: str) -> Mapping[str, object]:
    grounds = line.grounds
    return {
        "subscriber": line.reader,
        "list": line.list,
        "what": line.what.value,
        "at": now,
        "given": micros(grounds.given) if grounds.given else now,
        "wording": digest,
        "source": grounds.source,
        "evidence": grounds.evidence,
        "ip": grounds.ip,
        "agent": grounds.agent,
        "actor": actor,
    }


def memberships(connection: Connection, reader: int) -> Sequence[Membership]:
    """By name of the list."""
    return [membership_of(row) for row in connection.execute(_LISTS_OF, {"reader": reader}).all()]


def membership(connection: Connection, reader: int, to: str) -> Membership | None:
    """One of them."""
    row = connection.execute(_ON_LIST, {"to": to, "reader": reader}).first()
    return membership_of(row) if row else None


def membership_of(row: Any) -> Membership:
    """A row of the table."""
    return Membership(row.subscriber, row.list, Standing(row.state), moment(row.joined), moment(row.moved))


def ask(connection: Connection, reader: int, to: str, grounds: Grounds, now: datetime, actor: str) -> Membership:
    """Pending, unless active already. In any case it is written down that somebody asked."""
    make_list(connection, to)
    record(connection, [Line(reader, to, Said.ASKED, grounds)], now, actor)
    standing = membership(connection, reader, to)
    if standing and standing.state is Standing.ACTIVE:
        return standing
    return _move(connection, Membership(reader, to, Standing.PENDING, now, now))


def confirm(connection: Connection, standing: Membership, grounds: Grounds, now: datetime, actor: str) -> Membership:
    """Pending becomes active; the consent comes first, without which the database refuses it."""
    record(connection, [Line(standing.reader, standing.list, Said.CONFIRMED, grounds)], now, actor)
    changed(connection, [standing.list])
    return _move(connection, Membership(standing.reader, standing.list, Standing.ACTIVE, now, now))


def _move(connection: Connection, to: Membership) -> Membership:
    values = {"state": to.state.value, "joined": micros(to.joined), "moved": micros(to.moved)}
    connection.execute(_MOVE, values | {"list": to.list, "subscriber": to.reader})
    return to


def forgive(connection: Connection, known: Sequence[Suppression], to: str) -> None:
    """Lifts the person's own withdrawals where they stand against this list.

    Who had left everything comes back to this list alone: all others stay left, those of files too.
    """
    own = [one for one in known if one.reason == Reason.UNSUBSCRIBED and one.list in {to, EVERYWHERE}]
    for one in own:
        if one.list == EVERYWHERE:
            others = union(select(lists.c.name), select(edition.c.list).where(edition.c.list != EVERYWHERE)).subquery()
            rows = select(
                literal(one.person), others.c[0], literal(one.reason), literal(one.source), literal(micros(one.at)),
                literal(one.actor),
            ).where(others.c[0] != to)  # fmt: skip
            once = insert(suppression).prefix_with(_ONCE, dialect="sqlite")
            connection.execute(once.from_select(["person", "list", "reason", "source", "at", "actor"], rows))
        suppressing.lift(connection, one)


def leave(
    connection: Connection, reader: int, lists_left: Sequence[str], source: str, at: datetime, actor: str
) -> bool:
    """Withdraws consent to each list that is not left yet; whether there was any."""
    still = [one for one in memberships(connection, reader) if one.state is not Standing.UNSUBSCRIBED]
    left = [one for one in still if one.list in lists_left]
    record(connection, [Line(reader, one.list, Said.WITHDRAWN, Grounds(source)) for one in left], at, actor)
    for one in left:
        _move(connection, Membership(reader, one.list, Standing.UNSUBSCRIBED, one.joined, at))
    return bool(left)


def edit(
    connection: Connection, reader: int, name: str | None, fields: Mapping[str, str] | None, tags: Iterable[str],
    untag: Iterable[str],
) -> None:  # fmt: skip
    """Changes name, fields and tags of a subscriber."""
    row = connection.execute(select(subscriber.c.name, subscriber.c.fields).where(subscriber.c.id == reader)).one()
    held = json.loads(row.fields) if row.fields else {}
    values = {"name": row.name if name is None else name, "fields": packed(held | dict(fields or {}))}
    connection.execute(update(subscriber).where(subscriber.c.id == reader).values(values))
    put_tags(connection, [(reader, one) for one in tags])
    gone = [one.strip().lower() for one in untag]
    connection.execute(delete(tag).where(tag.c.subscriber == reader, tag.c.name.in_(gone)))
    changed(connection, [one.list for one in memberships(connection, reader)])
