"""The folder that takes messages, and its page."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from syndicate.adapters import outbox
from syndicate.adapters.file import File, FileOptions, safe_name, write_once
from syndicate.model import Message, Outcome, Paused, Receipt, Refused
from syndicate.testing.messages import PNG, email, letter, picture, post
from tests.conftest import missing

EDITION = "weekly-digest/2025-03-10T09:00"
MAILS = "weekly-digest/2025-03-10T09-00"


def send(folder: Path, *messages: Message) -> list[Outcome]:
    adapter = File(FileOptions(folder=folder))
    outcomes = []
    with adapter.open() as session:
        for message in messages:
            payload = adapter.prepare(session, adapter.compose(message))
            assert not isinstance(payload, Paused)
            recipient = getattr(payload, "recipient", "outbox")
            outcomes.append(adapter.send(session, payload, f"{EDITION}:{recipient}"))
    return outcomes


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_mail_is_its_exact_bytes(tmp_path: Path) -> None:
    (outcome,) = send(tmp_path, email())
    path = tmp_path / MAILS / "ada@example.org.eml"
    assert path.read_bytes() == email().data
    assert outcome == Receipt(f"{MAILS}/ada@example.org.eml", path.as_uri(), f"written, {len(email().data)} bytes")


def test_a_post_is_its_text_and_its_request(tmp_path: Path) -> None:
    send(tmp_path, post(image=picture()))
    assert (tmp_path / "linkedin/an-article.txt").read_text("utf-8") == post().text + "\n"
    request = json.loads((tmp_path / "linkedin/an-article.json").read_bytes())
    assert (request["text"], request["url"], request["hashtags"]) == (post().text, post().url, ["AI"])
    assert (tmp_path / "linkedin" / "an-article.png").read_bytes() == PNG
    assert request["image"]["file"] == "linkedin/an-article.png"


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    send(tmp_path, email(), post())
    assert names(tmp_path) == {
        f"{MAILS}/ada@example.org.eml", "linkedin/an-article.txt", "linkedin/an-article.json",
        "index.html", ".index.json", ".index.lock",
    }  # fmt: skip


def test_the_same_message_twice_is_one_file(tmp_path: Path) -> None:
    assert all(isinstance(outcome, Receipt) for outcome in send(tmp_path, email(), email()))
    assert len(list(tmp_path.rglob("*.eml"))) == 1


def test_another_message_never_takes_its_place(tmp_path: Path) -> None:
    first, second = send(tmp_path, email(), email(of=letter("Another subject")))
    assert isinstance(first, Receipt)
    assert isinstance(second, Refused)
    assert "holds another message; move it away" in second.reason
    assert (tmp_path / MAILS / "ada@example.org.eml").read_bytes() == email().data


def test_a_folder_that_cannot_be_written_pauses_the_account(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file in the way")
    (outcome,) = send(tmp_path / "outbox", email())
    assert isinstance(outcome, Paused)
    assert outcome.hint == "Set `folder` to a folder that may be written."


def test_a_full_disk_pauses_the_account_and_leaves_no_half_file(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space left") as caught:
        stream.write(b"x")
    from syndicate.adapters.file import _fault

    outcome = _fault(tmp_path, caught.value)
    assert isinstance(outcome, Paused)
    assert "Make room" in outcome.hint


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a"
    assert write_once(path, b"x" * 100_000)
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0  # an address list is nobody else's business


# -- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ada@example.org", "weekly-digest", "a+b@x.test", "an-article"])
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "../../etc/passwd", "a/b", "a\\b", "CON", "nul.txt", "a.", "-rf", ".hidden", "a\0b", "a\nb",
     "x" * 400, "δοκιμή@παράδειγμα.δοκιμή", "\ud800", "a:b", "<script>", "Ada@example.org", "con"],
)  # fmt: skip
def test_hostile_names_become_harmless(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9@+=-]*~[0-9a-f]{16}", safe_name(name))
    assert len(safe_name(name)) <= 80


@given(st.lists(st.text(max_size=12), unique=True, max_size=20))
def test_different_names_stay_different_in_any_case(given_names: list[str]) -> None:
    assert len({safe_name(name).casefold() for name in given_names}) == len(given_names)


def test_hostile_recipients_stay_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    send(folder, *(email(address) for address in ("../../../evil@x.test", "ADA@example.org", "ada@example.org")))
    assert all(path.is_relative_to(folder) for path in tmp_path.rglob("*.eml"))
    assert len(list((folder / MAILS).glob("*.eml"))) == 3


# -- the page -----------------------------------------------------------------------------------------------------


def page(folder: Path) -> str:
    return (folder / "index.html").read_text("utf-8")


def test_the_page_shows_mails_and_posts(tmp_path: Path) -> None:
    send(tmp_path, email(), email("ravi@example.net"), post(image=picture()))
    html = page(tmp_path)
    for expected in (
        "Two articles", "ada@example.org", "ravi@example.net", "2 mails", EDITION, "linkedin/an-article", "A hook.",
        f'href="{MAILS}/ada%40example.org.eml"', 'src="linkedin/an-article.png"', 'srcdoc="&lt;p&gt;Hello.&lt;/p&gt;',
    ):  # fmt: skip
        assert expected in html
    assert "<iframe sandbox " in html


def test_the_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    send(tmp_path, email(), post())
    assert "<script" not in page(tmp_path)
    assert re.findall(r'(?:src|href)="(http[^"]*)"', page(tmp_path)) == ["https://example.com/a?utm_source=linkedin"]


def test_hostile_words_stay_words(tmp_path: Path) -> None:
    send(tmp_path, post("<script>alert(1)</script>\n</div>"), email(of=letter('"><script>alert(2)</script>')))
    assert "<script" not in page(tmp_path)


def test_later_runs_join_the_page_and_the_latest_comes_first(tmp_path: Path) -> None:
    send(tmp_path, email())
    send(tmp_path, post())
    send(tmp_path, post())
    assert page(tmp_path).index("linkedin/an-article") < page(tmp_path).index(EDITION)
    assert page(tmp_path).count("<section") == 2


def test_a_large_edition_is_a_short_list_and_a_count(tmp_path: Path) -> None:
    send(tmp_path, *(email(f"reader{number}@example.org") for number in range(outbox.ROWS + 7)))
    assert page(tmp_path).count("<tr><td>") == outbox.ROWS
    assert f"{outbox.ROWS + 7} mails" in page(tmp_path)
    assert "… and 7 more in the folder" in page(tmp_path)


def test_what_was_taken_out_of_the_folder_leaves_the_page(tmp_path: Path) -> None:
    send(tmp_path, email())
    next(tmp_path.rglob("*.eml")).unlink()
    send(tmp_path, post())
    assert EDITION not in page(tmp_path)


@pytest.mark.parametrize("junk", [b"", b"{", b"[1]", b'[{"key": 1}]', b"\xff"])
def test_a_broken_state_file_is_begun_anew(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / ".index.json").write_bytes(junk)
    send(tmp_path, post())
    assert "linkedin/an-article" in page(tmp_path)


@pytest.mark.chromium
def test_a_browser_shows_the_letter_and_runs_nothing_in_it(tmp_path: Path) -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome") or missing("chromium")
    letter_with_script = letter(html="<p>Hello.</p><script>document.body.textContent = 'owned'</script>\r\n")
    send(tmp_path, email(of=letter_with_script), post(image=picture()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto((tmp_path / "index.html").as_uri())
        tab.locator("iframe").scroll_into_view_if_needed()
        assert tab.frame_locator("iframe").locator("p").inner_text() == "Hello."
        assert tab.locator(".link-card img").evaluate("image => image.naturalWidth") == 1
        browser.close()
