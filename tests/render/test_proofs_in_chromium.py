"""The proofs page in a real browser: it connects to nobody, runs nothing foreign, and everyone can use it."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from syndicate.render.proofs import Sheet, page
from tests.conftest import missing
from tests.render.proofs_sample import HOSTILE, VIEWS, a_hostile_sheet, a_letter, a_mail, a_post, a_sheet

pytestmark = pytest.mark.chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable[..., Browser]]:
    """Starts the system's Chromium with arguments of its own; one process for each set."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("chromium")
    started: dict[tuple[str, ...], Browser] = {}
    with sync_playwright() as playwright:

        def start(*args: str) -> Browser:
            if args not in started:
                started[args] = playwright.chromium.launch(executable_path=program, args=args)
            return started[args]

        yield start
        for browser in started.values():
            browser.close()


@pytest.fixture
def opened(chromium: Callable[..., Browser], tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a sheet's page from disk; what it says on its console is an error here."""
    contexts = []

    def open_(
        sheet: Sheet, *, width: int = 1280, args: tuple[str, ...] = (), view: str = "", **options: object
    ) -> Page:
        path = tmp_path / "index.html"
        path.write_text(page(sheet), "utf-8")
        context = chromium(*args).new_context(viewport={"width": width, "height": 900}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        found = context.new_page()
        found.goto(f"{path.as_uri()}#{view}")
        return found

    yield open_
    for context in contexts:
        context.close()


@contextmanager
def a_host_that_counts() -> Iterator[tuple[str, Queue[object]]]:
    """(base URL, the peer of each connection) of a listener on loopback."""
    heard: Queue[object] = Queue()
    server = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        while True:
            try:
                connection, peer = server.accept()
            except OSError:
                return
            heard.put(peer)
            connection.close()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def test_opening_the_page_connects_to_nobody(chromium: Callable[..., Browser], opened: Callable[..., Page]) -> None:
    with a_host_that_counts() as (host, heard):
        greedy = (
            f'<link rel="preconnect" href="{host}"><link rel="stylesheet" href="{host}/css"><img src="{host}/img">'
            f'<style>@import url({host}/import); body {{ background: url({host}/background) }}</style>'
            f'<meta http-equiv="refresh" content="0;url={host}/refresh"><iframe src="{host}/frame"></iframe>'
            f'<object data="{host}/object"></object><video src="{host}/video" poster="{host}/poster"></video>'
            f'<a href="{host}/plain">plain</a>'
        )  # fmt: skip
        letter = a_letter().replace("</body>", f"{greedy}</body>").replace("https://magick.ai", host)
        found = opened(replace(a_sheet(), proofs=(replace(a_mail(), html=letter),)))
        desktop = found.frame_locator("iframe >> nth=1")
        for link in ("Read the article", "plain"):
            desktop.get_by_text(link, exact=True).click()
        found.wait_for_load_state("networkidle")
        assert len(found.context.pages) == 1
        assert "Magick AI Dispatch" in desktop.locator("body").inner_text()
        assert heard.empty()

        control = found.context.new_page()
        control.set_content(letter, wait_until="commit")
        assert heard.get(timeout=10), "the letter does not try to connect, so this test proves nothing"


def test_the_file_is_the_only_request(opened: Callable[..., Page], tmp_path: Path) -> None:
    sheet = a_sheet()
    mail = replace(a_mail(), html=a_letter().replace("https://images.magick.ai/mlops-training-hyderabad.jpg", ""))
    found = opened(replace(sheet, proofs=(mail, *sheet.proofs[1:])))
    asked: list[str] = []
    found.on("request", lambda request: asked.append(request.url))
    found.reload()
    for view in VIEWS:
        found.evaluate("view => { location.hash = view }", view)
    assert [url.partition("#")[0] for url in asked] == [(tmp_path / "index.html").as_uri()]


def test_hostile_text_runs_nowhere(opened: Callable[..., Page]) -> None:
    found = opened(a_hostile_sheet())
    alerts: list[str] = []
    found.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    found.reload()
    for tab in found.locator("[role=tab]").all():
        tab.evaluate("tab => tab.click()")
    assert len(found.frames) > 2
    assert not any(frame.evaluate("'owned' in window") for frame in found.frames)
    assert alerts == []

    control = found.context.new_page()
    control.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    control.set_content(HOSTILE)
    assert alerts, "the attack is no attack, so this test proves nothing"


def test_the_keyboard_reaches_every_edition_and_every_view(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet())
    chosen = lambda kind: found.locator(f"{kind} [aria-selected=true]:visible").get_attribute("href")  # noqa: E731
    found.locator(".editions [aria-selected=true]").focus()
    for key, edition in (("ArrowDown", "#e2"), ("End", "#problems"), ("ArrowDown", "#e1"), ("ArrowUp", "#problems")):
        found.keyboard.press(key)
        assert chosen(".editions") == edition
        assert found.evaluate("document.activeElement.hash") == edition
        assert found.locator(f"{edition}[role=tabpanel]").is_visible()
    found.keyboard.press("Home")
    found.keyboard.press("Tab")
    assert found.evaluate("document.activeElement.hash") == "#e1-letter"
    for view in ("text", "headers", "links", "readers", "problems", "letter"):
        found.keyboard.press("ArrowRight")
        assert chosen(".views") == f"#e1-{view}"
        assert found.locator("#e1 > section:visible").get_attribute("id") == f"e1-{view}"
    found.keyboard.press("Tab")
    found.keyboard.press("ArrowRight")
    assert found.locator("#e1-letter .dark").is_checked()


def test_the_fold_of_a_post_opens_with_the_keyboard(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet(), view="e3-post")
    words = found.locator("#e3-post .of-phone .words")
    assert "#MLOps" not in words.inner_text()
    words.locator("summary").focus()
    found.keyboard.press("Enter")
    assert "#MLOps" in words.inner_text()


@pytest.mark.parametrize(("args", "system"), [((), "light"), (("--blink-settings=preferredColorScheme=0",), "dark")])
def test_a_letter_shows_both_its_schemes_on_any_system(
    opened: Callable[..., Page], args: tuple[str, ...], system: str
) -> None:
    # Playwright's own emulation would override the frame's `color-scheme`; "null" switches it off.
    found = opened(a_sheet(), args=args, color_scheme="null")
    is_dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    assert found.evaluate(is_dark) == (system == "dark")
    for scheme in ("light", "dark", "light"):
        found.locator(f"#e1-letter .{scheme}").check()
        for frame in found.frames[1:]:
            frame.wait_for_function(f"{is_dark} === {str(scheme == 'dark').lower()}")
            title = frame.locator("h1")
            assert title.evaluate("title => getComputedStyle(title).color") == (
                "rgb(237, 243, 240)" if scheme == "dark" else "rgb(22, 32, 29)"
            )


@pytest.mark.parametrize("width", [375, 1280])
def test_without_its_script_everything_is_readable(opened: Callable[..., Page], width: int) -> None:
    found = opened(a_sheet(), width=width, java_script_enabled=False)
    for view in VIEWS:
        assert found.locator(f"#{view}").is_visible()
        assert found.locator(f"a[href='#{view}'], a[href='#{view.partition('-')[0]}']").first.is_visible()


@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_is_wider_than_the_screen(opened: Callable[..., Page], width: int) -> None:
    found = opened(a_hostile_sheet(), width=width)
    calm = opened(a_sheet(), width=width)
    for shown in (found, calm):
        for view in VIEWS:
            shown.evaluate("view => { location.hash = view }", view)
            shown.wait_for_function("view => !document.getElementById(view).hidden", arg=view)
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, view


def test_on_a_phone_a_select_stands_for_the_rail(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet(), width=375)
    assert not found.locator(".editions").is_visible()
    found.locator(".pick select").select_option("linkedin/mlops-training-in-india")
    assert found.locator("#e3").is_visible()
    assert not found.locator("#e1").is_visible()


def test_many_editions_can_be_searched(opened: Callable[..., Page]) -> None:
    posts = tuple(replace(a_post(), edition=f"linkedin/article-{number}") for number in range(40))
    found = opened(replace(a_sheet(), proofs=posts))
    found.locator(".filter input").fill("article-37")
    assert found.locator(".editions a:not(.of-plan):visible").count() == 1
    found.locator(".editions a:visible").first.click()
    assert found.locator("#e38").is_visible()


def test_paper_shows_every_view(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet())
    found.emulate_media(media="print")
    for view in VIEWS:
        assert found.locator(f"#{view}").is_visible()
    assert not found.locator(".rail").is_visible()


FAINT = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = channels(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    throw new Error("no background");
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(option)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(channels(style.color)), luminance(ground(element))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) faint.push(element.outerHTML.slice(0, 120));
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(opened: Callable[..., Page], scheme: str) -> None:
    found = opened(a_sheet(), color_scheme=scheme, java_script_enabled=True)
    for view in VIEWS:
        found.evaluate("view => { location.hash = view }", view)
        found.wait_for_function("view => !document.getElementById(view).hidden", arg=view)
        assert found.evaluate(FAINT) == []
    found.evaluate("document.querySelector('h1').style.color = '#1d5044'")
    assert found.evaluate(FAINT) != [], "the measure finds nothing, so this test proves nothing"
