"""Discord against a fake webhook."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syndicate.adapters.discord import Discord, DiscordOptions, plain
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing import discord as fake
from syndicate.testing.discord import HOOK, SECRET, FakeDiscord, visible
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import PNG, picture, post
from tests.adapters.social import Social, deliver


@pytest.fixture
def network() -> Iterator[FakeDiscord]:
    with FakeDiscord() as running:
        yield running


def adapter(network: FakeDiscord, **options: Any) -> Discord:
    return Discord(DiscordOptions.model_validate({"webhook": network.url + HOOK, **options}))


class TestDiscord(Social):
    secrets: ClassVar = (SECRET,)
    webhook = HOOK
    busy = fake.THROTTLED
    locked = fake.INVALID_TOKEN
    refuses = fake.FORM
    down = fake.UNAVAILABLE

    def fake(self) -> FakeDiscord:
        return FakeDiscord()

    def make(self, network: FakeDiscord) -> Discord:
        return adapter(network)

    def received(self, network: FakeDiscord) -> list[Any]:
        return network.messages


def test_the_message_has_a_card_of_ours_and_pings_nobody(network: FakeDiscord) -> None:
    found = deliver(adapter(network, username="Magick AI"), post("Hi @everyone\n\nhttps://example.com/a_b"))
    assert found == Receipt("1100000000000000001", "", "200")
    assert network.messages == [
        {
            "username": "Magick AI",
            "content": "Hi @everyone\n\n<https://example.com/a_b>",
            "allowed_mentions": {"parse": []},
            "embeds": [
                {
                    "title": "An article (with brackets)",
                    "url": "https://example.com/a?utm_source=linkedin",
                    "description": "What it is about.",
                }
            ],
        }
    ]
    assert network.journal[0].path == f"{HOOK}?wait=true"


def test_the_picture_goes_with_the_message_and_into_the_card(network: FakeDiscord) -> None:
    assert isinstance(deliver(adapter(network), post(image=picture("A pixel"))), Receipt)
    (message,) = network.messages
    assert network.files == {"picture.png": PNG}
    assert message["attachments"] == [{"id": 0, "filename": "picture.png", "description": "A pixel"}]
    assert message["embeds"][0]["image"] == {"url": "attachment://picture.png"}


def test_the_address_is_never_shown(network: FakeDiscord) -> None:
    assert adapter(network).compose(post()).url == "{webhook}?wait=true"


PIECES = st.sampled_from([*"ab*_~`|<>[]\\#- \n.,", "# ", "> ", "-# ", "https://example.com/a_b?c=d"])


@given(st.lists(PIECES | st.characters(codec="utf-8", exclude_characters="\r")))
def test_people_read_what_was_written(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert visible(plain(text)) == text


@pytest.mark.parametrize("content", ["*bold*", "a_b", "# Title", "> quote", "[x](y)", "a\n-# small"])
def test_the_fake_notices_what_would_be_formatted(content: str) -> None:
    with pytest.raises(ValueError, match="formatted"):
        visible(content)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.UNKNOWN_WEBHOOK, Paused),
        (fake.INVALID_TOKEN, Paused),
        (fake.FORM, Refused),
        (fake.UNAVAILABLE, Unknown),
        (Reply(200, b"{}"), Unknown),
        (Reply(204), Receipt),
    ],
)
def test_recorded_answers(network: FakeDiscord, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_form_that_is_wrong_says_what_is(network: FakeDiscord) -> None:
    network.fault(Fault(fake.FORM))
    assert deliver(adapter(network), post()) == Refused("400 Invalid Form Body: Must be 1024 or fewer in length.")


def test_a_limit_ends_in_fractions_of_a_second(network: FakeDiscord) -> None:
    network.fault(Fault(fake.THROTTLED))
    assert deliver(adapter(network), post()) == Deferred("429 You are being rate limited.", timedelta(seconds=0.3))


@pytest.mark.parametrize("webhook", ["https://discord.com/", "http://discord.com/api/webhooks/1/canary", "canary"])
def test_an_address_that_cannot_work_is_refused_without_showing_it(webhook: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DiscordOptions.model_validate({"webhook": webhook})
    assert "canary" not in str(caught.value)


def test_titles_and_descriptions_are_cut_where_the_card_ends(network: FakeDiscord) -> None:
    from dataclasses import replace

    long = replace(post(), title="x" * 300, description="y_" * 3000)
    body = json.loads(adapter(network).compose(long).body)
    assert len(body["embeds"][0]["title"]) == 256
    assert len(body["embeds"][0]["description"]) <= 4096
