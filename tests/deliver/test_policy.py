"""What each answer leads to."""

from datetime import timedelta

import pytest

from syndicate.deliver.policy import SCHEDULE, Policy
from syndicate.model import (
    Dedupe,
    Deferred,
    Delivery,
    Outcome,
    Paused,
    Receipt,
    Refused,
    State,
    Unknown,
)
from syndicate.testing.clock import MONDAY

NEITHER = Dedupe()
AN_HOUR = Dedupe(repeat=timedelta(hours=1))


def delivery(attempt: int = 1, doubted: timedelta | None = None, number: int = 7) -> Delivery:
    return Delivery(
        id=number,
        edition="weekly/1",
        recipient=f"{number}@example.org",
        account="mail",
        state=State.SENDING,
        attempt=attempt,
        epoch=attempt,
        doubted=None if doubted is None else MONDAY - doubted,
        moved=MONDAY,
    )


def decide(outcome: Outcome, one: Delivery, dedupe: Dedupe = NEITHER, age: timedelta = timedelta(0), **more: object):
    return Policy(**more).decide(one, outcome, dedupe, now=MONDAY, entered=MONDAY - age)  # type: ignore[arg-type]


def test_a_receipt_and_a_refusal_are_final() -> None:
    for outcome in (Receipt("r"), Refused("no")):
        decision = decide(outcome, delivery())
        assert (decision.outcome, decision.due, decision.then, decision.free) == (outcome, None, None, False)


def test_an_account_at_fault_costs_nobody_an_attempt() -> None:
    decision = decide(Paused("login"), delivery())
    assert (decision.free, decision.due, decision.then) == (True, None, None)


@pytest.mark.parametrize(("attempt", "base"), [*enumerate((*SCHEDULE, SCHEDULE[-1]), start=1)])
def test_the_wait_grows_with_the_attempts_and_varies_by_a_fifth(attempt: int, base: timedelta) -> None:
    waits = [Policy().wait(delivery(attempt, number=number)) / base for number in range(200)]
    assert 0.8 <= min(waits) < 0.85
    assert 1.15 < max(waits) <= 1.2
    assert len(set(waits)) == 200


def test_the_wait_of_an_attempt_is_always_the_same() -> None:
    assert Policy().wait(delivery(2)) == Policy().wait(delivery(2))
    assert decide(Deferred("busy"), delivery(2)).due == MONDAY + Policy().wait(delivery(2))


@pytest.mark.parametrize(
    ("asked", "given"), [(timedelta(hours=2), timedelta(hours=2)), (timedelta(0), timedelta(seconds=1))]
)
def test_a_network_that_names_a_wait_gets_it_but_never_none(asked: timedelta, given: timedelta) -> None:
    assert decide(Deferred("429", asked), delivery()).due == MONDAY + given


def test_what_is_too_old_is_given_up() -> None:
    decision = decide(Deferred("busy"), delivery(6), age=timedelta(hours=47))
    assert (decision.then, decision.why) == (State.EXPIRED, "given up after 48 hours")
    assert decide(Deferred("busy"), delivery(6), age=timedelta(hours=40)).then is None


def test_silence_is_held_for_a_person() -> None:
    decision = decide(Unknown("no reply"), delivery())
    assert (decision.outcome, decision.then) == (Unknown("no reply"), None)


def test_silence_is_repeated_where_the_network_recognises_it() -> None:
    decision = decide(Unknown("no reply"), delivery(), AN_HOUR)
    assert decision.then is State.DEFERRED
    assert decision.due == MONDAY + Policy().wait(delivery())
    assert "recognises" in decision.why


def test_a_repeat_that_would_come_too_late_to_be_recognised_is_held() -> None:
    assert decide(Unknown("?"), delivery(doubted=timedelta(minutes=59.5)), AN_HOUR).then is None
    assert decide(Unknown("?"), delivery(doubted=timedelta(minutes=50)), AN_HOUR).then is State.DEFERRED


def test_a_channel_may_prefer_twice_to_not_at_all_but_not_for_ever() -> None:
    assert decide(Unknown("?"), delivery(), unknown="resend").then is State.DEFERRED
    assert decide(Unknown("?"), delivery(), unknown="resend", age=timedelta(hours=48)).then is None


@pytest.mark.parametrize("outcome", [Refused("409 other bytes"), Deferred("busy")], ids=["refused", "too old"])
def test_an_answer_to_the_repeat_does_not_settle_the_first_attempt(outcome: Outcome) -> None:
    decision = decide(outcome, delivery(2, timedelta(minutes=5)), AN_HOUR, age=timedelta(hours=48))
    assert isinstance(decision.outcome, Unknown)
    assert decision.then is None
    assert outcome.reason in decision.outcome.reason  # type: ignore[union-attr]


def test_what_may_have_arrived_goes_out_again_only_where_that_does_no_harm() -> None:
    policy = Policy()
    assert policy.may_send(delivery(), NEITHER, MONDAY)
    assert policy.may_send(delivery(doubted=timedelta(minutes=59)), AN_HOUR, MONDAY)
    assert not policy.may_send(delivery(doubted=timedelta(hours=1)), AN_HOUR, MONDAY)
    assert not policy.may_send(delivery(doubted=timedelta(0)), NEITHER, MONDAY)
    assert Policy(unknown="resend").may_send(delivery(doubted=timedelta(days=1)), NEITHER, MONDAY)
