"""What the content tests share: one publication, files on a real disk, and readers of single texts."""

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicate.content import article
from syndicate.content.article import Reading
from syndicate.content.library import Library
from syndicate.content.site import Site
from syndicate.model import Severity

#: a title, however badly written
TITLED = re.compile(r"^\W*\w*title\b", re.IGNORECASE | re.MULTILINE)
SITE = Site(ZoneInfo("Asia/Kolkata"), "en", "https://magick.ai")


def read(text: str | bytes, path: str = "articles/x.md", site: Site = SITE) -> Reading:
    """One file's reading, without a disk."""
    return article.read(text.encode() if isinstance(text, str) else text, path, site)


def front(block: str, body: str = "Some words of text.\n") -> Reading:
    """The reading of a file with this YAML, and with a title if it has none."""
    return read(f"---\n{block if TITLED.search(block) else 'title: T' + chr(10) + block}\n---\n{body}")


def codes(reading: Reading, severity: Severity | None = None) -> list[str]:
    """The codes of a reading's problems, of one severity or of all."""
    return [problem.code for problem in reading.problems if severity in {None, problem.severity}]


@pytest.fixture
def library(tmp_path: Path) -> Callable[..., Library]:
    """Makes a library over `tmp_path/articles`; with `cache=True` it remembers."""
    (tmp_path / "articles").mkdir()

    def make(*, cache: bool = False, **changes: object) -> Library:
        options: dict[str, object] = {
            "zone": "Asia/Kolkata",
            "language": "en",
            "base_url": "https://magick.ai",
            "cache": tmp_path / "var" / "articles.index" if cache else None,
        }
        return Library(tmp_path, ["articles"], **{**options, **changes})  # type: ignore[arg-type]

    return make


def text_of(title: str, **fields: str) -> str:
    """An article's file."""
    lines = "".join(f"{key}: '{value}'\n" for key, value in fields.items())
    return f"---\ntitle: '{title}'\npublish_date: '2025-03-01'\n{lines}---\n\nSome words about {title}.\n"
