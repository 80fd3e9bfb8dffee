"""What has to hold for every front matter, not only for those that people thought of."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from syndicate.content import frontmatter, lines, strict
from syndicate.content.entries import Entry
from syndicate.content.mend import mend
from syndicate.content.notes import Notes, Refusal, Unreadable
from tests.content.conftest import codes, read

KEYS = ("title", "subtitle", "description", "author", "tags", "cta", "date", "slug", "x", "og:image", "syndicate")
#: text as people type it, thick with what means something in YAML
TEXT = st.text(
    st.sampled_from("ab'\"\\:#-,[]{}&*!|>%@`~?. \t/0") | st.characters(exclude_categories=["Cs", "Cc"]), max_size=30
)
LINE = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(KEYS), TEXT),
    st.builds("{}: '{}'".format, st.sampled_from(KEYS), TEXT),
    st.builds('{}: "{}"'.format, st.sampled_from(KEYS), TEXT),
    st.builds("{}:{}".format, st.sampled_from(KEYS), TEXT),
    st.builds("  - {}".format, TEXT),
    st.builds("- {}".format, TEXT),
    st.builds("{}: [{}]".format, st.sampled_from(KEYS), TEXT),
    st.sampled_from(["", "# comment", "---", "tags:", "x: >", "  folded", "...", "title:"]),
    TEXT,
)
BLOCK = st.lists(LINE, max_size=6).map("\n".join)
#: tamer: words with a few marks, one key to a line, so that much of it is YAML, and much of the rest nearly so
WORDS = st.lists(
    st.sampled_from(["a", "Bé", "1", "it's", "'", '"', ":", "#", "#4", "-", "\\'", ",", "[x]", "null", ""]), max_size=4
)
FORM = st.sampled_from(
    ["{}: {}", "{}: {}", "{}: '{}'", '{}: "{}"', "{}:\n- {}", "{}:\n  - '{}'\n  - b", "{}: [{}, 'c']", "{}:{}"]
)


def block_of(pairs: list[tuple[str, list[str]]]) -> str:
    keys = ("subtitle", "description", "cta", "tags", "x")
    return "\n".join(form.format(key, " ".join(words)) for key, (form, words) in zip(keys, pairs, strict=False))


NEARLY = st.lists(st.tuples(FORM, WORDS), min_size=1, max_size=5).map(block_of)
#: values of valid front matter; those that mean something else than was written are repaired on purpose
VALUE = st.recursive(
    TEXT.filter(lambda text: "''" not in text), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


def plain(entries: dict[str, Entry]) -> dict[str, object]:
    return {key: entry.value for key, entry in entries.items()}


def by_yaml(block: str) -> dict[str, Entry] | None:
    """The YAML parser's answer alone, without the quick reader in front of it."""
    try:
        return strict._Parser(block, 1).mapping()
    except Unreadable:
        return None


@settings(max_examples=600, deadline=None)
@given(BLOCK | NEARLY)
@example("title: a\n- b")
@example("title: null\ntags:\n- ~")
@example("title: a b  # c")
@example("tags: [a: b]")
@example("tags:\n\n- a\n# x\n- b\nx: 1")
@example("a: b\n\nc")
def test_the_quick_reader_says_what_the_yaml_parser_says_or_nothing(block: str) -> None:
    quick = lines.read(block, 1)
    if quick is not None:
        assert quick == by_yaml(block)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUE, min_size=1, max_size=5), st.booleans())
def test_valid_yaml_is_never_changed_by_the_tolerant_reader(values: dict[str, object], flow: bool) -> None:
    block = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=10_000)
    notes = Notes("x.md")
    found = frontmatter.read(f"---\n{block}---\nText\n", notes)
    assert plain(dict(found.entries)) == values
    assert (notes.problems, found.edits, found.body) == ([], (), "Text\n")


@settings(max_examples=300, deadline=None)
@given(BLOCK | NEARLY, TEXT)
def test_what_is_mended_reads_the_same_and_is_strict(block: str, body: str) -> None:
    text = f"---\ntitle: T\n{block}\n---\n{body}\n"
    before = read(text)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.md"
        file.write_bytes(text.encode())
        mended = mend(file)
        after = file.read_bytes()
    assert (mended is None) == (after == text.encode())
    if mended is None:
        return
    again = read(after)
    assert not [
        code for code in codes(again) if code.startswith("frontmatter.") and code != "frontmatter.unreadable-key"
    ]
    if before.article and again.article:
        assert {**vars_of(before.article), "sha256": ""} == {**vars_of(again.article), "sha256": ""}
    else:
        assert before.article is again.article is None


def vars_of(article: object) -> dict[str, object]:
    return {name: getattr(article, name) for name in type(article).__slots__}  # type: ignore[attr-defined]


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from("yYtT"), max_size=4), TEXT)
def test_an_apostrophe_in_single_quotes_is_read_as_it_was_meant(word: str, text: str) -> None:
    """A careless template writes `'` + text + `'`; the text has one loose apostrophe inside a word."""
    clean = "".join(character for character in text if character not in "'\\\"{}#\t")
    meant = f"Al{clean}l's{word} well"
    reading = read(f"---\ntitle: '{meant}'\ndate: 2025-01-01\n---\nText\n")
    expected = read(f"---\ntitle: '{meant.replace(chr(39), chr(39) * 2)}'\ndate: 2025-01-01\n---\nText\n")
    assume(expected.article is not None)
    assert reading.article
    assert expected.article
    assert reading.article.title == expected.article.title


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), BLOCK.map(str.encode), BLOCK.map(lambda block: f"---\n{block}\n---\nx".encode()))
)
@example(b"---\n" + b"a: " * 5000 + b"\n---\n")
@example(b"{" * 5000)
@example(b'{"a":' * 5000)
@example(b"+++\na = " + b"[" * 5000 + b"\n+++\n")
@example(b"---\ntitle: " + b"- " * 5000 + b"\n---\n")
def test_no_bytes_raise_and_every_refusal_has_a_reason(data: bytes) -> None:
    reading = read(data)
    assert "file.unexpected" not in codes(reading)
    assert reading.article or reading.problems
    for problem in reading.problems:
        assert problem.message
        assert problem.code
        assert problem.line >= 0
        assert problem.column >= 0


@settings(max_examples=200, deadline=None)
@given(BLOCK)
def test_positions_lie_in_the_file(block: str) -> None:
    text = f"---\n{block}\n---\nx"
    last = text.count("\n") + 1
    for problem in read(text).problems:
        assert problem.line <= last
        if problem.column:
            assert problem.column <= len(text.split("\n")[problem.line - 1]) + 1


@settings(max_examples=200, deadline=None)
@given(BLOCK)
def test_a_file_is_refused_by_one_error_alone(block: str) -> None:
    notes = Notes("x.md")
    try:
        frontmatter.read(f"---\n{block}\n---\nx", notes)
    except Refusal:
        final = [problem for problem in notes.problems if problem.code != "frontmatter.unreadable-key"]
        assert [problem.severity.value for problem in final if problem.severity.value != "repaired"]
