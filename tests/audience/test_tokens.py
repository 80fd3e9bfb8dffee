"""Tokens in links."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.audience.tokens import Keys, Member, Purpose, Stranger, link
from syndicate.errors import ConfigError

KEYS = Keys([b"0123456789abcdef"])
MEMBER = KEYS.member(Purpose.UNSUBSCRIBE, 1_000_000, 3)
STRANGER = KEYS.stranger(Purpose.UNSUBSCRIBE, "readers", "ada@example.org")
BOTH = pytest.mark.parametrize("token", [MEMBER, STRANGER])


def test_a_token_is_the_same_on_every_machine_and_day() -> None:
    # head, 1000000 and 3, then: printf "unsubscribe\0<these 7 bytes>" | openssl dgst -sha256 -hmac 0123456789abcdef
    assert MEMBER == "FgAPQkAAA8q1phR7hgVN"
    assert STRANGER == "lgkAEFcY4r0NUtoNYz7s"


def test_a_link_fits_on_a_header_line() -> None:
    url = link("https://news.publisher-of-magick.com", "u", MEMBER)
    assert url == f"https://news.publisher-of-magick.com/u/{MEMBER}"
    assert len(url) <= 60
    assert link("https://x.test/news/", "u", MEMBER) == f"https://x.test/news/u/{MEMBER}"


@given(st.emails(), st.text(max_size=20))
def test_a_stranger_s_token_is_safe_in_urls_html_and_quoted_printable_and_names_nobody(who: str, audience: str) -> None:
    token = KEYS.stranger(Purpose.UNSUBSCRIBE, audience, who)
    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", token)
    found = KEYS.read(Purpose.UNSUBSCRIBE, token)
    assert isinstance(found, Stranger)
    assert [found.trace] == KEYS.traces(audience, who)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))
def test_a_member_s_token_holds_the_numbers_of_subscriber_and_list(reader: int, number: int) -> None:
    token = KEYS.member(Purpose.PREFERENCES, reader, number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", token)
    assert KEYS.read(Purpose.PREFERENCES, token) == Member(reader, number)


def test_a_token_belongs_to_one_reader_of_one_audience_under_one_key() -> None:
    tokens = [
        STRANGER,
        KEYS.stranger(Purpose.UNSUBSCRIBE, "readers", "adb@example.org"),
        KEYS.stranger(Purpose.UNSUBSCRIBE, "reader", "sada@example.org"),
        KEYS.stranger(Purpose.UNSUBSCRIBE, "members", "ada@example.org"),
        Keys([b"fedcba9876543210"]).stranger(Purpose.UNSUBSCRIBE, "readers", "ada@example.org"),
        KEYS.member(Purpose.UNSUBSCRIBE, 1, 2),
        KEYS.member(Purpose.UNSUBSCRIBE, 2, 1),
    ]
    assert len(set(tokens)) == len(tokens)
    assert KEYS.stranger(Purpose.UNSUBSCRIBE, "readers", "Ada@example.org") == STRANGER


@pytest.mark.parametrize("made", Purpose)
def test_a_token_for_one_purpose_does_nothing_for_another(made: Purpose) -> None:
    tokens = [KEYS.member(made, 7, 1), KEYS.stranger(made, "readers", "ada@example.org")]
    for token in tokens:
        assert [purpose for purpose in Purpose if KEYS.read(purpose, token)] == [made]
    seal = KEYS.seal(made, "weekly")
    assert [purpose for purpose in Purpose if KEYS.sealed(purpose, "weekly", seal)] == [made]


@BOTH
@pytest.mark.parametrize(
    "wrong",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token + "=",
        lambda token: token[:-1] + "\n",
        lambda token: token.swapcase(),
        lambda token: f" {token[1:]}",
        lambda token: token[:10] + "." + token[11:],
        lambda token: "é" * 20,
        lambda token: "\ud800" * 20,
        lambda token: "\0" * 20,
        lambda token: "A" * 10_000,
    ],
)
def test_what_is_no_token_is_refused(token: str, wrong: Callable[[str], str]) -> None:
    assert KEYS.read(Purpose.UNSUBSCRIBE, wrong(token)) is None


@BOTH
def test_every_flipped_bit_is_noticed(token: str) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    data = urlsafe_b64decode(token)
    for bit in range(120):
        forged = bytearray(data)
        forged[bit // 8] ^= 1 << bit % 8
        assert KEYS.read(Purpose.UNSUBSCRIBE, urlsafe_b64encode(bytes(forged)).decode()) is None


@BOTH
def test_a_token_outlives_the_key_that_made_it(token: str) -> None:
    others = [bytes([each]) * 16 for each in range(3)]
    later = Keys([*others, *KEYS.secrets])
    assert later.read(Purpose.UNSUBSCRIBE, token) == KEYS.read(Purpose.UNSUBSCRIBE, token) is not None
    assert KEYS.traces("readers", "ada@example.org")[0] in later.traces("readers", "ada@example.org")
    assert later.member(Purpose.UNSUBSCRIBE, 1_000_000, 3) != MEMBER
    assert Keys(others).read(Purpose.UNSUBSCRIBE, token) is None
    assert later.sealed(Purpose.VIEW, "weekly", KEYS.seal(Purpose.VIEW, "weekly"))


def test_keys_with_the_same_name_are_all_tried() -> None:
    many = Keys([bytes([each]) * 16 for each in range(200)])  # more than there are names
    for key in many.secrets:
        token = Keys([key]).member(Purpose.CONFIRM, 5, 1)
        assert many.read(Purpose.CONFIRM, token) == Member(5, 1)


@pytest.mark.parametrize("secrets", [[], [b"hunter2"], [b"0123456789abcdef", b"hunter2"]])
def test_a_secret_that_can_be_guessed_is_refused_and_not_shown(secrets: list[bytes]) -> None:
    with pytest.raises(ConfigError) as caught:
        Keys(secrets)
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_what_is_counted_is_not_kept_as_it_is() -> None:
    name = KEYS.anonymous("ip 203.0.113.7")
    assert name == Keys([b"fedcba9876543210", *KEYS.secrets]).anonymous("ip 203.0.113.7")
    assert "203" not in name
    assert name != KEYS.anonymous("ip 203.0.113.8")
