"""Rows of the database <-> the nouns of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from syndicate.database.plain import moment
from syndicate.database.schema import delivery, edition
from syndicate.model import Delivery, State

d = delivery.c

#: What `delivery_of` unpacks, in this order.
COLUMNS = (
    d.id, edition.c.key, d.recipient, d.name, d.fields, d.reader, edition.c.account, d.state, d.attempt, d.epoch,
    d.due, d.doubted, d.sha256, d.size, d.fills, d.receipt, d.permalink, d.reason, d.moved,
)  # fmt: skip

STATES = {state.value: state for state in State}
_NOTHING: Mapping[str, str] = {}


def at_once(query: Select[Any]) -> Select[Any]:
    """The rows of a query in one value, for `rows_of`. One that is ordered has to be limited too.

    The driver lets go of the interpreter at every row, and has to wait for it again if another thread works.
    """
    return select(func.json_group_array(func.json_array(*query.subquery().c)))


def rows_of(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> list[list[Any]]:
    """The rows of an `at_once`."""
    found: list[list[Any]] = json.loads(connection.execute(query, values).scalar_one())
    return found


def delivery_of(row: Any) -> Delivery:
    """A row of `COLUMNS` as a delivery."""
    (
        number, key, recipient, name, fields, reader, account, state, attempt, epoch,
        due, doubted, sha256, size, fills, receipt, permalink, reason, moved,
    ) = row  # fmt: skip
    return Delivery(
        id=number,
        edition=key,
        recipient=recipient,
        name=name,
        fields=json.loads(fields) if fields else _NOTHING,
        reader=reader,
        account=account,
        state=STATES[state],
        attempt=attempt,
        epoch=epoch,
        due=_moment(due) if due else None,
        doubted=optional(doubted),
        sha256=sha256,
        size=size,
        fills=json.loads(fills) if fills else _NOTHING,
        receipt=receipt,
        permalink=permalink,
        reason=reason,
        moved=_moment(moved) if moved else None,
    )


#: What is claimed together has moved together.
_moment = lru_cache(maxsize=16)(moment)


def optional(stored: int | None) -> datetime | None:
    """A moment that may be missing."""
    return None if stored is None else moment(stored)
