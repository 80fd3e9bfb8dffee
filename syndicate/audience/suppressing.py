"""Who is not to be mailed: looking it up, writing it down, taking it back. Functions over one transaction.

Whoever was erased is known by a keyed hash alone. It is made for an address whenever one comes in, but only where
anybody was erased: a million imports need not pay for nobody.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select

from syndicate.audience.addresses import unique
from syndicate.database.people import ERASED, suppression
from syndicate.database.plain import micros, moment
from syndicate.model.people import EVERYWHERE, Reason, Suppression

#: Bytes of the hash; 160 bits tell all addresses apart that there will ever be.
MARK = 20
_row = suppression.c
_THOSE = func.json_each(bindparam("those")).table_valued("value")
_FOUND = (
    select(_THOSE.c.value.label("name"), suppression)
    .join(suppression, _row.person == _THOSE.c.value)
    .order_by(_row.list)
)
_ERASED = select(_row.person).where(_row.person >= ERASED, _row.person < f"{ERASED}~")
_ANYBODY_ERASED = select(exists(_ERASED))
_ONCE = insert(suppression).prefix_with("OR IGNORE", dialect="sqlite")


def mark(secret: bytes, person: str) -> str:
    """What stands for an erased person: nobody can tell the address from it without the secret (RFC 2104)."""
    return ERASED + hmac.digest(secret, b"erased\0" + person.encode(), "sha256")[:MARK].hex()


def found(
    connection: Connection, persons: Iterable[str], secrets: Sequence[bytes]
) -> Mapping[str, Sequence[Suppression]]:
    """Person -> suppressions, the one that holds everywhere first; nothing for those who have none."""
    names = {person: person for person in persons}
    if connection.scalar(_ANYBODY_ERASED):
        names |= {name: person for person in tuple(names) for name in _marks(person, secrets)}
    result: dict[str, list[Suppression]] = {}
    for row in connection.execute(_FOUND, {"those": json.dumps(list(names))}):
        result.setdefault(names[row.name], []).append(suppression_of(row))
    return result


def suppression_of(row: Any) -> Suppression:
    """A row of the table."""
    return Suppression(row.person, row.list, row.reason, row.source, moment(row.at), row.actor)


def is_erased(suppressions: Iterable[Suppression]) -> bool:
    """Whether the person asked to be forgotten."""
    return any(one.reason == Reason.ERASED for one in suppressions)


def erased(connection: Connection, secrets: Sequence[bytes]) -> Callable[[str], str]:
    """Address -> the hash that stands for it if it was erased, else nothing. The hashes are read once: they are few."""
    known = set(connection.scalars(_ERASED))
    if not known:
        return lambda address: ""
    return lambda address: next((name for name in _marks(unique(address), secrets) if name in known), "")


def _marks(person: str, secrets: Iterable[bytes]) -> list[str]:
    return [mark(secret, person) for secret in secrets]


def bars(suppressions: Iterable[Suppression], wanted: str) -> Suppression | None:
    """The first that keeps a person from this list."""
    return next((one for one in suppressions if one.list in {EVERYWHERE, wanted}), None)


def suppress(
    connection: Connection, person: str, where: Iterable[str], reason: str, source: str, at: datetime, actor: str
) -> int:
    """Writes it down for each of these lists; how many are new. The first reason stays."""
    row = {"person": person, "reason": reason, "source": source, "at": micros(at), "actor": actor}
    return sum(connection.execute(_ONCE, row | {"list": one}).rowcount for one in where)


def lift(connection: Connection, one: Suppression) -> None:
    """Takes it back."""
    connection.execute(delete(suppression).where(_row.person == one.person, _row.list == one.list))


def refusals(
    connection: Connection, addresses: Iterable[str], wanted: str, secrets: Sequence[bytes]
) -> Mapping[str, Suppression]:
    """Those of the addresses that nothing may be mailed to on this list."""
    persons = {address: unique(address) for address in addresses}
    known = found(connection, set(persons.values()), secrets)
    return {
        address: barred
        for address, person in persons.items()
        if person in known and (barred := bars(known[person], wanted))
    }
