"""The digest in a real browser: every width, both schemes, pictures shown and blocked.

With PICTURES=folder in the environment each page is also photographed into that folder, to be looked at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from syndicate.model import Edition, Publication
from syndicate.render.email import letter
from tests.conftest import missing
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, TEMPLATES, digest, many

pytestmark = pytest.mark.chromium

BARE = replace(HYDERABAD, title="GPU prices fall", hero_image="", description="", subtitle="", cta="")
ARABIC = replace(
    RISE,
    title="صعود التدريب على عمليات تعلّم الآلة: سدّ الفجوة بين الابتكار والتطبيق",
    subtitle="نظرة داخل منظومة التعليم المتنامية في الهند",
    description="اكتشف كيف تُحدث الهند ثورة في تدريب MLOps لتلبية الطلب المتزايد.",
    authors=("فيكرام سينغ",),
    cta="تابعنا على LinkedIn لمزيد من الأفكار.",
    language="ar",
)
JAPANESE = replace(
    HYDERABAD,
    title="ハイデラバードのMLOps研修：機械学習の開発と運用のギャップを埋める",
    authors=("ヴィクラム・シン",),
    cta="LinkedInでフォローしてください。",
    language="ja",
)
LONG = replace(
    RISE, title="A title that never quite arrives " * 9, authors=tuple(f"Author van der Number {n}" for n in range(18))
)
ONE_WORD = replace(RISE, slug="w", title="Supercalifragilisticexpialidocious" * 6)
EDITIONS: dict[str, tuple[Edition, Publication]] = {
    "seeds": (digest(), PUBLICATION),
    "one": (digest(RISE), PUBLICATION),
    "many": (digest(*many(25)), PUBLICATION),
    "bare": (digest(BARE, replace(BARE, slug="b2")), PUBLICATION),
    "arabic": (digest(ARABIC, ARABIC, JAPANESE), replace(PUBLICATION, name="نشرة الذكاء", language="ar")),
    "japanese": (digest(JAPANESE, ARABIC), PUBLICATION),
    "long": (digest(LONG, ONE_WORD, HYDERABAD), PUBLICATION),
}
Shown = Callable[..., Page]

# Each visible text with its size, its colour and what lies behind it.
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    let behind = element, ground = style.backgroundColor;
    while (ground === 'rgba(0, 0, 0, 0)' && behind.parentElement) {
      behind = behind.parentElement;
      ground = getComputedStyle(behind).backgroundColor;
    }
    found.push({text, size: parseFloat(style.fontSize), ink: style.color, ground});
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        missing("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def picture() -> bytes:
    """A landscape of 1200 by 600, for every URL."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (1200, 600), (20, 112, 93))
    ImageDraw.Draw(image).ellipse([720, 200, 960, 440], fill=(245, 176, 46))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def shown(browser: Browser, picture: bytes) -> Iterator[Shown]:
    """Opens an edition as a mail program of that width and scheme would show it."""
    contexts = []

    def show(name: str, width: int, scheme: str = "light", pictures: bool = True) -> Page:
        edition, publication = EDITIONS[name]
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()

        def answer(route: Route) -> None:
            if pictures:
                route.fulfill(body=picture, content_type="image/png")
            else:
                route.abort()

        page.route("**/*", answer)
        page.set_content(letter(edition, publication, TEMPLATES)[0].html, wait_until="load")
        if folder := os.environ.get("PICTURES"):
            file = f"{name}-{width}-{scheme}{'' if pictures else '-blocked'}.png"
            page.screenshot(path=Path(folder) / file, full_page=True)
        return page

    yield show
    for context in contexts:
        context.close()


def luminance(colour: str) -> float:
    """WCAG 2.2, from `rgb(1, 2, 3)`."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(text: dict[str, Any]) -> float:
    dark, light = sorted((luminance(text["ink"]), luminance(text["ground"])))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", EDITIONS)
def test_nothing_scrolls_sideways(shown: Shown, name: str) -> None:
    page = shown(name, 640)
    for width in (320, 375, 640):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["seeds", "bare", "arabic", "long"])
def test_every_text_is_large_and_clear_enough(shown: Shown, name: str, scheme: str) -> None:
    texts = shown(name, 375, scheme).evaluate(TEXTS)
    assert len(texts) > 8
    assert [text for text in texts if text["size"] < 14] == []
    assert [(text["text"], round(contrast(text), 1)) for text in texts if contrast(text) < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_or_dark_as_the_reader_wants(shown: Shown, scheme: str) -> None:
    ground = shown("seeds", 640, scheme).evaluate("getComputedStyle(document.querySelector('.page')).backgroundColor")
    assert (luminance(ground) < 0.05) == (scheme == "dark")


@pytest.mark.parametrize("width", [375, 640])
def test_the_button_is_large_enough_for_a_thumb_and_as_wide_as_a_phone(shown: Shown, width: int) -> None:
    box = shown("seeds", width).get_by_role("link", name="Read the article", exact=True).bounding_box()
    assert box
    assert box["height"] >= 44
    assert (box["width"] == width - 48) == (width == 375)


def test_the_hero_runs_from_edge_to_edge_and_keeps_its_shape(shown: Shown) -> None:
    for width, wide in ((375, 375), (640, 600)):
        box = shown("seeds", width).locator("img").first.bounding_box()
        assert box
        assert (box["width"], box["height"]) == (wide, wide / 2)


@pytest.mark.parametrize(("width", "side"), [(375, 85), (640, 120)])
def test_a_thumbnail_is_a_square_whatever_the_picture(shown: Shown, width: int, side: int) -> None:
    box = shown("seeds", width).locator("img.square").bounding_box()
    assert box
    assert (box["width"], box["height"]) == (side, side)


def test_blocked_pictures_leave_a_caption_and_a_tinted_square(shown: Shown) -> None:
    page = shown("seeds", 375, pictures=False)
    hero = page.locator("img").first.bounding_box()
    assert hero
    assert 40 <= hero["height"] <= 100
    assert page.locator("img").first.get_attribute("alt") == "Picture: The Rise of MLOps Training in India"
    square = page.locator("div.square").bounding_box()
    assert square
    assert (square["width"], square["height"]) == (85, 85)
    assert page.evaluate("[...document.images].every(image => image.hasAttribute('alt'))")


def test_the_preheader_is_there_and_not_seen(shown: Shown) -> None:
    page = shown("seeds", 375)
    first = page.locator("body > div > div").first
    assert (first.text_content() or "").startswith("Explore how India is revolutionizing MLOps training")
    assert not first.is_visible()


def test_an_arabic_article_is_read_from_the_right(shown: Shown) -> None:
    page = shown("arabic", 640)
    thumb, title = page.locator("img.square").first.bounding_box(), page.locator("h3").first.bounding_box()
    assert thumb
    assert title
    assert thumb["x"] > title["x"]
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"


@pytest.mark.parametrize("name", ["seeds", "bare", "many"])
def test_headings_form_an_outline_and_every_link_has_a_name(shown: Shown, name: str) -> None:
    page = shown(name, 640)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(each => Number(each.tagName[1]))")
    assert levels == [1, 2, *[3] * (len(EDITIONS[name][0].articles) - 1)]
    assert page.evaluate("[...document.links].every(link => link.innerText.trim() || link.querySelector('img[alt]'))")
