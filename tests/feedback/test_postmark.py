"""Postmark's webhooks: recorded events, and what strangers could send."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from syndicate.feedback import load
from syndicate.feedback.base import Forged, Malformed
from syndicate.feedback.postmark import Postmark, PostmarkOptions
from syndicate.model.feedback import Report, ReportKind
from tests.feedback.hostile import NO_EVENTS

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
MARK = "0123456789abcdef0123456789abcdef"
OPEN = Postmark(PostmarkOptions())
GUARDED = Postmark(PostmarkOptions.model_validate({"passwords": ["hook:pässword", "hook:the-next"]}))

# Recorded
BOUNCE: dict[str, Any] = {
    "RecordType": "Bounce",
    "ID": 901542550,
    "Type": "HardBounce",
    "TypeCode": 1,
    "ServerID": 23,
    "Name": "Hard bounce",
    "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
    "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "Email": "bounce@example.com",
    "From": "sender@example.com",
    "BouncedAt": "2016-04-27T16:28:50.3963933-04:00",
    "DumpAvailable": True,
    "Inactive": True,
    "CanActivate": True,
    "Subject": "Postmark event test",
    "Content": "...",
}
DELIVERED: dict[str, Any] = {
    "RecordType": "Delivery",
    "ServerId": 23,
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Recipient": "recipient@example.com",
    "Tag": "welcome-email",
    "Metadata": {"syndicate_mark": MARK},
    "DeliveredAt": "2014-08-01T13:28:10.2735393-04:00",
    "Details": "Test delivery webhook details",
}
CHANGE: dict[str, Any] = {
    "RecordType": "SubscriptionChange",
    "MessageID": "a4909a96-73d7-4c49-b148-a54522d3f7ac",
    "ServerID": 23,
    "MessageStream": "outbound",
    "ChangedAt": "2022-06-05T17:17:32Z",
    "Recipient": "john@example.com",
    "Origin": "Recipient",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
}


def report(event: dict[str, Any]) -> Report:
    (found,) = OPEN.reports(json.dumps(event).encode())
    return found


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({}, ReportKind.HARD),
        ({"Type": "BadEmailAddress"}, ReportKind.HARD),
        ({"Type": "SpamComplaint"}, ReportKind.COMPLAINT),
        ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, ReportKind.COMPLAINT),
        ({"Type": "Transient", "Inactive": False}, ReportKind.SOFT),
        ({"Type": "SoftBounce", "Inactive": False}, ReportKind.SOFT),
        ({"Type": "DnsError"}, ReportKind.SOFT),
        ({"Type": "Blocked"}, ReportKind.POLICY),
        ({"Type": "DMARCPolicy", "TypeCode": 100000}, ReportKind.POLICY),
        ({"Type": "AutoResponder", "Inactive": False}, ReportKind.OTHER),
        ({"Type": "SomethingNew", "Inactive": False}, ReportKind.OTHER),
        ({"Type": "SomethingNew", "Inactive": True}, ReportKind.HARD),
        ({"Type": "Unsubscribe"}, ReportKind.UNSUBSCRIBED),
        ({"RecordType": "Inbound"}, ReportKind.OTHER),
    ],
)
def test_what_a_bounce_means(changes: dict[str, Any], meant: ReportKind) -> None:
    assert report({**BOUNCE, **changes}).kind is meant


def test_a_bounce_says_all_that_is_known() -> None:
    found = report(BOUNCE)
    assert (found.recipient, found.receipt) == ("bounce@example.com", "2706ee8a-737c-4285-b032-ccd317af53ed")
    assert found.at == datetime(2016, 4, 27, 20, 28, 50, 396393, tzinfo=UTC)
    assert found.status == "5.1.1"
    assert "does not exist" in found.text
    assert json.loads(found.raw) == BOUNCE


def test_a_delivery_brings_our_mark_back() -> None:
    found = report(DELIVERED)
    assert (found.kind, found.mark, found.recipient) == (ReportKind.DELIVERED, MARK, "recipient@example.com")


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({}, ReportKind.UNSUBSCRIBED),
        ({"SuppressionReason": "HardBounce"}, ReportKind.HARD),
        ({"SuppressionReason": "SpamComplaint"}, ReportKind.COMPLAINT),
        ({"SuppressSending": False, "SuppressionReason": None}, ReportKind.OTHER),  # came back; we ask anew ourselves
        ({"Origin": "Customer"}, ReportKind.OTHER),
    ],
)
def test_what_a_change_of_the_subscription_means(changes: dict[str, Any], meant: ReportKind) -> None:
    assert report({**CHANGE, **changes}).kind is meant


def test_what_scanners_cause_is_not_even_kept() -> None:
    assert [OPEN.reports(json.dumps({"RecordType": kind}).encode()) for kind in ("Open", "Click")] == [[], []]


def test_the_same_event_has_the_same_name_and_another_has_another() -> None:
    assert report(BOUNCE).id == report({**BOUNCE, "Subject": "x"}).id
    assert len({report(BOUNCE).id, report({**BOUNCE, "ID": 2}).id, report(DELIVERED).id}) == 3
    assert report(DELIVERED).id == report(DELIVERED).id


def basic(pair: str) -> dict[str, str]:
    return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def test_either_of_two_passwords_opens_the_hook() -> None:
    for pair in ("hook:pässword", "hook:the-next"):
        GUARDED.verify(b"{}", basic(pair), NOW)
    OPEN.verify(b"{}", {}, NOW)  # the secret in the address was right already


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Basic ????"},
        {"authorization": "Bearer hook:the-next"},
        {"authorization": "ünïcode"},
        basic("hook:password"),
        basic("hook:the-next "),
        basic("hook:"),
        basic(""),
    ],
)
def test_any_other_does_not(headers: dict[str, str]) -> None:
    with pytest.raises(Forged) as caught:
        GUARDED.verify(b"{}", headers, NOW)
    assert "the-next" not in str(caught.value)


@pytest.mark.parametrize("what", NO_EVENTS)
def test_what_is_no_event_is_malformed(what: str) -> None:
    with pytest.raises(Malformed):
        OPEN.reports(NO_EVENTS[what])


@pytest.mark.parametrize(
    "changes",
    [
        {"TypeCode": 1e9, "Email": None},
        {"Email": ["a@x.test"]},
        {"MessageID": 7},
        {"BouncedAt": "yesterday"},
        {"BouncedAt": "0001-01-01T00:00:00Z"},
        {"Inactive": "yes"},
        {"Metadata": []},
        {"ID": 10**30, "Type": 5},
    ],
)
def test_an_event_with_an_odd_field_is_parked(changes: dict[str, Any]) -> None:
    assert report({**BOUNCE, **changes}).kind is ReportKind.OTHER


def test_a_strangers_words_are_words() -> None:
    found = report({**BOUNCE, "Details": "<img src=x onerror=alert(1)>\n\x1b[31m\u202e" + "x" * 9000})
    assert found.text.startswith("<img src=x onerror=alert(1)> ")
    assert found.text.isprintable()
    assert len(found.text) <= 500


def test_it_is_found_by_its_name() -> None:
    assert load("postmark") is Postmark
