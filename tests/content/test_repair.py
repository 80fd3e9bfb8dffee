"""YAML as people write it. The article is in the test: `BROKEN` holds one slip, what was meant, and its rule."""

import pytest

from syndicate.model import Severity
from tests.content.conftest import codes, front, read

BROKEN = [
    (r"title: 'It\'s here'", "It's here", "backslash-apostrophe"),
    ("title: 'It's here'", "It's here", "stray-apostrophe"),
    (r"title: 'It's Ada\'s'", "It's Ada's", "stray-apostrophe"),
    (r"title: 'That'\''s it'", "That's it", "backslash-apostrophe"),
    ("title: 'Rust' and 'Go'", "'Rust' and 'Go'", "quotes-in-text"),
    ('title: "Rust" and "Go"', '"Rust" and "Go"', "quotes-in-text"),
    ('title: "the word "guys""', 'the word "guys"', "stray-quote"),
    ('title: ""Best" of all"', '"Best" of all', "stray-quote"),
    (r"""title: "Ravoyne \'Ray\' P." """, "Ravoyne 'Ray' P.", "backslash-apostrophe"),
    ("title: 'A' // todo", "A", "comment-after-value"),
    ("title: 'A'  <!-- todo -->", "A", "comment-after-value"),
    ("title: 'It's A' # todo", "It's A", "stray-apostrophe"),
    ("title: RAG: what it is", "RAG: what it is", "unquoted"),
    ("title: @home", "@home", "unquoted"),
    ("title: **Bold** start", "Bold start", "unquoted"),
    ("title: `code` start", "`code` start", "unquoted"),
    ("title: 100%: all of it", "100%: all of it", "unquoted"),
    ("title: title: twice", "twice", "key-twice"),
    ("title:tight", "tight", "no-space"),
    ('title:"tight"', "tight", "no-space"),
    ("title：wide", "wide", "wide-colon"),
    ("title: Monthly #4", "Monthly #4", "hash-in-text"),
    ("title: \"The Continent''s stride\"", "The Continent's stride", "doubled-apostrophe"),
]


@pytest.mark.parametrize(("block", "title", "rule"), BROKEN)
def test_what_is_beyond_doubt_is_repaired_and_reported(block: str, title: str, rule: str) -> None:
    reading = front(f"author: Ada\n{block}\npublish_date: 2025-03-01")
    assert reading.article
    assert (reading.article.title, reading.article.authors) == (title, ("Ada",))
    assert reading.article.published
    (problem,) = reading.problems
    assert (problem.code, problem.severity, problem.line) == (f"frontmatter.{rule}", Severity.REPAIRED, 3)
    assert problem.column > 0


@pytest.mark.parametrize(
    ("block", "title", "rule"),
    [
        ("title: 'never closed", "never closed", "unclosed-quote"),
        ('title: "never closed', "never closed", "unclosed-quote"),
        ("title: \"opened so'", "opened so", "mismatched-quotes"),
        ("title: 'It''s open", "It's open", "unclosed-quote"),
    ],
)
def test_what_is_only_probable_is_a_warning(block: str, title: str, rule: str) -> None:
    reading = front(f"{block}\npublish_date: 2025-03-01")
    assert reading.article
    assert reading.article.title == title
    assert codes(reading, Severity.WARNING) == [f"frontmatter.{rule}"]


@pytest.mark.parametrize(
    "block",
    [
        "title: 'A' and the rest",
        'title: "one "odd" mark" here"',
        "title: {{ page.title }}",
        "title: [never closed",
        "title: 'one\n  two' three",
        'title: "https://a.test" https://b.test',
    ],
)
def test_an_unreadable_title_refuses_the_file(block: str) -> None:
    reading = front(f"{block}\nauthor: Ada\npublish_date: 2025-03-01")
    assert reading.article is None
    assert codes(reading, Severity.ERROR) == ["frontmatter.unreadable-title"]


@pytest.mark.parametrize(
    "line",
    [
        "description: {{ .Summary }}",
        "image: [https://a.test/x.png](https://b.test/x.png)",
        'summary: "odd "mark" in" it"',
        "deck: **Bold** opening\n  that goes on",
        "excerpt: >\nnot indented\n",
    ],
)
def test_another_unreadable_key_is_left_out_and_the_rest_is_kept(line: str) -> None:
    reading = front(f"title: Kept\n{line}\nauthor: 'Ada'\npublish_date: 2025-03-01")
    assert reading.article
    assert reading.article.title == "Kept"
    assert reading.article.authors == ("Ada",)
    assert not (reading.article.description)
    assert not (reading.article.subtitle)
    assert not (reading.article.hero_image)
    (problem,) = reading.problems
    assert (problem.code, problem.line) == ("frontmatter.unreadable-key", 3)
    assert problem.message.startswith(f"{line.partition(':')[0]}: ")


def test_a_fault_never_reaches_its_neighbour() -> None:
    """Lines are not joined, even where an open quote would go on until the next one."""
    reading = front("title: 'T'\ndescription: 'never closed\nauthor: 'O'Hara'\ntags: [a, b]\npublish_date: 2025-03-01")
    article = reading.article
    assert article
    assert (article.description, article.authors, article.tags) == ("never closed", ("O'Hara",), ("a", "b"))


def test_a_quote_mark_between_two_letters_is_a_letter() -> None:
    reading = front('title: "צה"ל: חדשות"\npublish_date: 2025-03-01')
    assert reading.article
    assert reading.article.title == 'צה"ל: חדשות'


def test_a_comment_after_a_hash_and_a_blank_stays_a_comment() -> None:
    reading = front("title: Monthly # internal\npublish_date: 2025-03-01")
    assert reading.article
    assert reading.article.title == "Monthly"
    assert reading.problems == ()


def test_tabs_at_a_lines_start_are_two_spaces() -> None:
    reading = front("title: T\ntags:\n\t- a\n\t- b\npublish_date: 2025-03-01")
    assert reading.article
    assert reading.article.tags == ("a", "b")
    assert codes(reading) == ["frontmatter.tabs"]


def test_list_items_may_lack_their_blank() -> None:
    reading = front("title: T\ntags:\n-a\n-b\nauthor: Ada\npublish_date: 2025-03-01")
    assert reading.article
    assert reading.article.tags == ("a", "b")
    assert codes(reading) == ["frontmatter.list-space"]


def test_conflict_marks_refuse_the_file() -> None:
    reading = front("title: T\n<<<<<<< HEAD\nauthor: A\n=======\nauthor: B\n>>>>>>> other")
    assert reading.article is None
    assert codes(reading) == ["frontmatter.conflict"]


@pytest.mark.parametrize("broken", ["", "cta: 'it's'\n"])
def test_a_key_that_stands_twice_refuses_the_file(broken: str) -> None:
    reading = front(f"title: A\n{broken}author: X\nauthor: Y")
    assert reading.article is None
    (problem,) = (each for each in reading.problems if each.severity is Severity.ERROR)
    assert "author stands twice (first in line" in problem.message


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("title: T\npublish_date: 2025-03-01\n---\nText\n", "fence-missing"),
        ("publish_date: 2025-03-01\n---\ntitle: T\nauthor: A\n---\nText\n", "keys-above"),
        (" ---\n title: T\n publish_date: 2025-03-01\n ---\nText\n", "fence-indented"),
    ],
)
def test_a_fence_in_the_wrong_place_is_repaired(text: str, rule: str) -> None:
    reading = read(text)
    assert reading.article
    assert (reading.article.title, reading.body) == ("T", "Text\n")
    assert reading.article.published
    assert codes(reading, Severity.REPAIRED) == [f"frontmatter.{rule}"]


def test_a_missing_closing_fence_ends_at_the_first_blank_line() -> None:
    reading = read("---\ntitle: T\npublish_date: 2025-03-01\n\nText\n\n---\n\nMore\n")
    assert reading.article
    assert reading.body == "Text\n\n---\n\nMore\n"
    (problem,) = reading.problems
    assert (problem.code, problem.severity, problem.line) == ("frontmatter.unclosed", Severity.WARNING, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("---\ntitle: x\n", "frontmatter.unclosed"),
        ("---js\nmodule.exports = 1\n---\n", "frontmatter.language"),
        ("---\n- a\n- b\n---\n", "frontmatter.invalid"),
        ("---\ntitle: x\n...\n---\ntitle: y\n---\n", "frontmatter.invalid"),
        ("+++\ntitle = 'x\n+++\n", "frontmatter.invalid"),
        ('{"title": "x", "title": "y"}\n', "frontmatter.invalid"),
        ('{"title": \n', "frontmatter.unclosed"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(text: str, code: str) -> None:
    reading = read(text)
    assert reading.article is None
    assert codes(reading) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: T\ntags: [a, b]\ndate: 2025-03-01\n---\nText\n",
        "\n\n---   \ntitle: T\ntags:\n- a\n- b\ndate: 2025-03-01\n...\nText\n",
        "---toml\ntitle = 'T'\ntags = ['a', 'b']\ndate = 2025-03-01\n---\nText\n",
        "+++\ntitle = 'T'\ndate = 2025-03-01\n[taxonomies]\ntags = ['a', 'b']\n+++\nText\n",
        '{\n"title": "T",\n"tags": ["a", "b"],\n"date": "2025-03-01"\n}\nText\n',
        '{"title": "T", "tags": ["a", "b"], "date": "2025-03-01"}\nText\n',
        "Title: T\nTags: a, b\nDate: 2025-03-01\n\nText\n",
    ],
)
def test_every_dialect_says_the_same(text: str) -> None:
    reading = read(text)
    assert reading.article
    assert (reading.article.title, reading.article.tags, reading.problems) == ("T", ("a", "b"), ())
    assert reading.article.published
    assert reading.body.strip() == "Text"


def test_positions_are_those_of_the_file() -> None:
    for text, where in (
        ("\n\n---\ntitle: T\ndate: never\n---\nx", (5, 7)),
        ("+++\ntitle = 'T'\ndate = 'never'\n+++\nx", (3, 8)),
        ('{\n  "title": "T",\n  "date": "never"\n}\nx', (3, 11)),
        ("Title: T\nDate:  never\n\nx", (2, 8)),
        ("\ufeff---\r\ntitle: T\r\n\r\ndate: 'never'\r\n---\r\nx", (4, 7)),
    ):
        (problem,) = read(text).problems
        assert (problem.line, problem.column) == where, text


@pytest.mark.parametrize(
    "text", ["Just text.\n", "# A heading\n\nText\n", "---\n\nText between rules\n\n---\n", "Note: this\n\nText\n"]
)
def test_a_file_without_front_matter_is_no_article_and_no_error(text: str) -> None:
    reading = read(text)
    assert reading.article is None
    assert codes(reading, Severity.WARNING) == ["frontmatter.none"]


def test_the_body_keeps_all_that_follows_the_first_closing_fence() -> None:
    assert read("---\ntitle: T\n---\n    code first\n\n---\n\nmore\n").body == "    code first\n\n---\n\nmore\n"


def test_indented_toml_stays_toml() -> None:
    reading = read("  +++\n  title = 'T'\n  date = 2025-03-01\n  +++\nText\n")
    assert reading.article
    assert reading.article.title == "T"
    assert codes(reading) == ["frontmatter.fence-indented"]
