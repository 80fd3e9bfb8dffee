"""The links of a letter that are a reader's own, and whom they lead back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

from syndicate.audience.tokens import Bearer, Keys, Member, Purpose, Stranger, link
from syndicate.model import Recipient

if TYPE_CHECKING:
    from syndicate.database.transactions import Database

#: Deliveries that are gone through at a time.
PAGE = 10_000
#: A page, with what comes before the token in its path.
UNSUBSCRIBE, CONFIRM, PREFERENCES, VIEW = "u", "c", "p", "v"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the links of one edition have in common."""

    keys: Keys
    #: `publication.links`
    base: str
    #: whose readers they are: the name of a list, or of an audience from a file
    list: str
    #: number of the list in the store; 0 for an audience from a file
    number: int = 0
    #: key of the edition
    edition: str = ""
    #: whether `syndicate serve` answers at `base`: only then are there preferences and a page to view
    pages: bool = False

    def links(self) -> Callable[[Recipient], Mapping[str, str]]:
        """Recipient -> slot -> URL: the same for the same arguments, on every machine and day."""
        unsubscribe = self._leading(UNSUBSCRIBE, Purpose.UNSUBSCRIBE)
        if not self.pages:
            return lambda to: {"unsubscribe": unsubscribe(to)}
        shown = view(self.keys, self.base, self.edition)
        preferences = self._leading(PREFERENCES, Purpose.PREFERENCES)
        return lambda to: {"view": shown, "unsubscribe": unsubscribe(to), "preferences": preferences(to)}

    def _leading(self, page: str, purpose: Purpose) -> Callable[[Recipient], str]:
        """Recipient -> URL; what all of them have in common is made once."""
        start, number = link(self.base, page, ""), self.number
        member, stranger = self.keys.members(purpose, number), self.keys.strangers(purpose, self.list)
        return lambda to: start + (member(to.reader) if to.reader and number else stranger(to.address))


def confirming(keys: Keys, base: str) -> Callable[[Recipient], Mapping[str, str]]:
    """The same for the letter that asks a subscriber for confirmation of all that was asked for."""
    start, token = link(base, CONFIRM, ""), keys.members(Purpose.CONFIRM, 0)
    return lambda to: {"confirm": start + token(to.reader)}


def view(keys: Keys, base: str, edition: str) -> str:
    """The page that shows an edition to anybody who has the link, without a trace of whose mail it was."""
    return link(base, VIEW, f"{keys.seal(Purpose.VIEW, edition)}/{quote(edition, safe='/')}")


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose token it is, and which mail it came with."""

    list: str
    #: number of the subscriber; 0 for a reader from a file
    reader: int = 0
    #: of a reader from a file; empty where nobody knows them any more
    address: str = ""
    #: channel of the mail; empty for a subscriber, whose list tells enough
    channel: str = ""

    @property
    def who(self) -> str | int:
        """As `Subscribers` wants it."""
        return self.reader or self.address

    @property
    def known(self) -> bool:
        """Whether there is anybody to act for; not if they were erased since."""
        return bool(self.who)


class Directory:
    """From a token back to its reader.

    A subscriber's token holds numbers. For readers from files the recipients of the ledger are gone through once, and
    from then on those that were entered since: about 100 bytes of memory for each.
    """

    def __init__(self, database: Database, keys: Keys, list_named: Callable[[int], str | None]) -> None:
        """`list_named` is that of the store."""
        self._database = database
        self._keys = keys
        self._list_named = list_named
        #: trace -> first delivery of this reader on this list
        self._traces: dict[bytes, int] = {}
        #: the last delivery that was gone through
        self._seen = 0
        self._turn = Lock()

    def holder(self, purpose: Purpose, token: str) -> Holder | None:
        """Whose token it is; None if it is none of ours for this purpose. Raises `LedgerError`."""
        bearer = self._keys.read(purpose, token)
        return None if bearer is None else self._holder(bearer)

    def _holder(self, bearer: Bearer) -> Holder:
        if isinstance(bearer, Member):
            return Holder(self._list_named(bearer.list) or "", bearer.reader)
        return self._stranger(bearer)

    def _stranger(self, bearer: Stranger) -> Holder:
        if bearer.trace not in self._traces:
            self.catch_up()
        number = self._traces.get(bearer.trace)
        return Holder("") if number is None else self._of_delivery(number, bearer)

    def _of_delivery(self, number: int, bearer: Stranger) -> Holder:
        from sqlalchemy import select

        from syndicate.database.schema import delivery, edition

        query = select(edition.c.list, edition.c.channel, delivery.c.recipient).join_from(delivery, edition)
        with self._database.reading() as connection:
            row = connection.execute(query.where(delivery.c.id == number)).first()
        if row is None or bearer.trace not in self._keys.traces(row.list, row.recipient):
            return Holder("")  # erased since
        return Holder(row.list, address=row.recipient, channel=row.channel)

    def catch_up(self) -> None:
        """Goes through the recipients that were entered since the last time; from any thread."""
        from sqlalchemy import func, select

        from syndicate.database.schema import delivery, edition

        columns = (delivery.c.id, edition.c.list, delivery.c.recipient)
        query = select(*columns).join_from(delivery, edition).where(delivery.c.reader == 0, edition.c.kind == "digest")
        with self._turn:
            with self._database.reading() as connection:
                last = connection.scalar(select(func.max(delivery.c.id))) or 0
            while self._seen < last:
                page = (delivery.c.id > self._seen, delivery.c.id <= self._seen + PAGE)
                with self._database.reading() as connection:
                    rows = connection.execute(query.where(*page)).all()
                for number, name, address in rows:
                    for trace in self._keys.traces(name, address):
                        self._traces.setdefault(trace, number)
                self._seen = min(self._seen + PAGE, last)


def list_number(database: Database, name: str) -> int:
    """The number of a list in the store, as tokens hold it; 0 for an audience from a file."""
    from sqlalchemy import select

    from syndicate.database.people import lists

    with database.reading() as connection:
        return connection.scalar(select(lists.c.id).where(lists.c.name == name)) or 0
