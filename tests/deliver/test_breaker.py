"""Who is left alone after failures, for how long, and what ends it. Time is the test's own."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.deliver.breaker import Breaker
from syndicate.deliver.courier import Courier
from syndicate.deliver.policy import FEW, RESTS, Policy
from syndicate.ledger.base import Ledger
from syndicate.model import Deferred, Outcome, Receipt, Recipient, Refused, State, Unknown
from syndicate.testing.adapters_scripted import ScriptedOptions, ScriptedSender, mail_for
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, entry, people, states
from tests.deliver.conftest import MakeCourier

MINUTE = timedelta(minutes=1)
DOWN = Deferred("no connection: Connection refused", reached=False)
BUSY = Deferred("451 try again")
RATE = Deferred("421 4.7.28 unusual rate", timedelta(minutes=10))


@pytest.fixture
def breaker(ledger: Ledger, clock: Clock) -> Breaker:
    return Breaker(ledger, "mail", Policy(), clock)


def resting(ledger: Ledger) -> dict[str, timedelta]:
    """Domain -> for how long from Monday noon."""
    return {one.domain: one.until - MONDAY for one in ledger.rests("mail")}


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([("a@x.test", DOWN)] * 2, {}),
        ([("a@x.test", DOWN), ("a@y.test", DOWN), ("a@z.test", DOWN)], {"": MINUTE}),
        ([("a@x.test", DOWN)] * 2 + [("a@x.test", Receipt())] + [("a@x.test", DOWN)] * 2, {}),
        ([("a@x.test", DOWN)] * 2 + [("a@x.test", BUSY)] + [("a@x.test", DOWN)] * 2, {}),
        ([("a@x.test", BUSY)] * 4, {}),
        ([("a@x.test", BUSY)] * 5, {"x.test": MINUTE}),
        ([("a@x.test", BUSY)] * 4 + [("b@X.test", Refused("550"))] + [("a@x.test", BUSY)] * 4, {}),
        ([("a@x.test", BUSY)] * 4 + [("b@y.test", Receipt())] + [("a@x.test", BUSY)], {"x.test": MINUTE}),
        ([("a@x.test", RATE)], {"x.test": 10 * MINUTE}),
        ([("a@x.test", RATE), ("a@y.test", RATE)], {"x.test": 10 * MINUTE, "y.test": 10 * MINUTE}),
        (
            [("a@x.test", RATE), ("a@y.test", RATE), ("a@z.test", RATE)],
            {"": 10 * MINUTE, "x.test": 10 * MINUTE, "y.test": 10 * MINUTE, "z.test": 10 * MINUTE},
        ),
        (
            [("a@x.test", RATE), ("a@x.test", Receipt()), ("a@y.test", RATE)],
            {"x.test": 10 * MINUTE, "y.test": 10 * MINUTE},
        ),
        ([("a@x.test", Unknown("silence"))] * 9, {}),
        ([("company", BUSY)] * 9, {}),
        ([("company", RATE)], {"": 10 * MINUTE}),
    ],
)
def test_what_leads_to_a_rest(
    ledger: Ledger, breaker: Breaker, heard: list[tuple[str, Outcome]], expected: dict[str, timedelta]
) -> None:
    for recipient, outcome in heard:
        breaker.heard(recipient, outcome)
    assert resting(ledger) == expected


def test_each_rest_is_longer_and_one_failure_is_enough(ledger: Ledger, clock: Clock, breaker: Breaker) -> None:
    for _ in range(2):
        breaker.heard("a@x.test", DOWN)
    for span in (*RESTS, RESTS[-1]):
        breaker.heard("a@x.test", DOWN)
        (rest,) = ledger.rests("mail")
        assert rest.until - clock() == span
        breaker.heard("late@x.test", DOWN)  # of another connection: it does not count twice
        clock.now = rest.until
        assert breaker.rest_of() is None


def test_an_answer_after_the_rest_ends_the_matter(ledger: Ledger, clock: Clock, breaker: Breaker) -> None:
    breaker.heard("a@x.test", RATE)
    breaker.heard("late@x.test", Receipt())  # it was on its way before
    assert breaker.rest_of("b@X.TEST") is not None
    clock.advance(timedelta(minutes=10))
    assert breaker.rest_of("b@x.test") is None
    breaker.heard("b@x.test", Receipt())
    assert ledger.rests("mail") == []


def test_an_account_that_cannot_be_reached_costs_nobody_an_attempt(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=50), clock())
    tally = courier().deliver(KEY, ScriptedSender(fault=OSError("no route to host")), mail_for)
    assert (tally.sent, tally.planned + tally.deferred, tally.note) == (0, 50, "")
    assert tally.waits == "account mail is left alone: no connection: OSError: no route to host"
    assert tally.until == MONDAY + MINUTE
    assert {one.attempt for one in ledger.deliveries(KEY)} == {0}

    sender = ScriptedSender()
    again = courier().deliver(KEY, sender, mail_for)
    assert (again.waits, again.until, sender.opened) == (tally.waits, tally.until, 0)
    clock.advance(2 * MINUTE)
    assert courier().deliver(KEY, sender, mail_for).sent == 50
    assert ledger.rests("mail") == []


def test_a_server_that_stays_away_is_asked_once_for_each_rest(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=200), clock())
    asked = Asked()
    for _ in range(24 * 4):
        courier().deliver(KEY, asked, mail_for)
        clock.advance(15 * MINUTE)
    assert asked.times == 3 + 3 + 46  # then every half hour
    assert {one.attempt for one in ledger.deliveries(KEY)} == {0}
    assert State.EXPIRED not in set(states(ledger).values())


class Asked(ScriptedSender):
    """Cannot be reached, and counts how often that was tried."""

    times = 0

    def open(self) -> None:  # type: ignore[override]
        self.times += 1
        raise OSError("no route to host")


def test_an_address_at_which_nobody_listens_is_no_fault_of_the_readers(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    """A real refusal, by the lane of SMTP, which gives up by itself."""
    from syndicate.adapters.smtp import Smtp

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    ledger.enter(entry(recipients=50), clock())
    smtp = Smtp(Smtp.Options.model_validate({"host": "127.0.0.1", "port": port, "tls": "none"}))
    tally = courier().deliver(KEY, Impatient(smtp), mail_for)
    assert tally.until == MONDAY + MINUTE
    assert "refused" in tally.waits
    assert sum(one.attempt for one in ledger.deliveries(KEY)) <= 1


class Impatient:
    """SMTP whose lane does not wait before it gives up."""

    def __init__(self, smtp: object) -> None:
        self._smtp = smtp

    def __getattr__(self, name: str) -> object:
        return getattr(self._smtp, name)

    def lane(self) -> object:
        from syndicate.adapters.smtp_allowance import Allowance
        from syndicate.adapters.smtp_lane import SmtpLane

        return SmtpLane(self._smtp.options, Allowance(1), pauses=())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("answer", "asked", "span"), [(RATE, 1, 10 * MINUTE), (BUSY, 5, MINUTE)])
def test_a_busy_domain_is_left_alone_and_the_others_are_not(
    ledger: Ledger, clock: Clock, courier: MakeCourier, answer: Deferred, asked: int, span: timedelta
) -> None:
    busy = [Recipient(f"{n}@busy.test") for n in range(20)]
    ledger.enter(entry(recipients=[*busy, *people(20)]), clock())
    sender = ScriptedSender({one.address: [answer, Receipt()] for one in busy})
    tally = courier(batch=8).deliver(KEY, sender, mail_for)
    assert sum("busy" in who for who in sender.accepted) == asked
    assert (tally.sent, tally.planned + tally.deferred) == (20, 20)
    assert sum(one.attempt for one in ledger.deliveries(KEY) if "busy" in one.recipient) == asked
    clock.advance(span * 2)
    courier(batch=8).deliver(KEY, ScriptedSender(), mail_for)
    assert set(states(ledger).values()) == {State.SENT}
    assert ledger.rests("mail") == []


def test_too_many_retries_are_for_a_person(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    """Every second reader is deferred for ever, each in a domain of his own."""
    readers = [Recipient(f"a@{n}.test") for n in range(20)]
    ledger.enter(entry(recipients=readers), clock())
    sender = ScriptedSender({one.address: [BUSY] for one in readers[::2]}, options=ScriptedOptions(connections=1))
    tally = courier(retries=1.5).deliver(KEY, sender, mail_for)
    while not tally.note:
        clock.advance(timedelta(hours=1))
        tally = courier(retries=1.5).deliver(KEY, sender, mail_for)
    assert tally.note.startswith("the edition is paused: 30 retries are more than it may have")
    assert len(sender.sent) == 20 + 30
    assert courier(retries=1.5).deliver(KEY, sender, mail_for).note == tally.note

    ledger.set_edition_state(KEY, "sending", "mended", clock(), "person")
    clock.advance(timedelta(hours=12))
    assert courier().deliver(KEY, ScriptedSender(), mail_for).sent == 20


def test_a_small_edition_has_its_few_retries() -> None:
    policy = Policy(retries=3)
    assert not policy.worn_out(FEW - 1, 1)
    assert policy.worn_out(FEW, 1)
    assert not policy.worn_out(299, 100)
    assert policy.worn_out(300, 100)


def test_a_rest_is_kept_by_every_courier(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    ledger.enter(entry(recipients=9), clock())
    ledger.enter(entry("daily/1", recipients=9), clock())
    Courier(ledger, clock, worker="a").deliver(KEY, ScriptedSender(fault=OSError("down")), mail_for)
    sender = ScriptedSender()
    tally = Courier(ledger, clock, worker="b").deliver("daily/1", sender, mail_for)
    assert (tally.planned, sender.sent) == (9, [])
    assert "down" in tally.waits
