"""Payloads that take a signature are made ahead of the wire, in several threads, and nobody notices but the clock."""

import threading
from collections.abc import Iterator
from itertools import islice

import pytest

from syndicate.deliver.base import Compose
from syndicate.deliver.maker import WINDOW, Maker
from syndicate.ledger.base import Ledger
from syndicate.model import Delivery, Payload, State
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.entries import KEY, entry, people
from tests.deliver.conftest import MakeCourier

BATCH = [Delivery(id=number, edition=KEY, recipient=f"r{number}@example.org", account="mail") for number in range(60)]


class Signing(ScriptedSender):
    signs = True


class Made:
    """A compose that remembers for whom, and in which threads."""

    def __init__(self) -> None:
        self.recipients: list[str] = []
        self.threads: set[str] = set()

    def __call__(self, delivery: Delivery) -> Payload:
        self.recipients.append(delivery.recipient)
        self.threads.add(threading.current_thread().name)
        return mail_for(delivery)


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def signing(made: Made) -> Iterator[Maker]:
    maker = Maker(Signing(), made)
    yield maker
    maker.close()


def test_payloads_come_in_the_order_of_their_deliveries(signing: Maker) -> None:
    found = [(delivery, payload()) for delivery, payload in signing.payloads(BATCH)]
    assert found == [(delivery, mail_for(delivery)) for delivery in BATCH]


def test_what_takes_a_signature_is_made_beside_the_sender_and_not_far_ahead(signing: Maker, made: Made) -> None:
    payloads = signing.payloads(BATCH)
    first = next(payloads)[1]()
    assert first == mail_for(BATCH[0])
    assert threading.current_thread().name not in made.threads
    assert len(made.recipients) <= signing.window < len(BATCH)
    assert signing.window >= WINDOW


def test_what_takes_none_is_made_when_it_is_asked_for(made: Made) -> None:
    payloads = Maker(ScriptedSender(), made).payloads(BATCH)
    for _, payload in islice(payloads, 3):
        payload()
    assert made.recipients == [delivery.recipient for delivery in BATCH[:3]]
    assert made.threads == {threading.current_thread().name}


def test_one_that_cannot_be_made_is_refused_and_holds_up_nobody(
    ledger: Ledger, clock: Clock, courier: MakeCourier
) -> None:
    ledger.enter(entry(recipients=30), clock())
    poisoned = people(30)[7].address

    def compose(delivery: Delivery) -> Payload:
        if delivery.recipient == poisoned:
            raise ValueError("no such glyph")
        return mail_for(delivery)

    sender = Signing()
    tally = courier(batch=10).deliver(KEY, sender, compose)
    assert (tally.sent, tally.refused) == (29, 1)
    (refused,) = ledger.deliveries(KEY, states=[State.REFUSED])
    assert refused.recipient == poisoned
    assert "no such glyph" in refused.reason


def test_a_stop_leaves_what_was_made_ahead_and_never_sent(ledger: Ledger, clock: Clock, courier: MakeCourier) -> None:
    ledger.enter(entry(recipients=200), clock())
    carrier, sent = courier(batch=100), Signing()
    compose: Compose = mail_for

    def stopping(delivery: Delivery) -> Payload:
        if len(sent.sent) >= 20:
            carrier.stop()
        return compose(delivery)

    tally = carrier.deliver(KEY, sent, stopping)
    assert 20 <= tally.sent < 200
    assert tally.sent + tally.planned + tally.deferred == 200
    assert sent.accepted == {one.recipient: 1 for one in ledger.deliveries(KEY, states=[State.SENT])}
