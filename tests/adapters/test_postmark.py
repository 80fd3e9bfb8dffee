"""Postmark against a fake that judges each mail alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.errors import SyndicateError
from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import postmark as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.postmark import FakePostmark
from syndicate.testing.providers import answer
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

POSTMARK = KINDS["postmark"]
GOOD = {"ErrorCode": 0, "Message": "OK", "To": "a@example.com", "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"}


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakePostmark]:
    with FakePostmark() as running:
        yield running


def answered(network: FakePostmark, letter: Letter, reply: Reply, count: int = 1) -> list[Outcome]:
    network.fault(*[Fault(reply)] * 5)
    adapter = POSTMARK.make(network, batch=count)
    return list(outcomes(adapter, [job(adapter, letter, number) for number in range(count)]).values())


def test_the_request_is_what_the_api_page_shows(letter: Letter) -> None:
    mail = email(letter, "ada@example.org", "Ada")
    (one,) = json.loads(POSTMARK.make().compose(mail).body)
    assert (one["From"], one["To"]) == ('"Magick AI" <news@example.com>', '"Ada" <ada@example.org>')
    assert one["MessageStream"] == "broadcast"
    assert one["Metadata"] == {"syndicate_mark": mail.mark}
    assert (one["TrackOpens"], one["TrackLinks"]) == (False, "None")
    headers = {header["Name"]: header["Value"] for header in one["Headers"]}
    assert headers["X-PM-KeepID"] == "true"
    assert headers["Message-ID"] == mail.values["message_id"]


def test_a_200_may_hold_refusals(network: FakePostmark, letter: Letter) -> None:
    inactive = {"ErrorCode": 406, "Message": fake.INACTIVE.format("spam@example.com")}
    ours = {"ErrorCode": 400, "Message": "Sender Signature not found"}
    busy = {"ErrorCode": 429, "Message": "Rate limit exceeded"}
    found = answered(network, letter, answer(200, [GOOD, inactive, fake.LATE, busy, ours, "what?"]), 6)
    assert [type(outcome) for outcome in found] == [Receipt, Refused, Receipt, Deferred, Paused, Unknown]
    assert isinstance(found[0], Receipt)
    assert found[0].id == GOOD["MessageID"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.WRONG_TOKEN, Paused),
        (fake.BAD_FROM, Paused),
        (fake.NO_SIGNATURE, Paused),
        (fake.NO_CREDITS, Paused),
        (fake.PENDING, Paused),
        (fake.error(422, 401, "Sender signature not confirmed"), Paused),
        (fake.error(422, 300, "Invalid 'To' address: 'invalid@localhost'."), Refused),
        (fake.error(422, 406, fake.INACTIVE.format("x@example.com")), Refused),
        (fake.error(422, 300, "Error parsing 'Cc': Illegal email domain '+' in address 'user@+'."), Refused),
        (fake.TOO_MANY, Refused),
        (fake.IN_A_200, Refused),
        (fake.TOO_FAST, Deferred),
        (fake.MAINTENANCE, Deferred),
        (Reply(503), Unknown),
        (Reply(422), Refused),
        (answer(422, {"ErrorCode": 0}), Refused),
        (answer(200, [{"ErrorCode": 0, "Message": "OK"}]), Unknown),
        (answer(200, [GOOD, GOOD]), Unknown),
    ],
)
def test_recorded_answers(network: FakePostmark, letter: Letter, reply: Reply, expected: type[Outcome]) -> None:
    (found,) = answered(network, letter, reply)
    assert isinstance(found, expected)


def test_a_reason_has_postmarks_own_words(network: FakePostmark, letter: Letter) -> None:
    (found,) = answered(network, letter, fake.NO_CREDITS)
    assert isinstance(found, Paused)
    assert found.reason == "422 405 Not allowed to send. You ran out of credits."


def test_a_mail_is_found_by_its_mark(network: FakePostmark, letter: Letter) -> None:
    adapter = POSTMARK.make(network)
    sent, other = (adapter.compose(email(letter, who)) for who in ("ada@example.org", "ravi@example.net"))
    with adapter.open() as session:
        receipt = adapter.send(session, sent, "e:ada@example.org")
        assert isinstance(receipt, Receipt)
        found = adapter.find(session, sent, "e:ada@example.org")
        assert found is not None
        assert found.id == receipt.id
        assert adapter.find(session, other, "e:ravi@example.net") is None
    assert not adapter.dedupe.proves_absence


@pytest.mark.parametrize("reply", [Reply(500), Reply(429), Reply(200, b"<html>"), answer(200, {"Messages": None})])
def test_a_search_that_fails_says_nothing(network: FakePostmark, letter: Letter, reply: Reply) -> None:
    adapter = POSTMARK.make(network)
    network.fault(Fault(reply))
    with adapter.open() as session, pytest.raises(SyndicateError, match="cannot be asked"):
        adapter.find(session, adapter.compose(email(letter, "ada@example.org")), "e:ada@example.org")


@pytest.mark.parametrize("options", [{"stream": "Broad Cast"}, {"batch": 501}, {"batch": 0}])
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        POSTMARK.make(**options)
