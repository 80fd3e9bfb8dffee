"""Telegram against a fake Bot API."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syndicate.adapters.telegram import Telegram, TelegramOptions, html
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import telegram as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import PNG, picture, post
from syndicate.testing.telegram import CHAT, TOKEN, FakeTelegram, visible
from tests.adapters.social import Social, deliver


@pytest.fixture
def network() -> Iterator[FakeTelegram]:
    with FakeTelegram() as running:
        yield running


def adapter(network: FakeTelegram | None = None, **options: Any) -> Telegram:
    base = {"base_url": network.url} if network else {}
    return Telegram(TelegramOptions.model_validate({"token": TOKEN, "chat": CHAT, **base, **options}))


class TestTelegram(Social):
    secrets: ClassVar = (TOKEN,)
    busy = fake.THROTTLED
    locked = fake.UNAUTHORIZED
    refuses = fake.TOO_LONG
    down = fake.BAD_GATEWAY

    def fake(self) -> FakeTelegram:
        return FakeTelegram()

    def make(self, network: FakeTelegram) -> Telegram:
        return adapter(network)

    def received(self, network: FakeTelegram) -> list[Any]:
        return network.messages


class TestTelegramWithoutPictures(TestTelegram):
    def make(self, network: FakeTelegram) -> Telegram:
        return adapter(network, pictures=False)


def test_the_token_is_in_the_address_and_never_shown(network: FakeTelegram) -> None:
    assert adapter().compose(post()).url == "https://api.telegram.org/bot{secret}/sendMessage"
    deliver(adapter(network), post())
    assert network.journal[0].path == f"/bot{TOKEN}/sendMessage"


def test_a_network_that_repeats_the_token_does_not_get_it_into_a_reason(network: FakeTelegram) -> None:
    network.fault(Fault(fake.problem(400, f"Bad Request: /bot{TOKEN}/sendMessage")))
    assert deliver(adapter(network), post()) == Refused("400 Bad Request: /bot***/sendMessage")
    moved = Reply(302, headers={"Location": f"https://elsewhere.example/bot{TOKEN}/sendMessage"})
    network.fault(Fault(moved))
    found = deliver(adapter(network), post())
    assert isinstance(found, Unknown)
    assert TOKEN not in found.reason


def test_the_first_line_is_bold_and_nothing_else_is_markup(network: FakeTelegram) -> None:
    text = "40% <more> & more\n\nWhat *it* is.\n\nhttps://example.com/a?b=c&d=e\n\n#AI"
    found = deliver(adapter(network, silent=True), post(text))
    assert found == Receipt("-1001111111111/16", "https://t.me/magick/16", "200")
    (message,) = network.messages
    assert message == {
        "chat_id": CHAT,
        "parse_mode": "HTML",
        "disable_notification": True,
        "text": "<b>40% &lt;more&gt; &amp; more</b>\n\nWhat *it* is.\n\nhttps://example.com/a?b=c&amp;d=e\n\n#AI",
        "link_preview_options": {"url": "https://example.com/a?utm_source=linkedin", "prefer_large_media": True},
    }


@given(st.lists(st.sampled_from([*"ab &<>\n", "<b>", "&amp;", "\n\n"]) | st.characters(codec="utf-8")))
def test_people_read_what_was_written(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert visible(html(text)) == text


def test_a_picture_has_the_text_as_caption(network: FakeTelegram) -> None:
    assert isinstance(deliver(adapter(network), post("Hook\n\nText", image=picture())), Receipt)
    assert network.messages == [{"chat_id": CHAT, "parse_mode": "HTML", "caption": "<b>Hook</b>\n\nText", "photo": PNG}]
    assert network.journal[0].path.endswith("/sendPhoto")


def test_an_account_without_pictures_takes_four_times_the_text() -> None:
    short, long = adapter(), adapter(pictures=False)
    assert (short.rules.max_length, long.rules.max_length) == (1024, 4096)
    assert "image" in short.supports
    assert "image" not in long.supports
    with pytest.raises(Unsupported, match="without pictures"):
        long.compose(post(image=picture()))


def test_a_private_chat_has_an_address_for_its_members(network: FakeTelegram) -> None:
    result = {"message_id": 7, "chat": {"id": -1001234567890, "type": "supergroup"}}
    network.fault(Fault(Reply(200, json.dumps({"ok": True, "result": result}).encode())))
    found = deliver(adapter(network), post())
    assert isinstance(found, Receipt)
    assert found.permalink == "https://t.me/c/1234567890/7"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.UNAUTHORIZED, Paused),
        (fake.KICKED, Paused),
        (fake.NOT_FOUND, Paused),
        (fake.NO_CHAT, Paused),
        (fake.TOO_LONG, Refused),
        (fake.ENTITIES, Refused),
        (fake.BAD_GATEWAY, Unknown),
        (Reply(200, b'{"ok": true}'), Unknown),
    ],
)
def test_recorded_answers(network: FakeTelegram, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_limit_ends_when_the_body_says(network: FakeTelegram) -> None:
    network.fault(Fault(fake.THROTTLED))
    assert deliver(adapter(network), post()) == Deferred("429 Too Many Requests: retry after 5", timedelta(seconds=5))


def test_a_group_that_has_moved_says_where_to(network: FakeTelegram) -> None:
    network.fault(Fault(fake.MIGRATED))
    assert deliver(adapter(network), post()) == Paused(
        "400 Bad Request: group chat was upgraded to a supergroup chat",
        "The group is a supergroup now: set `chat` to -1001234567890.",
    )


@pytest.mark.parametrize(
    "options", [{"token": "canary/../x"}, {"chat": "magick"}, {"base_url": "http://api.telegram.org"}]
)
def test_options_that_cannot_work_are_refused_without_showing_the_token(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter(**options)
    assert "canary" not in str(caught.value)
    assert TOKEN not in str(caught.value)
