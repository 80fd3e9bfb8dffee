"""The notation of segments: what it means, and where a mistake is."""

import re
from datetime import date

import pytest

from syndicate.model.segments import DEEPEST, LONGEST, Compared, Not, SegmentError, Several, Tagged, parse


def test_and_binds_closer_than_or_and_not_closest() -> None:
    assert parse("tag:a or not tag:b and tag:c") == Several(
        "or", (Tagged("a"), Several("and", (Not(Tagged("b")), Tagged("c"))))
    )
    assert parse("(tag:a or tag:b) and tag:c") == Several(
        "and", (Several("or", (Tagged("a"), Tagged("b"))), Tagged("c"))
    )


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('country = "IN"', Compared("country", "=", ("IN",))),
        ("country != 'IN'", Compared("country", "!=", ("IN",))),
        ('country in ("IN", "LK")', Compared("country", "in", ("IN", "LK"))),
        ("age>=18", Compared("age", ">=", (18.0,))),
        ("score < -1.5", Compared("score", "<", (-1.5,))),
        ("joined > 2025-01-01", Compared("joined", ">", (date(2025, 1, 1),))),
        ("expires <= 2025-12-31", Compared("expires", "<=", (date(2025, 12, 31),))),
        ('domain = "example.org"', Compared("domain", "=", ("example.org",))),
        ("NOT tag:VIP", Not(Tagged("vip"))),
        ('tag:"weekly, digest"', Tagged("weekly, digest")),
        ("tag:c# and tag:r&d", Several("and", (Tagged("c#"), Tagged("r&d")))),
        ("größe = 1", Compared("größe", "=", (1.0,))),
    ],
)
def test_what_it_means(text: str, meaning: object) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "a condition was expected"),
        ("tag:a and", 9, "a condition was expected"),
        ("tag:a adn tag:b", 6, "'and' or 'or' was expected before 'adn'"),
        ("taq:python", 0, "'taq:python' means nothing"),
        ("country", 0, "was expected after 'country'"),
        ("country is x", 8, "was expected after 'country'"),
        ("country = IN", 10, 'write "IN"'),
        ("joined > yesterday", 9, "a text, a number or a date was expected"),
        ('joined > "2025"', 9, "is compared with a date"),
        ("joind > 2025-01-01", 0, "'joind' is not known"),
        ("tag:a and opened > 2025-01-01", 10, "is not recorded"),
        ("name > 2025-01-01", 7, "'name' is no date"),
        ("joined > 2025-02-30", 9, "there is no day 2025-02-30"),
        ("(tag:a", 6, "')' was expected to close the bracket"),
        ("tag:a)", 5, "'and' or 'or' was expected before ')'"),
        ('country = "IN', 10, "the quote is not closed"),
        ("tag:a; DROP TABLE subscriber", 5, "means nothing here"),
        ("country in ()", 12, "was expected"),
        ("and = 1", 0, "a condition was expected"),
        ("(" * (DEEPEST + 1), DEEPEST, "too many brackets"),
        ("not " * (DEEPEST + 1) + "tag:a", 4 * DEEPEST, "too many brackets"),
        ("x" * (LONGEST + 1), LONGEST, "at most 2,000 characters"),
    ],
)
def test_a_mistake_is_named_at_its_place(text: str, offset: int, message: str) -> None:
    with pytest.raises(SegmentError, match=re.escape(message)) as error:
        parse(text)
    assert error.value.offset == offset
