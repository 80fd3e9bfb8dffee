"""The letter that asks for confirmation, and the links of letters to the public pages."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

from syndicate.model import Recipient
from syndicate.render.email import letter
from syndicate.render.fill import fill
from syndicate.render.freeze import freeze, thaw
from syndicate.render.notice import notice
from syndicate.render.slots import anonymous
from tests.render.factory import PUBLICATION, TEMPLATES, digest

AT = datetime(2025, 3, 10, 9, tzinfo=UTC)
URL = "https://news.example.com"
LINKS = {"unsubscribe": f"{URL}/u/x", "preferences": f"{URL}/p/x", "view": f"{URL}/v/x"}
TO = Recipient("ada@example.org", "", {"lists": "Weekly, Daily"}, 17)


def test_the_question_is_one_plain_letter_with_a_link_and_the_names_of_the_lists() -> None:
    asked = notice("confirmation+/1", AT, PUBLICATION, TEMPLATES)
    assert thaw(freeze(asked)) == asked
    assert notice("confirmation+/1", AT, PUBLICATION, TEMPLATES) == asked
    mail = message_from_bytes(fill(asked, TO, secret=b"x" * 16, confirm=f"{URL}/c/x").data, policy=default)
    assert mail.get_content_type() == "text/plain"
    assert mail["To"] == "ada@example.org"
    assert mail["Subject"] == "Please confirm: Magick AI Dispatch"
    assert mail["Auto-Submitted"] == "auto-generated"
    lines = mail.get_content().splitlines()
    assert "    Weekly, Daily" in lines
    assert f"    {URL}/c/x" in lines
    assert PUBLICATION.postal_address in lines
    assert not mail.defects


def test_a_letter_links_to_pages_only_where_they_are() -> None:
    without, _ = letter(digest(), PUBLICATION, TEMPLATES)
    served, _ = letter(digest(), replace(PUBLICATION, pages=True), TEMPLATES)
    assert dict(served.headers).keys() - dict(without.headers).keys() == {"List-Help", "List-Subscribe"}
    assert not [slot for slot in without.slots if slot.endswith((":preferences", ":view"))]
    mail = message_from_bytes(fill(served, TO, secret=b"x" * 16, **LINKS).data, policy=default)
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        assert all(url in body.get_content() for url in LINKS.values())
    assert mail["List-Help"] == mail["List-Subscribe"] == f"<{URL}/subscribe>"
    assert message_from_bytes(
        fill(without, TO, secret=b"x" * 16, unsubscribe=LINKS["unsubscribe"]).data, policy=default
    )["List-Help"] is None  # fmt: skip


def test_what_everybody_may_see_has_defaults_where_a_reader_s_own_was() -> None:
    text = "Dear slot-0123456789ab-name-" + b"reader".hex() + "-end, slot-0123456789ab-unsubscribe--end"
    assert anonymous(text, {"unsubscribe": "https://x.test/?a&b"}) == "Dear reader, https://x.test/?a&amp;b"
