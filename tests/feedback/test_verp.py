"""Return addresses name a delivery, and nobody can make one up."""

import re

from hypothesis import given
from hypothesis import strategies as st

from syndicate.feedback.verp import delivery_of, return_address
from tests.feedback.mails import BOUNCES, SECRET

NUMBERS = st.integers(min_value=1, max_value=10**17)


@given(NUMBERS)
def test_d_28_an_address_comes_back_as_the_delivery_that_it_was_made_for(number: int) -> None:
    assert delivery_of([return_address(BOUNCES, number, SECRET)], BOUNCES, [SECRET]) == number


@given(NUMBERS)
def test_d_28_it_is_short_and_of_letters_that_survive_forwarders(number: int) -> None:
    local = return_address(BOUNCES, number, SECRET).partition("@")[0]
    assert re.fullmatch(r"[a-z0-9+.]+", local)
    assert len(local) <= 64


@given(NUMBERS, st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=8, max_size=8))
def test_d_28_a_guessed_code_names_nothing(number: int, code: str) -> None:
    forged = f"bounces+{number}.{code}@news.example.com"
    right = forged == return_address(BOUNCES, number, SECRET)
    assert bool(delivery_of([forged], BOUNCES, [SECRET])) == right


def test_the_code_of_one_delivery_does_not_open_another() -> None:
    code = return_address(BOUNCES, 7, SECRET).partition(".")[2]
    assert delivery_of([f"bounces+8.{code}"], BOUNCES, [SECRET]) == 0


def test_case_does_not_count_and_words_around_it_do_not_hurt() -> None:
    text = f"<{return_address(BOUNCES, 7, SECRET).upper()}>"
    assert delivery_of(["ada@example.org", f"rfc822; {text}, others"], BOUNCES, [SECRET]) == 7


def test_a_secret_that_was_replaced_still_verifies() -> None:
    old = return_address(BOUNCES, 7, b"the secret of last year")
    assert delivery_of([old], BOUNCES, [SECRET, b"the secret of last year"]) == 7
    assert delivery_of([old], BOUNCES, [SECRET]) == 0


def test_another_mailbox_or_domain_is_not_ours() -> None:
    ours = return_address(BOUNCES, 7, SECRET)
    for strange in (ours.replace("news.", "evil."), ours + ".evil.test", "x" + ours, ours.replace("+7.", "+07.")):
        assert delivery_of([strange], BOUNCES, [SECRET]) == 0
