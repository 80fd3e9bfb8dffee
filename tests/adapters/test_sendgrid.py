"""SendGrid against a fake that fills in the values of each reader."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syndicate.errors import Unsupported
from syndicate.model import Deferred, Letter, Mailbox, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import sendgrid as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.sendgrid import FakeSendGrid
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

SENDGRID = KINDS["sendgrid"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as running:
        yield running


def answered(network: FakeSendGrid, letter: Letter, reply: Reply) -> Outcome:
    network.fault(Fault(reply))
    adapter = SENDGRID.make(network)
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    return found


def body(letter: Letter, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SENDGRID.make(**options).compose(email(letter, "ada@example.org", "Ada")).body)
    return found


def test_the_request_is_what_the_api_page_shows(letter: Letter) -> None:
    call = body(letter)
    (one,) = call["personalizations"]
    assert one["to"] == [{"email": "ada@example.org", "name": "Ada"}]
    assert one["custom_args"] == {"syndicate_mark": email(letter, "ada@example.org").mark}
    assert call["from"] == {"email": "news@example.com", "name": "Magick AI"}
    assert [part["type"] for part in call["content"]] == ["text/plain", "text/html"]  # in this order, or it refuses
    assert not any(setting["enable"] for setting in call["tracking_settings"].values())
    assert "mail_settings" not in call


def test_replies_go_where_the_letter_says(letter: Letter) -> None:
    assert body(replace(letter, reply_to="editor@example.com"))["reply_to"] == {"email": "editor@example.com"}
    assert body(replace(letter, sender=Mailbox("news@example.com")))["from"] == {"email": "news@example.com"}


def test_in_the_sandbox_nothing_is_sent_and_that_is_a_success(network: FakeSendGrid, letter: Letter) -> None:
    adapter = SENDGRID.make(network, sandbox=True)
    assert list(outcomes(adapter, [job(adapter, letter, 1)]).values()) == [Receipt("sandbox", status="200")]
    assert network.taken == []


def test_a_token_hangs_on_the_content_so_no_article_can_hold_it(letter: Letter) -> None:
    (one,) = body(letter)["personalizations"]
    again = body(replace(letter, segments=tuple(each.replace(b"MLOps", b"DevOps") for each in letter.segments)))
    (other,) = again["personalizations"]
    assert one["substitutions"].keys().isdisjoint(other["substitutions"])
    assert sorted(one["substitutions"].values()) == sorted(other["substitutions"].values())


def test_more_values_than_it_takes_are_refused_before_they_are_sent(letter: Letter) -> None:
    mail = email(letter, "ada@example.org")
    with pytest.raises(Unsupported, match="10,000 bytes"):
        SENDGRID.make().compose(replace(mail, encoded=(*mail.encoded[:-1], b"x" * 10_000)))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.WRONG_KEY, Paused),
        (fake.NO_CREDITS, Paused),
        (fake.NO_SENDER, Paused),
        (fake.BAD_FROM, Paused),
        (fake.error(400, "Helpful explanation from SendGrid", "subject"), Refused),
        (Reply(400, b'{"errors": [{"message": null, "field": null}, 7]}'), Refused),
        (Reply(400, b'{"errors": "what?"}'), Refused),
        (fake.TOO_LARGE, Refused),
        (fake.PROXY, Unknown),
        (Reply(202), Unknown),
        (Reply(200, headers={"X-Message-Id": "abc"}), Receipt),
    ],
)
def test_documented_answers(network: FakeSendGrid, letter: Letter, reply: Reply, expected: type[Outcome]) -> None:
    assert isinstance(answered(network, letter, reply), expected)


def test_a_limit_ends_when_its_header_says(network: FakeSendGrid, letter: Letter) -> None:
    dated = Reply(429, fake.TOO_FAST.body, {**fake.TOO_FAST.headers, "Date": "Mon, 10 Mar 2025 09:00:00 GMT"})
    found = answered(network, letter, dated)
    assert isinstance(found, Deferred)
    assert found.after == timedelta(seconds=30)


def test_the_id_is_that_of_the_call_as_events_have_it_before_their_first_dot(
    network: FakeSendGrid, letter: Letter
) -> None:
    adapter = SENDGRID.make(network, batch=3)
    found = outcomes(adapter, [job(adapter, letter, number) for number in range(3)])
    (receipt,) = set(found.values())
    assert receipt == Receipt(network.taken[0].id, status="202")
    assert "." not in network.taken[0].id


def test_a_call_that_is_too_large_is_divided(network: FakeSendGrid, letter: Letter) -> None:
    network.fault(Fault(fake.TOO_LARGE))
    adapter = SENDGRID.make(network, batch=4)
    found = outcomes(adapter, [job(adapter, letter, number) for number in range(4)])
    assert {type(outcome) for outcome in found.values()} == {Receipt}
    assert len(network.journal) == 3
