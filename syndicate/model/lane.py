"""The one interface to the wire: jobs go in, what became of them comes out, in any order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from syndicate.model.delivery import Delivery, Outcome
from syndicate.model.message import Payload
from syndicate.model.value import value

#: Key in `Job.fills` under which a lane names the call in which several deliveries travelled.
TOGETHER = "together"


@value()
class Job:
    """A claimed delivery and what goes over the wire for it."""

    delivery: Delivery
    payload: Payload
    #: hex SHA-256 and size of the payload's content, before `prepare`: what a dry run shows
    sha256: str
    size: int

    @classmethod
    def of(cls, delivery: Delivery, payload: Payload) -> Job:
        """With the hash and the size of this payload."""
        content = payload.content
        return cls(delivery, payload, sha256(content).hexdigest(), len(content))

    @property
    def fills(self) -> Mapping[str, str]:
        """The network's ids for the files of the payload, as far as they are known."""
        return self.payload.fills


@value()
class Tried:
    """What became of a job."""

    #: with its payload as it was sent, once `prepare` has filled its holes
    job: Job
    outcome: Outcome


class Record(Protocol):
    """The attempt log, as a lane writes it. May be called by several threads."""

    def started(self, *jobs: Job) -> None:
        """Right before the first byte that may make the network accept. Raises `LogBroken`: then nothing is sent.

        Jobs that travel in one call are noted at once, so that a crash finds all of them started or none.
        """

    def done(self, delivery: Delivery, outcome: Outcome) -> None:
        """Right after the answer. Raises `LogBroken`."""

    def all_done(self, tried: Sequence[Tried]) -> None:
        """The same for all that travelled in one call, at once."""


class Lane(Protocol):
    """The one interface to the wire."""

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        """Takes a job whenever it could start it at once, and yields what became of jobs, in any order.

        Yields None when a quarter of a second passed without news, so that the courier can settle, pause and stop.
        Every job is answered before it returns; closed early, it lets what is on the wire finish. Only `LogBroken`
        is raised, after everything that was on the wire has been yielded; its own job was then not sent.
        """
