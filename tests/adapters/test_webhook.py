"""The signed webhook."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from syndicate.adapters.webhook import Webhook, WebhookOptions, message_id, signature
from syndicate.model import Dedupe, Outcome, Paused, Receipt
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import PNG, email, picture, post
from syndicate.testing.webhook import SECRET, WebhookReceiver, verified

NOW = datetime(2025, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver(clock=NOW.timestamp) as running:
        yield running


def adapter(url: str, **options: object) -> Webhook:
    return Webhook(WebhookOptions.model_validate({"url": url, "secret": SECRET, **options}), now=lambda: NOW)


def send(webhook: Webhook, key: str = "edition:key") -> Outcome:
    with webhook.open() as session:
        return webhook.send(session, webhook.compose(post()), key)


def test_the_signature_is_that_of_the_specification() -> None:
    # the published example of Standard Webhooks
    assert signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}') == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_receiver_that_verifies_takes_it(receiver: WebhookReceiver) -> None:
    assert send(adapter(receiver.url)) == Receipt(status="204")
    (request,) = receiver.journal
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert receiver.accepted == {message_id("edition:key"): request.body}


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp", "webhook-signature"])
def test_the_receiver_of_the_tests_notices_every_change(change: str) -> None:
    headers = dict(signature(SECRET, "msg_1", int(NOW.timestamp()), b"body"))
    assert verified(headers, b"body", SECRET, NOW.timestamp())
    headers[change] = "v1,AAAA" if change == "webhook-signature" else str(int(NOW.timestamp()) + 1)
    assert not verified(headers, b"bodY" if change == "body" else b"body", SECRET, NOW.timestamp())
    assert not verified(headers, b"body", SECRET, NOW.timestamp() + 301)


def test_another_secret_pauses_the_account(receiver: WebhookReceiver) -> None:
    other = adapter(receiver.url, secret="whsec_" + "A" * 32)
    assert send(other) == Paused("401", "Check `secret`: the receiver did not accept the signature.")


def test_a_receiver_that_is_gone_pauses_the_account(receiver: WebhookReceiver) -> None:
    receiver.fault(Fault(Reply(410)))
    assert isinstance(send(adapter(receiver.url)), Paused)


def test_an_id_has_no_dot_whatever_the_key() -> None:
    # the dot separates id, time and body in what is signed
    assert "." not in message_id("weekly/2025-03-10T09:00:a.b@example.org")


def test_the_events_hold_all_that_is_known() -> None:
    webhook = adapter("https://hooks.example.com/")
    event = json.loads(webhook.compose(post(image=picture())).body)
    assert event["type"] == "post"
    assert event["data"]["text"] == post().text
    assert b64decode(event["data"]["image"]["base64"]) == PNG
    letter = json.loads(webhook.compose(email()).body)
    assert (letter["type"], letter["data"]["to"]) == ("email", {"address": "ada@example.org", "name": ""})
    assert b64decode(letter["data"]["message"]["base64"]) == email().data


def test_a_repeat_is_safe_only_if_the_account_says_so() -> None:
    assert adapter("https://x.test/").dedupe == Dedupe()
    assert adapter("https://x.test/", repeat="PT1H").dedupe == Dedupe(repeat=timedelta(hours=1))


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://hooks.example.com/"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user:pass@hooks.example.com/"},
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "whsec_canary!"},
    ],
)
def test_options_that_cannot_work_are_refused_without_showing_the_secret(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter(**{"url": "https://hooks.example.com/", **options})
    assert "canary" not in str(caught.value)


def test_http_to_another_machine_has_to_be_asked_for() -> None:
    assert adapter("http://hooks.example.com/", allow_http=True).options.allow_http
