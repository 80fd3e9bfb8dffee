"""Resend's webhooks: recorded events, Svix's signatures right and wrong, and what strangers could send."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.feedback import load
from syndicate.feedback.base import Forged, Malformed
from syndicate.feedback.resend import Resend, ResendOptions
from syndicate.model.feedback import Report, ReportKind
from syndicate.testing.callers import SvixCalls
from tests.feedback.hostile import NO_EVENTS

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
MARK = "0123456789abcdef0123456789abcdef"
SVIX = SvixCalls(NOW)
# The vector of the specification.
VECTOR = {
    "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "svix-timestamp": "1614265330",
    "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_BODY, VECTOR_NOW = b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC)


def source(*secrets: str) -> Resend:
    return Resend(ResendOptions.model_validate({"signing_secrets": secrets or (SVIX.secret,)}))


def event(kind: str, **data: Any) -> dict[str, Any]:
    """As recorded, about a mail of ours."""
    return {
        "type": kind,
        "created_at": "2023-10-02T18:11:26.101Z",
        "data": {
            "created_at": "2023-10-02T18:11:25.729Z",
            "email_id": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "from": "Sender <from@example.com>",
            "subject": "Sending test",
            "tags": {"syndicate_mark": MARK},
            "to": ["Ada <ada@example.org>"],
            **data,
        },
    }


def report(found: dict[str, Any]) -> Report:
    (one,) = source().reports(json.dumps(found).encode())
    return one


HARD = "The recipient's email provider sent a hard bounce message, but didn't specify the reason for the hard bounce."
LISTED = "Resend has suppressed sending to this address because it is on the account-level suppression list."


@pytest.mark.parametrize(
    ("kind", "data", "meant"),
    [
        ("email.delivered", {}, ReportKind.DELIVERED),
        ("email.complained", {}, ReportKind.COMPLAINT),
        ("email.delivery_delayed", {}, ReportKind.DEFERRED),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, ReportKind.OTHER),
        ("email.received", {}, ReportKind.OTHER),
        ("email.bounced", {"bounce": {"message": HARD}}, ReportKind.HARD),
        ("email.bounced", {"bounce": {"message": LISTED}}, ReportKind.HARD),
        ("email.bounced", {"bounce": {"message": "We do not know."}}, ReportKind.OTHER),
        ("email.bounced", {"bounce": {"type": "Permanent", "subType": "General"}}, ReportKind.HARD),
        ("email.bounced", {"bounce": {"type": "Transient", "subType": "MailboxFull"}}, ReportKind.SOFT),
        ("email.bounced", {"bounce": {"type": "Undetermined"}}, ReportKind.OTHER),
        (
            "email.bounced",
            {"bounce": {"type": "Permanent", "diagnosticCode": ["smtp; 550 5.1.1 user unknown"]}},
            ReportKind.HARD,
        ),
        (
            "email.bounced",
            {"bounce": {"type": "Permanent", "diagnosticCode": ["smtp; 550 5.7.1 blocked"]}},
            ReportKind.POLICY,
        ),
        ("email.suppressed", {"suppressed": {"reason": "previous_bounce"}}, ReportKind.HARD),
        ("email.suppressed", {"suppressed": {"reason": "previous_complaint"}}, ReportKind.COMPLAINT),
    ],
)
def test_what_an_event_means(kind: str, data: dict[str, Any], meant: ReportKind) -> None:
    found = report(event(kind, **data))
    assert (found.kind, found.recipient, found.mark) == (meant, "ada@example.org", MARK)
    assert found.receipt == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    assert found.at == datetime(2023, 10, 2, 18, 11, 26, 101000, tzinfo=UTC)


def test_what_scanners_cause_is_not_even_kept() -> None:
    for kind in ("email.sent", "email.opened", "email.clicked", "email.scheduled"):
        assert source().reports(json.dumps(event(kind)).encode()) == []


def test_an_event_is_named_by_its_content() -> None:
    one, again, other = (report(event(kind)) for kind in ("email.delivered", "email.delivered", "email.complained"))
    assert one.id == again.id != other.id


def test_the_vector_of_the_specification_verifies() -> None:
    source().verify(VECTOR_BODY, VECTOR, VECTOR_NOW)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_the_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    source().verify(VECTOR_BODY, VECTOR, VECTOR_NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_and_not_by_more(seconds: int) -> None:
    with pytest.raises(Forged):
        source().verify(VECTOR_BODY, VECTOR, VECTOR_NOW + timedelta(seconds=seconds))


def test_while_a_secret_is_replaced_both_hold() -> None:
    new = SvixCalls(NOW, "whsec_" + b64encode(b"n" * 24).decode())
    headers, body = SVIX.event(event("email.delivered"))
    others, _ = new.event(event("email.delivered"))
    source(SVIX.secret, new.secret).verify(body, others, NOW)
    both = {**headers, "svix-signature": f"{others['svix-signature']} {headers['svix-signature']}"}
    source(SVIX.secret).verify(body, both, NOW)
    source(new.secret).verify(body, both, NOW)
    with pytest.raises(Forged):
        source(new.secret).verify(body, headers, NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "garbage",
        "v1",
        "v1,",
        "v1,a",
        "v1,AAAA",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O",
        "v1,ünïcode",
        "v1,AAAA " * 10_000,
        "v1,AAAA " * 16 + "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ],
)
def test_any_other_signature_is_a_forgery(signature: str) -> None:
    with pytest.raises(Forged):
        source().verify(VECTOR_BODY, {**VECTOR, "svix-signature": signature}, VECTOR_NOW)


@pytest.mark.parametrize("stamp", ["", "abc", "1e9", "-1", "1" * 30, " 1614265330", "1614265330 ", "١٦١٤٢٦٥٣٣٠"])
def test_a_time_that_is_none_is_a_forgery(stamp: str) -> None:
    with pytest.raises(Forged):
        source().verify(VECTOR_BODY, {**VECTOR, "svix-timestamp": stamp}, VECTOR_NOW)


@pytest.mark.parametrize("missing", VECTOR)
def test_every_header_is_needed(missing: str) -> None:
    with pytest.raises(Forged):
        source().verify(VECTOR_BODY, {name: VECTOR[name] for name in VECTOR if name != missing}, VECTOR_NOW)


def test_every_change_breaks_the_signature() -> None:
    right = b64decode(VECTOR["svix-signature"].partition(",")[2])
    for position in range(len(VECTOR_BODY)):
        changed = bytearray(VECTOR_BODY)
        changed[position] ^= 1
        with pytest.raises(Forged):
            source().verify(bytes(changed), VECTOR, VECTOR_NOW)
    for position in range(len(right)):
        wrong = bytearray(right)
        wrong[position] ^= 0x10
        headers = {**VECTOR, "svix-signature": f"v1,{b64encode(wrong).decode()}"}
        with pytest.raises(Forged):
            source().verify(VECTOR_BODY, headers, VECTOR_NOW)
    with pytest.raises(Forged):
        source().verify(VECTOR_BODY, {**VECTOR, "svix-id": "msg_other"}, VECTOR_NOW)
    with pytest.raises(Forged):  # the same JSON in other bytes
        source().verify(b'{"test":2432232314}', VECTOR, VECTOR_NOW)


def test_a_secret_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        source("whsec_canary!")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("what", NO_EVENTS)
def test_what_is_no_event_is_malformed(what: str) -> None:
    with pytest.raises(Malformed):
        source().reports(NO_EVENTS[what])


@pytest.mark.parametrize(
    "data",
    [
        {"to": []},
        {"to": ["a@x.test", "b@x.test"]},
        {"to": "a@x.test"},
        {"to": [None]},
        {"email_id": None},
        {"tags": [{"name": "syndicate_mark", "value": MARK}]},
        {"bounce": {"diagnosticCode": "550"}},
    ],
)
def test_an_event_with_an_odd_field_is_parked(data: dict[str, Any]) -> None:
    assert report(event("email.bounced", **data)).kind is ReportKind.OTHER


def test_an_event_without_its_mail_is_parked() -> None:
    assert report({"type": "email.bounced"}).kind is ReportKind.OTHER
    assert report({"type": "email.bounced", "data": []}).kind is ReportKind.OTHER


def test_it_is_found_by_its_name() -> None:
    assert load("resend") is Resend
