"""Rows of the database <-> the nouns of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, literal_column

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
#: Rows by their numbers or names: one parameter and not hundreds, each of which SQLAlchemy would write into the query.
THOSE = func.json_each(bindparam("those")).table_valued("value")
EMPTY: ColumnElement[str] = literal_column("''")
NOTHING: Mapping[str, str] = {}


#: What earlier claims have left of a delivery, as JSON; NULL for one that was never claimed, as nearly all are.
PAST = case(
    (
        d.epoch > literal_column("0"),
        # A text, since not every SQLite carries through a CASE that something is JSON.
        func.json_array(d.attempt, d.epoch, d.doubted, d.sha256, d.size, d.fills, d.receipt, d.permalink).concat(EMPTY),
    )
).label("past")


def in_one(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """All rows of a subquery in one value, for `rows_of`. If they are ordered, they have to be limited too.

    The driver lets go of the interpreter at every row, and has to wait for it again if another thread works.
    """
    return func.json_group_array(func.json_array(*columns))


def rows_of(connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> list[list[Any]]:
    """The rows of a query for `in_one`."""
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
        fields=json.loads(fields) if fields else NOTHING,
        reader=reader,
        account=account,
        state=STATES[state],
        attempt=attempt,
        epoch=epoch,
        due=moment_of(due) if due else None,
        doubted=optional(doubted),
        sha256=sha256,
        size=size,
        fills=json.loads(fills) if fills else NOTHING,
        receipt=receipt,
        permalink=permalink,
        reason=reason,
        moved=moment_of(moved) if moved else None,
    )


def again(claimed: Delivery, past: str) -> Delivery:
    """One that was claimed for the first time, as it seemed, with its `PAST`."""
    attempt, epoch, doubted, sha256, size, fills, receipt, permalink = json.loads(past)
    return replace(
        claimed,
        attempt=attempt + 1,
        epoch=epoch + 1,
        doubted=optional(doubted),
        sha256=sha256,
        size=size,
        fills=json.loads(fills) if fills else NOTHING,
        receipt=receipt,
        permalink=permalink,
    )


#: What is claimed together has moved together.
moment_of = lru_cache(maxsize=16)(moment)


def optional(stored: int | None) -> datetime | None:
    """A moment that may be missing."""
    return None if stored is None else moment(stored)
