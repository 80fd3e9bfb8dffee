"""Amazon SES through SNS: recorded events, the certificates of AWS, and what strangers could send."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from syndicate.feedback import load, sns
from syndicate.feedback.base import Forged, Malformed, NotNow
from syndicate.feedback.ses import Ses, SesOptions
from syndicate.model.feedback import Report, ReportKind
from syndicate.testing.callers import PLACE, TOPIC, SnsCalls
from tests.feedback.hostile import NO_EVENTS

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
MARK = "0123456789abcdef0123456789abcdef"
KEYS = SnsCalls(NOW)  # making a key takes a while, and none of the tests changes it


def calls() -> SnsCalls:
    """A caller with the same key, that was asked for nothing yet."""
    fresh = SnsCalls(NOW)
    fresh.__dict__.update(key=KEYS.key, certificate=KEYS.certificate)
    return fresh


def source(caller: SnsCalls | None = None) -> Ses:
    return Ses(SesOptions(topics=(TOPIC,)), fetch=(caller or KEYS).fetch)


# Recorded
MAIL: dict[str, Any] = {
    "timestamp": "2016-01-27T14:59:38.237Z",
    "source": "john@example.com",
    "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
    "destination": ["jane@example.com"],
    "tags": {"ses:configuration-set": ["ConfigSet"], "syndicate_mark": [MARK]},
}
JANE = {
    "emailAddress": "jane@example.com",
    "status": "5.1.1",
    "action": "failed",
    "diagnosticCode": "smtp; 550 5.1.1 <jane@example.com>... User unknown",
}
BOUNCE: dict[str, Any] = {
    "bounceType": "Permanent",
    "reportingMTA": "dns; email.example.com",
    "bouncedRecipients": [JANE],
    "bounceSubType": "General",
    "timestamp": "2016-01-27T14:59:44.101Z",
    "feedbackId": "00000138111222aa-44455566-cccc-cccc-cccc-ddddaaaa068a-000000",
}
COMPLAINT = {"complainedRecipients": [{"emailAddress": "jane@example.com"}], "complaintFeedbackType": "abuse"}
BARE = {"emailAddress": "jane@example.com"}


def reports(event: Mapping[str, Any]) -> list[Report]:
    found = source()
    headers, body = KEYS.event(event)
    found.verify(body, headers, NOW)
    return list(found.reports(body))


def bounced(**changes: Any) -> dict[str, Any]:
    return {"eventType": "Bounce", "mail": MAIL, "bounce": {**BOUNCE, **changes}}


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        (bounced(), ReportKind.HARD),
        ({**bounced(), "eventType": "", "notificationType": "Bounce"}, ReportKind.HARD),
        (bounced(bouncedRecipients=[BARE]), ReportKind.HARD),
        (bounced(bounceSubType="OnAccountSuppressionList", bouncedRecipients=[BARE]), ReportKind.HARD),
        (
            bounced(bouncedRecipients=[{**JANE, "status": "5.7.1", "diagnosticCode": "550 5.7.1 blocked"}]),
            ReportKind.POLICY,
        ),
        (bounced(bounceType="Transient", bounceSubType="MailboxFull", bouncedRecipients=[BARE]), ReportKind.SOFT),
        (bounced(bounceType="Transient", bounceSubType="ContentRejected"), ReportKind.POLICY),
        (bounced(bounceType="Undetermined"), ReportKind.OTHER),
        ({"notificationType": "Complaint", "mail": MAIL, "complaint": COMPLAINT}, ReportKind.COMPLAINT),
        (
            {"eventType": "Complaint", "mail": MAIL, "complaint": {**COMPLAINT, "complaintFeedbackType": None}},
            ReportKind.COMPLAINT,
        ),
        (
            {"eventType": "Complaint", "mail": MAIL, "complaint": {**COMPLAINT, "complaintFeedbackType": "not-spam"}},
            ReportKind.NOT_SPAM,
        ),
        (
            {
                "eventType": "Delivery",
                "mail": MAIL,
                "delivery": {"recipients": ["jane@example.com"], "smtpResponse": "250 ok", "timestamp": ""},
            },
            ReportKind.DELIVERED,
        ),
        ({"eventType": "DeliveryDelay", "mail": MAIL, "deliveryDelay": {"delayedRecipients": [JANE]}},
         ReportKind.DEFERRED),
        ({"eventType": "Reject", "mail": MAIL, "reject": {"reason": "Bad content"}}, ReportKind.OTHER),
        ({"eventType": "Rendering Failure", "mail": MAIL, "failure": {"errorMessage": "x"}}, ReportKind.OTHER),
        (
            {"eventType": "Subscription", "mail": MAIL,
             "subscription": {"newTopicPreferences": {"unsubscribeAll": True}}},
            ReportKind.UNSUBSCRIBED,
        ),
        (
            {"eventType": "Subscription", "mail": MAIL,
             "subscription": {"newTopicPreferences": {"unsubscribeAll": False}}},
            ReportKind.OTHER,
        ),
    ],
)  # fmt: skip
def test_what_an_event_means(event: dict[str, Any], meant: ReportKind) -> None:
    (found,) = reports(event)
    assert (found.kind, found.recipient, found.mark) == (meant, "jane@example.com", MARK)
    assert found.receipt == MAIL["messageId"]
    assert found.id == "19ba9823-d7f2-53c1"


def test_a_bounce_says_all_that_is_known() -> None:
    (found,) = reports(bounced())
    assert found.status == "5.1.1"
    assert found.at == datetime(2016, 1, 27, 14, 59, 44, 101000, tzinfo=UTC)
    assert "User unknown" in found.text


def test_only_those_bounced_of_whom_it_is_said() -> None:
    mail = {**MAIL, "destination": ["jane@example.com", "mary@example.com", "richard@example.com"]}
    event = {**bounced(bouncedRecipients=[JANE, {"emailAddress": "richard@example.com"}]), "mail": mail}
    found = reports(event)
    assert [one.recipient for one in found] == ["jane@example.com", "richard@example.com"]
    assert len({one.id for one in found}) == 2
    assert b"richard" not in found[0].raw.replace(b"destination", b"").split(b'"mail"')[0]


def test_what_scanners_cause_is_not_even_kept() -> None:
    for kind in ("Send", "Open", "Click"):
        assert reports({"eventType": kind, "mail": MAIL, kind.lower(): {}}) == []


def test_what_sns_asks_waits_for_a_person() -> None:
    headers, body = KEYS.confirmation()
    source().verify(body, headers, NOW)
    (found,) = source().reports(body)
    assert found.kind is ReportKind.OTHER
    assert "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription" in found.text


def test_that_a_topic_was_tried_is_no_event() -> None:
    headers, body = KEYS.event({}, Message="Successfully validated SNS topic for Amazon SES event publishing.")
    source().verify(body, headers, NOW)
    assert source().reports(body) == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_hold(version: str) -> None:
    headers, body = KEYS.event(bounced(), version)
    source().verify(body, headers, NOW)


def test_an_envelope_without_a_subject_holds() -> None:
    headers, body = KEYS.signed({"Type": "Notification", "Message": json.dumps(bounced())})
    source().verify(body, headers, NOW)


def test_every_signed_field_counts() -> None:
    headers, body = KEYS.event(bounced())
    envelope = json.loads(body)
    for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion"):
        for other in (envelope[name][:-1] + "A", None, 7, ""):
            changed = {**envelope, name: other}
            if other is None:
                del changed[name]
            with pytest.raises(Forged):
                source().verify(json.dumps(changed).encode(), headers, NOW)


PLACES = [
    "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
    "https://evil.example/?https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
    "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
    "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
    "https://sns.us-east-1.amazonaws.com/x/../SimpleNotificationService-1.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem\n",
    "https://sns.us-east-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem?x=1",
    "https://SNS.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",  # of another region than the topic
    "https://bucket.s3.amazonaws.com/SimpleNotificationService-1.pem",
    "http://127.0.0.1/SimpleNotificationService-1.pem",
    "",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_certificate_from_elsewhere_is_not_even_fetched(place: str) -> None:
    caller = calls()
    headers, body = caller.event(bounced())
    with pytest.raises(Forged):
        source(caller).verify(json.dumps({**json.loads(body), "SigningCertURL": place}).encode(), headers, NOW)
    assert caller.asked == []


def test_nothing_is_fetched_for_a_topic_that_is_not_ours() -> None:
    caller = calls()
    headers, body = caller.event(bounced(), TopicArn=TOPIC + "2")
    with pytest.raises(Forged):
        source(caller).verify(body, headers, NOW)
    assert caller.asked == []


def test_the_certificate_of_somebody_else_does_not_help() -> None:
    stranger = SnsCalls(NOW)
    headers, body = stranger.event(bounced())
    with pytest.raises(Forged):
        source().verify(body, headers, NOW)


@pytest.mark.parametrize(
    "certificate", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_is_no_certificate_proves_nothing(certificate: bytes) -> None:
    headers, body = KEYS.event(bounced())
    with pytest.raises(Forged):
        Ses(SesOptions(topics=(TOPIC,)), fetch=lambda url: certificate).verify(body, headers, NOW)


def test_a_certificate_that_has_ended_proves_nothing() -> None:
    later = NOW + timedelta(days=91)
    fresh = calls()
    fresh.now = later
    headers, body = fresh.event(bounced())
    with pytest.raises(Forged):
        source(fresh).verify(body, headers, later)


def test_an_old_envelope_is_not_taken_again() -> None:
    headers, body = KEYS.event(bounced())
    source().verify(body, headers, NOW + timedelta(days=13))
    with pytest.raises(Forged):
        source().verify(body, headers, NOW + timedelta(days=15))


def test_without_a_certificate_nobody_can_tell_so_it_has_to_come_again() -> None:
    def unreachable(url: str) -> bytes:
        raise NotNow(f"no way to {url}")

    headers, body = KEYS.event(bounced())
    with pytest.raises(NotNow, match=r"sns\.us-east-1"):
        Ses(SesOptions(topics=(TOPIC,)), fetch=unreachable).verify(body, headers, NOW)
    assert source().come_again == 503


def test_a_certificate_that_cannot_be_fetched_is_not_remembered() -> None:
    for _ in range(2):
        with pytest.raises(NotNow):
            sns.fetched("https://127.0.0.1:1/SimpleNotificationService-1.pem")


def test_the_place_is_the_one_that_was_checked() -> None:
    caller = calls()
    headers, body = caller.event(bounced())
    source(caller).verify(body, headers, NOW)
    assert caller.asked == [PLACE]


@pytest.mark.parametrize("topic", ["", "SES_Events", "arn:aws:sqs:us-east-1:123456789012:x", TOPIC + "\n"])
def test_a_topic_has_to_be_one(topic: str) -> None:
    with pytest.raises(ValidationError):
        SesOptions(topics=(topic,))


@pytest.mark.parametrize("what", NO_EVENTS)
def test_what_is_no_envelope_is_refused(what: str) -> None:
    with pytest.raises((Malformed, Forged)):
        source().verify(NO_EVENTS[what], {}, NOW)


@pytest.mark.parametrize("what", NO_EVENTS)
def test_an_envelope_that_holds_no_event_is_malformed(what: str) -> None:
    body = json.dumps({"Type": "Notification", "MessageId": "m", "Message": NO_EVENTS[what].decode("latin-1")}).encode()
    with pytest.raises(Malformed):
        source().reports(body)


@pytest.mark.parametrize(
    "event",
    [
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "mail": MAIL, "bounce": {}},
        {"eventType": "Bounce", "mail": [], "bounce": BOUNCE},
        {"eventType": "Bounce", "mail": MAIL, "bounce": []},
        bounced(bouncedRecipients=[None]),
        bounced(bouncedRecipients=[{"status": "5.1.1"}]),
        bounced(bouncedRecipients={"emailAddress": "x"}),
        bounced(timestamp="then"),
        bounced(bounceType=5),
        {"eventType": 5, "mail": MAIL, "bounce": BOUNCE},
        {"eventType": "Complaint", "mail": {**MAIL, "destination": []}, "complaint": {}},
        {"eventType": "New", "mail": MAIL},
        {"mail": {**MAIL, "tags": []}, "eventType": "Delivery", "delivery": {"recipients": ["a@x.test"]}},
    ],
)
def test_an_event_with_an_odd_field_is_parked(event: dict[str, Any]) -> None:
    assert {one.kind for one in reports(event)} == {ReportKind.OTHER}


def test_it_is_found_by_its_name() -> None:
    assert load("ses") is Ses
