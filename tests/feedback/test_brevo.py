"""Brevo's webhooks: recorded events, and what strangers could send."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from syndicate.feedback import load
from syndicate.feedback.base import Forged, Malformed
from syndicate.feedback.brevo import Brevo, BrevoOptions
from syndicate.model.feedback import Report, ReportKind
from tests.feedback.hostile import NO_EVENTS

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
MARK = "0123456789abcdef0123456789abcdef"
OPEN = Brevo(BrevoOptions())
GUARDED = Brevo(BrevoOptions.model_validate({"tokens": ["tok-1", "tok-2"], "passwords": ["u:p"]}))

# Recorded
SEEN: dict[str, Any] = {
    "email": "not-a-user@example.com",
    "id": 9999999,
    "ts_epoch": 1520363423000,
    "date": "2018-03-06 11:10:23",
    "message-id": "<201803011158.9876543210@smtp-relay.mailin.fr>",
    "X-Mailin-custom": f'{{"syndicate_mark":"{MARK}"}}',
}
HARD = " RecipientError: 550 5.5.0 Requested action not taken: mailbox unavailable."


def report(event: dict[str, Any]) -> Report:
    (found,) = OPEN.reports(json.dumps({**SEEN, **event}).encode())
    return found


@pytest.mark.parametrize(
    ("event", "reason", "meant"),
    [
        ("delivered", "", ReportKind.DELIVERED),
        ("hard_bounce", HARD, ReportKind.HARD),
        ("hard_bounce", "550 5.7.1 blocked because of spam", ReportKind.POLICY),
        ("soft_bounce", "undefined Unable to find MX of domain no-mx.example.com", ReportKind.SOFT),
        ("blocked", "blocked : due to blacklist user", ReportKind.OTHER),
        ("spam", "", ReportKind.COMPLAINT),
        ("complaint", "", ReportKind.COMPLAINT),
        ("invalid_email", "", ReportKind.HARD),
        ("error", "", ReportKind.OTHER),
        ("deferred", "550 RecipientError: 550 5.1.1 <notauser@example.com>: User unknown", ReportKind.DEFERRED),
        ("unsubscribe", "", ReportKind.UNSUBSCRIBED),
        ("unsubscribed", "", ReportKind.UNSUBSCRIBED),
        ("<img src=x onerror=alert(1)>", "", ReportKind.OTHER),
    ],
)
def test_what_an_event_means(event: str, reason: str, meant: ReportKind) -> None:
    found = report({"event": event, "reason": reason})
    assert (found.kind, found.recipient, found.mark) == (meant, "not-a-user@example.com", MARK)
    assert found.receipt == "<201803011158.9876543210@smtp-relay.mailin.fr>"
    assert found.at == datetime(2018, 3, 6, 19, 10, 23, tzinfo=UTC)


def test_what_scanners_cause_is_not_even_kept() -> None:
    for event in ("request", "opened", "unique_opened", "proxy_open", "unique_proxy_open", "click"):
        assert OPEN.reports(json.dumps({**SEEN, "event": event}).encode()) == []


def test_an_event_is_named_by_its_content() -> None:
    assert report({"event": "spam"}).id == report({"event": "spam"}).id
    assert report({"event": "spam"}).id != report({"event": "delivered"}).id


def test_several_events_come_in_one_list() -> None:
    body = json.dumps([{**SEEN, "event": "spam"}, {**SEEN, "event": "opened"}, {**SEEN, "event": "delivered"}])
    assert [found.kind for found in OPEN.reports(body.encode())] == [ReportKind.COMPLAINT, ReportKind.DELIVERED]
    assert OPEN.reports(b"[]") == []


@pytest.mark.parametrize("custom", ["", "x", "[]", "7", '{"syndicate_mark": 7}', '{"meta": "data"}', "[" * 100_000])
def test_a_header_that_is_not_ours_is_no_mark(custom: str) -> None:
    found = report({"event": "delivered", "X-Mailin-custom": custom})
    assert (found.kind, found.mark) == (ReportKind.DELIVERED, "")


def test_it_asks_to_come_again_in_the_only_way_that_brevo_hears() -> None:
    assert OPEN.come_again == 429


def test_each_of_its_tokens_opens_the_hook() -> None:
    for value in ("Bearer tok-1", "Bearer tok-2", f"Basic {b64encode(b'u:p').decode()}"):
        GUARDED.verify(b"{}", {"authorization": value}, NOW)
    OPEN.verify(b"{}", {}, NOW)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer tok-3", "bearer tok-1", "Bearer tok-1 ", "tok-1"])
def test_any_other_does_not(value: str) -> None:
    with pytest.raises(Forged):
        GUARDED.verify(b"{}", {"authorization": value}, NOW)


@pytest.mark.parametrize("what", NO_EVENTS)
def test_what_is_no_event_is_malformed(what: str) -> None:
    with pytest.raises(Malformed):
        OPEN.reports(NO_EVENTS[what])


@pytest.mark.parametrize(
    "changes",
    [
        {"email": None},
        {"email": ["a@x.test"]},
        {"ts_epoch": 99999999999999999999},
        {"ts_epoch": -1},
        {"ts_epoch": "1520363423000"},
        {"message-id": {}},
        {"reason": 5},
    ],
)
def test_an_event_with_an_odd_field_is_parked(changes: dict[str, Any]) -> None:
    assert report({"event": "hard_bounce", **changes}).kind is ReportKind.OTHER


def test_it_is_found_by_its_name() -> None:
    assert load("brevo") is Brevo
