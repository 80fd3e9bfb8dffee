"""Rows of an import become subscribers: many at once, and the strictest word about each counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update

from syndicate.audience import joining, suppressing
from syndicate.audience.addresses import unique
from syndicate.audience.joining import Line
from syndicate.database.people import member, subscriber, tag
from syndicate.database.plain import micros
from syndicate.database.transactions import bulk
from syndicate.model.people import EVERYWHERE, Newcomer, Reason, Said, Standing, Suppression, Taken

_THOSE = func.json_each(bindparam("those")).table_valued("value")
_KNOWN = select(subscriber.c.person, subscriber.c.id, subscriber.c.name, subscriber.c.fields).join(
    _THOSE, subscriber.c.person == _THOSE.c.value
)
# Not joined: SQLite would walk through all members of the list for that.
_STANDING = select(member.c.subscriber, member.c.state).where(
    member.c.list == bindparam("to"), member.c.subscriber.in_(select(_THOSE.c.value))
)
_TAGS = select(tag.c.subscriber, tag.c.name).where(tag.c.subscriber.in_(select(_THOSE.c.value)))
# Made once, because `bulk` keeps their text.
_MEET, _JOIN = insert(subscriber), insert(member)
_FILL = (
    update(subscriber)
    .where(subscriber.c.id == bindparam("reader"))
    .values(name=bindparam("named"), fields=bindparam("held"))
)
_MOVE = (
    update(member)
    .where(member.c.list == bindparam("to"), member.c.subscriber == bindparam("reader"))
    .values(state=bindparam("new"), joined=bindparam("since"), moved=bindparam("now"))
)
_SAID = {
    Standing.ACTIVE: Said.IMPORTED,
    Standing.PENDING: Said.ASKED,
    Standing.UNSUBSCRIBED: Said.WITHDRAWN,
}
_TAKEN = {Standing.ACTIVE: Taken.ADDED, Standing.PENDING: Taken.PENDING, Standing.UNSUBSCRIBED: Taken.LEFT}


@dataclass(slots=True)
class _Person:
    """A subscriber, or one in the making, with what the rows add."""

    address: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    #: 0 until written
    reader: int = 0
    #: name or fields are more than what is stored
    grown: bool = False

    def fill(self, row: Newcomer) -> set[str] | None:
        """New tags of the row, None if all it says is known. What is known stays: it may be newer than the file."""
        missing = {name: value for name, value in row.fields.items() if value and name not in self.fields}
        tags = {one for tag in row.tags if (one := tag.strip().lower())} - self.tags
        grown = bool(missing or (row.name and not self.name))
        self.name, self.grown = self.name or row.name, self.grown or grown
        self.fields |= missing
        self.tags |= tags
        return tags if grown or tags else None


@dataclass(slots=True)
class _Changes:
    """What a chunk of rows comes to, to be written in few statements."""

    lines: list[Line] = field(default_factory=list)
    members: list[Mapping[str, object]] = field(default_factory=list)
    moves: list[Mapping[str, object]] = field(default_factory=list)
    tags: list[tuple[int, str]] = field(default_factory=list)


def take(
    connection: Connection, rows: Sequence[Newcomer], to: str, secrets: Sequence[bytes], now: datetime, actor: str
) -> Sequence[Taken]:
    """What became of each row, in their order. On no list at all, a row can only suppress."""
    persons = [unique(row.address) for row in rows]
    barred = {
        person: one
        for person, known in suppressing.found(connection, set(persons), secrets).items()
        if (one := suppressing.bars(known, to)) or (one := next(filter(_erased, known), None))
    }
    if to == EVERYWHERE:
        return [_suppress(connection, row, barred.get(unique(row.address)), now, actor) for row in rows]
    people, gains = _meet(connection, rows, persons, barred, now)
    states = _states(connection, [one.reader for one in people.values()], to)
    joining.make_list(connection, to)
    changes, result = _Changes(), []
    for row, person, gain in zip(rows, persons, gains, strict=True):
        if person in barred or row.suppressed:
            away = _suppress(connection, row, barred.get(person), now, actor)
        if person in barred:
            result.append(away)
            continue
        reader = people[person].reader
        changes.tags += [(reader, one) for one in gain or ()]
        taken = _settle(row, reader, states, to, now, changes)
        if taken is Taken.KNOWN and gain is not None:
            taken = Taken.UPDATED
        if taken is Taken.LEFT:
            suppressing.suppress(connection, person, [to], Reason.UNSUBSCRIBED, row.grounds.source, now, actor)
        result.append(Taken.SUPPRESSED if row.suppressed else taken)
    _write(connection, changes, to, now, actor)
    return result


def _suppress(connection: Connection, row: Newcomer, barred: Suppression | None, now: datetime, actor: str) -> Taken:
    """Of somebody who is not to be mailed, by the store or by the row. Of the erased nothing is written down."""
    if barred and _erased(barred):
        return Taken.ERASED
    if row.suppressed:
        person, source = unique(row.address), row.grounds.source
        suppressing.suppress(connection, person, [EVERYWHERE], row.suppressed, source, now, actor)
    return Taken.SUPPRESSED


def _erased(one: Suppression) -> bool:
    return suppressing.is_erased([one])


def _meet(
    connection: Connection, rows: Sequence[Newcomer], persons: Sequence[str], barred: Mapping[str, Suppression],
    now: datetime,
) -> tuple[Mapping[str, _Person], Sequence[set[str] | None]]:  # fmt: skip
    """(person -> subscriber, what each row adds). New ones are made; of the known, what is missing is filled in."""
    people = _known(connection, persons)
    gains: list[set[str] | None] = []
    for row, person in zip(rows, persons, strict=True):
        if person in barred:
            gains.append(None)
            continue
        gains.append(people.setdefault(person, _Person(row.address)).fill(row))
    fresh = {person: one for person, one in people.items() if not one.reader}
    values = [_values(person, one) | {"created": micros(now)} for person, one in fresh.items()]
    if values:
        bulk(connection, _MEET, values)
    for made in connection.execute(_KNOWN, {"those": json.dumps(list(fresh))}):
        fresh[made.person].reader = made.id
    if filled := [one for person, one in people.items() if one.grown and person not in fresh]:
        held = [{"reader": one.reader, "named": one.name, "held": joining.packed(one.fields)} for one in filled]
        bulk(connection, _FILL, held)
    return people, gains


def _known(connection: Connection, persons: Sequence[str]) -> dict[str, _Person]:
    """Those of the persons who are subscribers, with their tags."""
    found = {
        row.person: _Person("", row.name, json.loads(row.fields) if row.fields else {}, reader=row.id)
        for row in connection.execute(_KNOWN, {"those": json.dumps(persons)})
    }
    by_reader = {one.reader: one for one in found.values()}
    for reader, name in connection.execute(_TAGS, {"those": json.dumps(list(by_reader))}) if found else ():
        by_reader[reader].tags.add(name)
    return found


def _values(person: str, one: _Person) -> dict[str, object]:
    return {"person": person, "address": one.address, "name": one.name, "fields": joining.packed(one.fields)}


def _states(connection: Connection, readers: Sequence[int], to: str) -> dict[int, Standing]:
    wanted = {"those": json.dumps(readers), "to": to}
    return {reader: Standing(state) for reader, state in connection.execute(_STANDING, wanted)}


def _settle(
    row: Newcomer, reader: int, states: dict[int, Standing], to: str, now: datetime, changes: _Changes
) -> Taken:
    """Where a row puts somebody who is not suppressed. Without proof of consent nobody becomes active."""
    wanted, before = _wanted(row), states.get(reader)
    if before is Standing.UNSUBSCRIBED or before is wanted:
        return Taken.LEFT if before is Standing.UNSUBSCRIBED else Taken.KNOWN
    if before is Standing.ACTIVE and wanted is Standing.PENDING:
        return Taken.KNOWN
    states[reader] = wanted
    changes.lines.append(Line(reader, to, _SAID[wanted], row.grounds))
    joined = micros(row.joined or row.grounds.given or now)
    key = {"list": to, "subscriber": reader}
    if before is None:
        changes.members.append(key | {"state": wanted.value, "joined": joined, "moved": micros(now)})
    else:
        changes.moves.append({"to": to, "reader": reader, "new": wanted.value, "since": joined, "now": micros(now)})
    return _TAKEN[wanted]


def _wanted(row: Newcomer) -> Standing:
    proven = row.grounds.source and row.grounds.given
    return Standing.PENDING if row.state is Standing.ACTIVE and not proven else row.state


def _write(connection: Connection, changes: _Changes, to: str, now: datetime, actor: str) -> None:
    joining.record(connection, changes.lines, now, actor)  # first: without it nobody may be active
    if changes.members:
        bulk(connection, _JOIN, changes.members)
    if changes.moves:
        bulk(connection, _MOVE, changes.moves)
    joining.put_tags(connection, changes.tags)
    joining.changed(connection, [to])
