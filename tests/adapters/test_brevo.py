"""Brevo against a fake with idempotency keys in the body."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import brevo as fake
from syndicate.testing.brevo import FakeBrevo
from syndicate.testing.http import Fault, Reply
from syndicate.testing.providers import answer
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

BREVO = KINDS["brevo"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeBrevo]:
    with FakeBrevo() as running:
        yield running


def answered(network: FakeBrevo, letter: Letter, reply: Reply, count: int = 1) -> list[Outcome]:
    network.fault(*[Fault(reply)] * 5)
    adapter = BREVO.make(network, batch=count)
    return list(outcomes(adapter, [job(adapter, letter, number) for number in range(count)]).values())


def body(letter: Letter, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(BREVO.make(**options).compose(email(letter, "ada@example.org", "Ada")).body)
    return found


def test_the_request_is_what_the_api_page_shows(letter: Letter) -> None:
    call = body(letter)
    (one,) = call["messageVersions"]
    assert one["to"] == [{"email": "ada@example.org", "name": "Ada"}]
    assert json.loads(one["headers"]["X-Mailin-custom"]) == {"syndicate_mark": email(letter, "ada@example.org").mark}
    assert call["sender"] == {"email": "news@example.com", "name": "Magick AI"}
    assert call["headers"] == {"idempotencyKey": "{{idempotencyKey}}"}
    assert call["subject"] == letter.subject
    assert body(letter, sandbox=True)["headers"]["X-Sib-Sandbox"] == "drop"


def test_every_call_has_a_key_of_its_own_in_the_hole(network: FakeBrevo, letter: Letter) -> None:
    adapter = BREVO.make(network, batch=2)
    outcomes(adapter, [job(adapter, letter, number) for number in range(4)])
    assert len(set(network.keys)) == 2
    assert not any(b"{{idempotencyKey}}" in request.body for request in network.journal)


def test_what_looks_like_a_template_is_left_as_it_is_read(network: FakeBrevo, letter: Letter) -> None:
    odd = replace(
        letter, segments=tuple(each.replace(b"MLOps", b"{{{ params.x }}} {% if %}") for each in letter.segments)
    )
    adapter = BREVO.make(network)
    assert isinstance(next(iter(outcomes(adapter, [job(adapter, odd, 1)]).values())), Receipt)
    (taken,) = network.taken  # the fake refuses a text that Brevo would fill in
    assert "{{{ params.x }}} {% if %}" in taken.text.replace("\u2060", "")
    assert "{%" not in taken.html


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.WRONG_KEY, Paused),
        (fake.ODD_ADDRESS, Paused),
        (fake.BAD_SENDER, Paused),
        (fake.NO_CREDITS, Paused),
        (fake.NOT_ACTIVE, Paused),
        (fake.BAD_TO, Refused),
        (fake.error(400, "missing_parameter", "subject is missing"), Refused),
        (fake.error(400, "invalid_parameter", "idempotencyKey is not a valid UUID"), Refused),
        (fake.TOO_FAST, Deferred),
        (fake.DUPLICATE, Receipt),
        (answer(201, {"messageId": "<1@smtp-relay.mailin.fr>"}), Receipt),
        (answer(202, {"messageId": "<1@smtp-relay.mailin.fr>", "batchId": "5c6cfa04"}), Receipt),
        (answer(201, {"messageIds": "x"}), Unknown),
        (answer(201, {"messageIds": [7]}), Unknown),
        (answer(201, {"messageIds": ["<1@x>", "<2@x>"]}), Unknown),
        (Reply(201), Unknown),
        (Reply(500), Unknown),
    ],
)
def test_recorded_answers(network: FakeBrevo, letter: Letter, reply: Reply, expected: type[Outcome]) -> None:
    (found,) = answered(network, letter, reply)
    assert isinstance(found, expected)


def test_each_of_a_call_has_the_id_at_its_place(network: FakeBrevo, letter: Letter) -> None:
    recorded = {
        "messageIds": [
            "<202403182259.64789700810.1@smtp-relay.mailin.fr>",
            "<202403182259.64789700810.2@smtp-relay.mailin.fr>",
        ]
    }
    found = answered(network, letter, answer(201, recorded), 2)
    assert [outcome.id for outcome in found if isinstance(outcome, Receipt)] == recorded["messageIds"]


def test_a_limit_ends_when_its_header_says(network: FakeBrevo, letter: Letter) -> None:
    (found,) = answered(network, letter, fake.TOO_FAST)
    assert found == Deferred("429 too_many_requests Rate limit exceeded", timedelta(seconds=7))


@pytest.mark.parametrize("again", [True, False], ids=["answered as before", "answered as a duplicate"])
def test_a_repeat_is_recognised_however_brevo_says_so(network: FakeBrevo, letter: Letter, again: bool) -> None:
    network.answers_again = again
    adapter = BREVO.make(network)
    payload = adapter.compose(email(letter, "ada@example.org"))
    network.fault(Fault(then="close", apply=True))
    with adapter.open() as session:
        assert isinstance(adapter.send(session, payload, "e:ada"), Unknown)
        assert isinstance(adapter.send(session, payload, "e:ada"), Receipt)
    assert len(network.taken) == 1
