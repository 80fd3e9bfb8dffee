"""Real worker processes on a real database, killed with SIGKILL at random instants and started again.

The oracle is the server's own journal: lost 0, sent twice 0, and in doubt at most one delivery for each connection.
"""

import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syndicate.ledger import attempts_folder, open_ledger
from syndicate.ledger.base import Ledger
from syndicate.model import State
from syndicate.testing import crash
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, entry, people
from syndicate.testing.journal import JournalServer

URL = "sqlite:///var/syndicate.db"
CONNECTIONS = 4
BATCH = 60
#: More by hand: SYNDICATE_KILLS=2000.
KILLS = int(os.environ.get("SYNDICATE_KILLS", "25"))
SEED = int(os.environ.get("SYNDICATE_SEED", "1"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JournalServer]:
    with JournalServer(tmp_path / "journal").running() as server:
        yield server


class Killer:
    """Starts workers and kills them, and counts what that left in doubt."""

    def __init__(self, root: Path, port: int, ledger: Ledger) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["syndicate.testing.crash"])
        self._arguments = (URL, root, port, KEY, CONNECTIONS, BATCH)
        self._root = root
        self._ledger = ledger
        self.instants = random.Random(SEED)
        self.kills = 0
        #: kills, and deliveries in doubt, at the last look
        self._seen = (0, 0)

    def kill_one(self) -> bool:
        """Starts a worker and kills it after a while; False if it had delivered everything before that."""
        worker = self._context.Process(target=crash.deliver, args=self._arguments)
        worker.start()
        worker.join(self.instants.expovariate(8))
        if worker.exitcode is not None:
            assert worker.exitcode == 0
            return False
        worker.kill()
        worker.join()
        self.kills += 1
        return True

    def look(self) -> None:
        """Recovers, and counts: at most one delivery in doubt for each connection that was killed since."""
        courier, ledger = crash.courier_over(URL, self._root, BATCH)
        with ledger:
            courier.recover()
        kills, doubts = self._seen
        self._seen = self.kills, sum(1 for _ in self._ledger.deliveries(KEY, [State.UNKNOWN]))
        assert self._seen[1] - doubts <= CONNECTIONS * (self.kills - kills)

    def finish(self) -> None:
        """Delivers the rest in this process."""
        crash.deliver(*self._arguments)


def test_killed_at_any_instant_nothing_is_lost_or_sent_twice(tmp_path: Path, server: JournalServer) -> None:
    size = 250 * KILLS  # more than is sent between two kills
    with closing(open_ledger(URL, tmp_path)) as ledger:
        ledger.enter(entry(recipients=size), MONDAY)
        killer = Killer(tmp_path, server.port, ledger)
        while killer.kills < KILLS and killer.kill_one():
            if killer.instants.random() < 0.5:  # else the next worker recovers, and may be killed while it does
                killer.look()
        killer.finish()
        print(f"{killer.kills} kills, {len(server.accepted())} accepted,", compare(ledger, server, size))
    assert killer.kills >= KILLS // 5  # a very fast disk is done before the last kill
    assert list(folder(tmp_path).glob("*.log")) == []


def folder(root: Path) -> Path:
    found = attempts_folder(URL, root)
    assert found
    return found


def compare(ledger: Ledger, server: JournalServer, size: int) -> Counter[State]:
    """The ledger against the journal; how many deliveries are in each state."""
    accepted = server.accepted()
    there = dict(accepted)
    assert len(there) == len(accepted), "somebody got it twice"
    rows = {one.recipient: one for one in ledger.deliveries(KEY)}
    assert set(rows) == {person.address for person in people(size)}
    assert {one.state for one in rows.values()} <= {State.SENT, State.UNKNOWN}, "somebody was forgotten"
    sent = {who for who, one in rows.items() if one.state is State.SENT}
    assert sent <= set(there), "somebody got nothing, and the ledger says otherwise"
    assert {who: rows[who].sha256 for who in there} == there, "the ledger does not know what went out"
    assert all(one.reason for one in rows.values() if one.state is State.UNKNOWN)
    counts = Counter(one.state for one in rows.values())
    row = ledger.edition(KEY)
    assert row is not None
    assert {state: count for state, count in row.counts.items() if count} == counts
    return counts
