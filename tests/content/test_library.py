from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Pillow

from syndicate.content.library import Catalogue, Library
from syndicate.content.picture import MAX_BYTES
from syndicate.model import Article, Body, Image, Problem, Severity
from tests.content.conftest import text_of

Make = Callable[..., Library]


def test_articles_are_sorted_by_path_and_problems_by_path_and_line(tmp_path: Path, library: Make) -> None:
    folder = tmp_path / "articles"
    (folder / "b").mkdir()
    (folder / "b" / "z.md").write_text(text_of("Z", cta="it's", author="O'Hara"))
    (folder / "c.markdown").write_text(text_of("C"))
    (folder / "a.mdx").write_text("nothing")
    catalogue = library().load()
    assert [article.path for article in catalogue.articles] == ["articles/b/z.md", "articles/c.markdown"]
    assert [problem.where for problem in catalogue.problems] == [
        "articles/a.mdx:1", "articles/b/z.md:4:9", "articles/b/z.md:5:11",
    ]  # fmt: skip


def test_overlapping_folders_give_an_article_once(tmp_path: Path, library: Make) -> None:
    (tmp_path / "articles" / "news").mkdir()
    (tmp_path / "articles" / "news" / "x.md").write_text(text_of("X"))
    for folders in (["articles", "articles/news"], ["."], [str(tmp_path / "articles")]):
        options = {"zone": "UTC", "language": "en", "base_url": "", "cache": None}
        (article,) = Library(tmp_path, folders, **options).load().articles  # type: ignore[arg-type]
        assert article.path == "articles/news/x.md"


def test_of_two_articles_with_one_written_slug_the_second_is_refused(tmp_path: Path, library: Make) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "articles" / f"{name}.md").write_text(text_of(f"Title {name}", slug="same"))
    catalogue = library().load()
    assert [article.path for article in catalogue.articles] == ["articles/a.md"]
    for problem, path in zip(catalogue.problems, ("articles/b.md", "articles/c.md"), strict=True):
        assert problem == Problem(
            path,
            "the slug same is taken by articles/a.md; this file is not used",
            Severity.ERROR,
            hint="give it a `slug:` of its own",
            code="slug.taken",
        )


def test_of_two_articles_with_one_title_the_second_goes_by_its_files_name(tmp_path: Path, library: Make) -> None:
    for name in ("a", "b"):
        (tmp_path / "articles" / f"{name}.md").write_text(text_of("Same title"))
    made = library()
    first, second = made.load().articles
    assert (first.slug, second.slug) == ("same-title", "b")
    assert second.url.endswith("/b")
    (problem,) = made.load().problems
    assert (problem.path, problem.message) == ("articles/b.md", "has the title of articles/a.md")
    worded = made.with_body(second)
    assert isinstance(worded, Article)
    assert (worded.slug, worded.url) == (second.slug, second.url)


def test_two_articles_with_one_title_and_two_slugs_are_a_warning(tmp_path: Path, library: Make) -> None:
    (tmp_path / "articles" / "a.md").write_text(text_of("Same title"))
    (tmp_path / "articles" / "b.md").write_text(text_of("Same title", slug="other"))
    catalogue = library().load()
    assert len(catalogue.articles) == 2
    (problem,) = catalogue.problems
    assert (problem.severity, problem.message) == (Severity.WARNING, "has the title of articles/a.md")


def test_one_file_can_be_read_by_hand_from_anywhere(
    tmp_path: Path, library: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "x.md"
    elsewhere.write_text(text_of("Elsewhere"))
    (tmp_path / "articles" / "x.md").write_text(text_of("Inside"))
    made = library()
    for path, shown in (
        (elsewhere, str(elsewhere)),
        ("articles/x.md", "articles/x.md"),
        (tmp_path / "articles" / "x.md", "articles/x.md"),
    ):
        catalogue = made.read(path)
        (article,) = catalogue.articles
        assert article.path == shown
        assert isinstance(made.with_body(article), Article)
    assert [problem.code for problem in made.read("articles/gone.md").problems] == ["file.unreadable"]


def one(tmp_path: Path, text: str, make: Make) -> tuple[Library, Article, Path]:
    file = tmp_path / "articles" / "x.md"
    file.write_text(text)
    library = make()
    (article,) = library.load().articles
    return library, article, file


def test_a_body_is_made_for_the_article_that_is_asked_for(tmp_path: Path, library: Make) -> None:
    made, article, _ = one(tmp_path, text_of("X"), library)
    assert article.body is None
    found = made.with_body(article)
    assert isinstance(found, Article)
    assert found.body == Body("<p>Some words about X.</p>", "Some words about X.\n")


def test_a_file_that_changed_since_is_read_anew(tmp_path: Path, library: Make) -> None:
    made, article, file = one(tmp_path, text_of("X"), library)
    file.write_text(text_of("X", cta="New").replace("Some", "Other"))
    found = made.with_body(article)
    assert isinstance(found, Article)
    assert found.body
    assert (found.cta, found.body.text) == ("New", "Other words about X.\n")
    assert found.sha256 != article.sha256


def test_a_file_that_is_no_article_any_more_is_a_problem(tmp_path: Path, library: Make) -> None:
    made, article, file = one(tmp_path, text_of("X"), library)
    for change, code in (
        (lambda: file.write_text("no front matter"), "frontmatter.none"),
        (lambda: file.write_text("---\ntitle: {{ x }}\n---\n"), "frontmatter.unreadable-title"),
        (lambda: file.write_text(text_of("Another title")), "article.changed"),
        (lambda: (file.unlink(), file.symlink_to("/etc/hostname")), "file.link"),
        (lambda: file.unlink(), "file.unreadable"),
    ):
        change()
        found = made.with_body(article)
        assert isinstance(found, Problem)
        assert found.code == code


def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2)) -> bytes:
    data = BytesIO()
    Pillow.new("RGB", size).save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif")])
def test_a_picture_of_the_project_is_read_and_known_by_its_bytes(
    kind: str, media_type: str, tmp_path: Path, library: Make
) -> None:
    data = picture(kind)
    (tmp_path / "articles" / "x.png").write_bytes(data)
    made, article, _ = one(tmp_path, text_of("X", heroImage="x.png", heroAlt="A cat"), library)
    assert made.picture(article) == Image(data, media_type, "A cat")


def test_a_picture_elsewhere_is_not_fetched(tmp_path: Path, library: Make) -> None:
    made, article, _ = one(tmp_path, text_of("X", heroImage="https://images.test/x.png"), library)
    assert made.picture(article) is None


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        picture()[:-20],
        picture("BMP"),
        b"\x89PNG\r\n\x1a\n<html>",
        b"x" * (MAX_BYTES + 1),
        picture(size=(30_000, 2_000)),
        None,
    ],
)
def test_a_picture_that_cannot_be_sent_is_a_problem(data: bytes | None, tmp_path: Path, library: Make) -> None:
    if data is not None:
        (tmp_path / "articles" / "x.png").write_bytes(data)
    made, article, _ = one(tmp_path, text_of("X", heroImage="x.png"), library)
    found = made.picture(article)
    assert isinstance(found, Problem)
    assert (found.code, found.path) == ("picture.unusable", "articles/x.md")


def test_a_picture_out_of_the_project_is_a_problem(
    tmp_path: Path, library: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "x.png"
    secret.write_bytes(picture())
    (tmp_path / "articles" / "x.png").symlink_to(secret)
    made, article, _ = one(tmp_path, text_of("X", heroImage="x.png"), library)
    assert isinstance(made.picture(article), Problem)


def test_an_empty_folder_is_an_empty_catalogue(library: Make) -> None:
    assert library().load() == Catalogue()
