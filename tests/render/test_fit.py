"""The shortener: never too long, never without its link, never half of anything."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import RenderError
from syndicate.model import TextRules
from syndicate.render.fit import ELLIPSIS, Part, fit, fold, measure, shorten

LINK = "https://example.com/a?utm_source=x&utm_medium=social"
RULES = st.builds(
    TextRules,
    max_length=st.integers(120, 400),
    unit=st.sampled_from(["utf16", "codepoint", "grapheme", "byte", "emoji", "weighted"]),
    link_length=st.sampled_from([0, 23]),
    escaped=st.sampled_from(["", "()_#*"]),
)
TEXT = st.text(
    st.sampled_from("ab (_#é日本語の ,.\n–🇮🇳👩\u200d👩\u200d👧e\u0301क्षि")
    | st.characters(codec="utf-8", exclude_categories=["Cc"]),
    max_size=400,
)


def parts(hook: str, points: str, tags: str) -> list[Part]:
    return [
        Part("hook", hook),
        Part("points", points, drop=1),
        Part("link", LINK, whole=True),
        Part("tags", tags, drop=2),
    ]


@given(hook=TEXT, points=TEXT, tags=TEXT, rules=RULES)
def test_a_fitted_text_is_never_too_long_and_always_has_its_link(
    hook: str, points: str, tags: str, rules: TextRules
) -> None:
    fitted = fit(parts(hook, points, tags), rules)
    assert measure(fitted.text, rules) <= rules.max_length
    assert LINK in fitted.text.split("\n")


@given(hook=TEXT, points=TEXT, tags=TEXT, rules=RULES)
def test_fitting_twice_changes_nothing(hook: str, points: str, tags: str, rules: TextRules) -> None:
    once = fit(parts(hook, points, tags), rules).text
    assert fit([Part("all", once)], rules).text == once


@given(text=TEXT, rules=RULES)
def test_a_shortened_text_is_a_beginning_that_ends_with_a_whole_grapheme(text: str, rules: TextRules) -> None:
    short = fit([Part("text", text)], rules).text
    if short != text and short:
        kept = short.removesuffix(ELLIPSIS).rstrip()
        assert text.startswith(kept)
        ends = {match.end() for match in regex.finditer(r"\X", text)}
        assert len(kept) in ends or not text[len(kept) :].strip()


def test_a_word_is_never_cut() -> None:
    text = "Machine learning operations are here to stay"
    for limit in range(1, len(text)):
        short = fit([Part("text", text)], TextRules(max_length=limit)).text.removesuffix(ELLIPSIS)
        assert short == "" or text[len(short)] == " "


def test_a_url_inside_a_text_stays_whole_or_goes() -> None:
    text = f"Look at {LINK} and tell us"
    for limit in range(1, len(text)):
        short = fit([Part("text", text)], TextRules(max_length=limit)).text
        assert "http" not in short or LINK in short


def test_parts_go_in_the_declared_order_line_by_line() -> None:
    post = [Part("hook", "Hook"), Part("points", "What is new:\n– one\n– two", drop=1), Part("tags", "#A #B", drop=2)]
    full = "Hook\n\nWhat is new:\n– one\n– two\n\n#A #B"
    assert fit(post, TextRules(max_length=len(full))).text == full
    assert fit(post, TextRules(max_length=len(full) - 1)).text == "Hook\n\nWhat is new:\n– one\n\n#A #B"
    assert fit(post, TextRules(max_length=26)) == fit(post, TextRules(max_length=11))
    assert fit(post, TextRules(max_length=11)).text == "Hook\n\n#A #B"
    assert fit(post, TextRules(max_length=10)).text == "Hook"


def test_a_link_that_is_too_long_alone_is_an_error_with_advice() -> None:
    with pytest.raises(RenderError, match="the link alone is longer than the 20 characters"):
        fit([Part("hook", "Hook"), Part("link", LINK, whole=True)], TextRules(max_length=20))


def test_the_words_around_the_link_go_before_the_link_does() -> None:
    short = fit([Part("link", f"All about it:\n{LINK}", whole=True)], TextRules(max_length=len(LINK)))
    assert short.text == LINK


@pytest.mark.parametrize(
    ("text", "rules", "length"),
    [
        ("é😀", TextRules(unit="codepoint"), 2),
        ("é😀", TextRules(unit="utf16"), 3),
        ("é😀", TextRules(unit="byte"), 6),
        ("👨‍❤️‍👨🇨🇭e\u0301", TextRules(unit="grapheme"), 3),
        ("é日👨‍❤️‍👨🇨🇭#️⃣", TextRules(unit="emoji"), 1 + 1 + 20 + 8 + 7),
        ("a (b) #c", TextRules(unit="utf16", escaped="()#"), 11),
        (f"see {LINK}.", TextRules(link_length=23), 4 + 23 + 1),
        (LINK, TextRules(escaped="_"), len(LINK) + 2),
    ],
)
def test_each_network_counts_in_its_own_way(text: str, rules: TextRules, length: int) -> None:
    assert measure(text, rules) == length


def test_chinese_and_japanese_are_cut_between_characters() -> None:
    assert fit([Part("text", "機械学習の開発と運用")], TextRules(max_length=6)).text == "機械学習の…"


@given(text=TEXT, length=st.integers(2, 80))
def test_shorten_gives_one_line_of_at_most_that_length(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert len(short.splitlines()) <= 1


def test_the_fold_is_three_lines_on_a_phone_and_on_a_desktop() -> None:
    rules = TextRules(fold_lines=3, fold_phone=10, fold_desktop=20)
    text = "one two three four five six seven eight nine ten"
    assert fold(text, rules) == ("one two\nthree four\nfive six", text)
    assert fold("short", rules) == ("short", "short")


def test_a_network_without_a_fold_shows_everything() -> None:
    assert fold("a\n" * 100, TextRules()) == ("a\n" * 100, "a\n" * 100)


X = TextRules(unit="weighted", link_length=23)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("This is a test.", 15),
        ("http://test.com", 23),
        ("https://test.com", 23),
        ("test.com", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("저찀쯿쿿", 8),
        ("\U00010000\U0010ffff", 4),
        ("H\U0001f431", 3),
        ("の" * 140, 280),
        ("\U0001f431" * 140, 280),
        ("👨‍👩‍👧‍👦", 2),
        ("🇮🇳👍🏽❤️1️⃣", 8),
        ("cafe\u0301", 4),
        ("“a” – b…", 9),
        ("Node.js 3.5 e.g. U.S. me@example.com", 23 + 29),
    ],
)
def test_x_weighs_as_its_conformance_tests_do(text: str, weight: int) -> None:
    assert measure(text, X) == weight
