"""A worker that dies before or after the n-th thing it does, for every n; and one whose server sees it die."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest

from syndicate.ledger import open_ledger
from syndicate.model import State
from syndicate.testing import crash, dying
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, entry, people
from syndicate.testing.invariants import evidence, violations
from syndicate.testing.smtp import Fault, JournalingSmtp

URL = "sqlite:///var/syndicate.db"
SIZE, BATCH = 5, 3
ENTERED = frozenset(person.address for person in people(SIZE))


@pytest.fixture
def context() -> multiprocessing.context.ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["syndicate.testing.crash", "syndicate.testing.dying", "syndicate.testing.chaos"])
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JournalingSmtp]:
    with JournalingSmtp(tmp_path / "journal") as smtp:
        yield smtp


def entered(root: Path) -> Path:
    with closing(open_ledger(URL, root)) as ledger:
        ledger.enter(entry(recipients=SIZE), MONDAY)
    return root


def arrived(server: JournalingSmtp, before: int) -> list[tuple[str, str]]:
    return server.accepted()[before:]


def finish(root: Path, server: JournalingSmtp, before: int, connections: int, case: object) -> dict[str, State]:
    """The next worker does the rest; then all invariants hold. Recipient -> state."""
    crash.deliver("smtp", URL, root, server.port, KEY, connections, BATCH)
    with closing(open_ledger(URL, root)) as ledger:
        found = evidence(ledger, KEY, arrived(server, before), ENTERED, frozenset())
        assert list(violations(found)) == [], case
        assert len(found.of(State.UNKNOWN)) <= connections, case
        return {row.recipient: row.state for row in found.rows}


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
@pytest.mark.parametrize("step", ["ledger.claim", "compose", "log.create", "log.append", "ledger.settle", "log.remove"])
def test_a_worker_that_dies_at_any_step_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, context: multiprocessing.context.ForkServerContext, server: JournalingSmtp, step: str, done: bool
) -> None:
    """F-01 F-02 F-04 F-06 F-07 F-08: at the first time it does this, at the second, and so on to the last."""
    template = entered(tmp_path / "template")
    for n in range(1, 50):
        root, before = Path(copytree(template, tmp_path / str(n))), len(server.accepted())
        death = dying.Death(step, n, done)
        worker = context.Process(target=dying.deliver, args=("smtp", URL, root, server.port, KEY, 1, BATCH, death))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        states = finish(root, server, before, 1, (step, n, done))
        if step == "ledger.claim" and n == 1:
            assert set(states.values()) == {State.SENT}, "nothing was on the wire, so nothing is in doubt"
    assert worker.exitcode == 0
    assert n > 1, "it never did that"


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
def test_a_recovery_that_dies_again_and_again_ends_as_one_that_does_not(
    tmp_path: Path, context: multiprocessing.context.ForkServerContext, server: JournalingSmtp, done: bool
) -> None:
    """F-09: each recovery dies one step later than the one before it, all on the same ledger."""
    root = entered(tmp_path / "world")
    server.fault("dot", Fault(b"", "hang", keep=True), after=2)
    worker = context.Process(target=crash.deliver, args=("smtp", URL, root, server.port, KEY, 1, BATCH))
    worker.start()
    while len(server.accepted()) < 3:
        worker.join(0.005)
    worker.kill()
    worker.join()
    for n in range(1, 100):
        death = dying.Death("", n, done)
        worker = context.Process(target=dying.recover, args=(URL, root, death))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
    assert worker.exitcode == 0
    assert n > 3
    states = finish(root, server, 0, 1, n)
    assert [who for who, state in states.items() if state is State.UNKNOWN] == ["2@example.org"]


class Witness(JournalingSmtp):
    """Kills its client when a conversation comes to a step."""

    def __init__(self, path: Path, step: str) -> None:
        super().__init__(path)
        self._step = step
        self.victim = 0

    def next_fault(self, step: str) -> Fault | None:
        if step == self._step and self.victim:
            victim, self.victim = self.victim, 0
            os.kill(victim, signal.SIGKILL)
            while Path(f"/proc/{victim}").exists():
                time.sleep(0.001)
        return super().next_fault(step)


@pytest.mark.parametrize(
    ("step", "doubt"), [("banner", 0), ("rcpt", 0), ("data", 0), ("body", 1), ("dot", 1)], ids=lambda value: str(value)
)
def test_a_worker_that_dies_in_the_middle_of_a_conversation(
    tmp_path: Path, context: multiprocessing.context.ForkServerContext, step: str, doubt: int
) -> None:
    """F-03 F-05: until the dot may have left, death is no doubt; after it, the mail that arrived is `unknown`.

    A small mail leaves together with its dot, so while the server is in its body the dot may have left or not.
    """
    root = entered(tmp_path / "world")
    with Witness(tmp_path / "journal", step) as server:
        worker = context.Process(target=crash.deliver, args=("smtp", URL, root, server.port, KEY, 1, BATCH))
        worker.start()
        assert worker.pid
        server.victim = worker.pid
        worker.join()
        assert worker.exitcode == -signal.SIGKILL
        states = finish(root, server, 0, 1, step)
        doubts = [who for who, state in states.items() if state is State.UNKNOWN]
        assert len(doubts) <= doubt
        if step == "dot":
            assert doubts == ["0@example.org"]
            with closing(open_ledger(URL, root)) as ledger:
                (row,) = ledger.deliveries(KEY, [State.UNKNOWN])
                ledger.resolve(row, State.SENT, "it is in the server's log", Clock()(), "person")


def test_a_tick_that_is_killed_while_it_enters_leaves_no_half_edition(
    tmp_path: Path, context: multiprocessing.context.ForkServerContext
) -> None:
    """F-10: an edition is in the ledger with all its recipients or not at all, and a second tick sends it whole."""
    import random

    from tests.project import starter

    project, chance = starter(tmp_path / "newsroom"), random.Random(7)
    readers = "".join(f"r{number}@example.org,,2025-01-01,test\n" for number in range(400))
    path = project.folder / "config" / "readers.csv"
    path.write_text("email,name,consent_at,consent_source\n" + readers, "utf-8")
    config = project.folder / "config" / "syndicate.yaml"
    for _ in range(12):
        worker = context.Process(target=crash.tick, args=(config, "2025-03-10T06:30:00+00:00"))
        worker.start()
        worker.join(chance.uniform(0.02, 0.5))
        worker.kill()
        worker.join()
        editions = project.syndicate("editions", "list", "--json").json["editions"]
        counts = {one["key"]: sum(one["counts"].values()) for one in editions if one["channel"] == "weekly-digest"}
        assert set(counts.values()) <= {400}
    crash.tick(config, "2025-03-10T06:30:00+00:00")
    (edition,) = [
        one
        for one in project.syndicate("editions", "list", "--json").json["editions"]
        if one["channel"] == "weekly-digest"
    ]
    counts = {state: count for state, count in edition["counts"].items() if count}
    assert counts == {"sent": 400}
    assert len(list((project.folder / "outbox" / "weekly-digest").rglob("*.eml"))) == 400
