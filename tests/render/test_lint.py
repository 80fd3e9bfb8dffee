"""The lint finds what it is there to find: each case breaks the shipped letter in one way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from syndicate.model import Article, Letter
from syndicate.render.email import letter
from syndicate.render.lint import lint
from syndicate.render.page import contrast
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, TEMPLATES, digest, many


@pytest.fixture(scope="module")
def made() -> Letter:
    return letter(digest(), PUBLICATION, TEMPLATES)[0]


BARE = replace(RISE, title="Short", hero_image="", description="", subtitle="", cta="")
ARABIC = replace(HYDERABAD, title="دليل إلى البنية التحتية: مقدمة", language="ar")


@pytest.mark.parametrize("articles", [(), (RISE,), (BARE, HYDERABAD), (ARABIC, RISE), (RISE, BARE, ARABIC), many(25)])
def test_the_shipped_digest_is_clean_for_all_kinds_of_articles(articles: tuple[Article, ...]) -> None:
    assert lint(letter(digest(*articles), PUBLICATION, TEMPLATES)[0]) == []


def html(old: str, new: str) -> Callable[[Letter], Letter]:
    def broken(made: Letter) -> Letter:
        assert old in made.html
        return replace(made, html=made.html.replace(old, new))

    return broken


@pytest.mark.parametrize(
    ("code", "broken"),
    [
        ("text", lambda made: replace(made, text=" ")),
        ("text", lambda made: replace(made, text=made.text + "word " * 30)),
        ("text", lambda made: replace(made, slots=())),
        ("size", lambda made: replace(made, html=made.html + "<!--" + "x" * 100_000 + "-->")),
        ("hidden", html('mso-hide:all">', 'mso-hide:all">' + "x" * 150)),
        ("hidden", html('mso-hide:all">', 'mso-hide:all">\u200b\u200b\u200b')),
        ("forbidden", html("</body>", "<script>x</script></body>")),
        ("forbidden", html("</body>", '<p style="position:fixed">x</p></body>')),
        ("forbidden", html("</style>", "." + "x" * 9000 + "{}</style>")),
        ("forbidden", html("</style>", "a {</style>")),
        ("forbidden", html("Read the article", "{{ words.read }}")),
        ("language", html('<html lang="en"', "<html")),
        ("language", html('role="article" lang="en" dir="ltr"', 'role="article" lang="en"')),
        ("title", html("<title>", "<title>Other ")),
        ("table", html(' role="presentation"', "")),
        ("alt", html(' alt=""', "")),
        ("heading", html("<h2", "<h1")),
        ("heading", html("h2", "h4")),
        ("link", html("Read about Hyderabad", "click here")),
        ("link", html("https://magick.ai/mlops", "http://magick.ai/mlops")),
        ("link", html("https://magick.ai/mlops", "https://me:secret@magick.ai/mlops")),
        ("small", html("font-size:14px", "font-size:13px")),
        ("dark", html("prefers-color-scheme", "prefers-nothing")),
        ("dark", html('name="color-scheme"', 'name="x"')),
        ("dark", html("[data-ogsc]", "[data-x]")),
        ("contrast", html("#55635E", "#999999")),
        ("contrast", html(".soft { color: #A3B1AB", ".soft { color: #55635E")),
        ("contrast", html(".ink h1 { color: #EDF3F0", ".ink h1 { color: #16201D")),
    ],
)
def test_a_broken_letter_is_told(made: Letter, code: str, broken: Callable[[Letter], Letter]) -> None:
    assert f"lint.{code}" in {problem.code for problem in lint(broken(made))}


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#fff", "#FFFFFF", 1), ("#767676", "#ffffff", 4.54)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
