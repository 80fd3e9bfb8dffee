"""The public pages in a real browser: without JavaScript, by keyboard alone, on a narrow phone, in light and dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from syndicate.audience.tokens import Purpose
from tests.conftest import missing
from tests.web.conftest import Rest
from tests.web.site import Site, link_of, path_of

pytestmark = pytest.mark.chromium

#: Each visible text with its colour, that of the first ground below it that is not transparent, and its size.
TEXTS = """() => {
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('body *')]
    .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
    .filter(node => node.getClientRects().length && !node.closest('.trap'))
    .map(node => [node.textContent.trim(), getComputedStyle(node).color, ground(node)]);
}"""
#: The controls that have no name for whoever cannot see them.
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), button')]
  .filter(node => !node.closest('[aria-hidden=true]'))
  .filter(node => !(node.labels && node.labels.length) && !node.textContent.trim())
  .map(node => node.outerHTML)"""
OURS = re.compile(r"http://127\.0\.0\.1:|data:,$")
SMALL = """() => [...document.querySelectorAll('button, .button, .choice, input[type=email], input#name')]
  .filter(node => node.getBoundingClientRect().height < 44).map(node => node.outerHTML)"""


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens an empty page; what it says on its console, or asks elsewhere, is an error here."""
    contexts, complaints = [], []

    def open_(width: int = 1280, *, script: bool = False, **options: object) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if "status of 4" not in said.text else None)
        page.on("requestfailed", lambda asked: complaints.append(asked.url))
        page.on("request", lambda asked: complaints.append(asked.url) if not OURS.match(asked.url) else None)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def test_without_javascript_somebody_signs_up_confirms_leaves_and_comes_back(
    site: Site, browse: Callable[..., Page]
) -> None:
    page = browse(375)
    page.goto(f"{site.address}/subscribe")
    page.get_by_label("Weekly").check()
    page.get_by_label("E-mail address").fill("ada@example.org")
    site.clock.advance(timedelta(seconds=5))
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    site.settle()
    page.goto(site.address + path_of(link_of(site.mails()[0], "/c/")))
    expect(page.get_by_text("Every Monday, in ten minutes")).to_be_visible()
    page.get_by_role("button", name="Yes, send me these").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    page.get_by_role("link", name="Preferences").click()
    expect(page.get_by_label("Weekly")).to_be_checked()
    expect(page.get_by_label("Daily")).not_to_be_checked()
    page.get_by_label("Your name").fill("Ada Okafor")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    found = site.store.find("ada@example.org")
    assert found
    assert found.name == "Ada Okafor"
    page.goto(site.address + site.link(Purpose.UNSUBSCRIBE, found.reader))
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert site.store.refusals(["ada@example.org"], "weekly")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("heading", name="You are back")).to_be_visible()
    assert not site.store.refusals(["ada@example.org"], "weekly")


def test_by_keyboard_alone_and_always_seen_where_one_is(site: Site, browse: Callable[..., Page]) -> None:
    page = browse(script=True)
    page.goto(f"{site.address}/subscribe")
    site.clock.advance(timedelta(seconds=5))
    for key in ("Tab", "Tab", "Space", "Tab"):
        page.keyboard.press(key)
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px", page.evaluate("document.activeElement.outerHTML")
    page.keyboard.type("ada@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    with site.app.database().reading() as connection:
        assert connection.exec_driver_sql("SELECT lists FROM signup").scalar() == "daily"


def test_a_mistake_is_told_beside_its_field_and_nothing_is_lost(site: Site, browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{site.address}/subscribe")
    page.get_by_label("Daily").check()
    page.get_by_label("E-mail address").fill("abuse@example.org")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("alert")).to_have_text("This is no e-mail address to which we could write.")
    expect(page.get_by_label("E-mail address")).to_have_accessible_description(re.compile("no e-mail address"))
    expect(page.get_by_label("E-mail address")).to_have_value("abuse@example.org")
    expect(page.get_by_label("Daily")).to_be_checked()


def paths(rest: Rest) -> list[str]:
    links = (rest.site.link(one, rest.reader) for one in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM))
    return ["/subscribe", *links, "/u/wrong"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_everybody_can_read_and_hit_what_there_is(
    rest: Rest, browse: Callable[..., Page], width: int, scheme: str
) -> None:
    page = browse(width, script=True, color_scheme=scheme)
    for path in paths(rest):
        page.goto(rest.site.address + path)
        faint = [
            (text, colour, ground) for text, colour, ground in page.evaluate(TEXTS) if contrast(colour, ground) < 4.5
        ]
        assert faint == [], path
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(SMALL) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").count() == page.locator("main").count() == 1
        assert page.locator("html").get_attribute("lang") == "en"
        assert rest.site.heard.lines == []


@pytest.mark.parametrize("width", [320, 1280])
def test_long_words_and_other_languages_fit(rest: Rest, browse: Callable[..., Page], width: int) -> None:
    page = browse(width, script=True, locale="de-DE")
    for path in paths(rest):
        page.goto(rest.site.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("html").get_attribute("lang") == "de"
