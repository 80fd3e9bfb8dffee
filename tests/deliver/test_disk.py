"""The n-th file operation of the attempt log fails, for every n: nothing is sent twice, nothing is lost."""

from contextlib import closing
from pathlib import Path

import pytest

from syndicate.deliver.attempts import LIMIT, Attempts, LogBroken
from syndicate.deliver.base import Job
from syndicate.deliver.courier import Courier
from syndicate.ledger import open_ledger, rehearsal_copy
from syndicate.ledger.base import Ledger
from syndicate.model import Delivery, Payload, Receipt, Request, State, Unknown
from syndicate.testing.adapters_scripted import ScriptedOptions, ScriptedSender
from syndicate.testing.clock import Clock
from syndicate.testing.disk import FailingDisk
from syndicate.testing.entries import KEY, LEASE, entry, people

SIZE = 6
URL = "sqlite:///syndicate.db"
#: Two of them, and the log is written anew.
LONG = "x" * (LIMIT // 2)


def request_for(delivery: Delivery) -> Payload:
    return Request("POST", delivery.recipient, b"{}")


def uploading(count: int, connections: int) -> ScriptedSender:
    """The network gives the first ones an id for their picture, and it is worth an fsync."""
    filled = {one.address: Request("POST", one.address, b"{}", fills={"{{image}}": LONG}) for one in people(count)}
    return ScriptedSender(preparing=filled, options=ScriptedOptions(connections))  # type: ignore[arg-type]


def breaks(courier: Courier, network: ScriptedSender) -> bool:
    """Whether the delivery was stopped by the disk, which is advice and no traceback."""
    try:
        courier.deliver(KEY, network, request_for)
    except LogBroken as error:
        return bool(error.hint)
    return False


@pytest.mark.parametrize("stays_full", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("done", [False, True], ids=["before it is done", "after it is done"])
def test_a_disk_that_fails_anywhere_sends_nothing_twice_and_loses_nothing(
    tmp_path: Path, clock: Clock, done: bool, stays_full: bool
) -> None:
    """F-30: each operation of the attempt log fails in its turn."""
    failed: dict[str, int] = {}
    with closing(open_ledger(URL, tmp_path)) as entered:
        entered.enter(entry(recipients=SIZE), clock())
    for n in range(1, 100):
        folder = tmp_path / f"{n}"
        with closing(rehearsal_copy(URL, tmp_path)) as ledger:
            leave_a_dead_worker(ledger, folder, clock)
            network, disk = uploading(3, connections=1), FailingDisk(n, done=done, stays_full=stays_full)
            broke = breaks(Courier(ledger, clock, attempts=Attempts(folder, "boot", disk), batch=2), network)
            failed[disk.name] = failed.get(disk.name, 0) + broke
            assert {one.state for one in ledger.deliveries(KEY)} <= {
                State.PLANNED,
                State.SENDING,
                State.SENT,
                State.DEFERRED,
            }
            attempts = Attempts(folder, "boot")
            Courier(ledger, clock, attempts=attempts).deliver(KEY, network, request_for)
            assert network.accepted == {person.address: 1 for person in people(SIZE)}, (n, disk.name)
            assert {one.state for one in ledger.deliveries(KEY)} == {State.SENT}
            assert list(attempts.dead()) == []
        if not disk.name:
            break
    assert n > 20
    assert failed.keys() == {"open", "lock", "read", "remove", "folder", "create", "append", "replace", "sync", ""}
    stopped = {name for name, count in failed.items() if count}
    assert {"folder", "create", "append", "sync", "read"} <= stopped


def leave_a_dead_worker(ledger: Ledger, folder: Path, clock: Clock) -> None:
    """It had claimed one, and died before it was tried."""
    ledger.claim(KEY, "dead", 1, clock(), LEASE)
    Attempts(folder, "boot").begin("dead").close(finished=False)


def test_a_log_that_cannot_be_read_is_no_reason_to_guess(tmp_path: Path, clock: Clock) -> None:
    """The network had it, and only the log knows."""
    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=1), clock())
        (delivery,) = ledger.claim(KEY, "dead", 1, clock(), LEASE)
        log = Attempts(tmp_path / "a", "boot").begin("dead")
        log.started(Job(delivery, request_for(delivery), "a" * 64, 7))
        log.close(finished=False)
        network = ScriptedSender()
        for n in (1, 2, 3):
            assert breaks(Courier(ledger, clock, attempts=Attempts(tmp_path / "a", "boot", FailingDisk(n))), network)
        Courier(ledger, clock, attempts=Attempts(tmp_path / "a", "boot")).deliver(KEY, network, request_for)
        assert [one.state for one in ledger.deliveries(KEY)] == [State.UNKNOWN]
        assert network.sent == []


def test_a_record_that_cannot_be_synced_is_not_followed_by_a_send(tmp_path: Path, clock: Clock) -> None:
    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=1), clock())
        network, disk = uploading(1, 1), FailingDisk(7)  # after folder, create, lock, append, replace; append
        assert breaks(Courier(ledger, clock, attempts=Attempts(tmp_path / "a", "boot", disk)), network)
        assert (disk.name, network.sent) == ("sync", [])
        assert [one.state for one in ledger.deliveries(KEY)] == [State.DEFERRED]


def test_ids_of_pictures_are_read_as_they_were_written(tmp_path: Path, clock: Clock) -> None:
    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=2), clock())
        first, second = ledger.claim(KEY, "dead", 2, clock(), LEASE)
        log = Attempts(tmp_path / "a", "boot").begin("dead")
        for one in (first, second):
            ready = Request("POST", one.recipient, b"{}", fills={"{{image}}": f"urn:ä {one.id}"})
            log.started(Job(one, ready, "a" * 64, 7))
        log.done(second, Receipt("r"))
        log.close(finished=False)
        (dead,) = Attempts(tmp_path / "a", "boot").dead()
        assert isinstance(dead.of(first).outcome, Unknown)
        assert dead.of(first).fills == {"{{image}}": f"urn:ä {first.id}"}
        assert (dead.of(second).outcome, dead.of(second).fills) == (Receipt("r"), {"{{image}}": f"urn:ä {second.id}"})
