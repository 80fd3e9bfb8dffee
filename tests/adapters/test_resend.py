"""Resend against a fake that is strict about idempotency keys."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from syndicate.adapters.items import batch_key
from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import resend as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.providers import answer
from syndicate.testing.resend import FakeResend
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

RESEND = KINDS["resend"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeResend]:
    with FakeResend() as running:
        yield running


def answered(network: FakeResend, letter: Letter, reply: Reply, count: int = 1) -> list[Outcome]:
    network.fault(*[Fault(reply)] * 5)
    adapter = RESEND.make(network, batch=count)
    return list(outcomes(adapter, [job(adapter, letter, number) for number in range(count)]).values())


def test_the_request_is_what_the_api_page_shows(letter: Letter) -> None:
    mail = email(letter, "ada@example.org", "Ada")
    (one,) = json.loads(RESEND.make().compose(mail).body)
    assert (one["from"], one["to"]) == ('"Magick AI" <news@example.com>', ['"Ada" <ada@example.org>'])
    assert one["tags"] == [{"name": "syndicate_mark", "value": mail.mark}]
    assert one["subject"] == letter.subject
    assert one.keys() == {"from", "to", "subject", "html", "text", "headers", "tags"}


def test_a_key_names_the_call_by_whom_it_carries_and_what(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    work = [job(adapter, letter, number) for number in range(3)]
    outcomes(adapter, work)
    (key,) = network.keys
    assert key == f"syndicate/{batch_key([(one.delivery.key, one.sha256) for one in work])}"
    assert len(key) <= 256
    assert "@" not in key
    assert network.journal[0].headers["x-batch-validation"] == "permissive"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.MISSING_KEY, Paused),
        (fake.WRONG_KEY, Paused),
        (fake.ODD_KEY, Paused),
        (fake.TESTING, Paused),
        (fake.error(403, "validation_error", "The example.com domain is not verified."), Paused),
        (fake.error(422, "validation_error", "Invalid `from` field."), Paused),
        (fake.error(404, "not_found", "The requested endpoint does not exist."), Paused),
        (fake.error(405, "method_not_allowed", "Method is not allowed for the requested path."), Paused),
        (fake.MONTHLY, Paused),
        (fake.INVALID_TO, Refused),
        (fake.error(422, "missing_required_field", "Missing `to` field."), Refused),
        (fake.error(400, "invalid_idempotency_key", "The key must be between 1-256 chars."), Refused),
        (fake.IN_PROGRESS, Deferred),
        (fake.TOO_FAST, Deferred),
        (fake.DAILY, Deferred),
        (fake.OTHER_BYTES, Unknown),
        (fake.BROKEN, Unknown),
        (answer(200, {"data": []}), Unknown),
        (answer(200, {"data": [{"id": ""}]}), Unknown),
        (answer(200, {"data": [{"id": "a"}], "errors": [{"index": 7, "message": "x"}]}), Unknown),
        (answer(200, {"data": [], "errors": [{"index": -1, "message": "x"}]}), Unknown),
        (answer(200, {"data": [{"id": "a"}], "errors": {"index": 0}}), Unknown),
        (answer(200, {"data": [{"id": "a"}], "errors": [None]}), Unknown),
        (answer(200, {"data": [{"id": "a"}], "errors": [{"index": 0, "message": "x"}]}), Unknown),
    ],
)
def test_documented_answers(network: FakeResend, letter: Letter, reply: Reply, expected: type[Outcome]) -> None:
    (found,) = answered(network, letter, reply)
    assert isinstance(found, expected)


def test_a_quota_of_a_day_ends_at_midnight(network: FakeResend, letter: Letter) -> None:
    daily = Reply(429, fake.DAILY.body, {"Retry-After": "1", "Date": "Mon, 10 Mar 2025 21:30:00 GMT"})
    (found,) = answered(network, letter, daily)
    assert isinstance(found, Deferred)
    assert found.after == timedelta(hours=2, minutes=30)


def test_the_others_of_a_call_are_told_from_the_bad_one(network: FakeResend, letter: Letter) -> None:
    recorded = {"data": [{"id": "ae2014de"}, {"id": "faccb7a5"}],
                "errors": [{"index": 1, "message": "The `to` field is missing."}]}  # fmt: skip
    found = answered(network, letter, answer(200, recorded), 3)
    assert found == [
        Receipt("ae2014de", status="200"),
        Refused("200 The `to` field is missing."),
        Receipt("faccb7a5", status="200"),
    ]


def test_a_fault_of_ours_inside_of_a_200_refuses_nobody(network: FakeResend, letter: Letter) -> None:
    errors = [{"index": 0, "message": "The example.com domain is not verified. Please, add and verify your domain."}]
    (found,) = answered(network, letter, answer(200, {"data": [], "errors": errors}))
    assert isinstance(found, Paused)


def test_one_bad_reader_is_found_without_permissive_mode_too(network: FakeResend, letter: Letter) -> None:
    network.knows_permissive = False
    network.bad = {"reader2@example.org"}
    adapter = RESEND.make(network, batch=5)
    found = outcomes(adapter, [job(adapter, letter, number) for number in range(5)])
    assert {who for who, outcome in found.items() if isinstance(outcome, Refused)} == network.bad
    assert len(network.taken) == 4


def test_a_repeat_is_answered_as_the_first_time(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network)
    payload = adapter.compose(email(letter, "ada@example.org"))
    network.fault(Fault(then="close", apply=True))
    with adapter.open() as session:
        assert isinstance(adapter.send(session, payload, "e:ada"), Unknown)
        assert adapter.send(session, payload, "e:ada") == Receipt(network.taken[0].id, status="200")
    assert len(network.taken) == 1
