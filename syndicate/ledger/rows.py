"""Rows of the database <-> the nouns of the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syndicate.database.plain import moment
from syndicate.database.schema import delivery, edition
from syndicate.model import Delivery, State

d = delivery.c

#: What `delivery_of` unpacks, in this order.
COLUMNS = (
    d.id, edition.c.key, d.recipient, d.name, d.fields, edition.c.account, d.state, d.attempt, d.epoch,
    d.due, d.doubted, d.sha256, d.size, d.fills, d.receipt, d.permalink, d.reason, d.moved,
)  # fmt: skip

_STATES = {state.value: state for state in State}
_NOTHING: Mapping[str, str] = {}


def delivery_of(row: Any) -> Delivery:
    """A row of `COLUMNS` as a delivery."""
    (
        number, key, recipient, name, fields, account, state, attempt, epoch,
        due, doubted, sha256, size, fills, receipt, permalink, reason, moved,
    ) = row  # fmt: skip
    return Delivery(
        id=number,
        edition=key,
        recipient=recipient,
        name=name,
        fields=json.loads(fields) if fields else _NOTHING,
        account=account,
        state=_STATES[state],
        attempt=attempt,
        epoch=epoch,
        due=moment(due) if due else None,
        doubted=optional(doubted),
        sha256=sha256,
        size=size,
        fills=json.loads(fills) if fills else _NOTHING,
        receipt=receipt,
        permalink=permalink,
        reason=reason,
        moved=moment(moved) if moved else None,
    )


def optional(stored: int | None) -> datetime | None:
    """A moment that may be missing."""
    return None if stored is None else moment(stored)
