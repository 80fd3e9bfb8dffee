"""The two sample articles, exactly."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from syndicate.content.library import Library
from syndicate.model import Severity

FIRST, SECOND = "seeds/000_b5ca7274b39b3a56.md", "seeds/001_0bc78cdf9e41f4cf.md"
INDIA = ZoneInfo("Asia/Kolkata")


def seeds(root: Path) -> Library:
    return Library(root, ["seeds"], zone="Asia/Kolkata", language="en", base_url="https://magick.ai/", cache=None)


def test_both_seeds_load_as_their_author_meant_them(root: Path) -> None:
    first, second = seeds(root).load().articles

    assert first.path == FIRST
    assert first.title == (
        "The Rise of MLOps Training in India: Bridging the Gap Between AI Innovation and Implementation"
    )
    assert first.subtitle == "Inside India's growing MLOps education ecosystem and its impact on AI adoption"
    assert first.cta == (
        "Stay updated on the latest developments in MLOps and AI implementation strategies! Follow us on LinkedIn for "
        "exclusive insights, industry trends, and success stories from India's thriving tech ecosystem."
    )
    assert first.authors == ("Vikram Singh",)
    assert (first.read_minutes, first.words) == (15, 393)
    assert first.published == datetime(2025, 3, 7, tzinfo=INDIA)
    assert first.hero_image == "https://images.magick.ai/mlops-training-india.jpg"
    assert first.slug == "the-rise-of-mlops-training-in-india-bridging-the-gap-between"
    assert not first.slug_given
    assert first.url == f"https://magick.ai/{first.slug}"

    assert second.path == SECOND
    assert second.subtitle == "Inside Hyderabad's booming MLOps training ecosystem"
    assert "Discover the city's tech landscape" in second.description
    assert second.read_minutes == 8
    assert second.published == datetime(2024, 3, 1, tzinfo=INDIA)
    assert second.created == datetime(2025, 3, 1, tzinfo=INDIA)


def test_the_seeds_have_two_repairs_and_a_warning(root: Path) -> None:
    backslash, stray, year = seeds(root).load().problems

    assert backslash.where == f"{FIRST}:3:24"
    assert backslash.message == "subtitle: \\' inside '…' is not YAML; read as \"Inside India's growing …\""
    assert (backslash.severity, backslash.code) == (Severity.REPAIRED, "frontmatter.backslash-apostrophe")

    assert stray.where == f"{FIRST}:10:183"
    assert stray.message == (
        "cta: an apostrophe inside '…' is not doubled; read as \"… from India's thriving tech ecosystem.\""
    )
    assert (stray.severity, stray.code) == (Severity.REPAIRED, "frontmatter.stray-apostrophe")

    assert year.where == f"{SECOND}:7:15"
    assert year.message == "publish date is 365 days before its creation date: wrong year?"
    assert year.hint == "publish_date is 2024-03-01, created_date is 2025-03-01: mend the one that is wrong"
    assert year.severity is Severity.WARNING


def test_a_problem_points_at_the_very_character(root: Path) -> None:
    lines = (root / FIRST).read_text("utf-8").split("\n")
    for problem in seeds(root).load().problems[:2]:
        assert lines[problem.line - 1][problem.column - 1] in {"\\", "'"}
        assert "India" in lines[problem.line - 1][problem.column - 6 : problem.column]


def test_a_seed_gets_its_body(root: Path) -> None:
    library = seeds(root)
    article = library.with_body(library.load().articles[0])
    assert article.body.html.startswith("<p>In the rapidly evolving landscape of artificial intelligence")  # type: ignore[union-attr]
    assert max(map(len, article.body.text.split("\n"))) <= 78  # type: ignore[union-attr]
    assert "India's technology landscape" in article.body.text.replace("\n", " ")  # type: ignore[union-attr]
