"""Sign-ups from the public form, on their way to the mail that asks for confirmation; and how many are let through.

A visitor's request costs one transaction, which is the same for an address that is known and one that is not: neither
the answer nor its time tells them apart. All else is done later, by whoever sends (`syndicate.newsroom.confirmations`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from syndicate.audience.addresses import unique
from syndicate.database.plain import micros, moment
from syndicate.database.visits import signup, tried
from syndicate.model.limits import domain_of

if TYPE_CHECKING:
    from syndicate.audience.tokens import Keys
    from syndicate.database.transactions import Database

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: How long what was counted is kept, and a sign-up whose mail may not leave.
MEMORY, PATIENCE = timedelta(days=15), timedelta(days=7)
#: Sign-ups a day that any publication may have; above it, ten times as many as on a usual day.
USUAL = 200
_ALL = "all"

_THOSE = func.json_each(bindparam("those")).table_valued("value")
_COUNTS = (
    select(
        tried.c.what,
        func.count().filter(tried.c.at > bindparam("hour")).label("hour"),
        func.count().label("day"),
    )
    .where(tried.c.what.in_(select(_THOSE.c.value)), tried.c.at > bindparam("day"))
    .group_by(tried.c.what)
)
_AGO = (bindparam("now") - tried.c.at) / bindparam("span")
#: How many there were on each of the last days, but for the present one.
_DAYS = select(func.count()).where(tried.c.what == bindparam("name"), _AGO >= 1).group_by(func.floor(_AGO))


class _Lately(NamedTuple):
    """How often something was tried."""

    hour: int
    day: int


_NEVER = _Lately(0, 0)


class Answer(StrEnum):
    """What becomes of a sign-up. The first two must look alike to the visitor."""

    TAKEN = "taken"
    QUIET = "quiet"  #: this address has had its mails for today
    BUSY = "busy"  #: too many from this visitor, or from all of them
    USED = "used"  #: the form was sent before


@dataclass(frozen=True, slots=True)
class Visit:
    """A form that was sent."""

    #: normalised
    address: str
    lists: tuple[str, ...]
    #: what the visitor was shown, word by word
    wording: str
    #: of the form; counts once
    nonce: str = ""
    #: of the visitor; empty: nobody knows, or it is the owner of the address who asks
    ip: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Signup:
    """A visit that was let through."""

    #: row number
    id: int
    address: str
    lists: tuple[str, ...]
    #: aware
    asked: datetime
    wording: str
    ip: str
    agent: str


class Signups:
    """What is asked of the form's two tables. May be used from several threads."""

    def __init__(self, database: Database, keys: Keys, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock
        #: most sign-ups of a day, as it was looked up last, and when
        self._most: tuple[int, datetime] | None = None

    def ask(self, visit: Visit) -> Answer:
        """Counts a visit, and keeps it if it is within the limits. Raises `LedgerError`.

        Five visits an hour from one network, fifty mails an hour to one domain, and to all no more a day than on ten
        usual ones: this is said. One mail a day to an address for the same lists, three for any: this is not.
        """
        now, person = self._clock(), counted_as(visit.address)
        form, visitor = f"form {visit.nonce}", f"from {network_of(visit.ip)}"
        domain, mails = f"mail @{domain_of(person)}", f"mail {person}"
        these = f"{mails} {' '.join(sorted(visit.lists))}"
        with self._database.writing() as connection:
            most = self._most_a_day(connection, now)
            found = self._counts(connection, (form, visitor, domain, mails, these, _ALL), now)
            if visit.nonce and found[form].day:
                return Answer.USED
            if found[_ALL].day >= most or found[domain].hour >= 50 or (visit.ip and found[visitor].hour >= 5):
                return Answer.BUSY
            if found[mails].day >= 3 or found[these].day:
                self._count(connection, (form, visitor), now)
                return Answer.QUIET
            self._count(connection, (form, visitor, domain, mails, these, _ALL), now)
            _keep(connection, visit, now)
        return Answer.TAKEN

    def _counts(self, connection: Connection, whats: Sequence[str], now: datetime) -> Mapping[str, _Lately]:
        names = {self._keys.anonymous(what): what for what in whats}
        given = {"those": json.dumps(list(names)), "hour": micros(now - HOUR), "day": micros(now - DAY)}
        found = {names[row.what]: _Lately(row.hour, row.day) for row in connection.execute(_COUNTS, given)}
        return {what: found.get(what, _NEVER) for what in whats}

    def _count(self, connection: Connection, whats: Sequence[str], now: datetime) -> None:
        connection.execute(insert(tried), [{"what": self._keys.anonymous(what), "at": micros(now)} for what in whats])

    def _most_a_day(self, connection: Connection, now: datetime) -> int:
        """Looked up once an hour; what is older than it needs is forgotten then."""
        if self._most is None or now - self._most[1] > HOUR:
            connection.execute(delete(tried).where(tried.c.at < micros(now - MEMORY)))
            given = {"name": self._keys.anonymous(_ALL), "now": micros(now), "span": DAY // timedelta(microseconds=1)}
            usual = median(connection.scalars(_DAYS, given).all() or [0])
            self._most = (max(USUAL, 10 * int(usual)), now)
        return self._most[0]

    def batch(self, account_of: Callable[[Sequence[str]], str]) -> Sequence[tuple[str, str]]:
        """(number of a batch, account) of all who wait for their mail, those of earlier calls too.

        `account_of` names the account that mails such lists, empty where it may not now: then they wait.
        """
        with self._database.writing() as connection:
            firsts: dict[str, int] = {}
            waiting = select(signup.c.id, signup.c.lists).where(signup.c.batch == "").order_by(signup.c.id)
            for row in connection.execute(waiting).all():
                if account := account_of(row.lists.split()):
                    batch = f"{firsts.setdefault(account, row.id)} {account}"
                    connection.execute(update(signup).where(signup.c.id == row.id).values(batch=batch))
            names = connection.scalars(select(signup.c.batch).where(signup.c.batch > "").distinct())
            return [(number, account) for number, _, account in (name.partition(" ") for name in sorted(names))]

    def of_batch(self, number: str, account: str) -> Sequence[Signup]:
        """The sign-ups of a batch, in the order in which they came."""
        query = select(signup).where(signup.c.batch == f"{number} {account}").order_by(signup.c.id)
        with self._database.reading() as connection:
            return [_signup(row) for row in connection.execute(query)]

    def done(self, those: Iterable[Signup]) -> None:
        """They are dealt with, and forgotten here."""
        with self._database.writing() as connection:
            connection.execute(delete(signup).where(signup.c.id.in_([one.id for one in those])))

    def purge(self) -> None:
        """Forgets those whose mail could not leave for a week."""
        with self._database.writing() as connection:
            connection.execute(delete(signup).where(signup.c.asked < micros(self._clock() - PATIENCE)))


def _signup(row: Any) -> Signup:
    lists = tuple(row.lists.split())
    return Signup(row.id, row.address, lists, moment(row.asked), row.wording, row.ip, row.agent)


def _keep(connection: Connection, visit: Visit, now: datetime) -> None:
    row = {"address": visit.address, "lists": " ".join(visit.lists), "asked": micros(now), "wording": visit.wording}
    connection.execute(insert(signup), row | {"ip": visit.ip, "agent": visit.agent[:200]})


def network_of(ip: str) -> str:
    """What one visitor can be told by: an IPv4 address, or the /64 of an IPv6 address, of which each has 2**64."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, 64), strict=False))


def counted_as(address: str) -> str:
    """The mailbox behind an address, as far as it can be told: without `+tag`, and without the dots that many ignore.

    Two people may be counted as one by this; that costs the second of them a day.
    """
    local, _, domain = unique(address).partition("@")
    return f"{local.partition('+')[0].replace('.', '') or local}@{domain}"
