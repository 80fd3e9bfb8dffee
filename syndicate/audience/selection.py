"""Who of a stored list gets an edition, and why the others do not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, literal_column, not_, null, select

from syndicate.audience.addresses import unique
from syndicate.audience.segments import condition
from syndicate.database.people import lists, member, subscriber, suppression
from syndicate.model import Problem, Recipient
from syndicate.model.people import Standing
from syndicate.model.segments import parse

if TYPE_CHECKING:
    from syndicate.database.transactions import Database

#: Subscribers of one page of a stream.
PAGE = 1000
NOT_CONFIRMED = "has not confirmed"
OUTSIDE = "is not in the segment"


class Stored:
    """The readers of a stored list, or of a segment of it; the same face as `csv.Readers`."""

    def __init__(self, database: Database, list: str, segment: str = "", zone: str = "UTC") -> None:
        """`zone`: whose days the dates of the segment are. Raises `SegmentError` for a faulty one."""
        self.list = list
        self.segment = segment
        #: nothing can be wrong with its rows, and nobody is named who is left out: `groups` counts them
        self.problems: Sequence[Problem] = ()
        self.left_out: Sequence[tuple[str, str]] = ()
        self._database = database
        self._inside = condition(parse(segment), ZoneInfo(zone)) if segment else None

    def __iter__(self) -> Iterator[Recipient]:
        """In the order in which people came, each page in a transaction of its own."""
        query, last = self.recipients, 0
        while True:
            with self._database.reading() as connection:
                page = connection.execute(query.where(member.c.subscriber > last).limit(PAGE)).all()
            for address, name, fields, reader in page:
                yield Recipient(address, name, json.loads(fields) if fields else {}, reader)
            if len(page) < PAGE:
                return
            last = page[-1].id

    @cached_property
    def recipients(self) -> Select[Any]:
        """(address, name, fields, reader) of each, for the ledger."""
        person = subscriber.c
        query = select(person.address, person.name, person.fields, person.id).select_from(member.join(subscriber))
        return query.where(member.c.list == self.list, self.verdict.is_(None)).order_by(member.c.subscriber)

    @cached_property
    def groups(self) -> Select[Any]:
        """(how many, why) of the members who do not get it, the largest group first."""
        shown: tuple[ColumnElement[Any], ...] = (func.count().label("many"), self.verdict.label("why"))
        query = select(*shown).select_from(member.join(subscriber))
        query = query.where(member.c.list == self.list, self.verdict.is_not(None))
        return query.group_by(literal_column("why")).order_by(literal_column("many").desc(), literal_column("why"))

    @cached_property
    def verdict(self) -> ColumnElement[str]:
        """Why a member does not get it; NULL for who does."""
        state = member.c.state
        stands = case(
            (state == Standing.UNSUBSCRIBED, Standing.UNSUBSCRIBED), (state == Standing.PENDING, NOT_CONFIRMED)
        )
        suppressed = (
            select(suppression.c.reason)
            .where(suppression.c.person == subscriber.c.person, suppression.c.list.in_(("", self.list)))
            .limit(1)
            .scalar_subquery()
        )
        outside = null() if self._inside is None else case((not_(self._inside), OUTSIDE))
        return func.coalesce(stands, suppressed, outside)

    def count(self) -> int:
        """How many would get an edition now."""
        query = select(func.count()).select_from(member.join(subscriber))
        with self._database.reading() as connection:
            return connection.scalar(query.where(member.c.list == self.list, self.verdict.is_(None))) or 0

    def why(self, address: str) -> str | None:
        """Why an address would not get an edition now; None if it would."""
        query = select(self.verdict).select_from(member.join(subscriber))
        query = query.where(member.c.list == self.list, subscriber.c.person == unique(address))
        with self._database.reading() as connection:
            found = connection.execute(query).first()
        return f"is not on the list {self.list}" if found is None else found[0]

    def fingerprint(self) -> str:
        """Hex SHA-256 of the list, the segment, and of what has come in or was changed since there is the list.

        Who leaves changes nothing: the claim looks at that, and nobody needs to be asked about it.
        """
        with self._database.reading() as connection:
            version = connection.scalar(select(lists.c.version).where(lists.c.name == self.list)) or 0
        return sha256(json.dumps([self.list, self.segment, version]).encode()).hexdigest()
