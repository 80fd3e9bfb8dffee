"""The webhooks of SendGrid and Mailgun: recorded events, right and wrong signatures, hostile bodies."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import ConfigError
from syndicate.feedback import load
from syndicate.feedback.base import Forged, Malformed, Source
from syndicate.feedback.mailgun import Mailgun, MailgunOptions
from syndicate.feedback.sendgrid import SendGrid, SendGridOptions
from syndicate.model.feedback import ReportKind
from syndicate.testing.hooks import MailgunCalls, SendGridCalls

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
MARK = "0123456789abcdef0123456789abcdef"
# Published by Twilio with its own client library: key, timestamp, body and signature belong together.
VECTOR_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eN"
    "Ec6wEA3F+g=="
)
VECTOR_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
VECTOR_BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","sg_event_id":'
    b'"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","sg_message_id":'
    b'"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","smtp-id":'
    b'"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
VECTOR_HEADERS = {
    "x-twilio-email-event-webhook-timestamp": "1600112502",
    "x-twilio-email-event-webhook-signature": VECTOR_SIGNATURE,
}
VECTOR_NOW = datetime.fromtimestamp(1600112502, UTC)


@pytest.fixture
def twilio() -> SendGridCalls:
    return SendGridCalls(NOW)


@pytest.fixture
def sendgrid(twilio: SendGridCalls) -> SendGrid:
    return SendGrid(SendGridOptions(public_keys=(twilio.public_key,)))


@pytest.fixture
def gun() -> MailgunCalls:
    return MailgunCalls(NOW)


@pytest.fixture
def mailgun(gun: MailgunCalls) -> Mailgun:
    return Mailgun(MailgunOptions(signing_keys=(gun.key,)))


def refused(source: Source, headers: Mapping[str, str], body: bytes, now: datetime = NOW) -> bool:
    """Whether it is refused as a forgery, or as no event at all."""
    try:
        source.verify(body, headers, now)
    except (Forged, Malformed):
        return True
    return False


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("delivered", ReportKind.DELIVERED),
        ("bounce", ReportKind.HARD),
        ("blocked", ReportKind.POLICY),
        ("deferred", ReportKind.DEFERRED),
        ("dropped", ReportKind.HARD),
        ("invalid", ReportKind.HARD),
        ("spamreport", ReportKind.COMPLAINT),
        ("unsubscribe", ReportKind.UNSUBSCRIBED),
        ("group_unsubscribe", ReportKind.UNSUBSCRIBED),
    ],
)
def test_an_event_of_sendgrid_is_a_report(sendgrid: SendGrid, twilio: SendGridCalls, kind: str, meant: str) -> None:
    headers, body = twilio.call(twilio.event(kind, "ada@example.org", "e1", MARK))
    sendgrid.verify(body, headers, NOW)
    (report,) = sendgrid.reports(body)
    assert (report.kind, report.recipient, report.id, report.mark) == (meant, "ada@example.org", "e1", MARK)
    assert report.receipt == "LRzXl_NHStOGhQ4kofSm_A"
    assert report.at == NOW
    assert json.loads(report.raw)["sg_event_id"] == "e1"


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        ("delivered", ReportKind.DELIVERED),
        ("permanent", ReportKind.HARD),
        ("temporary", ReportKind.DEFERRED),
        ("suppressed", ReportKind.HARD),
        ("complained", ReportKind.COMPLAINT),
        ("unsubscribed", ReportKind.UNSUBSCRIBED),
    ],
)
def test_an_event_of_mailgun_is_a_report(mailgun: Mailgun, gun: MailgunCalls, kind: str, meant: str) -> None:
    headers, body = gun.call(gun.event(kind, "ada@example.org", MARK), "token-1")
    mailgun.verify(body, headers, NOW)
    (report,) = mailgun.reports(body)
    assert (report.kind, report.recipient, report.id, report.mark) == (meant, "ada@example.org", "token-1", MARK)
    assert report.receipt == "20180812211713.1.DF5966851B4BAA99@example.org"


def test_a_permanent_failure_that_speaks_of_policy_is_no_hard_bounce(mailgun: Mailgun, gun: MailgunCalls) -> None:
    status = {"code": 550, "message": "5.7.1 blocked by policy", "description": ""}
    _, body = gun.call(gun.event("permanent", "ada@example.org", **{"delivery-status": status}), "t")
    assert mailgun.reports(body)[0].kind is ReportKind.POLICY


def test_what_scanners_cause_is_not_even_kept(
    sendgrid: SendGrid, twilio: SendGridCalls, mailgun: Mailgun, gun: MailgunCalls
) -> None:
    events = [twilio.event(kind, "ada@example.org", kind) for kind in ("processed", "open", "click")]
    assert sendgrid.reports(twilio.call(*events)[1]) == []
    assert all(mailgun.reports(gun.call(gun.event(kind, "a@x.test"), "t")[1]) == [] for kind in ("opened", "accepted"))


def test_t_24_the_vector_that_sendgrid_publishes_verifies() -> None:
    source = SendGrid(SendGridOptions(public_keys=(VECTOR_KEY,)))
    source.verify(VECTOR_BODY, VECTOR_HEADERS, VECTOR_NOW)
    assert source.reports(VECTOR_BODY)[0].kind is ReportKind.HARD


def test_t_24_the_vector_of_mailgun_verifies() -> None:
    signature = {
        "timestamp": "1534108637",
        "token": "651869375b9df3c98fc15c4889b102119add1235c38fc92824",
        "signature": "2a75affe24846ead9e37e614a5e7643a04abf4d5b49b34d224ede9af23a00ccc",
    }
    source = Mailgun(MailgunOptions(signing_keys=("TEST_WEBHOOK_SIGNING_KEY",)))
    body = json.dumps({"signature": signature, "event-data": {"event": "delivered"}}).encode()
    source.verify(body, {}, datetime.fromtimestamp(1534108637, UTC))


def test_t_24_every_change_of_the_body_breaks_the_signature_of_sendgrid() -> None:
    source = SendGrid(SendGridOptions(public_keys=(VECTOR_KEY,)))
    assert refused(source, VECTOR_HEADERS, VECTOR_BODY[:-2], VECTOR_NOW)  # HE33: without the line end
    assert refused(source, VECTOR_HEADERS, json.dumps(json.loads(VECTOR_BODY)).encode(), VECTOR_NOW)  # HE32
    for position in range(0, len(VECTOR_BODY), 17):
        changed = bytearray(VECTOR_BODY)
        changed[position] ^= 1
        assert refused(source, VECTOR_HEADERS, bytes(changed), VECTOR_NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"x-twilio-email-event-webhook-signature": ""},
        {"x-twilio-email-event-webhook-signature": "garbage"},
        {"x-twilio-email-event-webhook-signature": "ÄÖ"},
        {"x-twilio-email-event-webhook-signature": "AAAA" * 2500},
        {"x-twilio-email-event-webhook-timestamp": ""},
        {"x-twilio-email-event-webhook-timestamp": "1e9"},
        {"x-twilio-email-event-webhook-timestamp": "-1"},
        {"x-twilio-email-event-webhook-timestamp": " 1600112502"},
        {"x-twilio-email-event-webhook-timestamp": "9" * 31},
        {"x-twilio-email-event-webhook-timestamp": "1600112503"},
    ],
)
def test_t_24_strange_headers_are_a_forgery(changed: dict[str, str]) -> None:
    source = SendGrid(SendGridOptions(public_keys=(VECTOR_KEY,)))
    with pytest.raises(Forged):
        source.verify(VECTOR_BODY, {**VECTOR_HEADERS, **changed}, VECTOR_NOW)
    with pytest.raises(Forged):
        source.verify(VECTOR_BODY, {}, VECTOR_NOW)


def test_t_24_a_signature_has_an_age(
    sendgrid: SendGrid, twilio: SendGridCalls, mailgun: Mailgun, gun: MailgunCalls
) -> None:
    calls = ((sendgrid, twilio.call()), (mailgun, gun.call(gun.event("delivered", "a@x.test"), "t")))
    for source, (headers, body) in calls:
        assert not refused(source, headers, body, NOW + timedelta(hours=25))
        assert refused(source, headers, body, NOW + timedelta(hours=27))
        assert refused(source, headers, body, NOW - timedelta(hours=27))


def test_two_keys_hold_while_one_is_replaced(twilio: SendGridCalls, gun: MailgunCalls) -> None:
    headers, body = twilio.call()
    both = SendGrid(SendGridOptions(public_keys=(VECTOR_KEY, twilio.public_key)))
    assert not refused(both, headers, body)
    headers, body = gun.call(gun.event("delivered", "a@x.test"), "t")
    assert not refused(Mailgun(MailgunOptions(signing_keys=("next", gun.key))), headers, body)
    assert refused(Mailgun(MailgunOptions(signing_keys=("next",))), headers, body)


@pytest.mark.parametrize("key", ["", "garbage", "AAAA", "ÄÖ", VECTOR_KEY[:-8]])
def test_a_key_that_is_none_verifies_nothing(key: str) -> None:
    assert refused(SendGrid(SendGridOptions(public_keys=(key,))), VECTOR_HEADERS, VECTOR_BODY, VECTOR_NOW)


NOT_JSON = {
    "HE01": b"",
    "HE02": b"{",
    "HE04": b"null",
    "HE05": b"[" * 100_000,
    "HE05 closed": b"[" * 33 + b"]" * 33,
    "HE05 hidden": b'["\\"", ' + b"[" * 40 + b"]" * 40 + b"]",
    "HE08": b'[{"a":1,"a":2}]',
    "HE09": b"\xff\xfe{\x00}\x00",
    "HE10": b'[{"email":"\\ud800@x.test"}]',
    "constant": b"[NaN]",
    "large": b'["' + b"x" * 5_000_001 + b'"]',
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_t_26_a_body_that_is_no_json_is_malformed(
    sendgrid: SendGrid, mailgun: Mailgun, gun: MailgunCalls, name: str
) -> None:
    with pytest.raises(Malformed):
        sendgrid.reports(NOT_JSON[name])
    with pytest.raises(Malformed):
        mailgun.verify(NOT_JSON[name], {}, NOW)


def test_t_26_brackets_in_a_text_are_no_depth(sendgrid: SendGrid, twilio: SendGridCalls) -> None:
    event = twilio.event("bounce", "ada@example.org", "e1", reason='"' + "[" * 100 + '\\"')
    assert sendgrid.reports(twilio.call(event)[1])[0].kind is ReportKind.HARD


def test_he03_an_empty_array_is_no_event_for_sendgrid_and_nonsense_for_mailgun(
    sendgrid: SendGrid, mailgun: Mailgun
) -> None:
    assert sendgrid.reports(b"[]") == []
    with pytest.raises(Malformed):
        mailgun.verify(b"[]", {}, NOW)


@pytest.mark.parametrize(
    "signature",
    [
        '{"timestamp":"NaN","token":"x","signature":"y"}',
        '{"timestamp":1e400}',
        "{}",
        "[]",
        '"x"',
        '{"timestamp":"1741588200","token":[],"signature":"y"}',
        '{"timestamp":"1741588200","token":"x","signature":"ä"}',
    ],
)
def test_he06_a_strange_signature_of_mailgun_is_a_forgery(mailgun: Mailgun, signature: str) -> None:
    with pytest.raises(Forged):
        mailgun.verify(f'{{"event-data":{{"event":"delivered"}},"signature":{signature}}}'.encode(), {}, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"email": ["ada@example.org"]},  # HE14
        {"email": None},
        {"timestamp": 99999999999999999999},  # HE11
        {"timestamp": -1},  # HE12
        {"timestamp": "now"},
        {"event": "<img src=x onerror=alert(1)>"},  # HE13
        {"event": 7},
        {"status": 5.11},
    ],
)
def test_t_26_an_event_that_is_not_as_documented_is_parked_and_the_others_count(
    sendgrid: SendGrid, twilio: SendGridCalls, changed: dict[str, Any]
) -> None:
    strange = twilio.event("bounce", "ada@example.org", "e1") | changed
    found = sendgrid.reports(twilio.call(strange, "text", None, twilio.event("bounce", "b@example.org", "e2"))[1])
    assert [report.kind for report in found] == [ReportKind.OTHER] * 3 + [ReportKind.HARD]
    assert len({report.id for report in found}) == 4


def test_t_26_words_of_strangers_are_cut_and_cleaned(sendgrid: SendGrid, twilio: SendGridCalls) -> None:
    event = twilio.event("bounce", "a" * 1000, "i" * 1000, "m" * 1000, reason="5.1.1 \x1b[31m\r\n" + "x" * 10_000)
    (report,) = sendgrid.reports(twilio.call(event)[1])
    assert report.text.isprintable()
    assert max(map(len, (report.text, report.id, report.recipient, report.mark, report.receipt))) <= 500


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["event", "email", "type", "event-data", "delivery-status", "message", "user-variables"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
def test_t_26_whatever_is_signed_is_read_or_refused_and_nothing_else(value: Any) -> None:
    twilio, gun = SendGridCalls(NOW), MailgunCalls(NOW)
    for source, body in (
        (_SENDGRID, twilio.signed(json.dumps([value]).encode())[1]),
        (_MAILGUN, gun.call(value, "t")[1]),
    ):
        try:
            assert all(report.id and report.raw for report in source.reports(body))
        except Malformed:
            continue


_SENDGRID: Source = SendGrid(SendGridOptions(public_keys=(VECTOR_KEY,)))
_MAILGUN: Source = Mailgun(MailgunOptions(signing_keys=("key",)))


def test_a_provider_that_there_is_not_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as error:
        load("sendgird")
    assert "sendgrid" in error.value.hint
