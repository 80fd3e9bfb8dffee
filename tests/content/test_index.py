"""The cache of what was read: it may be there, gone, old, broken or wrong, and changes nothing but time."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.content.library import Library
from syndicate.content.source import stamp_of
from tests.content.conftest import text_of

Make = Callable[..., Library]
HOUR = 3_600_000_000_000


class Clock:
    """A clock that the test owns; an hour ahead of the file system's, so that no file of the test is racy."""

    def __init__(self, ahead: int = HOUR) -> None:
        self.ahead = ahead

    def __call__(self) -> int:
        return file_system_time() + self.ahead


def file_system_time() -> int:
    with tempfile.NamedTemporaryFile() as file:
        return Path(file.name).stat().st_mtime_ns


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "var" / "articles.index"


@pytest.fixture
def articles(tmp_path: Path, library: Make) -> Path:
    """A folder with articles, repairs, refusals and overrides."""
    folder = tmp_path / "articles"
    (folder / "a.md").write_text(text_of("A", cta="it's", tags="x, y", author="Ada, Bob", created_date="2025-02-28"))
    (folder / "b.md").write_text(
        text_of("B", read_time="3 mins").replace(
            "---\n\n", "syndicate: {text: Hi, skip: [m], mentions: {m: '@a'}}\n---\n\n"
        )
    )
    (folder / "c.md").write_text("no front matter")
    (folder / "d.md").write_text(text_of("A"))
    (folder / "日本.md").write_text(
        text_of("日本語 — “x”", publish_time="never").replace("2025-03-01", "2025-03-01T10:00:00.123456Z")
    )
    return folder


def spoil(folder: Path) -> None:
    """Changes every file behind the index's back: same size, same times as far as anyone can set them."""
    for file in folder.glob("*.md"):
        info = file.stat()
        file.write_bytes(file.read_bytes()[::-1])
        os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_with_and_without_cache_the_catalogue_is_equal(articles: Path, library: Make, cache: Path) -> None:
    plain = library().load()
    assert len(plain.articles) == 4
    assert len(plain.problems) == 3
    cold = library(cache=True, clock=Clock()).load()
    written = cache.read_bytes()
    warm = library(cache=True, clock=Clock()).load()
    assert plain == cold == warm
    assert cache.read_bytes() == written  # nothing changed, so nothing was written
    assert [article.published.tzinfo for article in warm.articles] == [
        article.published.tzinfo for article in plain.articles
    ]  # type: ignore[union-attr]
    cache.unlink()
    assert library(cache=True, clock=Clock()).load() == plain


def test_unchanged_files_are_not_opened(articles: Path, library: Make) -> None:
    """Proved by files that can be listed and no longer be opened."""
    before = library(cache=True, clock=Clock()).load()
    program = (
        "import sys; from pathlib import Path; from syndicate.content.library import Library\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(args[0]) if event == 'open' else None)\n"
        "root = Path(sys.argv[1])\n"
        "library = Library(root, ['articles'], zone='Asia/Kolkata', language='en', base_url='https://magick.ai',\n"
        "                  cache=root / 'var' / 'articles.index')\n"
        "catalogue = library.load()\n"
        "heavy = {'yaml', 'frontmatter', 'markdown_it', 'PIL', 'pydantic'} & set(sys.modules)\n"
        "print(len(catalogue.articles), [name for name in map(str, opened) if name.endswith('.md')], heavy)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(articles.parent)], capture_output=True, text=True, check=True
    )
    assert found.stdout == f"{len(before.articles)} [] set()\n"


def test_a_change_an_addition_and_a_removal_are_seen(articles: Path, library: Make) -> None:
    library(cache=True, clock=Clock()).load()
    (articles / "b.md").unlink()
    (articles / "e.md").write_text(text_of("E"))
    (articles / "a.md").write_text(text_of("A", cta="its"))
    after = library(cache=True, clock=Clock()).load()
    assert after == library().load()
    assert [article.path.rpartition("/")[2] for article in after.articles] == ["a.md", "d.md", "e.md", "日本.md"]
    assert after.articles[0].cta == "its"


def test_a_file_changed_with_the_size_and_the_date_of_before_is_seen(articles: Path, library: Make) -> None:
    library(cache=True, clock=Clock()).load()
    spoil(articles)
    assert library(cache=True, clock=Clock()).load() == library().load()


@pytest.mark.parametrize(("ahead", "is_trusted"), [(0, False), (HOUR, True)])
def test_a_racy_file_is_not_trusted(ahead: int, is_trusted: bool, articles: Path, library: Make) -> None:
    """What was read in the tick in which it was written may have been written once more: its stamp cannot tell."""
    clock = Clock(ahead)
    before = library(cache=True, clock=clock).load()
    index = library(cache=True).index
    rows, at = index.load(), clock()
    spoil(articles)
    index.save([row._replace(stamp=stamp_of((articles.parent / row.path).stat())) for row in rows.values()], at)
    after = library(cache=True, clock=clock).load()
    assert (after == before) is is_trusted
    assert (after == library().load()) is not is_trusted


def test_racy_files_are_trusted_once_they_have_settled(articles: Path, library: Make, cache: Path) -> None:
    library(cache=True, clock=Clock(ahead=0)).load()
    first = cache.read_bytes()
    library(cache=True, clock=Clock()).load()
    second = cache.read_bytes()
    assert first != second  # written with the later time, though no file changed
    library(cache=True, clock=Clock()).load()
    assert cache.read_bytes() == second


def test_a_file_dated_in_the_future_is_read_every_time_and_the_index_written_once(
    articles: Path, library: Make, cache: Path
) -> None:
    future = file_system_time() + 100 * HOUR
    os.utime(articles / "a.md", ns=(future, future))
    library(cache=True, clock=Clock()).load()
    written = cache.read_bytes()
    assert library(cache=True, clock=Clock()).load() == library().load()
    assert cache.read_bytes() == written


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\x00" * 100,
        lambda data: data[: len(data) // 2],
        lambda data: data[:-5],
        lambda data: data.replace(b"\x01A", b"\x01Z"),
        lambda data: data + data,
        lambda data: data.split(b"\n")[0] + b"\n",
        lambda data: b"[]\n" + data,
        lambda data: data.replace(b'"rows": 5', b'"rows": 4'),
        lambda data: b"{" * 100_000,
    ],
)
def test_a_damaged_index_is_as_if_it_were_not_there(
    damage: Callable[[bytes], bytes], articles: Path, library: Make, cache: Path
) -> None:
    expected = library(cache=True, clock=Clock()).load()
    whole = cache.read_bytes()
    cache.write_bytes(damage(whole))
    assert library(cache=True, clock=Clock()).load() == expected
    assert cache.read_bytes() != damage(whole)


@pytest.mark.parametrize("change", [{"zone": "UTC"}, {"language": "de"}, {"base_url": "https://other.test"}])
def test_another_publication_does_not_trust_the_index(change: dict[str, str], articles: Path, library: Make) -> None:
    library(cache=True, clock=Clock()).load()
    assert library(cache=True, clock=Clock(), **change).load() == library(**change).load()


def test_an_index_that_cannot_be_written_is_no_error(articles: Path, library: Make, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder would be")
    assert library(cache=True).load() == library().load()
    (tmp_path / "var").unlink()
    (tmp_path / "var" / "articles.index").mkdir(parents=True)
    assert library(cache=True).load() == library().load()
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["articles.index"]  # no temporary file is left


def test_two_processes_at_once_leave_a_whole_index(articles: Path, library: Make, cache: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from syndicate.content.library import Library\n"
        "root = Path(sys.argv[1])\n"
        "for turn in range(20):\n"
        "    Library(root, ['articles'], zone='Asia/Kolkata', language='en', base_url=sys.argv[2],\n"
        "            cache=root / 'var' / 'articles.index').load()\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(articles.parent), base])
        for base in ("https://magick.ai", "https://other.test")
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert library(cache=True, clock=Clock()).load() == library().load()
    assert list(cache.parent.iterdir()) == [cache]


NAMES = st.sampled_from(["a.md", "b.md", "c.md", "deep/d.md"])
TEXTS = st.sampled_from(
    [
        text_of("One"),
        text_of("Two"),
        text_of("Two", slug="three"),
        text_of("It's"),
        "nothing",
        "",
        text_of("One", tags="a, b"),
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NAMES, st.none() | TEXTS, st.booleans()), max_size=8))
def test_after_any_changes_the_cached_catalogue_is_the_true_one(steps: list[tuple[str, str | None, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "articles" / "deep").mkdir(parents=True)
        options = {"zone": "Asia/Kolkata", "language": "en", "base_url": "https://magick.ai"}
        for name, text, settled in steps:
            file = root / "articles" / name
            file.unlink(missing_ok=True) if text is None else file.write_text(text)
            clock = Clock(HOUR if settled else 0)
            cached = Library(root, ["articles"], **options, cache=root / "index", clock=clock).load()  # type: ignore[arg-type]
            assert cached == Library(root, ["articles"], **options, cache=None).load()  # type: ignore[arg-type]
