"""Deliveries that travel in one call: noted at once, and due again at the same moment, so that it can be repeated."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.adapters.resend import Resend, ResendOptions
from syndicate.deliver.attempts import Attempts, LogBroken
from syndicate.deliver.base import Job, Tried
from syndicate.deliver.courier import Courier
from syndicate.deliver.policy import Policy
from syndicate.ledger.base import Ledger
from syndicate.model import Dedupe, Delivery, Payload, Receipt, Request, State, Unknown
from syndicate.model.lane import TOGETHER
from syndicate.testing import messages
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.disk import FailingDisk
from syndicate.testing.entries import KEY, claim, entry, only, settle, states
from syndicate.testing.http import Fault
from syndicate.testing.providers import KEY as TOKEN
from syndicate.testing.resend import FakeResend


def job(number: int) -> Job:
    delivery = Delivery(id=number, edition=KEY, recipient=f"{number}@example.org", account="mail", epoch=1)
    payload = Request("POST", "https://api.example.com", b"x", fills={TOGETHER: "c1"})
    return Job(delivery, payload, "a" * 64, 41)


CALL = [job(1), job(2), job(3)]


def test_a_call_is_noted_with_one_write_and_one_fsync(tmp_path: Path) -> None:
    class Counting(FailingDisk):
        counts = {"append": 0, "sync": 0}  # noqa: RUF012  of this one test

        def _turn(self, name: str) -> bool:
            self.counts[name] = self.counts.get(name, 0) + 1
            return super()._turn(name)

    disk = Counting(-1)
    log = Attempts(tmp_path, "boot", disk).begin("w")
    before = dict(disk.counts)
    log.started(*CALL)
    log.all_done([Tried(one, Receipt("id")) for one in CALL])
    assert disk.counts["append"] - before["append"] == 2
    assert disk.counts["sync"] - before["sync"] == 2  # the file, and its name
    log.close(finished=False)
    (dead,) = Attempts(tmp_path, "boot").dead()
    assert [dead.of(one.delivery).outcome for one in CALL] == [Receipt("id")] * 3
    assert [dead.of(one.delivery).fills for one in CALL] == [{TOGETHER: "c1"}] * 3


def test_a_call_that_was_started_and_not_answered_is_in_doubt_whole(tmp_path: Path) -> None:
    log = Attempts(tmp_path, "boot").begin("w")
    log.started(*CALL)
    assert all(log.is_open(one.delivery) for one in CALL)
    log.close(finished=False)
    (dead,) = Attempts(tmp_path, "boot").dead()
    assert all(isinstance(dead.of(one.delivery).outcome, Unknown) for one in CALL)


def test_what_cannot_be_noted_of_a_call_is_told(tmp_path: Path) -> None:
    log = Attempts(tmp_path, "boot", FailingDisk(6)).begin("w")  # five operations open it
    with pytest.raises(LogBroken):
        log.started(*CALL)


def test_what_travelled_together_waits_alike() -> None:
    waits = {Policy().wait(Delivery(id=n, edition=KEY, recipient=f"{n}@x.test", account="m", fills={TOGETHER: "c"},
                                    attempt=1)) for n in range(50)}  # fmt: skip
    alone = {Policy().wait(Delivery(id=n, edition=KEY, recipient=f"{n}@x.test", account="m", attempt=1))
             for n in range(50)}  # fmt: skip
    assert len(waits) == 1
    assert len(alone) == 50


@dataclass
class Mailing:
    """Nine readers at a Resend that takes four in one call and is silent at the second one."""

    ledger: Ledger
    attempts: Attempts
    network: FakeResend
    clock: Clock = field(default_factory=Clock)

    def run(self) -> None:
        """A courier on its way."""
        options = ResendOptions.model_validate({"api_key": TOKEN, "base_url": self.network.url, "batch": 4})
        resend, letter = Resend(options, now=self.clock), messages.letter()

        def compose(delivery: Delivery) -> Payload:
            return resend.compose(messages.email(delivery.recipient, letter))

        Courier(self.ledger, self.clock, attempts=self.attempts).deliver(KEY, resend, compose)

    def count(self, state: State) -> int:
        return list(states(self.ledger).values()).count(state)


@pytest.fixture
def mailing(ledger: Ledger, attempts: Attempts) -> Iterator[Mailing]:
    ledger.enter(entry(recipients=9), MONDAY)
    with FakeResend() as network:
        network.fault(None, Fault(then="close", apply=True))
        found = Mailing(ledger, attempts, network)
        found.run()
        yield found


def test_a_call_without_an_answer_is_repeated_whole_by_the_next_run(mailing: Mailing) -> None:
    assert mailing.count(State.DEFERRED) == 4
    assert len({one.due for one in mailing.ledger.deliveries(KEY, [State.DEFERRED])}) == 1
    mailing.clock.advance(timedelta(minutes=2))
    mailing.run()
    assert mailing.count(State.SENT) == 9
    assert len(mailing.network.taken) == 9
    assert mailing.network.journal[-1].body == mailing.network.journal[1].body


def test_once_the_provider_has_forgotten_nothing_is_repeated(mailing: Mailing) -> None:
    calls = len(mailing.network.journal)
    mailing.clock.advance(timedelta(hours=20))
    mailing.run()
    assert mailing.count(State.UNKNOWN) == 4
    assert len(mailing.network.journal) == calls


@pytest.mark.parametrize("proves", [True, False])
def test_that_it_is_not_there_counts_only_where_the_network_proves_it(ledger: Ledger, proves: bool) -> None:
    ledger.enter(entry(recipients=1), MONDAY)
    settle(ledger, claim(ledger, 1)[0], Unknown("no reply"))
    sender = ScriptedSender(dedupe=Dedupe(lookup=True, proves_absence=proves))
    Courier(ledger, Clock()).deliver(KEY, sender, mail_for)
    assert only(ledger).state is (State.SENT if proves else State.UNKNOWN)
    assert len(sender.sent) == (1 if proves else 0)
