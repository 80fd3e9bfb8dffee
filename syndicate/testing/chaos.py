"""Real worker processes on a real database, killed with SIGKILL at random instants and started again.

A world is one database, one server that keeps a journal on the disk, and any number of deaths.
"""

from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from syndicate.errors import IllegalMove, Superseded
from syndicate.ledger import attempts_folder, open_ledger
from syndicate.ledger.base import Ledger
from syndicate.model import Recipient, State
from syndicate.testing import crash
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import entry
from syndicate.testing.invariants import evidence, violations
from syndicate.testing.journal import JournalServer
from syndicate.testing.smtp import JournalingSmtp

URL = "sqlite:///var/syndicate.db"
CONNECTIONS = 4
BATCH = 60
#: Recipients of one edition; when all were served, the next edition is entered.
SIZE = 1500
#: Deaths a second, on average, of a worker that was just started.
HASTE = 8.0


class Server(Protocol):
    """What takes the messages."""

    port: int

    def accepted(self) -> list[tuple[str, str]]:
        """(recipient, hex SHA-256 of the bytes) of everything it answers for, in order."""


@dataclass
class Figures:
    """What became of a world."""

    kills: int = 0
    editions: int = 0
    accepted: int = 0
    #: deliveries by state, at the end
    states: dict[str, int] = field(default_factory=dict)
    #: in doubt, and the network has it
    doubted_and_there: int = 0
    #: most that one look found in doubt, for each kill and connection since the last look
    worst_doubt: float = 0.0
    #: of I1 to I8, and of the bound on doubt
    violations: list[str] = field(default_factory=list)


class World:
    """Starts workers and kills them, until there were enough deaths; then lets them finish, and looks."""

    def __init__(self, root: Path, network: str, server: Server, ledger: Ledger, seed: int) -> None:
        """`network` is `journal` (threads with a plain `send`) or `smtp` (its own lane)."""
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["syndicate.testing.crash"])
        self._root = root
        self._network = network
        self._server = server
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._suppressed: set[str] = set()
        self._key = ""
        #: kills, and deliveries in doubt, at the last look
        self._seen = (0, 0)
        self.figures = Figures()

    def go(self, kills: int) -> Figures:
        """Dies so often."""
        self._enter()
        while self.figures.kills < kills:
            if not self._kill_one():
                self._enter()
            elif self._chance.random() < 0.5:  # else the next worker recovers, and may be killed while it does
                self._look()
        self._look()
        while self._unfinished():
            crash.deliver(*self._arguments())
        self._judge()
        return self.figures

    def _enter(self) -> None:
        self.figures.editions += 1
        self._key = f"weekly/{self.figures.editions}"
        self._ledger.enter(entry(self._key, people(self.figures.editions)), MONDAY)

    def _arguments(self) -> tuple[str, str, Path, int, str, int, int]:
        return self._network, URL, self._root, self._server.port, self._key, CONNECTIONS, BATCH

    def _kill_one(self) -> bool:
        """Starts a worker and kills it after a while; False if it had delivered everything before that."""
        worker = self._context.Process(target=crash.deliver, args=self._arguments())
        worker.start()
        worker.join(self._chance.expovariate(HASTE))
        if worker.exitcode is not None:
            if worker.exitcode:
                raise AssertionError(f"a worker ended with {worker.exitcode}")
            return False
        worker.kill()
        worker.join()
        self.figures.kills += 1
        return True

    def _look(self) -> None:
        """Recovers, counts the doubts (at most one for each connection that was killed), and takes somebody off."""
        courier, ledger = crash.courier_over(URL, self._root, BATCH)
        with ledger:
            courier.recover()
        kills, doubts = self._seen
        self._seen = self.figures.kills, sum(1 for _ in self._ledger.deliveries(states=[State.UNKNOWN]))
        if died := self._seen[0] - kills:
            share = (self._seen[1] - doubts) / (died * CONNECTIONS)
            self.figures.worst_doubt = max(self.figures.worst_doubt, share)
            if share > 1:
                self.figures.violations.append(f"{self._seen[1] - doubts} in doubt after {died} kills")
        self._suppress()

    def _suppress(self) -> None:
        for delivery in self._ledger.deliveries(self._key, [State.PLANNED]):
            if self._chance.random() < 0.05:
                try:
                    self._ledger.resolve(delivery, State.SKIPPED, "unsubscribed", MONDAY, "reader")
                except (IllegalMove, Superseded):
                    continue
                self._suppressed.add(delivery.recipient)
                return

    def _unfinished(self) -> bool:
        """Chooses the next edition that has something to do."""
        keys = self._ledger.unfinished()
        self._key = keys[0] if keys else self._key
        return bool(keys)

    def _judge(self) -> None:
        figures, accepted, states = self.figures, self._server.accepted(), Counter[str]()
        figures.accepted = len(accepted)
        there = {recipient for recipient, _ in accepted}
        for number in range(1, figures.editions + 1):
            entered = frozenset(person.address for person in people(number))
            mine = [one for one in accepted if one[0] in entered]
            found = evidence(self._ledger, f"weekly/{number}", mine, entered, entered & self._suppressed)
            figures.violations += violations(found)
            states.update(row.state.value for row in found.rows)
            figures.doubted_and_there += len(found.of(State.UNKNOWN) & there)
        figures.states = dict(states)
        folder = attempts_folder(URL, self._root)
        if folder and (left := list(folder.glob("*.log"))):
            figures.violations.append(f"{len(left)} attempt logs were left behind")


def people(edition: int) -> list[Recipient]:
    """Who gets an edition; nobody gets two, so that the journal tells which it was."""
    return [Recipient(f"{number}.{edition}@example.org") for number in range(SIZE)]


@contextmanager
def serving(network: str, journal: Path) -> Iterator[Server]:
    """A server that keeps its journal at `journal`."""
    if network == "smtp":
        with JournalingSmtp(journal) as smtp:
            yield smtp
    else:
        with JournalServer(journal).running() as server:
            yield server


def run(root: Path, network: str, seed: int, kills: int) -> Figures:
    """One world in the folder `root`."""
    with serving(network, root / "journal") as server, closing(open_ledger(URL, root)) as ledger:
        return World(root, network, server, ledger, seed).go(kills)
