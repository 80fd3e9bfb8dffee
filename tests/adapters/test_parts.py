"""A letter as parts, against the standard library's reading of the very bytes."""

from __future__ import annotations

from email import message_from_bytes, policy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.adapters.parts import mailbox, opened, parts
from syndicate.model import Email, Letter, Recipient
from syndicate.render.email import letter
from syndicate.render.fill import fill
from syndicate.testing import messages
from tests.render.factory import PUBLICATION, TEMPLATES, digest

UNSUBSCRIBE = "https://news.example.com/u/abc?x=41&y=3D=E2"


@cache
def the_letter() -> Letter:
    made, _ = letter(digest(), PUBLICATION, TEMPLATES)
    return made


def read(email: Email) -> tuple[list[tuple[str, str]], str, str]:
    """Headers as they stand, text and HTML, as another program reads them."""
    raw = message_from_bytes(email.data)
    message = message_from_bytes(email.data, policy=policy.default)
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())  # type: ignore[attr-defined]
    return [(name, value.replace("\r\n", "")) for name, value in raw.items()], text, html


@settings(deadline=None)  # the first letter is rendered on the way
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    address=st.sampled_from(["ada@example.org", "x+y=3D@sub.example.com", "o'neil@example.org"]),
)
def test_the_parts_are_what_a_mail_program_shows(name: str, address: str) -> None:
    email = fill(the_letter(), Recipient(address, name), secret=b"s", unsubscribe=UNSUBSCRIBE)
    found = parts(email)
    headers, text, html = read(email)
    assert list(found.headers) == headers
    assert (found.text, found.html) == (text, html)


def test_a_link_in_a_header_is_not_taken_for_an_encoded_one() -> None:
    email = fill(the_letter(), Recipient("ada@example.org"), secret=b"s", unsubscribe=UNSUBSCRIBE)
    assert dict(parts(email).headers)["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert UNSUBSCRIBE in parts(email).text


def test_a_letter_is_opened_once_for_all_its_readers() -> None:
    opened.cache_clear()
    for number in range(50):
        parts(fill(the_letter(), Recipient(f"r{number}@example.org"), secret=b"s", unsubscribe=UNSUBSCRIBE))
    assert opened.cache_info().misses == 1


@pytest.mark.parametrize(
    ("name", "shown"), [("Ravi", "Ravi"), ("José 😀", "José 😀"), ('A "B" <c@d>', 'A "B" <c@d>'), ("", "")]
)
def test_the_readers_name_is_the_one_of_the_message(name: str, shown: str) -> None:
    email = fill(the_letter(), Recipient("ada@example.org", name), secret=b"s", unsubscribe=UNSUBSCRIBE)
    to = message_from_bytes(email.data, policy=policy.default)["To"]
    assert parts(email).reader == to.addresses[0].display_name  # type: ignore[attr-defined]
    assert parts(email).reader in {shown, ""}


def test_what_a_provider_makes_itself_is_not_handed_on() -> None:
    found = parts(messages.email())
    assert found.headers_without().keys().isdisjoint({"From", "To", "Subject", "Date", "MIME-Version", "Content-Type"})
    assert found.headers_without("LIST-ID").keys().isdisjoint({"List-Id"})


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "a@example.com"),
        ("Ann", '"Ann" <a@example.com>'),
        ('A "B" \\', '"A \\"B\\" \\\\" <a@example.com>'),
    ],
)
def test_a_mailbox_is_quoted(name: str, written: str) -> None:
    assert mailbox(name, "a@example.com") == written
