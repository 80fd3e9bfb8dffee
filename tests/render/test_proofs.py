"""The proofs page, read as text. `test_proofs_in_chromium.py` looks at it."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from syndicate.model import Problem
from syndicate.render.proofs import FILES, READERS, ROOM, ROWS, TEXT, Card, Exchange, Link, Reader, Sheet, page
from tests.render.proofs_sample import a_hostile_sheet, a_mail, a_post, a_sheet


class Reading(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"style", "script"}:
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_shows_what_the_sheet_holds() -> None:
    words = Reading(page(a_sheet())).words
    for shown in (
        "Magick AI Dispatch", "Monday, 10 March 2025, 12:00 IST", "06:30 UTC", "7f3a·c91e", "rehearsal",
        "3 editions", "15.7 KB of 102 KB", "31.4 KB", "9a1f" * 16, "ravi@example.net", "290 unsubscribed",
        "List-Unsubscribe=One-Click", "Unsubscribe: https://news.example.com/u/eyJhZGEi", "was not fetched",
        "1,214 of 3,000", "LinkedIn on a phone", "card without picture (not fetched)", "LinkedIn-Version",
        '"visibility": "PUBLIC"', "it is a draft", "seeds/001_0bc78cdf9e41f4cf.md:7:1", "wrong year?",
        "syndicate check --fix",
    ):  # fmt: skip
        assert shown in re.sub(r"\s+", " ", words)


def test_credentials_are_stars() -> None:
    headers = (("Authorization", "Basic c2VjcmV0"), ("Cookie", "a=c2VjcmV0; b=c2VjcmV0"), ("X-Api-Key", "c2VjcmV0"))
    text = page(replace(a_sheet(), proofs=(replace(a_post(), request=Exchange("POST", "https://x", headers, b"")),)))
    assert "c2VjcmV0" not in text
    assert "Basic ********" in text
    assert "very-secret" not in page(a_sheet())


def test_the_policy_allows_the_pages_own_script_and_nothing_else() -> None:
    text = page(a_sheet())
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = next(one["content"] for one in Reading(text).all("meta") if "http-equiv" in one)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy


def test_hostile_text_makes_no_element_and_no_attribute() -> None:
    attacked, calm = Reading(page(a_hostile_sheet())), Reading(page(replace(a_sheet(), proofs=(a_mail(), a_post()))))
    assert len(attacked.all("script")) == len(calm.all("script")) == 1
    assert [one for one in attacked.elements if one[0] in {"svg", "template", "object"}] == []
    assert {name for _, attributes in attacked.elements for name in attributes if name.startswith("on")} == set()
    assert len(attacked.all("iframe")) == 2
    assert {one["sandbox"] for one in attacked.all("iframe")} == {""}
    schemes = {(one["href"] or "").partition(":")[0] for one in attacked.all("a")}
    assert not any("javascript" in scheme and not scheme.startswith("./") for scheme in schemes)


def test_a_picture_that_is_not_inline_is_not_shown() -> None:
    post = replace(a_post(), card=Card("t", picture="https://tracker.example/p.png"))
    mail = replace(
        a_mail(), pictures={"https://images.magick.ai/mlops-training-india.jpg": "https://tracker.example/q"}
    )
    assert "tracker.example" not in page(replace(a_sheet(), proofs=(mail, post)))


def test_a_letter_of_megabytes_is_linked_and_not_shown() -> None:
    mail = replace(a_mail(), html="<p>word</p>" * 400_000, text="word " * 400_000)
    text = page(replace(a_sheet(), proofs=(mail,)))
    assert Reading(text).all("iframe") == []
    assert len(text) < 200_000
    words = re.sub(r"\s+", " ", Reading(text).words)
    assert "Gmail cuts it off" in words
    assert "too large to be shown in this page" in words
    assert f"Cut after {TEXT:,} of 2,000,000 characters" in words
    assert {"./weekly-digest.html", "./weekly-digest.txt"} <= {one["href"] for one in Reading(text).all("a")}


def test_pictures_too_heavy_for_the_page_are_left_out_of_the_letter() -> None:
    mail = replace(
        a_mail(), pictures={"https://images.magick.ai/mlops-training-india.jpg": "data:image/png," + "0" * 10**6}
    )
    text = page(replace(a_sheet(), proofs=(mail,)))
    assert len(Reading(text).all("iframe")) == 2
    assert len(text) < 200_000


def test_a_thousand_editions_give_a_page_of_bounded_size() -> None:
    reader = Reader("ada@example.org")
    mail = replace(a_mail(), files=("a.eml",) * 1000, first_readers=(reader,) * 1000, readers=1000)
    heavy = replace(a_post(), card=Card("t", picture="data:image/png," + "0" * 300_000))
    problem = Problem("a.md", "wrong")
    sheet = replace(a_sheet(), proofs=(mail, heavy) * 500, problems=(problem,) * 1000)
    text = page(sheet)
    words = re.sub(r"\s+", " ", Reading(text).words)
    assert f"The first {ROWS} of 1,000 editions are shown" in words
    assert f"And {1000 - ROWS} more: syndicate check" in words
    assert f"and {1000 - FILES} more" in words
    assert f"1,000 readers, the first {READERS} of them" in words
    assert "card without picture (too large for this page)" in words
    assert len(text) < 3 * ROOM


def test_an_empty_sheet_says_so() -> None:
    sheet = Sheet(publication="P", plan="0" * 64, local="today", utc="now", mode="dry run")
    words = Reading(page(sheet)).words
    assert "No edition is due" in words
    assert "No article was left out" in words


def test_a_lone_surrogate_of_json_front_matter_does_not_stop_the_page() -> None:
    mail = replace(a_mail(), subject="A\ud800B", html="<p>A\ud800B</p>", files=("A\ud800B.eml",))
    assert "A?B" in page(replace(a_sheet(), proofs=(mail,))).encode("utf-8").decode()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b"plain"])
def test_a_body_that_is_no_json_is_shown_as_it_is(body: bytes) -> None:
    shown = body.decode("utf-8", "replace")[:TEXT]
    assert (
        page(replace(a_sheet(), proofs=(replace(a_post(), request=Exchange("POST", "u", (), body)),))).count(shown) >= 2
    )


def test_links_show_their_campaign() -> None:
    assert Link("a", "https://x.example/?q=1&utm_source=mail&utm_medium=e%20mail#f").utm == (
        ("source", "mail"),
        ("medium", "e mail"),
    )
    assert Link("a", "http://[").utm == ()
    assert not Link("a", "javascript:alert(1)").opens
