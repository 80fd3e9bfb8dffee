"""What is known: of one person, of many in a row, of the lists. Functions over one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Exists, bindparam, exists, func, select

from syndicate.audience import joining, suppressing
from syndicate.audience.addresses import unique
from syndicate.database.people import consent, lists, member, subscriber, suppression, tag, wording
from syndicate.database.plain import moment
from syndicate.database.schema import delivery, edition, left_out
from syndicate.model.people import (
    EVERYWHERE,
    Consent,
    Dossier,
    ListCount,
    Mailed,
    Membership,
    Said,
    Standing,
    Subscriber,
    Suppression,
)

_THOSE = func.json_each(bindparam("those")).table_valued("value")


# Made once: what a click on a link asks for is small, and building a statement costs as much as running it.
_BY_PERSON = select(subscriber).where(subscriber.c.person == bindparam("who"))
_BY_READER = select(subscriber).where(subscriber.c.id == bindparam("who"))
_TAGS_OF = select(tag.c.name).where(tag.c.subscriber == bindparam("who")).order_by(tag.c.name)


def row_of(connection: Connection, who: str | int) -> Any:
    """The row of a subscriber, by address or by number; None where there is none."""
    if isinstance(who, int):
        return connection.execute(_BY_READER, {"who": who}).first()
    return connection.execute(_BY_PERSON, {"who": unique(who)}).first()


def list_named(connection: Connection, number: int) -> str | None:
    """The list of a number."""
    return connection.scalar(select(lists.c.name).where(lists.c.id == number))


def find(connection: Connection, who: str | int) -> Subscriber | None:
    """One subscriber."""
    row = row_of(connection, who)
    if row is None:
        return None
    tags = connection.scalars(_TAGS_OF, {"who": row.id}).all()
    return _subscriber(row, tags, joining.memberships(connection, row.id))


def _subscriber(row: Any, tags: Sequence[str], memberships: Sequence[Membership]) -> Subscriber:
    return Subscriber(
        reader=row.id,
        address=row.address,
        name=row.name,
        fields=json.loads(row.fields) if row.fields else {},
        tags=tuple(tags),
        created=moment(row.created),
        memberships=tuple(memberships),
    )


def dossier(connection: Connection, address: str, secrets: Sequence[bytes]) -> Dossier:
    """All that is known of an address."""
    person, found = unique(address), find(connection, address)
    known = suppressing.found(connection, [person], secrets).get(person, ())
    return Dossier(
        address=address,
        subscriber=found,
        consents=tuple(_consents(connection, [found.reader]).get(found.reader, ())) if found else (),
        suppressions=tuple(known),
        deliveries=tuple(_deliveries(connection, person)),
        left_out=tuple(_left_out(connection, person)),
    )


def _deliveries(connection: Connection, person: str) -> list[Mailed]:
    """Read whole: files may have spelled the address in any case, and people ask this rarely."""
    row = delivery.c
    query = (
        select(edition.c.key, edition.c.title, row.state, row.moved, row.reason)
        .select_from(delivery.join(edition))
        .where(func.lower(row.recipient) == person)
        .order_by(row.id)
    )
    return [
        Mailed(key, title, state, moment(moved) if moved else None, reason)
        for key, title, state, moved, reason in connection.execute(query)
    ]


def _left_out(connection: Connection, person: str) -> list[tuple[str, str]]:
    row = left_out.c
    query = select(edition.c.key, row.reason).join(edition, edition.c.id == row.edition)
    query = query.where(row.kind == "recipient", func.lower(row.who) == person).order_by(row.id)
    return [(key, reason) for key, reason in connection.execute(query)]


def _consents(connection: Connection, readers: Sequence[int]) -> Mapping[int, list[Consent]]:
    row = consent.c
    query = (
        select(consent, wording.c.text)
        .join(_THOSE, row.subscriber == _THOSE.c.value)
        .outerjoin(wording, wording.c.sha256 == row.wording)
        .order_by(row.id)
    )
    found: dict[int, list[Consent]] = {}
    for one in connection.execute(query, {"those": json.dumps(readers)}).all():
        line = Consent(
            list=one.list, what=Said(one.what), at=moment(one.at), given=moment(one.given), source=one.source,
            wording=one.text or "", sha256=one.wording, evidence=one.evidence, ip=one.ip, agent=one.agent,
            actor=one.actor,
        )  # fmt: skip
        found.setdefault(one.subscriber, []).append(line)
    return found


def page(
    connection: Connection, to: str, states: Iterable[Standing], after: int, size: int, secrets: Sequence[bytes]
) -> Sequence[tuple[int, Dossier]]:
    """Up to `size` subscribers with greater numbers, each by his number, with all but deliveries."""
    query = select(subscriber).where(subscriber.c.id > after).order_by(subscriber.c.id).limit(size)
    wanted = [state.value for state in states]
    if to or wanted:
        query = query.where(_is_member(to, wanted))
    rows = connection.execute(query).all()
    readers = [row.id for row in rows]
    tags, standing = _tags(connection, readers), _memberships(connection, readers)
    consents = _consents(connection, readers)
    known = suppressing.found(connection, [row.person for row in rows], secrets)
    return [
        (
            row.id,
            Dossier(
                address=row.address,
                subscriber=_subscriber(row, tags.get(row.id, ()), standing.get(row.id, ())),
                consents=tuple(consents.get(row.id, ())),
                suppressions=tuple(known.get(row.person, ())),
            ),
        )
        for row in rows
    ]


def _is_member(to: str, states: Sequence[str]) -> Exists:
    query = select(member.c.subscriber).where(member.c.subscriber == subscriber.c.id)
    if to:
        query = query.where(member.c.list == to)
    return exists(query.where(member.c.state.in_(states)) if states else query)


def _tags(connection: Connection, readers: Sequence[int]) -> Mapping[int, list[str]]:
    query = select(tag).join(_THOSE, tag.c.subscriber == _THOSE.c.value).order_by(tag.c.name)
    found: dict[int, list[str]] = {}
    for reader, name in connection.execute(query, {"those": json.dumps(readers)}).all():
        found.setdefault(reader, []).append(name)
    return found


def _memberships(connection: Connection, readers: Sequence[int]) -> Mapping[int, list[Membership]]:
    query = select(member).join(_THOSE, member.c.subscriber == _THOSE.c.value).order_by(member.c.list)
    found: dict[int, list[Membership]] = {}
    for row in connection.execute(query, {"those": json.dumps(readers)}).all():
        found.setdefault(row.subscriber, []).append(joining.membership_of(row))
    return found


def counts(connection: Connection, name: str = "") -> Sequence[ListCount]:
    """The lists, or one of them, with their members."""
    wanted = select(lists.c.id, lists.c.name).order_by(lists.c.name)
    if name:
        wanted = wanted.where(lists.c.name == name)
    return [_count(connection, number, found) for number, found in connection.execute(wanted).all()]


def _count(connection: Connection, number: int, name: str) -> ListCount:
    grouped = select(member.c.state, func.count()).where(member.c.list == name).group_by(member.c.state)
    states = dict.fromkeys(Standing, 0) | {Standing(state): n for state, n in connection.execute(grouped)}
    # From the suppressed to the members: there are far fewer of them.
    those = select(suppression.c.person).where(suppression.c.list.in_((EVERYWHERE, name))).distinct().subquery()
    barred = (
        select(func.count())
        .select_from(those)
        .join(subscriber, subscriber.c.person == those.c.person)
        .join(member, (member.c.subscriber == subscriber.c.id) & (member.c.list == name))
        .where(member.c.state == Standing.ACTIVE.value)
    )
    return ListCount(name, number, states, connection.scalar(barred) or 0)


def suppressions(connection: Connection, address: str, secrets: Sequence[bytes]) -> Sequence[Suppression]:
    """Of one address."""
    person = unique(address)
    return suppressing.found(connection, [person], secrets).get(person, ())
