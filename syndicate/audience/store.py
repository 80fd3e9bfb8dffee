"""The subscribers: people, their lists, consent and suppression, in the database that the ledger is in.

Each method is one transaction, or a stream of short ones. The functions over one transaction stand beside it: `joining`
(coming and going, the record of consent), `arrivals` (imports), `suppressing`, `knowing`, `erasing`; `selection` is who
gets an edition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from syndicate.audience import arrivals, erasing, joining, knowing, suppressing
from syndicate.audience.addresses import unique
from syndicate.audience.selection import Stored
from syndicate.database.transactions import Database
from syndicate.model.people import (
    EVERYWHERE,
    Dossier,
    Erasure,
    Grounds,
    ListCount,
    Membership,
    Newcomer,
    Reason,
    Standing,
    Subscriber,
    Suppression,
    Taken,
)

#: Subscribers of one page of a stream.
PAGE = 500
#: Who is named: by address, or as the reader that a token or a delivery names.
Who: TypeAlias = str | int


class Subscribers:
    """The store. May be used from several threads. Every method may raise `LedgerError`, as the ledger does.

    Addresses are taken in any case and must be normalised (`model.address.normalise`).
    """

    def __init__(
        self, database: Database, secrets: Callable[[], Sequence[bytes]], clock: Callable[[], datetime]
    ) -> None:
        """`secrets`: key material, newest first; the first makes the hash of the erased, all recognise it."""
        self.database = database
        self._secrets = secrets
        self._clock = clock

    # what changes

    def subscribe(
        self,
        address: str,
        list: str,
        grounds: Grounds,
        *,
        name: str = "",
        fields: Mapping[str, str] | None = None,
        tags: Iterable[str] = (),
        actor: str = "web",
    ) -> Membership | None:
        """Somebody asks for a list: `PENDING` until confirmed, or as they stand if they are active already.

        None where this address must not even get the mail that asks for confirmation: it was erased, has bounced or
        complained, or was suppressed by hand. Callers give the same answer to all. Asking again changes nothing but
        the record of consent. Data that are known already stay: whoever fills in a form may be somebody else.
        """
        person, now = unique(address), self._clock()
        with self.database.writing() as connection:
            known = suppressing.found(connection, [person], self._secrets()).get(person, ())
            if _barred(known, list):
                return None
            reader, new = joining.subscriber_of(connection, person, address, name, fields or {}, now)
            if new:
                joining.put_tags(connection, [(reader, tag) for tag in tags])
            return joining.ask(connection, reader, list, grounds, now, actor)

    def confirm(self, reader: int, list: str, grounds: Grounds, *, actor: str = "web") -> Membership | None:
        """The owner of the address says yes: `ACTIVE`, and own withdrawals from this list are lifted. May be repeated.

        None if there is no such membership (erased, or purged), or it is suppressed for another reason. Whoever left
        since does not come back by an old confirmation and stays `UNSUBSCRIBED`: `subscribe` comes first again.
        """
        with self.database.writing() as connection:
            standing, found = joining.membership(connection, reader, list), knowing.find(connection, reader)
            if standing is None or found is None or standing.state is Standing.UNSUBSCRIBED:
                return standing
            known = knowing.suppressions(connection, found.address, self._secrets())
            if _barred(known, list):
                return None
            if standing.state is Standing.ACTIVE:
                return standing
            now = self._clock()
            joining.forgive(connection, known, list)
            return joining.confirm(connection, standing, grounds, now, actor)

    def add(
        self,
        address: str,
        list: str,
        grounds: Grounds,
        *,
        name: str = "",
        fields: Mapping[str, str] | None = None,
        tags: Iterable[str] = (),
        actor: str = "person",
    ) -> Taken:
        """Somebody is put on a list by hand: active if `grounds` has `source` and `given`, else pending."""
        row = Newcomer(address=address, name=name, fields=fields or {}, tags=tuple(tags), grounds=grounds)
        return self.import_chunk([row], list, actor=actor)[0]

    def unsubscribe(
        self, who: Who, list: str = EVERYWHERE, *, source: str, actor: str = "web", at: datetime | None = None
    ) -> bool:
        """Leaves a list, or all: withdraws consent and suppresses, so that what waits is not sent; whether that is new.

        An address that the store does not know (a reader from a CSV file) is suppressed all the same. May be repeated.
        """
        now = at or self._clock()
        with self.database.writing() as connection:
            known = knowing.row_of(connection, who)
            reader, person = (
                (known.id, known.person) if known else (None, unique(who) if isinstance(who, str) else None)
            )
            if person is None or suppressing.is_erased(knowing.suppressions(connection, person, self._secrets())):
                return False
            left = [list] if list else [one.list for one in joining.memberships(connection, reader or 0)]
            new = joining.leave(connection, reader, left, source, now, actor) if reader else False
            where = dict.fromkeys([*left, list])
            added = suppressing.suppress(connection, person, where, Reason.UNSUBSCRIBED, source, now, actor)
            return new or added > 0

    def suppress(
        self,
        address: str,
        reason: str = Reason.MANUAL,
        *,
        list: str = EVERYWHERE,
        source: str = "",
        actor: str = "person",
        at: datetime | None = None,
    ) -> bool:
        """Nothing is mailed there any more, from the next claim on; whether that is new. The first reason stays."""
        person, now = unique(address), at or self._clock()
        with self.database.writing() as connection:
            if suppressing.is_erased(knowing.suppressions(connection, person, self._secrets())):
                return False
            return suppressing.suppress(connection, person, [list], reason, source, now, actor) > 0

    def lift(self, address: str, list: str = EVERYWHERE) -> Suppression | None:
        """Takes back a suppression, and returns it; None if there was none. Nobody becomes active by it.

        Of the erased it lifts the hash: only if they themselves ask to be let in again.
        """
        with self.database.writing() as connection:
            known = knowing.suppressions(connection, address, self._secrets())
            one = next((one for one in known if one.list == list), None)
            if one:
                suppressing.lift(connection, one)
                joining.changed(connection, [list] if list else [each.name for each in knowing.counts(connection)])
            return one

    def edit(
        self,
        reader: int,
        *,
        name: str | None = None,
        fields: Mapping[str, str] | None = None,
        tag: Iterable[str] = (),
        untag: Iterable[str] = (),
    ) -> Subscriber | None:
        """Changes what is known of a subscriber; None leaves the name, or the fields, as they are. A field that is set
        to nothing goes. Returns how they stand, None if there is no such reader.
        """
        with self.database.writing() as connection:
            if knowing.row_of(connection, reader) is None:
                return None
            joining.edit(connection, reader, name, fields, tag, untag)
            return knowing.find(connection, reader)

    def erase(self, address: str, *, actor: str = "person") -> Erasure:
        """Removes a person from the audience and from the ledger. Only a keyed hash stays, so that no import, form or
        file brings them back. What waits for them is skipped. No byte of the address is left in the database, which is
        written anew for that (`Erasure.swept`). Raises `NeedsPerson` while a mail to them is on the wire.
        """
        with self.database.writing() as connection:
            found = erasing.erase(connection, address, self._secrets(), self._clock(), actor)
        return replace(found, swept=self.database.rewrite())

    def purge(self, unconfirmed: timedelta = timedelta(days=30), traces: timedelta = timedelta(days=90)) -> int:
        """Forgets who never confirmed, and the IP address and program of visits, after so long; how many memberships
        went.
        """
        now = self._clock()
        with self.database.writing() as connection:
            erasing.forget_visits(connection, now - traces)
            return erasing.purge(connection, now - unconfirmed)

    def import_chunk(self, rows: Sequence[Newcomer], list: str, *, actor: str = "import") -> Sequence[Taken]:
        """Takes rows of an import in one durable commit; what became of each, in their order. May be repeated.

        The strictest word counts: who is unsubscribed or suppressed here stays so, who is so in the file becomes so.
        """
        if not rows:
            return ()
        with self.database.writing() as connection:
            return arrivals.take(connection, rows, list, self._secrets(), self._clock(), actor)

    # what is known

    def find(self, who: Who) -> Subscriber | None:
        """The subscriber of this address or number, with memberships and tags."""
        with self.database.reading() as connection:
            return knowing.find(connection, who)

    def show(self, address: str) -> Dossier:
        """All that the store and the ledger know of an address."""
        with self.database.reading() as connection:
            return knowing.dossier(connection, address, self._secrets())

    def suppressions(self, address: str) -> Sequence[Suppression]:
        """Why an address is not mailed: everywhere first, then by list. Knows the erased too."""
        with self.database.reading() as connection:
            return knowing.suppressions(connection, address, self._secrets())

    def refusals(self, addresses: Iterable[str], list: str) -> Mapping[str, Suppression]:
        """Those of the addresses that an edition to `list` must leave out -> what bars each."""
        with self.database.reading() as connection:
            return suppressing.refusals(connection, addresses, list, self._secrets())

    def erased(self) -> Callable[[str], str]:
        """Address -> the hash that stands for it if it was erased before now, else nothing."""
        with self.database.reading() as connection:
            return suppressing.erased(connection, self._secrets())

    def lists(self) -> Sequence[ListCount]:
        """Every list that has or had members, by name."""
        with self.database.reading() as connection:
            return knowing.counts(connection)

    def count(self, list: str) -> ListCount | None:
        """One of them."""
        with self.database.reading() as connection:
            return next(iter(knowing.counts(connection, list)), None)

    def list_named(self, number: int) -> str | None:
        """The list of a number, as tokens hold it."""
        with self.database.reading() as connection:
            return knowing.list_named(connection, number)

    def export(self, list: str = "", states: Iterable[Standing] = ()) -> Iterator[Dossier]:
        """Streams subscribers by number, with their consents and suppressions and without deliveries: those of a list,
        or all; with `states`, those who stand so on it.
        """
        last, states = 0, tuple(states)
        while True:
            with self.database.reading() as connection:
                page = knowing.page(connection, list, states, last, PAGE, self._secrets())
            yield from (one for _, one in page)
            if len(page) < PAGE:
                return
            last, _ = page[-1]

    def selection(self, list: str, segment: str = "", zone: str = "UTC") -> Stored:
        """Who gets an edition: a stream, and a query for the ledger. Raises `SegmentError` for a faulty segment."""
        return Stored(self.database, list, segment, zone)


def _barred(known: Iterable[Suppression], list: str) -> bool:
    """Whether an address must not be mailed there for another reason than its owner's own leaving."""
    return any(one.list in {EVERYWHERE, list} and one.reason != Reason.UNSUBSCRIBED for one in known)
