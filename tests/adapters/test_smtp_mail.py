"""What may be spoken: the quick look at a letter's values must find what a look at the whole message finds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.adapters.smtp_mail import SpeakableMail, filled, in_ascii, speakable, stuffed
from syndicate.model import Email, Mail, Recipient
from syndicate.testing.messages import letter, mail

pieces = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b".", b"a", b"\xc3\xbc", b"=\r\n"]), max_size=4).map(
    b"".join
)


def email(segments: list[bytes], values: list[bytes]) -> Email:
    whole = replace(letter(), segments=tuple(segments), slots=("header:to",) * len(values))
    return Email(letter=whole, recipient=Recipient("ada@example.org"), values={}, encoded=tuple(values))


def judged(found: Email | Mail) -> SpeakableMail | str:
    try:
        if isinstance(found, Email):
            return filled("news@example.com", "ada@example.org", found)
        return speakable(found)
    except ValueError as error:
        return str(error)


@given(st.integers(0, 4).flatmap(lambda n: st.tuples(*[st.lists(pieces, min_size=k, max_size=k) for k in (n + 1, n)])))
def test_t31_the_quick_look_finds_what_a_look_at_the_whole_finds(drawn: tuple[list[bytes], list[bytes]]) -> None:
    segments, values = drawn
    message = email([*segments[:-1], segments[-1] + b"\r\n"], values)
    quick, whole = judged(message), judged(mail(data=message.data))
    assert quick == whole
    if isinstance(quick, SpeakableMail) and isinstance(whole, SpeakableMail):
        assert quick.body == whole.body == stuffed(message.data)
        assert quick.seven_bit == whole.seven_bit == message.data.isascii()


@pytest.mark.parametrize(
    ("segments", "value"),
    [
        ([b"To: \r\n", b"\r\n"], b"."),  # a dot that becomes the first of a line
        ([b"a\r", b"\n\r\n"], b""),  # half a line end on each side
        ([b"a\r\n", b".\r\nb\r\n"], b""),  # the value keeps nothing apart
        ([b"a", b"\r\n"], b"x\r\n.\r\nMAIL FROM:<x@y.test>"),
        ([b"a", b"\r\n"], b"x\n.\nMAIL FROM:<x@y.test>"),
        ([b"a", b"\n"], b"x\r"),
    ],
)
def test_t31_values_at_the_edges_of_a_letter(segments: list[bytes], value: bytes) -> None:
    message = email(segments, [value])
    quick, whole = judged(message), judged(mail(data=message.data))
    assert quick == whole
    if isinstance(quick, SpeakableMail):
        assert quick.body == stuffed(message.data)


def test_a_mail_that_was_found_speakable_is_not_looked_through_again() -> None:
    found = speakable(mail())
    assert speakable(found) is found


def test_a_bounce_has_no_sender() -> None:
    assert speakable(replace(mail(), sender="")).international is False


def test_a_domain_that_idna_refuses_is_no_domain() -> None:
    assert in_ascii("ada@bücher.example") == "ada@xn--bcher-kva.example"
    with pytest.raises(ValueError, match="not allowed"):
        in_ascii("ada@bü cher.example")
