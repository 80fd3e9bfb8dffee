"""The ledger over SQLAlchemy: on SQLite, on disk and in memory alike. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from syndicate.database.schema import edition
from syndicate.database.transactions import Database
from syndicate.errors import LedgerError
from syndicate.ledger import claiming, entering, plain, quotas, reading, settling, standing
from syndicate.ledger.base import UNLIMITED, AccountPause, EditionRow, Entry, Event, LeftOut
from syndicate.model import Delivery, History, Kind, Settlement, State, Used
from syndicate.model.limits import Limits, Rest, Room

#: Deliveries that a stream reads at a time, each page in a short transaction, so that no reader stops a writer.
PAGE = 500


class SqlLedger:
    """See `base.Ledger`. May be used from several threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._reading, self._writing = database.reading, database.writing

    def history(self) -> History:
        """What was already said."""
        with self._reading() as connection:
            return plain.read(lambda query: connection.exec_driver_sql(query).all())

    def enter(self, entry: Entry, now: datetime) -> int:
        """Writes an edition with its deliveries; how many."""
        with self._writing() as connection:
            return entering.enter(connection, entry, now)

    def redraft(self, entry: Entry, reason: str, now: datetime, actor: str) -> int:
        """Writes an edition that awaits approval anew."""
        with self._writing() as connection:
            return entering.redraft(connection, entry, reason, now, actor)

    def recognise(self, uses: Sequence[Used]) -> None:
        """Notes other slugs or paths of articles that were used."""
        with self._writing() as connection:
            entering.recognise(connection, uses)

    def edition(self, key: str) -> EditionRow | None:
        """One edition with its counts, or None."""
        with self._reading() as connection:
            return next(iter(reading.edition_rows(connection, edition.c.key == key, limit=1)), None)

    def editions(self, channel: str = "", limit: int = 50) -> Sequence[EditionRow]:
        """The latest editions first."""
        wanted = edition.c.channel == channel if channel else edition.c.kind != Kind.CONFIRMATION
        with self._reading() as connection:
            return reading.edition_rows(connection, wanted, limit=limit)

    def unfinished(self) -> Sequence[str]:
        """Keys of editions on which a courier has work, oldest first."""
        with self._reading() as connection:
            return reading.unfinished(connection)

    def awaiting(self) -> Sequence[str]:
        """Keys of editions that wait for approval, oldest first."""
        with self._reading() as connection:
            return reading.awaiting(connection)

    def doubtful(self) -> Sequence[str]:
        """Keys of editions that have unknown deliveries, oldest first."""
        with self._reading() as connection:
            return reading.doubtful(connection)

    def frozen(self, key: str) -> bytes:
        """The message of an edition as it was entered. Raises `LedgerError` if there is none."""
        with self._reading() as connection:
            found = reading.frozen_bytes(connection, key)
        if found is None:
            raise no_edition(key)
        return found

    def set_edition_state(
        self, key: str, state: str, reason: str, now: datetime, actor: str, seen: EditionRow | None = None
    ) -> None:
        """Approves, pauses, resumes, rejects or cancels an edition."""
        with self._writing() as connection:
            rows = reading.edition_rows(connection, edition.c.key == key, limit=1)
            if not rows:
                raise no_edition(key)
            standing.refuse_unseen(rows[0], seen or rows[0])
            standing.set_edition_state(connection, rows[0], state, reason, now, actor)

    def claim(
        self, edition: str, worker: str, limit: int, now: datetime, lease: timedelta, limits: Limits = UNLIMITED
    ) -> Sequence[Delivery]:
        """Takes up to `limit` due deliveries to `sending`."""
        with self._writing() as connection:
            return claiming.claim(connection, edition, worker, limit, now, lease, limits)

    def room(self, account: str, limits: Limits, now: datetime) -> Room | None:
        """What the rates of an account leave."""
        with self._reading() as connection:
            return quotas.Quotas(connection, account, [""], now).room("", limits.account)

    def next_due(self, edition: str) -> datetime | None:
        """When the first waiting delivery is due."""
        with self._reading() as connection:
            return reading.next_due(connection, edition)

    def rests(self, account: str) -> Sequence[Rest]:
        """Who rests."""
        with self._reading() as connection:
            return quotas.rests(connection, account)

    def rest(self, rest: Rest) -> None:
        """Leaves an account or a domain alone for a while."""
        with self._writing() as connection:
            quotas.set_rest(connection, rest)

    def wake(self, account: str, domain: str = "") -> None:
        """It works again."""
        with self._writing() as connection:
            quotas.wake(connection, account, domain)

    def claimed(self, worker: str) -> Iterator[Delivery]:
        """What a worker holds."""
        with self._reading() as connection:
            return iter(claiming.held(connection, worker))

    def renew(self, worker: str, now: datetime, lease: timedelta) -> int:
        """Prolongs the claims of a worker; how many."""
        with self._writing() as connection:
            return claiming.renew(connection, worker, now, lease)

    def settle(self, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
        """Writes outcomes; returns the deliveries whose claim was lost meanwhile."""
        with self._writing() as connection:
            return settling.settle(connection, settlements, now, actor)

    def recover(self, now: datetime) -> Sequence[Delivery]:
        """Claims whose lease ran out become `unknown`."""
        with self._writing() as connection:
            return settling.recover(connection, now)

    def resolve(
        self, delivery: Delivery, to: State, reason: str, now: datetime, actor: str, *, doubt: bool = False
    ) -> None:
        """Evidence's or a person's word on a delivery that no worker holds."""
        with self._writing() as connection:
            settling.resolve(connection, delivery, to, reason, now, actor, doubt)

    def pause_account(self, name: str, reason: str, hint: str, now: datetime, actor: str = "") -> None:
        """Nobody is claimed for this account until it is resumed."""
        with self._writing() as connection:
            standing.pause_account(connection, name, reason, hint, now, actor)

    def resume_account(self, name: str, now: datetime, actor: str) -> bool:
        """Lifts the pause; whether there was one."""
        with self._writing() as connection:
            return standing.resume_account(connection, name, now, actor)

    def remind(self, facts: Sequence[str], now: datetime) -> Sequence[str]:
        """Those that were never noted before."""
        with self._writing() as connection:
            return standing.remind(connection, facts, now)

    def forget(self, facts: Sequence[str]) -> None:
        """They were not told after all."""
        with self._writing() as connection:
            standing.forget(connection, facts)

    def paused_accounts(self) -> Sequence[AccountPause]:
        """Accounts that wait for a person, by name."""
        with self._reading() as connection:
            return reading.paused_accounts(connection)

    def deliveries(self, edition: str = "", states: Iterable[State] = (), recipient: str = "") -> Iterator[Delivery]:
        """Streams deliveries in the order of their ids."""
        query, last = reading.delivery_query(edition, states, recipient), 0
        while True:
            with self._reading() as connection:
                page = reading.page(connection, query, last, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].id

    def left_out(self, edition: str) -> Iterator[LeftOut]:
        """Articles and recipients an edition does not have, and why."""
        last = 0
        while True:
            with self._reading() as connection:
                page = reading.left_out_page(connection, edition, last, PAGE)
            yield from (one for _, one in page)
            if len(page) < PAGE:
                return
            last = page[-1][0]

    def note(self, edition: str, what: str, reason: str, now: datetime, actor: str) -> None:
        """A line in the story of an edition."""
        with self._writing() as connection:
            if not standing.note(connection, edition, what, reason, now, actor):
                raise no_edition(edition)

    def story(self, edition: str, recipient: str = "") -> Sequence[Event]:
        """The history of an edition, and of one recipient in it or else of its first hundred, oldest first."""
        with self._reading() as connection:
            return reading.story(connection, edition, recipient)

    def close(self) -> None:
        """Lets go of files and connections."""
        self.database.close()


def no_edition(key: str) -> LedgerError:
    """There is none of this key."""
    return LedgerError(f"there is no edition {key}", hint="`syndicate editions list` shows those there are.")
