"""The n-th call of the ledger fails, for every n: nothing is sent twice, nothing is lost."""

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.courier import Courier
from syndicate.errors import LedgerError
from syndicate.ledger import open_ledger, rehearsal_copy
from syndicate.ledger.base import Ledger
from syndicate.model import Deferred, Outcome, Receipt, Refused, State
from syndicate.testing.adapters_scripted import ScriptedOptions, ScriptedSender, mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.entries import KEY, entry, people

SIZE = 12
URL = "sqlite:///syndicate.db"


class FailingLedger:
    """Any ledger, whose n-th call raises: before it did anything, or after it did all, as a commit may."""

    def __init__(self, ledger: Ledger, at: int, *, done: bool) -> None:
        self._ledger = ledger
        self._left = at
        self._done = done
        self._lock = threading.Lock()

    @property
    def has_failed(self) -> bool:
        return self._left <= 0

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            with self._lock:  # a run writes in a thread of its own
                self._left -= 1
                fails = self._left == 0
            if fails and not self._done:
                raise LedgerError("the disk is full")
            result = getattr(self._ledger, name)(*args, **more)
            if fails:
                raise LedgerError("the disk is full, or perhaps not")
            return result

        return call


def sender() -> ScriptedSender:
    return ScriptedSender({"3@example.org": [Refused("no")]}, options=ScriptedOptions(connections=2))


@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
def test_a_ledger_that_fails_anywhere_sends_nothing_twice_and_loses_nothing(
    tmp_path: Path, clock: Clock, done: bool
) -> None:
    """F-32: before a transaction, or after a commit of which nobody hears."""
    failed = 0
    with closing(open_ledger(URL, tmp_path)) as entered:
        entered.enter(entry(recipients=SIZE), clock())
    for n in range(1, 200):
        with closing(rehearsal_copy(URL, tmp_path)) as ledger:
            network = sender()
            attempts = Attempts(tmp_path / "attempts", "this boot")
            failing = FailingLedger(ledger, n, done=done)
            failed += breaks(Courier(failing, clock, attempts=attempts, batch=5, pulse=lambda: 0.0), network)  # type: ignore[arg-type]
            Courier(ledger, clock, attempts=attempts).deliver(KEY, network, mail_for)
            assert network.accepted == {person.address: 1 for person in people(SIZE)}, n
            states = [one.state for one in ledger.deliveries(KEY)]
            assert states == [State.SENT] * 3 + [State.REFUSED] + [State.SENT] * (SIZE - 4), n
            assert list(attempts.dead()) == []
        if not failing.has_failed:
            break
    assert failed == n - 1 > 10


def breaks(courier: Courier, network: ScriptedSender) -> bool:
    """Whether the delivery was stopped by the ledger."""
    try:
        courier.deliver(KEY, network, mail_for)
    except LedgerError:
        return True
    return False


def test_a_full_disk_is_advice_and_the_next_run_goes_on(tmp_path: Path, clock: Clock) -> None:
    """F-30: SQLite itself runs out of pages in the middle of a send."""
    with closing(open_ledger(URL, tmp_path)) as ledger:
        ledger.enter(entry(recipients=400), clock())
        network = ScriptedSender()
        attempts = Attempts(tmp_path / "attempts", "this boot")
        engine = ledger.database.engine
        with engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(LedgerError, match="the disk is full") as caught:
            Courier(ledger, clock, attempts=attempts, batch=50).deliver(KEY, network, mail_for)
        assert "goes on where it was" in caught.value.hint
        assert 0 < len(network.sent) < 400
    with closing(open_ledger(URL, tmp_path)) as ledger:
        Courier(ledger, clock, attempts=attempts).deliver(KEY, network, mail_for)
        assert network.accepted == {person.address: 1 for person in people(400)}
        assert {one.state for one in ledger.deliveries(KEY)} == {State.SENT}


def test_what_is_on_the_wire_when_the_ledger_fails_is_noted_before_the_courier_gives_up(
    tmp_path: Path, clock: Clock
) -> None:
    failed = threading.Event()

    class Failing(FailingLedger):
        def settle(self, *args: Any, **more: Any) -> Any:
            failed.set()
            raise LedgerError("the disk is full")

    def slowly() -> Outcome:
        failed.wait(5)
        time.sleep(0.01)
        return Receipt("late")

    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=2), clock())
        network = ScriptedSender({"1@example.org": [slowly]}, options=ScriptedOptions(connections=2))
        attempts = Attempts(tmp_path / "attempts", "this boot")
        beats = iter(range(1000))
        failing = Failing(ledger, -1, done=False)
        courier = Courier(failing, clock, attempts=attempts, pulse=lambda: float(next(beats)))  # type: ignore[arg-type]
        assert breaks(courier, network)
        Courier(ledger, clock, attempts=attempts).recover()
        assert [one.state for one in ledger.deliveries(KEY)] == [State.SENT, State.SENT]
        assert [one.receipt for one in ledger.deliveries(KEY)] == ["id-0@example.org", "late"]


def test_a_deferral_survives_a_crash_between_its_answer_and_its_settlement(tmp_path: Path, clock: Clock) -> None:
    class Failing(FailingLedger):
        def settle(self, *args: Any, **more: Any) -> Any:
            raise LedgerError("the disk is full")

    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=1), clock())
        network = ScriptedSender({"0@example.org": [Deferred("450 busy")]})
        attempts = Attempts(tmp_path / "attempts", "this boot")
        assert breaks(Courier(Failing(ledger, -1, done=False), clock, attempts=attempts), network)  # type: ignore[arg-type]
        Courier(ledger, clock, attempts=attempts).recover()
        (found,) = ledger.deliveries(KEY)
        assert (found.state, found.reason, found.attempt) == (State.DEFERRED, "450 busy", 1)
