"""Who gets an edition: the same people for the ledger, for a stream and for `why`; the others counted by reason."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from syndicate.audience.selection import Stored
from syndicate.audience.store import Subscribers
from syndicate.database import open_database, rehearsal_copy
from syndicate.errors import IllegalMove, NeedsPerson
from syndicate.ledger.base import LeftOut, Selection
from syndicate.ledger.sql import SqlLedger
from syndicate.model import State
from syndicate.model.people import Newcomer, Reason, Standing
from syndicate.model.segments import Compared, Condition, Not, SegmentError, Several, Tagged
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, LATER, claim, entry
from tests.audience.conftest import SECRET, URL
from tests.audience.people import FORM, imported, joined, mailed, row


def select(people: Stored, most: int | None = None) -> Selection:
    def check(count: int) -> None:
        if most is not None and count > most:
            raise NeedsPerson(f"{count} are too many")

    return Selection(people.recipients, people.groups, check)


def some_people(store: Subscribers) -> None:
    """One of each kind."""
    joined(store, "Ada@example.org", name="Ada", fields={"country": "IN"})
    joined(store, "bob@example.org")
    store.subscribe("pending@example.org", "weekly", FORM)
    store.unsubscribe(joined(store, "left@example.org"), "weekly", source="x")
    joined(store, "bounced@example.org")
    store.suppress("bounced@example.org", Reason.BOUNCE)
    joined(store, "elsewhere@example.org", "monthly")


def test_the_ledger_gets_them_in_one_statement_with_all_that_is_known(store: Subscribers) -> None:
    some_people(store)
    ledger = SqlLedger(store.database)
    assert ledger.enter(entry(recipients=select(store.selection("weekly")), list="weekly"), MONDAY) == 2
    ada, bob = ledger.deliveries(KEY)
    found = store.find("ada@example.org")
    assert found is not None
    assert (ada.recipient, ada.name, ada.fields, ada.reader) == (
        "Ada@example.org",
        "Ada",
        {"country": "IN"},
        found.reader,
    )
    assert (bob.recipient, bob.name, bob.fields, bob.state) == ("bob@example.org", "", {}, State.PLANNED)
    assert set(ledger.left_out(KEY)) == {
        LeftOut("recipients", "1", "bounced"),
        LeftOut("recipients", "1", "has not confirmed"),
        LeftOut("recipients", "1", "unsubscribed"),
    }
    row = ledger.edition(KEY)
    assert row is not None
    assert (row.list, row.counts[State.PLANNED]) == ("weekly", 2)
    assert [one.recipient for one in claim(ledger)] == ["Ada@example.org", "bob@example.org"]


def test_a_stream_the_ledger_and_the_count_agree(store: Subscribers) -> None:
    imported(store, *(row(f"{number}@example.org", tags=("odd",) if number % 2 else ()) for number in range(2500)))
    people = store.selection("weekly", "tag:odd")
    ledger = SqlLedger(store.database)
    ledger.enter(entry(recipients=select(people)), MONDAY)
    assert [one.recipient for one in ledger.deliveries(KEY)] == [one.address for one in people]
    assert people.count() == 1250
    assert {one.reader for one in people} == {one.reader for one in ledger.deliveries(KEY)}


def test_why_somebody_is_not_in_it(store: Subscribers) -> None:
    some_people(store)
    people = store.selection("weekly", 'country = "IN"')
    assert {
        name: people.why(f"{name}@example.org") for name in ("ada", "bob", "pending", "left", "bounced", "nobody")
    } == {
        "ada": None,
        "bob": "is not in the segment",
        "pending": "has not confirmed",
        "left": "unsubscribed",
        "bounced": "bounced",
        "nobody": "is not on the list weekly",
    }


def test_whoever_refuses_the_number_leaves_nothing_behind(store: Subscribers) -> None:
    some_people(store)
    ledger = SqlLedger(store.database)
    with pytest.raises(NeedsPerson, match="2 are too many"):
        ledger.enter(entry(recipients=select(store.selection("weekly"), most=1)), MONDAY)
    assert (ledger.edition(KEY), list(ledger.deliveries())) == (None, [])


def test_a_draft_that_is_made_anew_has_those_who_joined_meanwhile(store: Subscribers) -> None:
    some_people(store)
    ledger = SqlLedger(store.database)
    ledger.enter(entry(recipients=select(store.selection("weekly")), plan="{}", list="weekly"), MONDAY)
    first = next(iter(ledger.deliveries(KEY)))
    ledger.resolve(first, State.SKIPPED, "unsubscribed", MONDAY, "person")
    joined(store, "cleo@example.org")
    assert ledger.redraft(entry(recipients=select(store.selection("weekly")), plan="{}"), "new", LATER, "run") == 2
    assert {one.recipient: one.state for one in ledger.deliveries(KEY)} == {
        "Ada@example.org": State.SKIPPED,
        "bob@example.org": State.PLANNED,
        "cleo@example.org": State.PLANNED,
    }
    ledger.set_edition_state(KEY, "approved", "", LATER, "person")
    with pytest.raises(IllegalMove):
        ledger.redraft(entry(recipients=select(store.selection("weekly")), plan="{}"), "again", LATER, "run")


def test_a_rehearsal_has_the_same_people_and_writes_nothing_back(store: Subscribers, tmp_path: Path) -> None:
    some_people(store)
    before = (tmp_path / "syndicate.db").read_bytes()
    with closing(rehearsal_copy(URL, tmp_path)) as copy:
        people = Subscribers(copy, lambda: (SECRET,), lambda: MONDAY).selection("weekly", 'country = "IN"')
        ledger = SqlLedger(copy)
        ledger.enter(entry(recipients=select(people)), MONDAY)
        assert [one.recipient for one in ledger.deliveries(KEY)] == ["Ada@example.org"]
        assert people.fingerprint() == store.selection("weekly", 'country = "IN"').fingerprint()
    assert (tmp_path / "syndicate.db").read_bytes() == before


def test_a_fingerprint_changes_with_the_rule_and_with_whoever_comes_in(store: Subscribers) -> None:
    def prints() -> tuple[str, str]:
        return store.selection("weekly").fingerprint(), store.selection("monthly").fingerprint()

    joined(store, "elsewhere@example.org", "monthly")
    known = [prints()]
    for change in (
        lambda: joined(store, "ada@example.org"),
        lambda: imported(store, row("bob@example.org")),
        lambda: store.edit(store.find("bob@example.org").reader, tag=["x"]),  # type: ignore[union-attr]
        lambda: store.lift("cleo@example.org", "weekly") if store.suppress("cleo@example.org", list="weekly") else None,
    ):
        change()
        known.append(prints())
    assert len({weekly for weekly, _ in known}) == 5
    assert len({monthly for _, monthly in known}) == 1
    assert store.selection("weekly", "tag:x").fingerprint() != known[-1][0]


def test_whoever_leaves_voids_no_approval(store: Subscribers) -> None:
    some_people(store)
    before = store.selection("weekly").fingerprint()
    store.unsubscribe("ada@example.org", "weekly", source="one-click")
    store.suppress("bob@example.org", Reason.COMPLAINT)
    store.erase("bob@example.org")
    assert store.selection("weekly").fingerprint() == before


@pytest.mark.parametrize(
    ("segment", "who"),
    [
        ("tag:vip", "a"),
        ("not tag:vip", "bcd"),
        ("tag:VIP or tag:new", "ab"),
        ('country = "in"', "a"),
        ('country != "IN"', "bcd"),
        ('country in ("IN", "de")', "ab"),
        ("age >= 18", "ab"),
        ("age < 18", "c"),
        ("not age < 18", "abd"),
        ("since > 2024-05-31", "b"),
        ("since <= 2024-05-31", "a"),
        ("joined > 2025-03-09", "cd"),
        ("joined <= 2025-03-09", "ab"),
        ("joined = 2025-03-09", "b"),
        ("joined < 2025-03-09", "a"),
        ("joined >= 2025-03-09", "bcd"),
        ('domain = "example.org"', "abc"),
        ('address = "D@example.com"', "d"),
        ('name > "B"', "bcd"),
        ('tag:"\'; DROP TABLE subscriber; --"', ""),
        ('country = "\'; DROP TABLE subscriber; --"', ""),
        ('country = ""', "cd"),
        ('country < "Z"', "ab"),
    ],
)
def test_what_a_segment_takes(store: Subscribers, clock: Clock, segment: str, who: str) -> None:
    eve = datetime(2025, 3, 9, 23, 59, 59, 999999, tzinfo=UTC)
    imported(
        store,
        row("a@example.org", name="A", tags=("vip",), fields={"country": "IN", "age": "40", "since": "2024-05-31T1"},
            joined=MONDAY - timedelta(days=400)),
        row("b@example.org", name="Bo", tags=("New",), fields={"country": "DE", "age": "18", "since": "2024-06-01"},
            joined=eve),
        row("c@example.org", name="Cy", fields={"age": "7", "since": "long ago"},
            joined=datetime(2025, 3, 10, tzinfo=UTC)),
        row("d@example.com", name="Di", fields={"age": "unknown"}, joined=MONDAY),
    )  # fmt: skip
    assert "".join(address[0] for address in mailed(store, segment=segment)) == who


def test_the_days_of_a_segment_are_those_of_the_publication(store: Subscribers) -> None:
    imported(store, row("ada@example.org", joined=datetime(2025, 3, 9, 20, tzinfo=UTC)))
    assert store.selection("weekly", "joined = 2025-03-09").count() == 1
    assert store.selection("weekly", "joined = 2025-03-10", zone="Asia/Kolkata").count() == 1


def test_a_faulty_segment_says_so(store: Subscribers) -> None:
    with pytest.raises(SegmentError):
        store.selection("weekly", "tag:")


TAGS, COUNTRIES, AGES = ("a", "b", "c"), ("IN", "DE", ""), ("1", "20", "x", "")
DAYS = (date(2025, 3, 1), date(2025, 3, 9), date(2025, 3, 10))


def comparisons(name: str, signs: str, values: Sequence[Any]) -> some.SearchStrategy[Condition]:
    one = some.tuples(some.sampled_from(values))
    return some.builds(Compared, some.just(name), some.sampled_from(signs.split()), one)


conditions: some.SearchStrategy[Condition] = some.recursive(
    some.one_of(
        some.builds(Tagged, some.sampled_from(TAGS)),
        comparisons("country", "= !=", COUNTRIES),
        comparisons("age", "< >= =", (1.0, 10.0)),
        comparisons("joined", "< <= = > >=", DAYS),
    ),
    lambda inner: some.one_of(
        some.builds(Not, inner),
        some.builds(Several, some.sampled_from(["and", "or"]), some.tuples(inner, inner)),
    ),
    max_leaves=6,
)


def holds(of: Condition, one: Newcomer) -> bool:
    """The same in plain Python."""
    match of:
        case Tagged(tag):
            return tag in one.tags
        case Not(inner):
            return not holds(inner, one)
        case Several(word, parts):
            return (all if word == "and" else any)(holds(part, one) for part in parts)
        case Compared("country", sign, (value,)):
            return (one.fields.get("country") == value) == (sign == "=")
        case Compared("age", sign, (value,)):
            age = one.fields.get("age", "")
            return age.isdecimal() and compare(float(age), sign, value)
        case Compared("joined", sign, (value,)):
            assert one.joined is not None
            return compare(one.joined.date(), sign, value)
    raise AssertionError(of)


def compare(left: object, sign: str, right: object) -> bool:
    order = (left > right) - (left < right)  # type: ignore[operator]
    return {"<": order < 0, "<=": order <= 0, "=": order == 0, ">": order > 0, ">=": order >= 0}[sign]


def written(of: Condition) -> str:
    """The expression that means this."""
    match of:
        case Tagged(tag):
            return f"tag:{tag}"
        case Not(inner):
            return f"not ({written(inner)})"
        case Several(word, parts):
            return "(" + f" {word} ".join(map(written, parts)) + ")"
        case Compared(name, sign, (value,)):
            return f"{name} {sign} " + (f'"{value}"' if isinstance(value, str) else str(value))
    raise AssertionError(of)


EVERYBODY = [
    row(
        f"{number}@example.org",
        tags=tuple(tag for place, tag in enumerate(TAGS) if number >> place & 1),
        fields={"country": COUNTRIES[number % 3], "age": AGES[number % 4]},
        joined=datetime(2025, 3, 1 + number % 12, 12, tzinfo=UTC),
    )
    for number in range(24)
]


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subscribers]:
    with closing(open_database("sqlite://", tmp_path_factory.mktemp("people"))) as database:
        store = Subscribers(database, lambda: (SECRET,), Clock())
        store.import_chunk(EVERYBODY, "weekly")
        yield store


@settings(max_examples=150, deadline=None)
@given(conditions)
def test_any_segment_means_the_same_in_sql_as_in_words(everybody: Subscribers, of: Condition) -> None:
    assert mailed(everybody, segment=written(of)) == [one.address for one in EVERYBODY if holds(of, one)]


def test_nobody_of_a_state_other_than_active_is_ever_selected(store: Subscribers) -> None:
    imported(store, *(row(f"{state}@example.org", state=state) for state in Standing))
    assert mailed(store) == ["active@example.org"]
