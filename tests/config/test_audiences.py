"""An audience is a file or a list of the store; a segment that cannot be understood is named at its very character."""

# ruff: noqa: E501  (a row of a table is one line)

from collections.abc import Callable
from pathlib import Path

import pytest

from syndicate.config import cache
from syndicate.config.load import Loaded, load
from syndicate.config.settings import Audience
from syndicate.model import Severity
from tests.config.conftest import Write, lines

Changed = Callable[..., Loaded]
FILE = "{csv: config/readers.csv}"


def audience(changed: Changed, written: str) -> Loaded:
    return changed((FILE, written))


def test_a_list_of_the_store_may_have_a_segment(changed: Changed) -> None:
    loaded = audience(changed, """{list: weekly, segment: 'tag:python and country = "IN"'}""")
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert loaded.settings.audiences["readers"] == Audience(None, "weekly", 'tag:python and country = "IN"')


def test_people_from_a_file_leave_a_list_of_the_audiences_name(changed: Changed) -> None:
    loaded = audience(changed, "{csv: people.csv, consent: sign-up form}")
    assert loaded.settings is not None
    assert loaded.settings.audiences["readers"] == Audience(Path("people.csv"), "readers", "", "sign-up form")


@pytest.mark.parametrize("written", [FILE, "{list: weekly, segment: tag:x}", "{list: weekly}"])
def test_what_is_kept_is_what_was_read(write: Write, starter: str, written: str) -> None:
    path = write(starter.replace(FILE, written))
    first, second = load(path), load(path)
    assert first.settings is not None
    assert (path.parent.parent / cache.FOLDER / cache.NAME).exists()
    assert second.settings == first.settings


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ("{list: weekly, csv: x.csv}", "20:13", "audiences.readers.list: 'csv' says already who they are"),
        ("{segment: tag:x}", "20:3", "audiences.readers: one of the keys 'csv' and 'list' is missing"),
        ("{csv: x.csv, segment: tag:x}", "20:25", "audiences.readers.segment: only a list of the store has segments"),
        ("{list: so so}", "20:19", "audiences.readers.list: 'so so' is not a name"),
        ("{list: weekly, segmet: tag:x}", "20:27", "audiences.readers: unknown key 'segmet', did you mean 'segment'?"),
        ("{list: weekly, segment: tag:a adn tag:b}", "20:42", "'and' or 'or' was expected before 'adn', did you mean 'and'?"),
        ("{list: weekly, segment: 'tag:a adn tag:b'}", "20:43", "'and' or 'or' was expected before 'adn', did you mean 'and'?"),
        ("{list: weekly, segment: taq:a}", "20:36", "'taq:a' means nothing, did you mean 'tag'?"),
        ("{list: weekly, segment: joind > 2025-01-01}", "20:36", "'joind' is not known, did you mean 'joined'?"),
        ("{list: weekly, segment: joined > 2025-02-30}", "20:45", "there is no day 2025-02-30"),
        ('{list: weekly, segment: "country = \\"IN"}', "20:36", "the quote is not closed"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_place(changed: Changed, written: str, place: str, message: str) -> None:
    loaded = audience(changed, written)
    assert loaded.settings is None
    (line,) = lines(loaded)
    assert line.startswith(f"config/syndicate.yaml:{place}: ")
    assert message in line


def test_the_store_needs_no_word_on_consent(changed: Changed) -> None:
    (problem,) = audience(changed, "{list: weekly, consent: by form}").problems
    assert (problem.severity, problem.message[:25]) == (Severity.WARNING, "audiences.readers.consent")
