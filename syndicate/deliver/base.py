"""What the courier calls, declared as small as its need. Adapters and ledgers fit without knowing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from syndicate.model import Dedupe, Delivery, Outcome, Payload, Receipt, Settlement, State
from syndicate.model.lane import Job, Lane, Record, Tried
from syndicate.model.limits import Limits, Rest, Room

__all__ = ["EditionLike", "Job", "Lane", "LedgerLike", "PauseLike", "Record", "Sender", "Tried"]


Compose = Callable[[Delivery], Payload]


class Sender(Protocol):
    """An adapter, as far as the courier needs it."""

    @property
    def dedupe(self) -> Dedupe:
        """What may be done about silence."""

    @property
    def options(self) -> Any:
        """Has `connections`: how many conversations at once."""

    def open(self) -> AbstractContextManager[Any]:
        """A session for many calls of one thread."""

    def prepare(self, session: Any, payload: Payload) -> Payload | Outcome:
        """Uploads, with no public effect."""

    def send(self, session: Any, payload: Payload, key: str) -> Outcome:
        """The one call that counts."""

    def find(self, session: Any, payload: Payload, key: str) -> Receipt | None:
        """Asks the network; only if `dedupe.lookup`."""


class EditionLike(Protocol):
    """An edition, as far as the courier needs it."""

    @property
    def account(self) -> str:
        """The account that sends it."""

    @property
    def state(self) -> str:
        """Nothing is claimed unless it is `sending`."""

    @property
    def reason(self) -> str:
        """Why it is paused or cancelled."""

    @property
    def since(self) -> datetime:
        """Deliveries are given up a while after this."""

    @property
    def retries(self) -> int:
        """Deliveries that were begun again, since a person last said `go on`."""

    @property
    def counts(self) -> Mapping[State, int]:
        """How many deliveries are in each state."""


class PauseLike(Protocol):
    """An account that waits for a person."""

    @property
    def name(self) -> str:
        """The account."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def hint(self) -> str:
        """What to do."""


class LedgerLike(Protocol):
    """A ledger, as far as the courier needs it; `ledger/base.py` says what each obliges to."""

    def edition(self, key: str) -> EditionLike | None:
        """One edition with its counts."""

    def claim(
        self, edition: str, worker: str, limit: int, now: datetime, lease: timedelta, limits: Limits
    ) -> Sequence[Delivery]:
        """Takes due deliveries to `sending`, as many as the limits leave."""

    def room(self, account: str, limits: Limits, now: datetime) -> Room | None:
        """What the rates of an account leave."""

    def next_due(self, edition: str) -> datetime | None:
        """When the first waiting delivery is due."""

    def rests(self, account: str) -> Sequence[Rest]:
        """Who is left alone after failures."""

    def rest(self, rest: Rest) -> None:
        """Nobody is claimed there until then."""

    def wake(self, account: str, domain: str = "") -> None:
        """It works again."""

    def set_edition_state(self, key: str, state: str, reason: str, now: datetime, actor: str) -> None:
        """Pauses an edition."""

    def claimed(self, worker: str) -> Iterator[Delivery]:
        """What a worker holds."""

    def renew(self, worker: str, now: datetime, lease: timedelta) -> int:
        """Prolongs what a worker holds."""

    def settle(self, settlements: Sequence[Settlement], now: datetime, actor: str) -> Sequence[Delivery]:
        """Writes outcomes."""

    def recover(self, now: datetime) -> Sequence[Delivery]:
        """Claims whose lease ran out become `unknown`."""

    def resolve(
        self, delivery: Delivery, to: State, reason: str, now: datetime, actor: str, *, doubt: bool = False
    ) -> None:
        """Evidence's word on an `unknown`."""

    def deliveries(self, edition: str = "", states: Iterable[State] = (), recipient: str = "") -> Iterator[Delivery]:
        """Streams deliveries."""

    def pause_account(self, name: str, reason: str, hint: str, now: datetime, actor: str = "") -> None:
        """Nobody is claimed for this account until a person resumes it."""

    def paused_accounts(self) -> Sequence[PauseLike]:
        """Accounts that wait for a person."""
