"""The contract of a ledger: what was said, to whom, exactly. One suite of `syndicate.testing` runs over every ledger.

A delivery is marked before the wire (`claim`) and settled after it (`settle`); both carry an epoch, so that a worker
that lost its claim cannot write. Every move is checked against `MOVES` and appended to the history (`story`).
All times are aware.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from syndicate.model import Delivery, History, Recipient, Settlement, State, Used
from syndicate.model.limits import Limits, Rest, Room

if TYPE_CHECKING:
    from sqlalchemy import Select

UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An article or a recipient that an edition does not have, and why."""

    #: `article` or `recipient`, or `recipients` for as many as `who` says
    kind: str
    #: slug or address, or how many
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Recipients whom the database itself holds: one statement writes them, however many they are."""

    #: (recipient, name, fields as a JSON object or NULL, reader) of each, in their order
    recipients: Select[Any]
    #: (how many, why) of those it leaves out
    left_out: Select[Any]
    #: is told, before anything is durable, how many recipients there are; raises what speaks against the edition
    check: Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An edition on its way into the ledger, frozen: a retry will send these very bytes."""

    key: str
    channel: str
    #: `digest` or `post`
    kind: str
    account: str
    #: aware, the edition's moment
    occasion: datetime
    #: subject of a digest, title of a post
    title: str
    #: the message, as `render.freeze` wrote it
    frozen: bytes = field(repr=False)
    articles: tuple[Used, ...] = ()
    #: streamed, or selected where they are: a million must not stand in memory
    recipients: Iterable[Recipient] | Selection = ()
    left_out: Iterable[LeftOut] = ()
    #: who asked: `run`, `send`, `post`, `scheduler`
    actor: str = ""
    #: why it may go out, for the history
    why: str = ""
    #: fingerprints, as JSON, of what a person has to approve before anything is sent; empty: nobody has to
    plan: str = ""
    #: an article that was used before may be used again
    again: bool = False
    #: whose suppressions hold for the recipients; empty for posts
    list: str = ""


#: States that a delivery can have without ever having been claimed.
NEVER_CLAIMED = frozenset({State.PLANNED, State.SKIPPED, State.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRow:
    """An edition as the ledger knows it."""

    key: str
    channel: str
    kind: str
    account: str
    occasion: datetime
    title: str
    #: `sending` while a delivery is open, else `done`; `awaiting` approval, then `approved` until a run has checked
    #: that nothing was changed; `paused`, `rejected`, `cancelled` by a person
    state: str
    entered: datetime
    #: since when it may be sent: it was entered, released or resumed
    since: datetime
    actor: str
    counts: Mapping[State, int]
    #: why it is paused, rejected, cancelled, or waits once more
    reason: str = ""
    #: hex SHA-256 of the frozen message
    sha256: str = ""
    #: fingerprints, as JSON, of what was drafted for approval; empty where nobody has to approve
    plan: str = ""
    articles: tuple[Used, ...] = ()
    #: deliveries that were begun again, since a person last said `go on`
    retries: int = 0
    #: whose suppressions hold for the recipients; empty for posts
    list: str = ""

    @property
    def begun(self) -> bool:
        """Whether anything of it was ever claimed: then it is what it is."""
        return any(count for state, count in self.counts.items() if state not in NEVER_CLAIMED)


@dataclass(frozen=True, slots=True)
class AccountPause:
    """An account that nobody may use until a person has acted."""

    #: the account, or `EVERY_ACCOUNT`
    name: str
    reason: str
    #: what to do
    hint: str
    #: aware
    since: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the append-only history."""

    at: datetime
    edition: str
    #: empty: the edition itself
    recipient: str
    #: `entered`, or `planned -> sending`, …
    what: str
    reason: str
    #: worker, command or person
    actor: str


__all__ = ["AccountPause", "EditionRow", "Entry", "Event", "Ledger", "LeftOut", "Selection", "Settlement"]


class Ledger(Protocol):
    """What the pipeline, the courier and the command line ask of a ledger."""

    def history(self) -> History:
        """What was already said; the only input of `plan` from here."""

    def enter(self, entry: Entry, now: datetime) -> int:
        """Writes an edition and one planned delivery for each recipient in one transaction; how many.

        Raises `EditionExists` if the key is taken, or (unless `again`) if another edition of the channel that was not
        rejected has one of the articles, by slug or by path.
        """

    def redraft(self, entry: Entry, reason: str, now: datetime, actor: str) -> int:
        """Writes an edition that awaits approval anew, since something was changed; how many deliveries it has.

        Who was skipped meanwhile stays skipped. Raises `IllegalMove` if the edition does not await approval.
        """

    def recognise(self, uses: Sequence[Used]) -> None:
        """Other slugs or paths of articles that were used: from now on both are known. Their editions exist."""

    def edition(self, key: str) -> EditionRow | None:
        """One edition with its counts, or None."""

    def editions(self, channel: str = "", limit: int = 50) -> Sequence[EditionRow]:
        """The latest editions first; those that ask for confirmation only where their channel is named."""

    def unfinished(self) -> Sequence[str]:
        """Keys of editions that have planned, sending or deferred deliveries and may go on, oldest first.

        One that is `approved` has to become `sending` before anything of it is claimed.
        """

    def awaiting(self) -> Sequence[str]:
        """Keys of editions that wait for approval, oldest first."""

    def doubtful(self) -> Sequence[str]:
        """Keys of editions that have unknown deliveries, oldest first."""

    def frozen(self, key: str) -> bytes:
        """The message of an edition as it was entered."""

    def set_edition_state(
        self, key: str, state: str, reason: str, now: datetime, actor: str, seen: EditionRow | None = None
    ) -> None:
        """A word on a whole edition: `approved`, `paused`, `sending` again, or `rejected` or `cancelled` with all that
        waits in it; `awaiting` again while nothing of it was claimed.

        What a worker holds is not touched: it is settled, and nothing more is claimed. Raises `IllegalMove` for a move
        that there is not, as where the edition is done or cancelled, and where it was moved or drafted anew since it
        was `seen`; `LedgerError` where there is none.
        """

    def claim(
        self, edition: str, worker: str, limit: int, now: datetime, lease: timedelta, limits: Limits = UNLIMITED
    ) -> Sequence[Delivery]:
        """Takes up to `limit` due deliveries (planned, or deferred and due) to `sending`: one durable commit.

        Who is suppressed, everywhere or on the edition's list, goes to `skipped` with the reason, and is not claimed.
        None where the edition is paused or cancelled, or its account is paused or rests. Each one counts as begun for
        `limits`, which hold over all workers; none is taken beyond them. Who has to wait for his domain alone stays
        as he is, and becomes due when its turn comes.
        """

    def room(self, account: str, limits: Limits, now: datetime) -> Room | None:
        """What the rates of an account leave to all its workers; None where there are none."""

    def next_due(self, edition: str) -> datetime | None:
        """When the first of its planned and deferred deliveries is due; None where there is none."""

    def rests(self, account: str) -> Sequence[Rest]:
        """The account and the domains that rest, or rested last and have not worked since; the account first."""

    def rest(self, rest: Rest) -> None:
        """Nobody is claimed there until then; replaces the rest there was."""

    def wake(self, account: str, domain: str = "") -> None:
        """It works again: there is no rest any more, and the next one is short."""

    def claimed(self, worker: str) -> Iterator[Delivery]:
        """What a worker holds: claimed and not settled."""

    def renew(self, worker: str, now: datetime, lease: timedelta) -> int:
        """Prolongs the claims of a worker that is alive; how many."""

    def settle(self, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
        """Writes outcomes in one durable commit; returns the deliveries whose claim was lost meanwhile.

        A claim whose lease ran out is `unknown` and not yet lost: a late answer of the same epoch is evidence.
        Raises `IllegalMove`, and writes nothing, for a move that `MOVES` does not know.
        """

    def recover(self, now: datetime) -> Sequence[Delivery]:
        """Claims whose lease ran out become `unknown`; returns them."""

    def resolve(
        self, delivery: Delivery, to: State, reason: str, now: datetime, actor: str, *, doubt: bool = False
    ) -> None:
        """Evidence's or a person's word on an `unknown` (or the cancelling or skipping of one that waits).

        The receipt and the permalink of `delivery` are written too. `doubt`: the network may still have it, so only a
        repeat that the network recognises is allowed. Raises `IllegalMove` for a move that `MOVES` does not know or
        that belongs to a worker, `Superseded` if the delivery has moved since it was read.
        """

    def pause_account(self, name: str, reason: str, hint: str, now: datetime, actor: str = "") -> None:
        """Nobody is claimed for this account until it is resumed; pausing again replaces the reason.

        `EVERY_ACCOUNT` stops all. Stands in the story of every edition that it holds up.
        """

    def resume_account(self, name: str, now: datetime, actor: str) -> bool:
        """Lifts the pause; whether there was one."""

    def paused_accounts(self) -> Sequence[AccountPause]:
        """Accounts that wait for a person, by name."""

    def deliveries(self, edition: str = "", states: Iterable[State] = (), recipient: str = "") -> Iterator[Delivery]:
        """Streams deliveries in the order of their ids."""

    def left_out(self, edition: str) -> Iterator[LeftOut]:
        """Articles and recipients an edition does not have, and why."""

    def note(self, edition: str, what: str, reason: str, now: datetime, actor: str) -> None:
        """A line in the story of an edition, about what no state tells. Raises `LedgerError` where there is none."""

    def story(self, edition: str, recipient: str = "") -> Sequence[Event]:
        """The history of an edition, and of one recipient in it or else of its first hundred, oldest first."""

    def remind(self, facts: Sequence[str], now: datetime) -> Sequence[str]:
        """Those that were never noted before, in their order; from now on they are."""

    def forget(self, facts: Sequence[str]) -> None:
        """They were not told after all."""

    def close(self) -> None:
        """Lets go of files and connections."""
