"""As fast as the account may, and no faster: over all couriers, and over a restart."""

import random
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syndicate.deliver.courier import Courier
from syndicate.ledger import open_ledger
from syndicate.ledger.base import Ledger
from syndicate.model import Outcome, Payload, Receipt, Recipient, State
from syndicate.model.limits import Limits, Rate
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, LEASE, entry, people

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Watch(ScriptedSender):
    """Notes when it was asked, by the clock of the test."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.times: list[datetime] = []

    def send(self, session: object, payload: Payload, key: str) -> Outcome:
        self.times.append(self.clock())
        return super().send(session, payload, key)


def courier(ledger: Ledger, clock: Clock, limits: Limits, slept: list[float]) -> Courier:
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    return Courier(ledger, clock, limits=limits, sleep=sleep)


def most_in(times: list[datetime], span: timedelta) -> int:
    """Of all spans of this length, the fullest."""
    return max(sum(start <= one < start + span for one in times) for start in times)


def test_a_short_limit_is_waited_for(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=100), clock())
    sender, slept = Watch(clock), list[float]()
    tally = courier(ledger, clock, Limits((Rate(10, SECOND),)), slept).deliver(KEY, sender, mail_for)
    assert (tally.sent, tally.note, tally.waits) == (100, "", "")
    assert most_in(sender.times, SECOND) == 10
    assert clock() - MONDAY <= 10 * SECOND
    assert sender.opened == 1  # the connection stayed open meanwhile


def test_a_minute_is_waited_for_without_a_connection(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=70), clock())
    sender, slept = Watch(clock), list[float]()
    assert courier(ledger, clock, Limits((Rate(30, MINUTE),)), slept).deliver(KEY, sender, mail_for).sent == 70
    assert most_in(sender.times, MINUTE) == 30
    assert [60 <= one < 62 for one in slept] == [True, True]
    assert sender.opened == sender.closed == 3


def test_a_long_limit_ends_the_run_and_the_next_one_goes_on(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=70), clock())
    sender, slept = Watch(clock), list[float]()
    mine = courier(ledger, clock, Limits((Rate(30, HOUR),)), slept)
    tally = mine.deliver(KEY, sender, mail_for)
    assert (tally.sent, tally.planned, tally.deferred, tally.note) == (30, 40, 0, "")
    assert "40 wait for the limits of account mail" in tally.waits
    assert tally.until is not None
    assert HOUR <= tally.until - MONDAY < HOUR + 2 * MINUTE
    assert mine.deliver(KEY, sender, mail_for).sent == 30  # too early
    clock.now = tally.until
    assert mine.deliver(KEY, sender, mail_for).sent == 60
    assert slept == []


def test_nobody_waits_for_a_limit_when_nothing_is_left(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=10), clock())
    slept = list[float]()
    tally = courier(ledger, clock, Limits((Rate(10, MINUTE),)), slept).deliver(KEY, Watch(clock), mail_for)
    assert (tally.sent, tally.waits, slept) == (10, "", [])


def test_a_limit_of_one_domain_holds_up_nobody_else(ledger: Ledger, clock: Clock) -> None:
    readers = [Recipient(f"{n}@big.test") for n in range(40)] + people(40)
    ledger.enter(entry(recipients=readers), clock())
    sender, slept = Watch(clock), list[float]()
    limits = Limits(domain=(Rate(40, SECOND), Rate(10, HOUR)))
    tally = courier(ledger, clock, limits, slept).deliver(KEY, sender, mail_for)
    assert Counter(who.partition("@")[2] for who, _, _ in sender.sent) == {"big.test": 10, "example.org": 10}
    assert {one.attempt for one in ledger.deliveries(KEY, [State.PLANNED])} == {0}
    assert (tally.planned, tally.until) == (60, ledger.next_due(KEY))
    while tally.planned:
        assert tally.until is not None
        clock.now = tally.until
        tally = courier(ledger, clock, limits, slept).deliver(KEY, sender, mail_for)
    assert clock() - MONDAY < 5 * HOUR
    times = {domain: [] for domain in ("big.test", "example.org")}
    for at, (who, _, _) in zip(sender.times, sender.sent, strict=True):
        times[who.partition("@")[2]].append(at)
    assert {most_in(one, HOUR) for one in times.values()} == {10}


def test_stop_ends_the_waiting(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=70), clock())
    mine = Courier(ledger, clock, limits=Limits((Rate(30, MINUTE),)), sleep=lambda seconds: mine.stop())
    tally = mine.deliver(KEY, ScriptedSender(), mail_for)
    assert (tally.sent, tally.planned, tally.note) == (30, 40, "stopped as asked")


@pytest.mark.parametrize(("count", "seconds"), [(50, 20), (14, 60)])
def test_eight_workers_and_a_restart_keep_one_limit(tmp_path: Path, count: int, seconds: int) -> None:
    """Random instants, random hands, and the database opened anew in the middle."""
    limits, instants, begun = Limits((Rate(count, SECOND),)), random.Random(1), list[datetime]()
    ledger = open_ledger("sqlite:///a.db", tmp_path)
    ledger.enter(entry(recipients=2000), MONDAY)
    now = MONDAY
    for turn in range(seconds * 40):
        now += timedelta(seconds=instants.uniform(0, 0.05))
        worker = f"w{instants.randrange(8)}"
        begun += [now] * len(ledger.claim(KEY, worker, instants.randrange(1, 9), now, LEASE, limits))
        if turn == seconds * 20:
            ledger.close()
            ledger = open_ledger("sqlite:///a.db", tmp_path)
    with closing(ledger):
        assert most_in(begun, SECOND) == count
        assert len(begun) >= 0.9 * count * (now - MONDAY).total_seconds()


def test_a_limit_costs_a_few_rows_and_no_more(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=2000), clock())
    limits = Limits((Rate(100, SECOND), Rate(10_000, HOUR)))
    for _ in range(1000):
        clock.advance(timedelta(seconds=0.5))
        ledger.claim(KEY, "w", 2, clock(), LEASE, limits)
    with ledger.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM quota").scalar() < 100


def test_a_courier_that_limits_nothing_asks_nothing(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=50), clock())
    Courier(ledger, clock).deliver(KEY, ScriptedSender({"0@example.org": [Receipt()]}), mail_for)
    with ledger.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM quota").scalar() == 0
