"""Amazon SES against a fake that checks the signature, and against botocore's model of the API."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from pydantic import ValidationError

from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import ses as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.ses import FakeSes
from tests.adapters.providers import KINDS, email, job, outcomes, the_letter

SES = KINDS["ses"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeSes]:
    with FakeSes() as running:
        yield running


def answered(network: FakeSes, letter: Letter, reply: Reply) -> Outcome:
    network.fault(Fault(reply))
    adapter = SES.make(network)
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    return found


def test_our_own_message_goes_out_as_it_is(letter: Letter) -> None:
    mail = email(letter, "ada@example.org")
    request = json.loads(SES.make(configuration_set="news").compose(mail).body)
    assert b64decode(request["Content"]["Raw"]["Data"]) == mail.data
    assert request["Destination"] == {"ToAddresses": ["ada@example.org"]}
    assert request["EmailTags"] == [{"Name": "syndicate_mark", "Value": mail.mark}]
    assert request["ConfigurationSetName"] == "news"


def test_botocore_would_send_the_same(letter: Letter) -> None:
    model: Any = botocore.session.get_session().get_service_model("sesv2").operation_model("SendEmail")
    mail = email(letter, "ada@example.org")
    request = SES.make(configuration_set="news").compose(mail)
    wanted = json.loads(request.body)
    wanted["Content"]["Raw"]["Data"] = mail.data
    assert not ParamValidator().validate(wanted, model.input_shape).has_errors()
    from botocore.serialize import create_serializer

    theirs = create_serializer("rest-json").serialize_to_request(wanted, model)
    assert (theirs["method"], theirs["url_path"]) == ("POST", "/v2/email/outbound-emails")
    assert json.loads(theirs["body"]) == json.loads(request.body)


def test_the_secret_does_not_travel(network: FakeSes, letter: Letter) -> None:
    adapter = SES.make(network, session_token="token-of-a-session-which-does")
    assert isinstance(next(iter(outcomes(adapter, [job(adapter, letter, 1)]).values())), Receipt)
    (request,) = network.journal
    assert request.headers["x-amz-security-token"] == "token-of-a-session-which-does"
    assert fake.KEY not in repr(request.headers)
    assert fake.KEY.encode() not in request.body


def test_another_secret_pauses_the_account(network: FakeSes, letter: Letter) -> None:
    adapter = SES.make(network, secret_access_key="another-secret-0123456789")
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    assert isinstance(found, Paused)
    assert found.reason.startswith("403 SignatureDoesNotMatch The request signature we calculated")
    assert "the clock of this machine" in found.hint
    assert network.taken == []


@pytest.mark.parametrize(
    ("reply", "expected", "hint"),
    [
        (fake.UNVERIFIED, Paused, "Verify the sender"),
        (fake.error(400, "MessageRejected", "Message body contains a virus"), Refused, ""),
        (fake.NO_MAIL_FROM, Paused, "MAIL FROM"),
        (fake.SUSPENDED, Paused, "AWS Support"),
        (fake.PAUSED, Paused, "paused"),
        (fake.DENIED, Paused, "ses:SendEmail"),
        (fake.WRONG_SIGNATURE, Paused, "clock"),
        (fake.NO_SET, Paused, "configuration_set"),
        (fake.error(404, "UnknownOperationException", ""), Paused, "region"),
        (fake.ILLEGAL, Refused, ""),
        (fake.BROKEN, Unknown, ""),
        (Reply(200, b"{}"), Unknown, ""),
        (Reply(400, b'{"__type": "com.amazonaws.sesv2#SendingPausedException"}'), Paused, "paused"),
        (Reply(400), Refused, ""),
    ],
)
def test_documented_answers(network: FakeSes, letter: Letter, reply: Reply, expected: type[Outcome], hint: str) -> None:
    found = answered(network, letter, reply)
    assert isinstance(found, expected)
    assert hint in getattr(found, "hint", "")


@pytest.mark.parametrize(
    ("reply", "after"),
    [
        (fake.TOO_FAST, None),
        (fake.DAILY, timedelta(hours=1)),
        (fake.TOO_MANY, None),
        (fake.error(400, "LimitExceededException", "limit"), None),
    ],
)
def test_what_is_throttled_was_refused_and_comes_again(
    network: FakeSes, letter: Letter, reply: Reply, after: timedelta | None
) -> None:
    found = answered(network, letter, reply)
    assert isinstance(found, Deferred)
    assert found.after == after


@pytest.mark.parametrize(
    "options",
    [
        {"region": "Frankfurt"},
        {"region": "eu-central-1.evil.example/"},
        {"access_key_id": "short"},
        {"configuration_set": "a b"},
        {"batch": 5},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SES.make(**options)
