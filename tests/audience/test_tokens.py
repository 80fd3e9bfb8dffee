"""Unsubscribe links."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.audience.tokens import unsubscribe_token, unsubscribe_url, verify
from syndicate.errors import ConfigError

SECRET = b"0123456789abcdef"
TOKEN = unsubscribe_token(SECRET, "readers", "ada@example.org")


def test_a_token_is_the_same_on_every_machine_and_day() -> None:
    # printf "unsubscribe\0readers\0ada@example.org" | openssl dgst -sha256 -hmac 0123456789abcdef -binary | head -c 15
    assert unsubscribe_token(SECRET, "readers", "ada@example.org") == "lhg4aQiQqQ5x8AdTxjUs"


def test_a_link_fits_on_a_header_line() -> None:
    url = unsubscribe_url("https://news.publisher-of-magick.com", TOKEN)
    assert url == f"https://news.publisher-of-magick.com/u/{TOKEN}"
    assert len(url) <= 60
    assert unsubscribe_url("https://x.test/news/", TOKEN) == f"https://x.test/news/u/{TOKEN}"


@given(st.emails(), st.text(max_size=20))
def test_a_token_is_safe_in_urls_html_and_quoted_printable_and_names_nobody(address: str, audience: str) -> None:
    token = unsubscribe_token(SECRET, audience, address)
    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", token)
    assert verify(token, SECRET, audience, address)


def test_a_token_belongs_to_one_reader_of_one_audience_under_one_secret() -> None:
    others = [
        unsubscribe_token(SECRET, "readers", "adb@example.org"),
        unsubscribe_token(SECRET, "reader", "sada@example.org"),
        unsubscribe_token(SECRET, "members", "ada@example.org"),
        unsubscribe_token(SECRET[::-1], "readers", "ada@example.org"),
    ]
    assert len({TOKEN, *others}) == 5
    assert unsubscribe_token(SECRET, "readers", "Ada@example.org") == TOKEN


@pytest.mark.parametrize("wrong", ["", TOKEN[:-1], TOKEN + "A", TOKEN.swapcase(), "é" * 20, "\ud800", "\0"])
def test_a_wrong_token_is_refused(wrong: str) -> None:
    assert not verify(wrong, SECRET, "readers", "ada@example.org")


def test_every_flipped_character_is_noticed() -> None:
    for place, character in enumerate(TOKEN):
        forged = TOKEN[:place] + ("A" if character != "A" else "B") + TOKEN[place + 1 :]
        assert not verify(forged, SECRET, "readers", "ada@example.org")


def test_a_secret_that_can_be_guessed_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        unsubscribe_token(b"hunter2", "readers", "ada@example.org")
    assert "hunter2" not in caught.value.message + caught.value.hint
