"""The contract of a ledger: what was said, to whom, exactly. One suite of `syndicate.testing` runs over every ledger.

A delivery is marked before the wire (`claim`) and settled after it (`settle`); both carry an epoch, so that a worker
that lost its claim cannot write. Every move is checked against `MOVES` and appended to the history (`story`).
All times are aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from syndicate.model import Delivery, History, Outcome, Recipient, State, Used


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An article or a recipient that an edition does not have, and why."""

    #: `article` or `recipient`
    kind: str
    #: slug or address
    who: str
    reason: str


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
    #: streamed; a million must not stand in memory
    recipients: Iterable[Recipient] = ()
    left_out: Iterable[LeftOut] = ()
    #: who asked: `run`, `send`, `post`, `scheduler`
    actor: str = ""
    #: an article that was used before may be used again
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRow:
    """An edition as the ledger knows it."""

    key: str
    channel: str
    kind: str
    account: str
    occasion: datetime
    title: str
    #: `sending` while a delivery is open, else `done`; `paused`, `cancelled` by a person
    state: str
    entered: datetime
    actor: str
    counts: Mapping[State, int]
    articles: tuple[Used, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed delivery."""

    delivery: Delivery
    outcome: Outcome
    #: hex SHA-256 and size of what was sent, or tried
    sha256: str = ""
    size: int = 0
    #: for `Deferred` and `Paused`: when to try again; aware
    due: datetime | None = None


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


class Ledger(Protocol):
    """What the pipeline, the courier and the command line ask of a ledger."""

    def history(self) -> History:
        """What was already said; the only input of `plan` from here."""

    def enter(self, entry: Entry, now: datetime) -> int:
        """Writes an edition and one planned delivery for each recipient in one transaction; how many.

        Raises `EditionExists` if the key is taken, or (unless `again`) if another edition of the channel has one
        of the articles, by slug or by path.
        """

    def edition(self, key: str) -> EditionRow | None:
        """One edition with its counts, or None."""

    def editions(self, channel: str = "", limit: int = 50) -> Sequence[EditionRow]:
        """The latest editions first."""

    def unfinished(self) -> Sequence[str]:
        """Keys of editions that have planned, sending or deferred deliveries and are not paused."""

    def frozen(self, key: str) -> bytes:
        """The message of an edition as it was entered."""

    def claim(self, edition: str, worker: str, limit: int, now: datetime, lease: timedelta) -> Sequence[Delivery]:
        """Takes up to `limit` due deliveries (planned, or deferred and due) to `sending`: one durable commit."""

    def settle(self, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
        """Writes outcomes in one durable commit; returns the deliveries whose claim was lost meanwhile.

        Raises `IllegalMove` for a move that `MOVES` does not know.
        """

    def recover(self, now: datetime) -> Sequence[Delivery]:
        """Claims whose lease ran out become `unknown`; returns them."""

    def resolve(self, delivery: Delivery, to: State, reason: str, now: datetime, actor: str) -> None:
        """Evidence's or a person's word on an `unknown` (or the cancelling of an open one).

        Raises `IllegalMove` for a move that `MOVES` does not know.
        """

    def deliveries(self, edition: str = "", states: Iterable[State] = (), recipient: str = "") -> Iterator[Delivery]:
        """Streams deliveries in the order of their ids."""

    def left_out(self, edition: str) -> Iterator[LeftOut]:
        """Articles and recipients an edition does not have, and why."""

    def story(self, edition: str, recipient: str = "") -> Sequence[Event]:
        """The history of an edition, or of one recipient in it, oldest first."""

    def close(self) -> None:
        """Lets go of files and connections."""
