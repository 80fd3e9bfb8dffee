"""Hostile and odd input: one problem or a few, and the run goes on."""

import ast
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syndicate.content import markdown
from syndicate.content.library import Library
from syndicate.content.source import MAX_BYTES
from syndicate.model import Severity
from tests.content.conftest import codes, front, read, text_of


def expression(node: ast.expr) -> str | bytes | int:
    """The value of a literal, or of sums and multiples of literals."""
    if isinstance(node, ast.BinOp):
        left, right = expression(node.left), expression(node.right)
        return left + right if isinstance(node.op, ast.Add) else left * right  # type: ignore[operator,return-value]
    return ast.literal_eval(node)


def corpus(shared: Path, letter: str) -> Iterator[tuple[str, str, str]]:
    """(id, input, expectation) of one part of the hostile corpus."""
    text = (shared / "facts" / "reliability.md").read_text("utf-8")
    for name, source, expected in re.findall(rf"^(H{letter}\d+)  (.+?)  -> (.+)$", text, re.MULTILINE):
        value = expression(ast.parse(source, mode="eval").body)
        assert isinstance(value, str)
        yield name, value, expected


def test_the_hostile_corpus_of_front_matter(shared: Path) -> None:
    seen = 0
    #: what they hold is no key of ours, and cannot do harm
    foreign = {"HB19", "HB23", "HB24", "HB43", "HB47"}
    for name, text, expected in corpus(shared, "B"):
        reading = read(text)
        seen += 1
        assert "file.unexpected" not in codes(reading), name
        if expected.startswith("error") and name not in foreign:
            assert any(problem.severity is not Severity.REPAIRED for problem in reading.problems), name
        if title := re.fullmatch(r'ok (?:title == )?"([^"]+)".*', expected):
            assert reading.article, name
            assert reading.article.title == title[1], name
    assert seen == 48


def test_the_hostile_corpus_of_titles(shared: Path) -> None:
    for name, text, expected in corpus(shared, "A"):
        reading = read(f'{{"title": {json.dumps(text)}, "date": "2025-01-01"}}\nText\n')
        if expected.startswith("error") and "display name" not in expected:
            assert reading.article is None, name
        elif reading.article:
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", reading.article.title), (
                name
            )
        else:
            pytest.fail(f"{name} was refused: {reading.problems}")


def test_the_hostile_corpus_of_markdown(shared: Path) -> None:
    for name, text, _ in corpus(shared, "F"):
        body = markdown.render(text, "https://magick.ai/x", "T")
        assert not isinstance(body, str), name
        lowered = re.sub(r"&[a-z]+;|`", "", body.html.lower())
        tags = re.findall(r"<[^>]*>", lowered)
        for tag in tags:
            assert not re.search(
                r"<(script|style|svg|iframe|form|base|meta|object)\b|\son\w+=|javascript:|data:", tag
            ), name
            assert not re.search(r"(?:href|src)=\"(?!https?://|mailto:)", tag), name


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("title: !!python/object/apply:os.system ['id']", "frontmatter.unsafe"),
        ("a: &a [x,x]\nb: [*a,*a]\ntitle: T", "frontmatter.unsafe"),
        ("x: &a [*a]\ntitle: T", "frontmatter.unsafe"),
        ("<<: {draft: false}\ntitle: x", "frontmatter.unsafe"),
        ("title: T\ntags: " + "[" * 20 + "]" * 20, "frontmatter.unsafe"),
        ("title: T\ntags: " + "[" * 2000 + "]" * 2000, "frontmatter.unsafe"),
        ("title: T\nx: " + "{a: " * 500 + "}" * 500, "frontmatter.unsafe"),
        ('title: "a\\nBcc: b"', "title.unusable"),
        ("title: |\n  a\n  b", "title.unusable"),
        ("title: '=?utf-8?q?a=0d=0aBcc:=20v@x.test?='", "title.unusable"),
        ("title: " + "a" * 1200, "title.unusable"),
        ("title: ''\nx: 1", "title.missing"),
        ("title: ~\nx: 1", "title.missing"),
        ("title: '\u200b\u200b'", "title.unusable"),
        ("title: [a]", "title.unusable"),
        ("? [a, b]\n: x\ntitle: T", "frontmatter.invalid"),
        ("title: T\nx: " + "y" * 300_000, "frontmatter.too-large"),
    ],
)
def test_what_no_article_may_hold_refuses_the_file(block: str, code: str) -> None:
    reading = front(block, body="Text")
    assert reading.article is None
    assert codes(reading) == [code]


def test_half_characters_leave_only_their_key_out() -> None:
    reading = read('{"title": "T", "date": "2025-01-01", "cta": "\\ud800", "tags": [["\\u0000"]]}\nText\n')
    assert reading.article
    assert (reading.article.cta, reading.article.tags) == ("", ())
    assert codes(reading) == ["frontmatter.unreadable-key"] * 2


def test_direction_marks_are_taken_out_of_a_title() -> None:
    reading = front('title: "\u202eevil.test\u202c"\ndate: 2025-01-01')
    assert reading.article
    assert reading.article.title == "evil.test"
    assert codes(reading) == ["title.bidi"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file.empty"),
        (b" \n\n", "file.empty"),
        (b"---\ntitle: T\n---\na\x00b", "file.binary"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "file.binary"),
        (b"\xff\xd8\xff\xe0\x01\x02 JPEG", "file.binary"),
        (b"---\ntitle: \x81\xfe\n---\n", "file.encoding"),
        (b"\xff\xfe-\x00-", "file.encoding"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, code: str) -> None:
    reading = read(data)
    assert reading.article is None
    assert codes(reading) == [code]


TEXT = "---\ntitle: Café — naïve\ndate: 2025-01-01\n---\nDéjà vu.\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
)
def test_an_encoding_that_says_what_it_is_needs_no_word(data: bytes) -> None:
    reading = read(data)
    assert reading.article
    assert reading.article.title == "Café — naïve"
    assert (reading.body, reading.problems) == ("Déjà vu.\n", ())


def test_bytes_that_are_no_utf8_are_read_as_windows_1252_and_reported() -> None:
    reading = read(TEXT.encode("cp1252"))
    assert reading.article
    assert reading.article.title == "Café — naïve"
    (problem,) = reading.problems
    assert (problem.severity, problem.line) == (Severity.REPAIRED, 2)
    assert problem.message == "is not UTF-8 (byte 0xE9 at offset 14); it was read as Windows-1252"


def test_stray_bytes_in_utf8_are_read_one_by_one() -> None:
    reading = read("---\ntitle: Café\ndate: 2025-01-01\n---\nDéjà".encode() + b"\xc2 vu \x96 ok")
    assert reading.body == "Déjà vu – ok"
    assert codes(reading) == ["file.not-utf8"]


def test_a_folder_of_odd_files_gives_one_problem_for_each(tmp_path: Path, library: Callable[..., Library]) -> None:
    folder = tmp_path / "articles"
    (folder / "good.md").write_text(text_of("Good"))
    (folder / ".hidden.md").write_text(text_of("Hidden"))
    (folder / "notes.txt").write_text("no article")
    (tmp_path / "secret.md").write_text(text_of("Secret"))
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "gone.md").symlink_to("nowhere.md")
    (folder / "elsewhere").symlink_to(tmp_path)
    (folder / "device.md").symlink_to("/dev/zero")
    (folder / "README.md").write_text("# About these articles\n")
    with (folder / "huge.md").open("wb") as huge:
        huge.truncate(50_000_000)

    catalogue = library().load()  # which waits neither for the pipe nor for the end of the device

    assert [article.path for article in catalogue.articles] == ["articles/good.md"]
    assert {problem.path: problem.code for problem in catalogue.problems} == {
        "articles/README.md": "frontmatter.none",
        "articles/device.md": "file.link",
        "articles/elsewhere": "file.link",
        "articles/gone.md": "file.link",
        "articles/huge.md": "file.too-large",
        "articles/loop.md": "file.link",
        "articles/out.md": "file.link",
        "articles/pipe.md": "file.kind",
    }
    assert len(catalogue.problems) == 8


def test_a_link_inside_the_folders_is_followed(tmp_path: Path, library: Callable[..., Library]) -> None:
    (tmp_path / "articles" / ".store").mkdir()
    (tmp_path / "articles" / ".store" / "x.md").write_text(text_of("Linked"))
    (tmp_path / "articles" / "x.md").symlink_to(".store/x.md")
    assert [article.title for article in library().load().articles] == ["Linked"]


def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path, library: Callable[..., Library]) -> None:
    folder = os.fsencode(tmp_path / "articles")
    for name in (b"a\nb.md", b"\xff.md"):
        Path(os.fsdecode(folder + b"/" + name)).write_text(text_of("X"))
    for name in ("; rm -rf ~.md", "[x] 'y' \"z\".md", ".md"):
        (tmp_path / "articles" / name).write_text(text_of(f"N {len(name)}"))
    catalogue = library().load()
    assert len(catalogue.articles) == 3
    assert [problem.code for problem in catalogue.problems] == ["file.name"] * 2
    assert all(problem.path.isprintable() for problem in catalogue.problems)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root reads everything, so for the length of a test it is somebody else."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(before)


def test_an_unreadable_file_or_folder_is_a_problem(nobody: None) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own folders are closed to others
        folder = Path(name)
        (folder / "good.md").write_text(text_of("Good"))
        (folder / "secret.md").write_text(text_of("Secret"))
        (folder / "closed").mkdir()
        for secret in (folder / "secret.md", folder / "closed"):
            secret.chmod(0)
        catalogue = Library(folder, ["."], zone="UTC", language="en", base_url="", cache=None).load()
        (folder / "closed").chmod(0o700)
    assert [article.title for article in catalogue.articles] == ["Good"]
    assert [(problem.path, problem.code) for problem in catalogue.problems] == [
        ("closed", "folder.unreadable"),
        ("secret.md", "file.unreadable"),
    ]


def test_a_missing_folder_is_a_problem(library: Callable[..., Library], tmp_path: Path) -> None:
    (tmp_path / "articles").rmdir()
    (problem,) = library().load().problems
    assert (problem.path, problem.code, problem.severity) == ("articles", "folder.unreadable", Severity.ERROR)


@pytest.mark.parametrize(("size", "fits"), [(MAX_BYTES - 1, True), (MAX_BYTES, True), (MAX_BYTES + 1, False)])
def test_an_article_may_have_a_megabyte(size: int, fits: bool, tmp_path: Path, library: Callable[..., Library]) -> None:
    head = text_of("Long")
    (tmp_path / "articles" / "x.md").write_text(head + "x" * (size - len(head)))
    assert bool(library().load().articles) is fits


BLANKS = " " * 20_000


@pytest.mark.parametrize(
    "text",
    [
        f"---\ntitle: a{BLANKS}# x\n---\n",
        f"---\ntitle: T\ntags: [a{BLANKS}!\n---\n",
        f"---\ntitle: 'it's'{BLANKS}x'\n---\n",
        f"---{BLANKS}!\n",
        f"---\nx: 1\n---\n#{BLANKS}a{BLANKS}b\n",
        "---\nx: 1\n---\n# a" + " #" * 20_000 + "x\n",
        "---\ntitle: T\nauthor: " + "(" * 20_000 + "\n---\nx",
        "---\ntitle: '" + "'" * 20_000 + "x\n---\n",
        "---\ntitle: 'a'b' " + "<!-- -->" * 5_000 + "x\n---\n",
        "---\ntitle: 'a'b'\n" + "k: 'a'b'\n" * 5_000 + "---\n",
        "{" + ",".join(f'"k{number}": 1' for number in range(5_000)) + "}\n",
        "\n" * 50_000 + "x",
    ],
)  # fmt: skip
def test_no_rule_takes_more_than_linear_time(text: str) -> None:
    """A rule that backtracked over all of these would not come back within the patience of any test run."""
    reading = read(text)
    assert reading.problems
    assert "file.unexpected" not in codes(reading)
