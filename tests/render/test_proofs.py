"""The proofs page, read as text and in a real browser."""

import re
import shutil
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from queue import Queue

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from syndicate.model import Problem
from syndicate.render.proofs import FILES, READERS, ROOM, ROWS, TEXT, Card, Exchange, LeftOut, Link, Reader, Sheet, page
from tests.conftest import missing
from tests.render.proofs_sample import a_letter, a_mail, a_post, a_sheet

HOSTILE = (
    '</script><script>top.owned=1;alert(1)</script>"><img src=x onerror="top.owned=1;alert(1)">'
    '\'><svg onload=alert(1)></iframe></template></style></pre><iframe srcdoc="<script>alert(1)</script>">'
)
VIEWS = (
    *(f"e1-{view}" for view in ("letter", "text", "headers", "links", "readers", "problems")),
    *(f"e2-{view}" for view in ("post", "text", "request", "problems")),
    *("e3-post", "left-out", "problems"),
)


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


def a_hostile_sheet() -> Sheet:
    """Every text that people or articles can fill holds an attack."""
    problem = Problem(HOSTILE, HOSTILE, hint=HOSTILE)
    mail = replace(
        a_mail(),
        **dict.fromkeys(("edition", "channel", "account", "subject", "preheader", "sender", "text", "sha256"), HOSTILE),
        html=a_letter().replace("</body>", HOSTILE + "</body>"),
        headers=((HOSTILE, HOSTILE),),
        links=(Link(HOSTILE, HOSTILE), Link("click", "javascript:alert(1)")),
        first_readers=(Reader(HOSTILE, HOSTILE),),
        pictures={"https://images.magick.ai/mlops-training-india.jpg": f"data:image/png,{HOSTILE}"},
        problems=(problem,),
        files=("javascript:alert(1)", HOSTILE),
    )
    post = replace(
        a_post(),
        **dict.fromkeys(("edition", "channel", "account", "network", "author", "text", "sha256"), HOSTILE),
        fold_phone=HOSTILE[:40],
        card=Card(HOSTILE, HOSTILE, HOSTILE, f"data:image/png,{HOSTILE}", HOSTILE),
        request=Exchange(HOSTILE, HOSTILE, ((HOSTILE, HOSTILE),), HOSTILE.encode()),
    )
    return Sheet(
        **dict.fromkeys(("publication", "language", "plan", "local", "utc", "mode"), HOSTILE),
        proofs=(mail, post, replace(post, card=None)),
        left_out=(LeftOut(HOSTILE, HOSTILE, HOSTILE),),
        problems=(problem,),
        next=(HOSTILE,),
    )


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
    assert "A?B" in page(replace(a_sheet(), publication="A\ud800B")).encode("utf-8").decode()


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


@pytest.mark.chromium
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


@pytest.mark.chromium
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


@pytest.mark.chromium
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


@pytest.mark.chromium
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


@pytest.mark.chromium
def test_the_fold_of_a_post_opens_with_the_keyboard(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet(), view="e3-post")
    words = found.locator("#e3-post .of-phone .words")
    assert "#MLOps" not in words.inner_text()
    words.locator("summary").focus()
    found.keyboard.press("Enter")
    assert "#MLOps" in words.inner_text()


@pytest.mark.chromium
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


@pytest.mark.chromium
@pytest.mark.parametrize("width", [375, 1280])
def test_without_its_script_everything_is_readable(opened: Callable[..., Page], width: int) -> None:
    found = opened(a_sheet(), width=width, java_script_enabled=False)
    for view in VIEWS:
        assert found.locator(f"#{view}").is_visible()
        assert found.locator(f"a[href='#{view}'], a[href='#{view.partition('-')[0]}']").first.is_visible()


@pytest.mark.chromium
@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_is_wider_than_the_screen(opened: Callable[..., Page], width: int) -> None:
    found = opened(a_hostile_sheet(), width=width)
    calm = opened(a_sheet(), width=width)
    for shown in (found, calm):
        for view in VIEWS:
            shown.evaluate("view => { location.hash = view }", view)
            shown.wait_for_function("view => !document.getElementById(view).hidden", arg=view)
            assert shown.evaluate("document.documentElement.scrollWidth") <= width, view


@pytest.mark.chromium
def test_on_a_phone_a_select_stands_for_the_rail(opened: Callable[..., Page]) -> None:
    found = opened(a_sheet(), width=375)
    assert not found.locator(".editions").is_visible()
    found.locator(".pick select").select_option("linkedin/mlops-training-in-india")
    assert found.locator("#e3").is_visible()
    assert not found.locator("#e1").is_visible()


@pytest.mark.chromium
def test_many_editions_can_be_searched(opened: Callable[..., Page]) -> None:
    posts = tuple(replace(a_post(), edition=f"linkedin/article-{number}") for number in range(40))
    found = opened(replace(a_sheet(), proofs=posts))
    found.locator(".filter input").fill("article-37")
    assert found.locator(".editions a:not(.of-plan):visible").count() == 1
    found.locator(".editions a:visible").first.click()
    assert found.locator("#e38").is_visible()


@pytest.mark.chromium
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


@pytest.mark.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(opened: Callable[..., Page], scheme: str) -> None:
    found = opened(a_sheet(), color_scheme=scheme, java_script_enabled=True)
    for view in VIEWS:
        found.evaluate("view => { location.hash = view }", view)
        found.wait_for_function("view => !document.getElementById(view).hidden", arg=view)
        assert found.evaluate(FAINT) == []
    found.evaluate("document.querySelector('h1').style.color = '#1d5044'")
    assert found.evaluate(FAINT) != [], "the measure finds nothing, so this test proves nothing"
