"""The words of the pages in all languages."""

import re
from typing import Any

import pytest

from syndicate.web.pages import environment
from syndicate.web.words import catalogue, choose, languages
from tests.web.conftest import Rest


def flat(words: dict[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in words.items():
        found |= flat(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}": value}
    return found


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_catalogue_has_all_words_and_fills_in_the_same_things(language: str) -> None:
    words, english = flat(catalogue(language)), flat(catalogue("en"))
    assert words.keys() == english.keys()
    for key, text in words.items():
        assert text.strip() == text != "", key
        assert re.findall(r"\{\w*\}", text) == re.findall(r"\{\w*\}", english[key]), key
    assert words["direction"] in {"ltr", "rtl"}


def test_there_is_more_than_one_language() -> None:
    assert {"en", "de"} <= languages()


def test_every_word_is_used() -> None:
    loader = environment().loader
    assert loader
    sources = " ".join(loader.get_source(environment(), name)[0] for name in environment().list_templates())
    spoken = {"again", "back", "busy", "confirmed", "expired", "late", "later", "sent", "unknown"}  # by message.html.j2
    in_code = {"preferences.saved", "preferences.mailed", "preferences.refused"}
    for key in flat(catalogue("en")):
        assert f"words.{key}" in sources or key in in_code or key.partition(".")[0] in spoken, key


@pytest.mark.parametrize(
    ("accepted", "usual", "chosen"),
    [
        ("", "en", "en"),
        ("", "de-AT", "de"),
        ("", "hi", "en"),
        ("de", "en", "de"),
        ("de-CH, fr;q=0.9", "en", "de"),
        ("fr, en;q=0.5, de;q=0.8", "en", "de"),
        ("de;q=0, en", "de", "en"),
        ("*", "de", "de"),
        ("fr;q=x, de;q=99999999, ;;;", "en", "en"),
        ("x" * 100_000, "en", "en"),
        ("../../etc/passwd", "en", "en"),
    ],
)
def test_a_visitor_reads_the_first_language_that_there_is(accepted: str, usual: str, chosen: str) -> None:
    assert choose(accepted, usual) == chosen


def test_pages_say_their_language(rest: Rest) -> None:
    german = rest.site.get("/subscribe", Accept_Language="de-DE,de;q=0.9,en;q=0.5")
    assert '<html lang="de" dir="ltr">' in german.text
    assert german.header("content-language") == "de"
    assert german.title == "Abonnieren"
    assert german.header("vary") == "Accept-Language"
    assert rest.site.get("/subscribe", Accept_Language="fr").title == "Subscribe"
