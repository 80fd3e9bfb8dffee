"""One message to one recipient: its states, the moves between them, and what networks answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from syndicate.model.value import value


class State(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    SENDING = "sending"  #: claimed; a worker may be on the wire with it
    SENT = "sent"  #: the network said yes
    REFUSED = "refused"  #: the network said no, for this recipient and for good
    DEFERRED = "deferred"  #: certainly not accepted; will be tried again
    UNKNOWN = "unknown"  #: asked, no answer: evidence or a person decides
    SKIPPED = "skipped"  #: unsubscribed, suppressed or erased in time
    CANCELLED = "cancelled"
    EXPIRED = "expired"  #: deferred until it was too late


#: Every move there is. The ledger refuses any other.
MOVES: Mapping[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.SENDING, State.SKIPPED, State.CANCELLED}),
    State.SENDING: frozenset({State.SENT, State.REFUSED, State.DEFERRED, State.UNKNOWN}),
    State.DEFERRED: frozenset({State.SENDING, State.CANCELLED, State.EXPIRED, State.SKIPPED}),
    State.UNKNOWN: frozenset({State.SENT, State.DEFERRED, State.CANCELLED}),
    State.SENT: frozenset(),
    State.REFUSED: frozenset(),
    State.SKIPPED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}

#: Stands for all accounts where one is paused; no account can have this name.
EVERY_ACCOUNT = "*"

#: States in which a delivery still waits for a worker or a person.
OPEN_STATES = frozenset(state for state, moves in MOVES.items() if moves)


@value()
class Delivery:
    """One row of the ledger: one message to one recipient, or one post to one account."""

    #: row number; orders the deliveries of an edition
    id: int
    #: key of the edition
    edition: str
    #: address, or the account's name
    recipient: str
    account: str
    name: str = ""
    #: what else the audience knew of the recipient when the edition was entered
    fields: Mapping[str, str] = field(default_factory=dict)
    #: number of the subscriber; 0 for those of a file, and for posts
    reader: int = 0
    state: State = State.PLANNED
    #: how often it was claimed
    attempt: int = 0
    #: fence: grows with every claim; a result with an older one is refused
    epoch: int = 0
    #: aware; not before this moment
    due: datetime | None = None
    #: aware; since when the network may already have it, through an earlier attempt that stayed without an answer
    doubted: datetime | None = None
    #: hex SHA-256 and size of the exact bytes, once they went out
    sha256: str = ""
    size: int = 0
    #: hole -> the network's id for the file in it, from the last attempt: a repeat has the same bytes
    fills: Mapping[str, str] = field(default_factory=dict)
    #: the network's name for it
    receipt: str = ""
    permalink: str = ""
    #: the network's own words, or ours where it had none
    reason: str = ""
    #: aware; last move
    moved: datetime | None = None

    @property
    def key(self) -> str:
        """Names the delivery for people and for networks that know idempotency keys."""
        return f"{self.edition}:{self.recipient}"


@dataclass(frozen=True, slots=True)
class Dedupe:
    """What may be done about silence on a network."""

    #: for so long the very same bytes may be sent again, because the network recognises them
    repeat: timedelta | None = None
    #: whether the network can be asked (`Adapter.find`)
    lookup: bool = False
    #: whether its "it is not there" counts; not where what it shows lags behind what it took: then only a yes does
    proves_absence: bool = True


@value()
class Receipt:
    """The network accepted."""

    #: its name for the message; empty where it gives none
    id: str = ""
    permalink: str = ""
    #: its answer in its own words, such as `250 2.0.0 queued as 4Zk`
    status: str = ""


@value()
class Refused:
    """The network refused this message for this recipient, for good."""

    reason: str


@value()
class Deferred:
    """Certainly not accepted, and worth another try."""

    reason: str
    #: as the network asks; None: the courier's schedule
    after: timedelta | None = None
    #: False: nobody could be asked (connection refused, no such host), which says nothing about this recipient
    reached: bool = True


@value()
class Paused:
    """The account is at fault (password, TLS, API version): nobody is to be tried until a person has acted."""

    reason: str
    #: what to do
    hint: str = ""


@value()
class Unknown:
    """Asked, and no answer that can be understood: it may have been accepted."""

    reason: str


#: All that a network can have said. Adapters classify, the courier decides.
Outcome: TypeAlias = Receipt | Refused | Deferred | Paused | Unknown


@value()
class Settlement:
    """What became of a claimed delivery, for the ledger."""

    #: as it was claimed
    delivery: Delivery
    outcome: Outcome
    #: hex SHA-256 and size of what was sent, or tried
    sha256: str = ""
    size: int = 0
    #: the network's ids for its files, see `Delivery.fills`; empty: what the ledger has stays
    fills: Mapping[str, str] = field(default_factory=dict)
    #: where it ends `deferred`: when to try again, aware; None: at once
    due: datetime | None = None
    #: the claim does not count as an attempt: the network was not asked, or the account was at fault
    free: bool = False
    #: a second move in the same commit: `EXPIRED` after a deferral, `DEFERRED` after an `Unknown` that may be repeated
    then: State | None = None
    #: why there is a second move
    why: str = ""
