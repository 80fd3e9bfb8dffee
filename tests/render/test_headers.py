"""What may stand in a header, and what may not (the hostile corpus for header-bound text)."""

from __future__ import annotations

from email.headerregistry import HeaderRegistry

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.errors import RenderError
from syndicate.render.headers import LONGEST, address, display_name, encode, header_text, link, mailbox, to_reader
from tests.render.addresses import recipient_of

REFUSED = [
    "Hi\r\nBcc: victim@x.test",
    "Hi\nBcc: victim@x.test",
    "Hi\rBcc: victim@x.test",
    "Hi\x0bBcc: v@x.test",
    "Hi\x0cBcc: v@x.test",
    "Hi\x1cBcc: v@x.test",
    "Hi\x1d\x1eBcc: v@x.test",
    "Hi\x85Bcc: v@x.test",
    "Hi\u2028Bcc: v@x.test",
    "Hi\u2029Bcc: v@x.test",
    "Hi\x00there",
    "=?utf-8?q?a=0d=0aBcc:=20v@x.test?=",
    "=?utf-8?b?YQ0KQmNjOiB2QHgudGVzdA==?=",
    "=?UTF-8*en?Q?a=0D=0AX:_y?=",
    "=?unknown-8bit?q?=ff=0d=0aBcc:_v@x.test?=",
    "x =?utf-8?q?=0d=0a?= =?utf-8?q?Bcc:_v@x.test?=",
    "=?utf-8?q?perfectly_innocent?=",
    "\ud800 lone surrogate",
    "a" * 1200,
    "",
    "\u200b\u200b\u200b",
]
CLEANED = [
    ("\u202eevil.test\u202c", "evil.test"),
    ("\u2066a\u2069", "a"),
    ("Tab\there", "Tab here"),
    ("  leading and trailing  ", "leading and trailing"),
    ("a\u0301", "\u00e1"),
    ("{{ config }} %(x)s {0.__class__}", "{{ config }} %(x)s {0.__class__}"),
    ("List-Unsubscribe: <https://evil.test>", "List-Unsubscribe: <https://evil.test>"),
]


@pytest.mark.parametrize("value", REFUSED)
def test_what_could_become_a_header_is_refused_by_name(value: str) -> None:
    with pytest.raises(RenderError, match=r"the subject cannot stand in a mail header: it "):
        header_text(value, "the subject")


@pytest.mark.parametrize(("value", "cleaned"), CLEANED)
def test_what_is_merely_untidy_is_tidied(value: str, cleaned: str) -> None:
    assert header_text(value, "x") == cleaned


@given(st.text(max_size=300))
def test_any_text_is_refused_or_reads_back_as_it_was_cleaned(value: str) -> None:
    try:
        text = header_text(value, "x")
    except RenderError:
        return
    wire = encode(text, "Subject")
    assert all(line.startswith(" ") for line in wire.split("\r\n")[1:])
    assert not {"\r", "\n"} & set(wire.replace("\r\n", ""))
    assert wire.isascii()
    assert max(map(len, wire.split("\r\n"))) <= 998
    assert str(HeaderRegistry()("Subject", wire.replace("\r\n", ""))) == text


@given(st.text(max_size=260))
def test_any_name_before_an_address_reads_back_or_is_left_out(value: str) -> None:
    name = display_name(value)
    wire = mailbox(name, "ada@example.org", "To")
    assert all(line.startswith(" ") for line in wire.split("\r\n")[1:])
    assert recipient_of(f"To: {wire}\r\n\r\n".encode("ascii")) == (name, "ada@example.org")


#: Names that are almost plain: words of letters and what is common in names, with now and then a stranger among them.
almost_plain = st.lists(
    st.text(st.sampled_from("aZ9éßЯ中²٣_'.-") | st.characters(), min_size=1, max_size=12), max_size=7
).map(" ".join) | st.text(st.sampled_from("ab \t\u0301\u00a0\u1100\u1161\u200b\u202e=?,"), max_size=70)


@given(almost_plain)
@example("\u1100\u1161")  # letters that are not yet composed
@example("\u4e2d" * 85)
@example("\u4e2d" * 86)  # 258 bytes
@example("a" * 50)
@example("a" * 51)
def test_a_plain_name_is_written_as_the_long_way_would_write_it(value: str) -> None:
    try:
        name = header_text(value, "the name")
    except RenderError:
        name = ""
    name = name if len(name.encode()) <= LONGEST else ""
    assert display_name(value) == name
    assert to_reader(value, "ada@example.org") == mailbox(name, "ada@example.org", "To")


@pytest.mark.parametrize("name", ["\U0001f600" * 80, "Hi\nBcc: v@x.test", "=?utf-8?q?x?="])
def test_a_name_that_could_harm_is_left_out_of_the_header(name: str) -> None:
    assert display_name(name) == ""


@pytest.mark.parametrize(
    "name", ["ü" * 90, 'A, B <c@d.test>; "quoted" (comment)', '\\" \\ "', "Ravi Menon", "José Álvarez", ".hidden"]
)
def test_odd_but_honest_names_are_kept(name: str) -> None:
    assert display_name(name) == name


@pytest.mark.parametrize(
    "value",
    ["ada", "a b@x.test", "<a@x.test>", "a@x.test\r\nBcc: b@x.test", "a,b@x.test", "ü@x.test", f"{'a' * 65}@x.test"],
)
def test_only_plain_addresses_are_mailed(value: str) -> None:
    with pytest.raises(RenderError, match="cannot be mailed"):
        address(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "mailto:a@x.test",
        "https://x.test/\r\nBcc: a",
        "https://x.test/a b",
        "https://x.test/>",
        "https://x.test/" + "a" * 950,
    ],
)
def test_an_unsubscribe_link_is_one_url_on_one_line(value: str) -> None:
    with pytest.raises(RenderError, match=r"publication\.links|unsubscribe link"):
        link(value)
