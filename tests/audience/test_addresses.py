"""One parser of addresses, with a fast path that takes no decision of its own."""

import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.audience.addresses import normalise, read_address, unique
from syndicate.model import address as parser
from syndicate.model.address import normalise_thoroughly

LOCAL = string.ascii_letters + string.digits + "._+-"
LABEL = string.ascii_letters + string.digits + "-"
plainly = st.builds(
    lambda local, labels, top: f"{local}@{'.'.join([*labels, top])}",
    st.text(LOCAL, min_size=1, max_size=66),
    st.lists(st.text(LABEL, min_size=1, max_size=65), min_size=1, max_size=5),
    st.one_of(
        st.sampled_from(["com", "test", "local", "arpa", "onion", "invalid", "localhost", "COM", "c"]), st.text(LABEL)
    ),
)
anything = st.one_of(plainly, st.emails(), st.from_regex(parser._PLAIN, fullmatch=True), st.text(max_size=20))


def outcome(text: str, parse: object) -> str:
    try:
        return parse(text)  # type: ignore[operator,no-any-return]
    except ValueError as error:
        return f"refused: {error}"


@given(anything)
@example("a@b.co")
@example("INFO@Example.COM")
@example("a@xn--bcher-kva.example")
@example("a@ab--cd.com")
@example("a@1.2.com")
@example("a-@b-b.com")
@example(f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.com")
@example(f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.com")
@example("a@b.com\n")
@example("а@b.com")
def test_the_fast_path_decides_as_the_full_parser_does(text: str) -> None:
    assert outcome(text, normalise) == outcome(text, normalise_thoroughly)


@given(st.from_regex(parser._PLAIN, fullmatch=True))
def test_what_the_fast_path_takes_is_what_the_library_takes_unchanged_but_for_case(text: str) -> None:
    taken = outcome(text, normalise)
    if not taken.startswith("refused"):
        found = validate_email(text, check_deliverability=False, strict=True, test_environment=True)
        assert found.ascii_email is not None
        assert found.ascii_email.lower() == taken.lower()
        assert taken.partition("@")[0] == text.partition("@")[0]


@given(anything)
def test_nothing_is_accepted_that_the_library_refuses(text: str) -> None:
    taken = outcome(text, normalise)
    try:
        validate_email(text, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError:
        assert taken.startswith("refused")


@given(anything)
def test_an_accepted_address_is_safe_to_write_into_a_header_and_stays_as_it_is(text: str) -> None:
    taken = outcome(text, normalise)
    if not taken.startswith("refused"):
        assert taken.isascii()
        assert not set(taken) & set(' <>"\\,;:()[]%!|`\r\n\0')
        assert taken.count("@") == 1
        assert len(taken) <= 254
        assert normalise(taken) == taken


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the @ is missing"),
        ("a%40x.test", "the @ is missing (%40 stands for it)"),
        ("a@b@x.test", "there is more than one @"),
        ("@x.test", "nothing stands before the @"),
        ("a b@x.test", "a blank before the @ is not accepted"),
        ("a%b@x.test", "'%' before the @ is not accepted"),
        ("ö@x.test", "letters beyond ASCII before the @ are not accepted, since few mail servers take them"),
        ("-a@x.test", "an address that starts with '-' could be read as an option or a file"),
        ("=?x?=a@x.test", "`=?` starts an encoded word, which can smuggle in another address"),
        ("a@localhost", "the part after the @ has no dot"),
        ("a" * 300 + "@x.test", "it has 307 characters, and an address has at most 254"),
    ],
)
def test_a_refusal_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        normalise(text)
    assert str(caught.value) == reason


@given(st.text(max_size=300))
def test_no_cell_raises_anything_but_a_reason(cell: str) -> None:
    assert outcome(cell, lambda text: read_address(text)[0])


def test_a_cell_of_blanks_and_brackets_is_refused_at_once() -> None:
    for cell in (" " * 8000 + "<" * 100, '"' + " " * 8000 + "<a@x.test", "a" * 8000 + "@", "." * 8000 + "@x.test"):
        assert outcome(cell, lambda text: read_address(text)[0]).startswith("refused")


def test_case_does_not_make_another_reader_but_a_plus_does() -> None:
    assert unique("Ada@x.test") == unique("aDA@x.test")
    assert unique("ada+x@x.test") != unique("ada@x.test")
