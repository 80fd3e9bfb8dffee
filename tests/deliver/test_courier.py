"""From the claim to the settlement, with a network that does what the test says."""

import os
import signal
import threading
from collections.abc import Generator, Iterator
from datetime import timedelta
from itertools import count, islice

import pytest

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.base import Job, Record, Tried
from syndicate.deliver.courier import Courier, Tally
from syndicate.errors import LedgerError
from syndicate.ledger.base import Ledger
from syndicate.model import (
    Dedupe,
    Deferred,
    Delivery,
    Mail,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    State,
    Unknown,
)
from syndicate.model.message import digest
from syndicate.testing.adapters_scripted import ScriptedOptions, ScriptedSender, mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.entries import KEY, entry, people, states
from tests.deliver.conftest import MakeCourier

A, B, C = (person.address for person in people(3))


def only(ledger: Ledger, recipient: str = A) -> Delivery:
    (found,) = ledger.deliveries(KEY, recipient=recipient)
    return found


def test_every_recipient_gets_it_once_and_the_ledger_says_so(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=250), clock())
    sender = ScriptedSender(options=ScriptedOptions(connections=4))
    tally = courier().deliver(KEY, sender, mail_for)
    assert (tally.total, tally.sent, tally.settled, tally.note) == (250, 250, 250, "")
    assert sender.accepted == {person.address: 1 for person in people(250)}
    assert {one.state for one in ledger.deliveries(KEY)} == {State.SENT}
    assert ledger.unfinished() == []


def test_the_ledger_keeps_receipt_hash_and_size(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=1), clock())
    courier().deliver(KEY, ScriptedSender(), mail_for)
    found = only(ledger)
    mail = mail_for(found)
    assert (found.receipt, found.reason) == (f"id-{A}", "250 ok")
    assert (found.sha256, found.size) == (digest(mail), len(mail.data))


def test_a_second_call_sends_nothing(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(), clock())
    sender = ScriptedSender()
    first, second = (courier().deliver(KEY, sender, mail_for) for _ in range(2))
    assert first.sent == second.sent == 3
    assert len(sender.sent) == 3


def test_an_edition_that_is_not_there_is_advice(courier: MakeCourier) -> None:
    with pytest.raises(LedgerError, match="no edition"):
        courier().deliver("no/such", ScriptedSender(), mail_for)


def test_a_refusal_stops_one_recipient_only(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(), clock())
    sender = ScriptedSender({B: [Refused("550 no such user")]})
    tally = courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: State.SENT, B: State.REFUSED, C: State.SENT}
    assert (tally.sent, tally.refused) == (2, 1)
    clock.advance(timedelta(days=1))
    courier().deliver(KEY, sender, mail_for)
    assert sender.accepted[B] == 1


def test_a_deferral_is_tried_again_with_the_same_bytes_when_it_is_due(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Deferred("450 busy"), Deferred("450 busy", timedelta(hours=2)), Receipt()]})
    assert courier().deliver(KEY, sender, mail_for).deferred == 1
    courier().deliver(KEY, sender, mail_for)
    assert len(sender.sent) == 1
    clock.advance(timedelta(seconds=73))
    courier().deliver(KEY, sender, mail_for)
    assert only(ledger).due == clock() + timedelta(hours=2)
    clock.advance(timedelta(hours=2))
    assert courier().deliver(KEY, sender, mail_for).sent == 1
    assert len(sender.sent) == 3
    assert len(set(sender.sent)) == 1
    assert only(ledger).attempt == 3


def test_what_stays_deferred_is_given_up_after_two_days(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Deferred("450 busy")]})
    for _ in range(60):
        courier().deliver(KEY, sender, mail_for)
        clock.advance(timedelta(hours=1))
    assert states(ledger) == {A: State.EXPIRED}
    assert 8 < len(sender.sent) < 16


@pytest.mark.parametrize("connections", [1, 3])
def test_a_fault_of_the_account_stops_everything_and_costs_nobody_an_attempt(
    ledger: Ledger, clock: Clock, courier: MakeCourier, connections: int
) -> None:
    ledger.enter(entry(recipients=50), clock())
    wrong = Paused("535 wrong password", "Set SMTP_PASSWORD.")
    sender = ScriptedSender({p.address: [wrong] for p in people(50)}, options=ScriptedOptions(connections))
    tally = courier().deliver(KEY, sender, mail_for)
    assert 1 <= len(sender.sent) <= connections
    assert (tally.sent, tally.deferred) == (0, 50)
    assert tally.note == "account mail is paused: 535 wrong password Set SMTP_PASSWORD."
    assert {one.attempt for one in ledger.deliveries(KEY)} == {0}

    courier().deliver(KEY, sender, mail_for)
    assert len(sender.sent) <= connections
    ledger.resume_account("mail", clock(), "person")
    assert courier().deliver(KEY, ScriptedSender(), mail_for).sent == 50
    assert {one.attempt for one in ledger.deliveries(KEY)} == {1}


def test_silence_is_held_and_shown(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(), clock())
    sender = ScriptedSender({B: [Unknown("no reply within 600 s")]})
    tally = courier().deliver(KEY, sender, mail_for)
    assert (tally.sent, tally.unknown) == (2, 1)
    clock.advance(timedelta(days=1))
    courier().deliver(KEY, sender, mail_for)
    assert sender.accepted[B] == 1
    assert only(ledger, B).reason == "no reply within 600 s"
    assert only(ledger, B).sha256 == digest(mail_for(only(ledger, B)))


def test_silence_is_repeated_while_the_network_recognises_it(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Unknown("no reply"), Receipt("first one")]}, Dedupe(repeat=timedelta(hours=1)))
    courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: State.DEFERRED}
    clock.advance(timedelta(minutes=2))
    courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: State.SENT}
    assert len(set(sender.sent)) == 1


def test_a_repeat_that_was_put_off_too_long_is_not_made(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Unknown("no reply")]}, Dedupe(repeat=timedelta(hours=1)))
    courier().deliver(KEY, sender, mail_for)
    clock.advance(timedelta(hours=1))
    courier().deliver(KEY, sender, mail_for)
    assert len(sender.sent) == 1
    assert states(ledger) == {A: State.UNKNOWN}


def test_a_channel_that_says_resend_gets_the_same_bytes_again(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Unknown("no reply"), Receipt()]})
    courier(unknown="resend").deliver(KEY, sender, mail_for)
    clock.advance(timedelta(minutes=2))
    assert courier(unknown="resend").deliver(KEY, sender, mail_for).sent == 1
    assert len(set(sender.sent)) == 1


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Receipt("urn:1", "https://example.com/1"), State.SENT),
        (None, State.SENT),  # certainly absent: sent again
        (OSError("no route"), State.UNKNOWN),
    ],
    ids=["found", "absent", "cannot say"],
)
def test_a_network_that_can_be_asked_is_asked(
    ledger: Ledger, clock: Clock, courier: MakeCourier, found: Receipt | Exception | None, state: State
) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Unknown("no reply"), Receipt("again")]}, Dedupe(lookup=True), findings={A: found})
    courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: State.UNKNOWN}
    courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: state}
    assert len(sender.sent) == (2 if found is None else 1)
    if isinstance(found, Receipt):
        assert (only(ledger).receipt, only(ledger).permalink) == (found.id, found.permalink)
    assert sender.opened == sender.closed


def test_a_person_who_says_again_is_obeyed(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender({A: [Unknown("no reply"), Receipt()]})
    courier().deliver(KEY, sender, mail_for)
    ledger.resolve(only(ledger), State.DEFERRED, "she has nothing", clock(), "person")
    assert courier().deliver(KEY, sender, mail_for).sent == 1


def test_a_message_that_cannot_be_made_stops_itself_only(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    """F-63: before the wire, so it is refused for good."""
    ledger.enter(entry(), clock())

    def compose(delivery: Delivery) -> Payload:
        if delivery.recipient == B:
            raise KeyError("slot")
        return mail_for(delivery)

    tally = courier().deliver(KEY, ScriptedSender(), compose)
    assert states(ledger) == {A: State.SENT, B: State.REFUSED, C: State.SENT}
    assert only(ledger, B).reason == "the message could not be made: KeyError: 'slot'"
    assert tally.refused == 1


def test_an_adapter_that_fails_while_it_sends_leaves_doubt(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    """F-63: on the wire, so nobody knows."""
    ledger.enter(entry(), clock())
    courier().deliver(KEY, ScriptedSender({B: [ZeroDivisionError("bug")]}), mail_for)
    assert states(ledger) == {A: State.SENT, B: State.UNKNOWN, C: State.SENT}
    assert "ZeroDivisionError: bug" in only(ledger, B).reason


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Refused("image too large"), State.REFUSED),
        (Deferred("503"), State.DEFERRED),
        (Unknown("no reply to the upload"), State.DEFERRED),
        (ZeroDivisionError("bug"), State.DEFERRED),
        (Mail("a", "b", b"with the image"), State.SENT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_public_has_happened_before_the_send(
    ledger: Ledger, clock: Clock, courier: MakeCourier, answer: Outcome, state: State
) -> None:
    ledger.enter(entry(recipients=1), clock())
    sender = ScriptedSender(preparing={A: answer})
    courier().deliver(KEY, sender, mail_for)
    assert states(ledger) == {A: state}
    assert [content for _, content, _ in sender.sent] == ([b"with the image"] if state is State.SENT else [])


def test_a_session_that_cannot_be_opened_defers(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(), clock())
    tally = courier().deliver(KEY, ScriptedSender(fault=OSError("no route to host")), mail_for)
    assert tally.deferred == 3
    assert only(ledger).reason == "no connection: OSError: no route to host"


def test_each_connection_has_one_session_for_all_its_messages(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=60), clock())
    sender = ScriptedSender(options=ScriptedOptions(connections=3))
    courier(batch=7).deliver(KEY, sender, mail_for)
    assert 1 <= sender.opened == sender.closed <= 3


def test_stop_gives_back_what_was_not_started(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    """F-60: whoever was claimed and not begun is free again."""
    ledger.enter(entry(recipients=50), clock())
    mine = courier()

    def stop() -> Outcome:
        mine.stop()
        return Receipt("the last one")

    sender = ScriptedSender({A: [stop]})
    tally = mine.deliver(KEY, sender, mail_for)
    assert [who for who, _, _ in sender.sent] == [A]
    assert (tally.sent, tally.deferred, tally.note) == (1, 49, "stopped as asked")
    assert courier().deliver(KEY, sender, mail_for).sent == 50
    assert {one.attempt for one in ledger.deliveries(KEY)} == {1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_then_does_what_it_always_does(
    ledger: Ledger, clock: Clock, courier: MakeCourier, number: signal.Signals
) -> None:
    ledger.enter(entry(recipients=50), clock())
    got: list[int] = []
    before = signal.signal(number, lambda received, frame: got.append(received))
    try:
        sender = ScriptedSender({A: [lambda: os.kill(os.getpid(), number) or Receipt()]})
        tally = courier().deliver(KEY, sender, mail_for)
    finally:
        signal.signal(number, before)
    assert got == [number]
    assert tally.sent >= 1
    assert (tally.sent + tally.deferred, tally.note) == (50, "stopped as asked")
    assert sum(sender.accepted.values()) == tally.sent


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_an_edition_that_a_person_stops_is_stopped_within_a_moment(
    ledger: Ledger, clock: Clock, courier: MakeCourier, state: str
) -> None:
    ledger.enter(entry(recipients=50), clock())

    def stop_it() -> Outcome:
        ledger.set_edition_state(KEY, state, "a typo", clock(), "person")
        return Receipt()

    sender = ScriptedSender({A: [stop_it]})
    beats = iter(range(10_000))  # every look at the watch is a second later
    mine = Courier(ledger, clock, worker="w", pulse=lambda: float(next(beats)))
    tally = mine.deliver(KEY, sender, mail_for)
    assert len(sender.sent) <= 2
    assert tally.note == f"the edition is {state}: a typo"
    assert courier().deliver(KEY, sender, mail_for).sent == tally.sent


def test_progress_counts_and_ends_with_the_final_tally(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=40), clock())
    seen: list[Tally] = []
    beats = count(step=1 / 16)  # each look at the watch takes a sixteenth of a second
    mine = Courier(ledger, clock, worker="w", batch=10, pulse=lambda: next(beats))
    tally = mine.deliver(KEY, ScriptedSender(), mail_for, seen.append)
    assert [one.total for one in seen] == [40] * len(seen)
    assert len(seen) >= 4
    assert [one.sent for one in seen] == sorted(one.sent for one in seen)
    assert (seen[-1].sent, tally.sent, tally.planned) == (40, 40, 0)


def test_answers_are_settled_in_batches(ledger: Ledger, clock: Clock) -> None:
    ledger.enter(entry(recipients=100), clock())
    counting = CountingLedger(ledger)
    Courier(counting, clock, batch=25, pulse=lambda: 0.0).deliver(KEY, ScriptedSender(), mail_for)  # type: ignore[arg-type]
    assert counting.calls.count("settle") == 4
    assert counting.calls.count("claim") == 6  # the last was full: nobody is left, neither ahead nor since


class CountingLedger:
    """Any ledger, with a list of what was called."""

    def __init__(self, ledger: Ledger) -> None:
        self.calls: list[str] = []
        self._ledger = ledger

    def __getattr__(self, name: str) -> object:
        self.calls.append(name)
        return getattr(self._ledger, name)


def test_a_claim_whose_lease_ran_out_is_not_sent(ledger: Ledger, clock: Clock, attempts: Attempts) -> None:
    """A process that was frozen wakes up: what it holds may belong to somebody else by now."""
    ledger.enter(entry(recipients=5), clock())
    beats = iter([0.0] * 4 + [10_000.0] * 1000)
    sender = ScriptedSender()
    Courier(ledger, clock, attempts=attempts, pulse=lambda: next(beats)).deliver(KEY, sender, mail_for)
    assert len(sender.sent) <= 1


def test_a_sender_may_bring_its_own_lane(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    class Backwards(ScriptedSender):
        """Takes three at once, like the batch call of a provider, and answers in the wrong order."""

        def lane(self) -> "Backwards":
            return self

        def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
            while batch := list(islice(jobs, 3)):
                for job in batch:
                    log.started(job)
                yield None
                for job in reversed(batch):
                    log.done(job.delivery, Receipt(f"batch of {len(batch)}"))
                    yield Tried(job, Receipt(f"batch of {len(batch)}"))

    ledger.enter(entry(recipients=9), clock())
    sender = Backwards()
    assert courier().deliver(KEY, sender, mail_for).sent == 9
    assert sender.sent == []
    assert only(ledger).receipt == "batch of 3"


def test_a_lane_that_forgets_a_job_leaves_doubt_and_no_loss(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    class Forgetful(ScriptedSender):
        def lane(self) -> "Forgetful":
            return self

        def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
            log.started(next(jobs))
            next(jobs)
            yield None

    ledger.enter(entry(), clock())
    courier().deliver(KEY, Forgetful(), mail_for)
    assert states(ledger) == {A: State.UNKNOWN, B: State.DEFERRED, C: State.DEFERRED}


def test_two_couriers_share_an_edition(ledger: Ledger, clock: Clock, attempts: Attempts) -> None:
    ledger.enter(entry(recipients=300), clock())
    sender = ScriptedSender(options=ScriptedOptions(connections=2))
    couriers = [Courier(ledger, clock, attempts=attempts, worker=name, batch=20) for name in ("a", "b")]
    threads = [threading.Thread(target=one.deliver, args=(KEY, sender, mail_for)) for one in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sender.accepted == {person.address: 1 for person in people(300)}
    assert {one.state for one in ledger.deliveries(KEY)} == {State.SENT}


def test_a_late_answer_of_a_courier_that_was_thought_dead_still_counts(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=1), clock())

    def slowly() -> Outcome:
        clock.advance(timedelta(hours=1))
        assert [one.recipient for one in ledger.recover(clock())] == [A]
        return Receipt("late")

    assert courier().deliver(KEY, ScriptedSender({A: [slowly]}), mail_for).sent == 1


def test_what_was_unsubscribed_meanwhile_is_not_sent(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(), clock())
    ledger.resolve(only(ledger, B), State.SKIPPED, "unsubscribed", clock(), "audience")
    sender = ScriptedSender()
    tally = courier().deliver(KEY, sender, mail_for)
    assert (tally.sent, tally.skipped, sender.accepted[B]) == (2, 1, 0)
