"""Mailgun against a fake that fills in variables, and takes our own message as it is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import pytest
from pydantic import ValidationError

from syndicate.errors import SyndicateError, Unsupported
from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import mailgun as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.mailgun import FakeMailgun
from syndicate.testing.providers import answer
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

MAILGUN = KINDS["mailgun"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeMailgun]:
    with FakeMailgun() as running:
        yield running


def answered(network: FakeMailgun, letter: Letter, reply: Reply) -> Outcome:
    network.fault(Fault(reply))
    adapter = MAILGUN.make(network)
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    return found


def fields(letter: Letter, **options: object) -> dict[str, bytes]:
    """The form, as the standard library reads it."""
    request = MAILGUN.make(**options).compose(email(letter, "ada@example.org", "Ada"))
    form = message_from_bytes(b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n" + request.body)
    found = {}
    for part in form.get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="Content-Disposition")
        found[str(name)] = part.get_payload(decode=True)
    return found  # type: ignore[return-value]


def test_our_own_message_goes_out_as_it_is(letter: Letter) -> None:
    mail = email(letter, "ada@example.org", "Ada")
    request = MAILGUN.make().compose(mail)
    assert mail.data in request.body
    assert request.url.endswith("/v3/example.com/messages.mime")
    found = fields(letter)
    assert found["to"] == b"ada@example.org"
    assert found["v:syndicate_mark"] == mail.mark.encode()
    assert found["o:tracking"] == b"no"
    assert "o:testmode" not in found


def test_many_readers_share_parts_with_variables(letter: Letter) -> None:
    found = fields(letter, batch=50)
    assert b"%recipient.s" in found["html"]
    assert b"%recipient.s" in found["h:List-Unsubscribe"]
    assert found["v:syndicate_mark"] == b"%recipient.mark%"
    assert found["to"] == b'"Ada" <ada@example.org>'
    assert b"example.org" not in found["html"] + found["text"]
    assert "h:Message-ID" not in found  # it would be the same for all of them


def test_a_text_that_mailgun_would_change_is_refused_with_advice(letter: Letter) -> None:
    odd = replace(letter, segments=tuple(each.replace(b"MLOps", b"%recipient.s1%") for each in letter.segments))
    with pytest.raises(Unsupported, match="set `batch: 1`"):
        MAILGUN.make(batch=2).compose(email(odd, "ada@example.org"))
    assert b"%recipient.s1%" in MAILGUN.make().compose(email(odd, "ada@example.org")).body


def test_in_the_sandbox_nothing_is_delivered(network: FakeMailgun, letter: Letter) -> None:
    for batch in (1, 5):
        adapter = MAILGUN.make(network, sandbox=True, batch=batch)
        assert isinstance(next(iter(outcomes(adapter, [job(adapter, letter, 1)]).values())), Receipt)
    assert network.taken == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.WRONG_KEY, Paused),
        (fake.NOT_ALLOWED, Paused),
        (fake.NO_DOMAIN, Paused),
        (fake.BAD_FROM, Paused),
        (fake.BAD_TO, Refused),
        (fake.LIMIT, Deferred),
        (fake.TOO_FAST, Deferred),
        (fake.WRONG_PLACE, Unknown),
        (Reply(200, b"yikes, this isn't a real response"), Unknown),
        (Reply(500, b"Invalid API key"), Unknown),
        (answer(200, {"message": "Queued. Thank you."}), Unknown),
        (answer(200, {"id": 7}), Unknown),
        (answer(200, {"id": "<20160306015544.116301.25145@example.com>"}), Receipt),
    ],
)
def test_recorded_answers(network: FakeMailgun, letter: Letter, reply: Reply, expected: type[Outcome]) -> None:
    assert isinstance(answered(network, letter, reply), expected)


def test_a_domain_of_the_other_region_is_advised(network: FakeMailgun, letter: Letter) -> None:
    found = answered(network, letter, fake.NO_DOMAIN)
    assert isinstance(found, Paused)
    assert "`region`" in found.hint


def test_the_id_is_written_as_events_write_it(network: FakeMailgun, letter: Letter) -> None:
    found = answered(network, letter, answer(200, {"id": "<20160306@example.com>"}))
    assert found == Receipt("20160306@example.com", status="200")


def test_a_limit_ends_when_its_header_says(network: FakeMailgun, letter: Letter) -> None:
    dated = Reply(429, fake.TOO_FAST.body, {**fake.TOO_FAST.headers, "Date": "Mon, 10 Mar 2025 09:00:00 GMT"})
    found = answered(network, letter, dated)
    assert isinstance(found, Deferred)
    assert found.after == timedelta(seconds=30)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_mail_is_found_by_its_mark_among_those_of_its_reader(
    network: FakeMailgun, letter: Letter, batch: int
) -> None:
    adapter = MAILGUN.make(network, batch=batch)
    sent = adapter.compose(email(letter, "ada+x@example.org"))
    other = adapter.compose(email(replace(letter, edition="another"), "ada+x@example.org"))
    with adapter.open() as session:
        assert isinstance(adapter.send(session, sent, "e:ada+x@example.org"), Receipt)
        found = adapter.find(session, sent, "e:ada+x@example.org")
        assert found is not None
        assert found.id == network.taken[0].id
        assert adapter.find(session, other, "another:ada+x@example.org") is None


@pytest.mark.parametrize("reply", [Reply(500), Reply(200, b"<html>"), answer(200, {"items": 7})])
def test_a_search_that_fails_says_nothing(network: FakeMailgun, letter: Letter, reply: Reply) -> None:
    adapter = MAILGUN.make(network)
    network.fault(Fault(reply))
    with adapter.open() as session, pytest.raises(SyndicateError, match="cannot be asked"):
        adapter.find(session, adapter.compose(email(letter, "ada@example.org")), "e:ada@example.org")


def test_events_of_any_shape_are_looked_through(network: FakeMailgun, letter: Letter) -> None:
    adapter = MAILGUN.make(network)
    payload = adapter.compose(email(letter, "ada@example.org"))
    odd = [None, 7, {}, {"user-variables": "truncated"}, {"user-variables": {"syndicate_mark": payload.mark}}]
    network.fault(Fault(answer(200, {"items": odd})))
    with adapter.open() as session:
        assert adapter.find(session, payload, "e:ada@example.org") == Receipt("", status="found by its mark")


@pytest.mark.parametrize("options", [{"domain": "a/b"}, {"domain": ""}, {"region": "asia"}, {"batch": 1001}])
def test_options_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MAILGUN.make(**options)
