"""Sixty-four real articles of other people; `manifest.json` beside them says what was meant."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from syndicate.model import Severity
from tests.content.conftest import codes, read

#: read from a file name that the case no longer has
LOST = "from the file name of the source"
#: kept back: neither text nor a readable description is left of it
EMPTY = {"17-value-starts-with-asterisks.md"}


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[dict[str, Any]]:
    return json.loads((shared / "cases" / "manifest.json").read_text("utf-8"))


def readings(shared: Path, cases: list[dict[str, Any]], *outcomes: str):
    for case in cases:
        if case["outcome"] in outcomes:
            yield case, read((shared / "cases" / case["file"]).read_bytes(), case["file"])


ARTICLES = ("load", "repair", "repair-probable", "load-drop-optional", "load+warn", "quarantine")


def test_each_case_is_known(cases: list[dict[str, Any]]) -> None:
    assert len(cases) == 64
    assert {case["outcome"] for case in cases} <= {*ARTICLES, "refuse", "refuse-or-derive"}


def test_what_can_be_read_is_an_article_with_its_title(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, *ARTICLES):
        assert reading.article, case["file"]
        expected = case["reader"]["values"].get("title")
        assert expected in {None, reading.article.title}, case["file"]


def test_what_can_be_read_has_its_date(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(
        shared, cases, "load", "repair", "repair-probable", "load-drop-optional", "load+warn"
    ):
        values = case["reader"]["values"]
        if (values.get("date_note") == LOST and "2017-2-5" not in case["file"]) or case["file"] in EMPTY:
            continue
        published = reading.article.published if reading.article else None
        if not values.get("date_iso"):
            assert published is None, case["file"]
            continue
        expected = datetime.fromisoformat(values["date_iso"])
        if expected.tzinfo:
            assert published == expected, case["file"]
        else:
            assert published, case["file"]
            assert published.replace(tzinfo=None) == expected, case["file"]


def test_other_values_are_those_that_were_meant(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, *ARTICLES):
        values, article = case["reader"]["values"], reading.article
        assert article
        description = values.get("description")
        if isinstance(description, str) and len(description) < 1000:
            assert article.description == " ".join(description.split()), case["file"]
        if isinstance(values.get("author"), str) and "," not in values["author"]:
            assert article.authors == (values["author"],), case["file"]


def test_a_repair_is_reported_where_it_was_made(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "repair"):
        assert codes(reading, Severity.REPAIRED), case["file"]
    for case, reading in readings(shared, cases, *ARTICLES):
        said = {problem.line for problem in reading.problems}
        for repair in case["reader"]["repairs"]:
            if repair["key"] is not None:
                assert repair["line"] in said, (case["file"], repair)


def test_a_probable_repair_is_a_warning(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "repair-probable"):
        assert codes(reading, Severity.WARNING), case["file"]
        assert not codes(reading, Severity.ERROR), case["file"]


def test_a_key_that_cannot_be_read_is_left_out_and_named(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "load-drop-optional"):
        named = {(problem.line, problem.message.partition(":")[0]) for problem in reading.problems}
        for dropped in case["reader"]["dropped"]:
            assert (dropped["line"], dropped["key"]) in named, case["file"]


def test_what_needs_a_person_is_held_back(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "quarantine"):
        assert reading.article
        assert reading.article.published is None, case["file"]
        assert reading.article.undated.startswith("held back: it looks like a generator's refusal"), case["file"]
        assert "article.held" in codes(reading, Severity.WARNING)


def test_a_doubtful_file_says_what_is_doubtful(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "load+warn"):
        if not case["file"].startswith("13"):  # a pair, which only a library can see
            assert codes(reading, Severity.WARNING), case["file"]


def test_what_cannot_be_used_is_refused_with_one_reason(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "refuse", "refuse-or-derive"):
        assert reading.article is None, case["file"]
        refusals = [problem for problem in reading.problems if problem.code != "frontmatter.unreadable-key"]
        assert len(refusals) == 1, case["file"]
        assert refusals[0].hint, case["file"]


def test_a_valid_file_is_read_without_repair(shared: Path, cases: list[dict[str, Any]]) -> None:
    for case, reading in readings(shared, cases, "load"):
        assert not codes(reading, Severity.REPAIRED), case["file"]
