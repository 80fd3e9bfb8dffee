"""What the rates of an account leave, and who rests; each a function over one transaction.

What was begun is counted in pieces of a span, each until the last moment at which it can matter. So no span of any
position ever holds more than its rate allows, a restart forgets nothing, and an account costs fifty small rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from syndicate.database.plain import micros, moment
from syndicate.database.schema import quota, rest
from syndicate.ledger.rows import THOSE
from syndicate.model import Delivery
from syndicate.model.limits import Limits, Rate, Rest, Room, domain_of

#: Pieces of a span: a rate is reached to one part in so many, and costs so many rows.
PIECES = 50
#: Who waits does so until this share of the rate is free, and not for one delivery at a time.
WORTH_IT = 4

_BEGUN = (
    select(quota.c.domain, quota.c.span, quota.c.expires, quota.c.count)
    .join(THOSE, quota.c.domain == THOSE.c.value)
    .where(quota.c.account == bindparam("account"), quota.c.expires > bindparam("now"))
    .order_by(quota.c.expires)
)
_RESTS = (
    select(rest.c.account, rest.c.domain, rest.c.until, rest.c.failures, rest.c.reason)
    .where(rest.c.account == bindparam("account"))
    .order_by(rest.c.domain)
)
_COUNT = text(
    "INSERT INTO quota (account, domain, span, expires, count) VALUES (:account, :domain, :span, :expires, :count) "
    "ON CONFLICT (account, domain, span, expires) DO UPDATE SET count = quota.count + excluded.count"
)


class Quotas:
    """What an account has begun lately in some domains, and what its rates leave; `""` stands for the whole account."""

    def __init__(self, connection: Connection, account: str, domains: Iterable[str], now: datetime) -> None:
        self._connection = connection
        self._account = account
        self._now = micros(now)
        #: (domain, span) -> [(expires, count)], the oldest first
        self._begun: dict[tuple[str, int], list[tuple[int, int]]] = {}
        asked = {"account": account, "now": self._now, "those": json.dumps(sorted(set(domains)))}
        for domain, span, expires, count in connection.execute(_BEGUN, asked):
            self._begun.setdefault((domain, span), []).append((expires, count))

    def room(self, domain: str, rates: Iterable[Rate], begun: int = 0) -> Room | None:
        """What all of these rates leave, once so many more are begun; None where there are none."""
        rooms = [
            self._room([*self._spent(domain, rate), (_expires(self._now, micros_of(rate)), begun)], rate)
            for rate in rates
        ]
        if not rooms:
            return None
        return Room(min(one.count for one in rooms), max(one.more for one in rooms if one.more))

    def _spent(self, domain: str, rate: Rate) -> Sequence[tuple[int, int]]:
        return self._begun.get((domain, micros_of(rate)), [])

    def turns(self, domain: str, rows: Sequence[int], begun: int, rates: Sequence[Rate]) -> list[tuple[int, int]]:
        """(row, micros) for each in a queue that begins to move when those are out of the span that are begun now."""
        room = self.room(domain, rates, begun)
        start = micros(room.more) if room and room.more else self._now
        return [
            (row, start + max(place // rate.count * micros_of(rate) for rate in rates))
            for place, row in enumerate(rows)
        ]

    def _room(self, begun: Sequence[tuple[int, int]], rate: Rate) -> Room:
        free = rate.count - sum(count for _, count in begun)
        worth, then, more = max(1, rate.count // WORTH_IT), free, self._now
        for expires, count in begun:
            if then >= worth:
                break
            then, more = then + count, expires
        return Room(max(0, free), moment(more))

    def count(self, begun: Mapping[str, int], rates: Sequence[Rate]) -> None:
        """Remembers what was begun in each domain, and forgets what no longer matters."""
        self._connection.execute(delete(quota).where(quota.c.expires <= self._now))
        rows = [
            {"account": self._account, "domain": domain, "span": span, "expires": _expires(self._now, span), "count": n}
            for domain, n in begun.items()
            for span in map(micros_of, rates)
        ]
        if rows:
            self._connection.execute(_COUNT, rows)


def micros_of(rate: Rate) -> int:
    """The length of a rate's span, as it is stored."""
    return int(rate.span.total_seconds() * 1_000_000)


def _expires(now: int, span: int) -> int:
    """When a delivery begun now is out of the span: rounded up, so that it is never forgotten too early."""
    piece = span // PIECES
    return -(-(now + span) // piece) * piece


@dataclass(slots=True)
class Sorted:
    """Due deliveries, sorted by whether they may be begun."""

    #: in their order
    admitted: list[Delivery] = field(default_factory=list)
    #: (row, micros): not before this moment
    later: list[tuple[int, int]] = field(default_factory=list)


def sort(
    found: Sequence[Delivery], most: int, quotas: Quotas, resting: Mapping[str, datetime], limits: Limits
) -> Sorted:
    """Admits up to `most`. Who has to wait for a domain is spread over the time to come, as its rates allow."""
    result = Sorted()
    rooms: dict[str, int] = {}  # domain -> how many more it may have
    begun: Counter[str] = Counter()
    queues: dict[str, list[int]] = {}
    for one in found:
        if len(result.admitted) == most:
            break
        domain = domain_of(one.recipient)
        if domain in resting:
            result.later.append((one.id, micros(resting[domain])))
            continue
        if domain not in rooms:
            room = quotas.room(domain, limits.domain) if domain else None
            rooms[domain] = room.count if room else len(found)
        if begun[domain] < rooms[domain]:
            begun[domain] += 1
            result.admitted.append(one)
        else:
            queues.setdefault(domain, []).append(one.id)
    for domain, rows in queues.items():
        result.later += quotas.turns(domain, rows, begun[domain], limits.domain)
    return result


def rests(connection: Connection, account: str) -> Sequence[Rest]:
    """Who rests, or rested last and has not worked since; the whole account first."""
    found = connection.execute(_RESTS, {"account": account})
    return [Rest(name, domain, moment(until), failures, reason) for name, domain, until, failures, reason in found]


def set_rest(connection: Connection, one: Rest) -> None:
    """Writes a rest over the one there was."""
    wake(connection, one.account, one.domain)
    values = {"account": one.account, "domain": one.domain, "failures": one.failures, "reason": one.reason}
    connection.execute(insert(rest), values | {"until": micros(one.until)})


def wake(connection: Connection, account: str, domain: str) -> None:
    """It works again."""
    connection.execute(delete(rest).where(rest.c.account == account, rest.c.domain == domain))
