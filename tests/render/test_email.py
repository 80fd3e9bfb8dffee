"""The letter and what becomes of it for each reader, read back by the standard library's parser."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from pathlib import Path
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from syndicate.errors import RenderError
from syndicate.model import Email, Letter, Mailbox, Recipient
from syndicate.render.email import CLIPPED, ROOMY, letter
from syndicate.render.fill import ENCODERS, fill, one_line
from syndicate.render.headers import display_name
from syndicate.render.slots import Slot, cut
from syndicate.render.templates import Templates
from tests.render.addresses import recipient_of
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, ROOT, TEMPLATES, UNSUBSCRIBE, digest, many

SECRET = b"k" * 32
HOSTILE = [
    "",
    "Ada",
    'A "B" <c@d.test>',
    "😀 Ada",
    "ü" * 90,
    "=?utf-8?q?a=0d=0aBcc:=20v@x.y?=",
    ".\r\n.\r\nQUIT",
    "a" * 300,
    "<b>&amp;",
    "x=3D=\n",
    "\u202eevil",
]


@pytest.fixture(scope="module")
def made() -> Letter:
    return letter(digest(), PUBLICATION, TEMPLATES)[0]


@pytest.fixture(scope="module")
def greeting(tmp_path_factory: pytest.TempPathFactory) -> Letter:
    """A letter with slots in every place: sentences, lists, attributes, side by side."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "digest.txt.j2").write_text(
        """{% set subject = "Hello" %}
Dear {{ slot("name", "reader") }},
{{ slot("fields.city", "nowhere") }}{{ slot("email") }}
Ümläut trailing {{ slot("name") }} .
{{ slot("unsubscribe") }}
""",
        "utf-8",
    )
    (folder / "digest.mjml.j2").write_text(
        """<mjml lang="en" dir="ltr"><mj-head><mj-title>{{ subject }}</mj-title></mj-head>
<mj-body><mj-section><mj-column><mj-text>
<p title="{{ slot("name", "x") }}">Dear {{ slot("name", "reader") }} of {{ slot("fields.city", "nowhere") }}</p>
<a href="{{ slot("unsubscribe") }}">Leave</a>
</mj-text></mj-column></mj-section></mj-body></mjml>""",
        "utf-8",
    )
    return letter(digest(), PUBLICATION, Templates(folder))[0]


def parsed(email: Email) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(email.data, policy=SMTP))


def bodies(email: Email) -> list[str]:
    """Both parts, decoded."""
    return [
        cast(bytes, part.get_payload(decode=True)).decode().replace("\r\n", "\n") for part in parsed(email).iter_parts()
    ]


def in_full(body: str, region: str, email: Email) -> str:
    """The slow way: the whole part with the values put in as text."""
    found = re.search(r"slot-([0-9a-f]{12})-", body)
    assert found
    written = ""
    for token in cut(body, found[1], region):
        if isinstance(token, str):
            written += token
        else:
            value = one_line(email.values.get(token.name) or token.default)
            written += escape(value) if region == "html" else value
    return written


def test_the_headers_of_a_list_mail_are_all_there_in_order(made: Letter) -> None:
    email = fill(made, Recipient("ada@example.org", "Ada Okafor"), secret=SECRET, unsubscribe=UNSUBSCRIBE)
    head, _, _ = email.data.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    message_id = lines[4]
    assert re.fullmatch(r"Message-ID: <[0-9a-f]{32}@example\.com>", message_id)
    assert lines[:-1] == [
        "From: Magick AI <news@example.com>",
        "To: Ada Okafor <ada@example.org>",
        "Subject: The Rise of MLOps Training in India and 1 more",
        "Date: Mon, 10 Mar 2025 09:00:00 +0530",
        message_id,
        'List-Id: "Magick AI Dispatch: weekly-digest" <weekly-digest.example.com>',
        f"List-Unsubscribe: <{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Owner: <mailto:news@example.com>",
        "List-Post: NO",
        "Feedback-ID: 20250310T0900:weekly-digest:digest:magick-ai-dispa",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
    ]


def test_the_text_comes_first_and_the_html_last(made: Letter) -> None:
    message = parsed(fill(made, Recipient("ada@example.org"), secret=SECRET, unsubscribe=UNSUBSCRIBE))
    assert message.get_content_type() == "multipart/alternative"
    assert [(part.get_content_type(), part.get_content_charset()) for part in message.iter_parts()] == [
        ("text/plain", "utf-8"),
        ("text/html", "utf-8"),
    ]


@pytest.mark.parametrize("article", [RISE, HYDERABAD])
def test_everything_an_article_says_is_in_both_parts(made: Letter, article: object) -> None:
    text = " ".join(made.text.split())
    html = re.sub(r"<[^>]+>|\s+", " ", made.html).replace("’", "'").replace("&#39;", "'")
    html = re.sub(r"\s+", " ", html)
    for said in (RISE.subtitle, RISE.description, HYDERABAD.subtitle, "Vikram Singh", "7 March 2025", "1 March 2024"):
        assert said in text
        assert said in html
    assert RISE.cta in text.replace("| ", "")
    assert "Follow us on LinkedIn" in html


def test_links_are_marked_and_keep_their_own_query_and_fragment() -> None:
    article = replace(
        RISE, url="https://magick.ai/a?id=7&utm_source=own#part", overrides=replace(RISE.overrides, campaign="spring")
    )
    made, _ = letter(digest(article), PUBLICATION, TEMPLATES)
    assert "https://magick.ai/a?id=7&utm_source=own&utm_medium=email&utm_campaign=spring#part" in made.text


@given(
    name=st.sampled_from(HOSTILE) | st.text(max_size=120),
    city=st.sampled_from(HOSTILE) | st.text(max_size=120),
)
def test_a_filled_letter_equals_the_letter_rendered_in_full(greeting: Letter, name: str, city: str) -> None:
    recipient = Recipient("ada@example.org", name, {"city": city})
    email = fill(greeting, recipient, secret=SECRET, unsubscribe=UNSUBSCRIBE)
    message = parsed(email)
    assert message.keys() == [*(key for key, _ in greeting.headers), "MIME-Version", "Content-Type"]
    assert recipient_of(email.data) == (display_name(name), "ada@example.org")
    assert message["Subject"] == "Hello"
    assert message["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", email.data)
    assert max(map(len, email.data.split(b"\r\n"))) <= 998
    body = email.data.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert bodies(email) == [in_full(greeting.text, "text", email), in_full(greeting.html, "html", email)]


@given(st.from_regex(r"https?://[!#-;=?-Z_a-z~%\[\]]{1,90}", fullmatch=True))
@example("https://" + "a" * 62)
@example("https://" + "a" * 80)  # too long for a line
def test_a_link_is_written_in_each_place_as_any_value_would_be(greeting: Letter, url: str) -> None:
    email = fill(greeting, Recipient("ada@example.org"), secret=SECRET, unsubscribe=url)
    slots = [Slot.parse(slot) for slot in greeting.slots]
    written = [piece for piece, slot in zip(email.encoded, slots, strict=True) if slot.name == "unsubscribe"]
    assert written == [ENCODERS[slot.region](url) for slot in slots if slot.name == "unsubscribe"]


def test_a_reader_without_a_name_gets_the_default(greeting: Letter) -> None:
    text, html = bodies(fill(greeting, Recipient("ada@example.org"), secret=SECRET, unsubscribe=UNSUBSCRIBE))
    assert text.startswith("Dear reader,\nnowhereada@example.org\n")
    assert "Dear reader of nowhere" in html


def test_a_name_is_text_in_html_and_never_markup(greeting: Letter) -> None:
    _, html = bodies(
        fill(greeting, Recipient("a@x.org", '"><script>x</script>'), secret=SECRET, unsubscribe=UNSUBSCRIBE)
    )
    assert "<script" not in html


def test_the_same_letter_and_reader_give_the_same_bytes_always(made: Letter) -> None:
    again, _ = letter(digest(), PUBLICATION, Templates(ROOT / "templates"))
    one, other = (
        fill(each, Recipient("ada@example.org", "Ada"), secret=SECRET, unsubscribe=UNSUBSCRIBE).data
        for each in (made, again)
    )
    assert one == other


def test_message_ids_differ_by_reader_and_secret(made: Letter) -> None:
    ids = {
        fill(made, Recipient(who), secret=secret, unsubscribe=UNSUBSCRIBE).values["message_id"]
        for who in ("ada@example.org", "bob@example.org")
        for secret in (SECRET, b"other")
    }
    assert len(ids) == 4


def test_an_address_that_no_header_can_hold_stops_that_reader_only(made: Letter) -> None:
    with pytest.raises(RenderError, match="cannot be mailed"):
        fill(made, Recipient("a@x.org\r\nBcc: v@x.org"), secret=SECRET, unsubscribe=UNSUBSCRIBE)


def test_a_title_that_would_inject_a_header_stops_the_edition() -> None:
    with pytest.raises(
        RenderError, match="the subject of edition weekly-digest/2025-03-10T09:00 cannot stand in a mail header"
    ):
        letter(digest(replace(RISE, title="=?utf-8?q?a=0d=0aBcc:=20v@x.y?=")), PUBLICATION, TEMPLATES)


def test_a_sender_name_that_would_inject_a_header_stops_the_edition() -> None:
    evil = replace(PUBLICATION, sender=Mailbox("news@example.com", "A\r\nBcc: v@x.y"))
    with pytest.raises(RenderError, match=r"publication\.sender\.name"):
        letter(digest(), evil, TEMPLATES)


def test_a_sender_name_beyond_ascii_and_replies_are_encoded() -> None:
    publication = replace(
        PUBLICATION,
        name="Zeitung für Köche",
        sender=Mailbox("n@example.com", "Käthe, Köchin"),
        reply_to="r@example.com",
    )
    made, _ = letter(digest(), publication, TEMPLATES)
    message = parsed(fill(made, Recipient("a@x.org"), secret=SECRET, unsubscribe=UNSUBSCRIBE))
    assert message["From"].addresses[0].display_name == "Käthe, Köchin"
    assert message["Reply-To"] == "r@example.com"
    assert message["List-Id"] == "Zeitung für Köche: weekly-digest <weekly-digest.example.com>"


def test_twenty_five_articles_fit_as_they_are() -> None:
    made, problems = letter(digest(*many(25)), PUBLICATION, TEMPLATES)
    assert len(made.html.encode()) <= ROOMY
    assert problems == []


def test_an_edition_that_is_too_large_drops_thumbnails_then_summaries_and_says_so() -> None:
    big = tuple(replace(each, cta=f"{each.slug} {'word ' * 250}") for each in many(25))
    made, problems = letter(digest(*many(36)), PUBLICATION, TEMPLATES)
    assert [problem.code for problem in problems] == ["render.size"]
    assert "thumbnails were left out" in problems[0].message
    assert made.html.count("<img") == 1
    made, problems = letter(digest(*many(44)), PUBLICATION, TEMPLATES)
    assert ["thumbnails" in problems[0].message, "summaries" in problems[1].message] == [True, True]
    with pytest.raises(RenderError, match=f"Gmail clips at {CLIPPED:,}"):
        letter(digest(*big, *many(60)), PUBLICATION, TEMPLATES)


def test_a_picture_that_no_reader_can_load_is_left_out_with_a_problem() -> None:
    made, problems = letter(digest(replace(RISE, hero_image="seeds/local.jpg")), PUBLICATION, TEMPLATES)
    assert "<img" not in made.html
    assert [(problem.path, problem.code) for problem in problems] == [(RISE.path, "render.picture")]


def test_a_letter_without_address_or_unsubscribe_link_is_a_problem(tmp_path: Path) -> None:
    for file in ("digest.mjml.j2", "digest.txt.j2", "words.j2"):
        source = (ROOT / "templates" / file).read_text("utf-8")
        (tmp_path / file).write_text(
            re.sub(r"""\{\{ slot\(["']unsubscribe["']\) \}\}""", "https://example.com", source), "utf-8"
        )
    _, problems = letter(digest(), replace(PUBLICATION, postal_address=""), Templates(tmp_path))
    assert ["unsubscribe link" in problems[0].message, "postal address" in problems[1].message] == [True, True]


def test_a_slot_marker_in_an_article_is_only_text(made: Letter) -> None:
    found = re.search(r"slot-[0-9a-f]{12}-unsubscribe--end", made.text)
    assert found
    forged, _ = letter(digest(replace(RISE, description=found[0])), PUBLICATION, TEMPLATES)
    assert forged.slots == made.slots
