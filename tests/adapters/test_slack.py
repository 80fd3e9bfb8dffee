"""Slack against a fake webhook and a fake Web API."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syndicate.adapters.slack import Slack, SlackOptions, mrkdwn
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import slack as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import picture, post
from syndicate.testing.slack import CHANNEL, HOOK, SECRET, TOKEN, FakeSlack, visible
from tests.adapters.social import Social, deliver


@pytest.fixture
def network() -> Iterator[FakeSlack]:
    with FakeSlack() as running:
        yield running


def hooked(network: FakeSlack, **options: Any) -> Slack:
    return Slack(SlackOptions.model_validate({"webhook": network.url + HOOK, **options}))


def bot(network: FakeSlack, **options: Any) -> Slack:
    settings = {"token": TOKEN, "channel": CHANNEL, "base_url": f"{network.url}/api", **options}
    return Slack(SlackOptions.model_validate(settings))


class TestSlackByWebhook(Social):
    secrets: ClassVar = (SECRET,)
    webhook = HOOK
    busy = fake.THROTTLED
    locked = fake.NO_SERVICE
    refuses = fake.INVALID_PAYLOAD
    down = fake.ROLLUP

    def fake(self) -> FakeSlack:
        return FakeSlack()

    def make(self, network: FakeSlack) -> Slack:
        return hooked(network)

    def received(self, network: FakeSlack) -> list[Any]:
        return network.messages


class TestSlackByToken(TestSlackByWebhook):
    secrets: ClassVar = (TOKEN,)
    webhook = ""
    locked = fake.problem("token_revoked")
    refuses = fake.problem("msg_too_long")
    down = fake.problem("fatal_error")

    def make(self, network: FakeSlack) -> Slack:
        return bot(network)

    def echo(self) -> Reply:
        return Reply(200, f'{{"ok": false, "error": "invalid_auth", "provided": "{TOKEN}"}}'.encode())


def test_the_address_of_a_webhook_is_never_shown(network: FakeSlack) -> None:
    request = hooked(network).compose(post())
    assert request.url == "{webhook}"
    deliver(hooked(network), post())
    assert network.journal[0].path == HOOK


def test_the_message_is_escaped_and_the_link_stays_one(network: FakeSlack) -> None:
    text = "Fish & <chips> > peas\n\nhttps://example.com/a?b=c&d=e."
    deliver(hooked(network), post(text))
    (message,) = network.messages
    assert message == {
        "text": "Fish &amp; &lt;chips&gt; &gt; peas\n\n<https://example.com/a?b=c&amp;d=e>.",
        "unfurl_links": True,
        "unfurl_media": True,
    }
    assert visible(message["text"]) == text


@given(
    st.lists(st.sampled_from([*"ab &<>\n.,", "https://example.com/?a=b&c=d", "&amp;"]) | st.characters(codec="utf-8"))
)
def test_people_read_what_was_written(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert visible(mrkdwn(text)).replace("|", "%7C") == text.replace("|", "%7C")


def test_a_token_posts_to_its_channel_and_gets_an_id(network: FakeSlack) -> None:
    assert deliver(bot(network, unfurl=False), post("Hi", url="")) == Receipt(
        f"{CHANNEL}/1503435956.000001", "", "200 ok"
    )
    assert network.messages == [{"channel": CHANNEL, "text": "Hi", "unfurl_links": False, "unfurl_media": False}]
    assert network.journal[0].headers["content-type"] == "application/json; charset=utf-8"


def test_a_webhook_tells_no_id(network: FakeSlack) -> None:
    assert deliver(hooked(network), post()) == Receipt(status="200 ok")


def test_a_picture_is_refused(network: FakeSlack) -> None:
    with pytest.raises(Unsupported, match="without pictures"):
        hooked(network).compose(post(image=picture()))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.INVALID_PAYLOAD, Refused),
        (fake.NO_SERVICE, Paused),
        (fake.PROHIBITED, Paused),
        (fake.ARCHIVED, Paused),
        (fake.ROLLUP, Unknown),
        (fake.problem("msg_blocks_too_long"), Refused),
        (fake.problem("not_in_channel"), Paused),
        (fake.problem("invalid_auth"), Paused),
        (fake.problem("ratelimited"), Deferred),
        (fake.problem("internal_error"), Unknown),
        (Reply(200, b'{"ok": false}'), Unknown),
        (Reply(404, b"<html>not Slack at all"), Paused),
    ],
)
def test_answers_by_the_name_of_the_error(network: FakeSlack, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(deliver(bot(network), post()), expected)


def test_a_limit_inside_a_200_ends_when_the_header_says(network: FakeSlack) -> None:
    network.fault(Fault(Reply(200, fake.problem("ratelimited").body, {"Retry-After": "30"})))
    assert deliver(bot(network), post()) == Deferred("200 ratelimited", timedelta(seconds=30))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"token": TOKEN},
        {"channel": CHANNEL},
        {"token": TOKEN, "channel": CHANNEL, "webhook": f"https://hooks.slack.com{HOOK}"},
        {"webhook": f"http://hooks.slack.com{HOOK}"},
        {"webhook": "https://hooks.slack.com/"},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackOptions.model_validate(options)
    assert TOKEN not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_json_is_written_as_utf8(network: FakeSlack) -> None:
    assert json.loads(hooked(network).compose(post("José 😀")).body)["text"] == "José 😀"
