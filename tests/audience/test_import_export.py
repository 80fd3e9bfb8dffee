"""Out of the store and in again: the same people, and no cell that a spreadsheet would run."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.audience.cells import clean
from syndicate.audience.exporting import field_names, lines, readers, within
from syndicate.audience.formats import OWN
from syndicate.errors import UsageError
from syndicate.model.people import EVERYWHERE, Grounds, Newcomer, Reason, Said, Standing
from tests.audience.importing import NOW, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    with closing(made.database):
        yield made


def people(shop: Shop) -> list[object]:
    """Everybody, without what is a store's own: numbers, and when something was written down.

    Whoever is to be mailed on no list at all may be on fewer of them.
    """
    found = []
    for dossier in shop.store.export():
        person = dossier.subscriber
        assert person is not None
        active = {one.list for one in person.memberships if one.state is Standing.ACTIVE}
        agreed = {
            (one.list, one.given, one.source, one.wording, one.evidence, one.ip)
            for one in dossier.consents
            if one.what is Said.IMPORTED and one.list in active
        }
        stands = {(one.list, one.state, one.joined) for one in person.memberships}
        out = {(one.list, one.reason) for one in dossier.suppressions}
        nowhere = {one for one in out if one[0] == EVERYWHERE}
        known = (person.address, person.name, dict(person.fields), person.tags)
        found.append((*known, *((nowhere,) if nowhere else (out, stands, agreed))))
    return sorted(found, key=lambda one: one[0])


def newcomer(address: str, state: Standing, **more: object) -> Newcomer:
    grounds = Grounds("form", "I agree", "form:1", "192.0.2.1", given=NOW - timedelta(days=3))
    return Newcomer(address=address, state=state, grounds=grounds, **more)  # type: ignore[arg-type]


NASTY = ["=1+1", "'=1", "''@x", "+49 170", "-5", "＝x", '"', "a,b", "a;b", "[]", '["x"]', "{", "O'Neil", "ünï", "sep=;"]
#: As the import lets it in: one line, nothing unseen.
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8"), max_size=12).map(clean))
NAMES = st.one_of(TEXT.filter(bool), st.sampled_from([*OWN, "fields", "Email", "mail", "x" * 100]))
PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["weekly", "board"]),
        st.sampled_from(["a@x.test", "b@x.test", "C.D+e@x.test", "o'neil@x.test", "=1@x.test"]),
        st.sampled_from(Standing),
        TEXT,
        st.dictionaries(NAMES, TEXT, max_size=4),
        st.lists(TEXT, max_size=3),
        st.sampled_from(["", "", "", Reason.BOUNCE, Reason.COMPLAINT]),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=PEOPLE, form=st.sampled_from(["csv", "jsonl"]))
def test_what_was_exported_is_imported_as_the_same_people(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], form: str
) -> None:
    folder = tmp_path_factory.mktemp("shops")
    first, second = Shop(folder / "first"), Shop(folder / "second")
    with closing(first.database), closing(second.database):
        for where, address, state, name, fields, tags, out in rows:
            one = newcomer(address, Standing(state), name=name, fields=fields, tags=tuple(tags), suppressed=out)
            first.store.import_chunk([one], where)
        found = second.take(first.exported(form), "", f"people.{form}")
        assert found.refused == 0
        assert people(second) == people(first)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_addresses_that_are_only_suppressed_are_exported_too(tmp_path: Path, shop: Shop, form: str) -> None:
    shop.store.suppress("bounced@x.test", Reason.BOUNCE)
    shop.store.unsubscribe("left@x.test", "weekly", source="one-click")
    shop.store.erase("erased@x.test")
    other = Shop(tmp_path / "other")
    with closing(other.database):
        assert other.take(shop.exported(form), "", f"people.{form}").refused == 0
        assert [one.reason for one in other.store.suppressions("bounced@x.test")] == [Reason.BOUNCE]
        assert [one.list for one in other.store.suppressions("left@x.test")] == ["weekly"]
        assert "erased" not in shop.exported(form)


def test_no_cell_of_a_table_is_a_formula_and_every_one_is_quoted(shop: Shop) -> None:
    fields = {"=cmd|' /C calc'!A0": "=1+1", "phone": "+49 170", "note": "  @SUM(1)", "wide": "＝1+1"}
    shop.store.import_chunk(
        [newcomer("=1@x.test", Standing.ACTIVE, name="-1+1", fields=fields, tags=("=x",))], "weekly"
    )
    text = shop.exported("csv")
    rows = list(csv.reader(io.StringIO(text)))
    assert not [cell for row in rows for cell in row if cell.strip()[:1] in set("=+-@＝＋－＠\t\r") - {""}]
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    assert dict(zip(*rows, strict=True))["phone"] == "'+49 170"


def test_lines_of_json_hold_values_as_they_are(shop: Shop) -> None:
    shop.store.import_chunk(
        [newcomer("a@x.test", Standing.ACTIVE, name="=1", fields={"k": "'=1"}, tags=("b",))], "weekly"
    )
    (document,) = map(json.loads, shop.exported("jsonl").splitlines())
    assert (document["name"], document["fields"], document["tags"]) == ("=1", {"k": "'=1"}, ["b"])
    assert document["consent_wording"] == "I agree"


def test_a_list_is_exported_alone_with_those_who_left(shop: Shop) -> None:
    shop.take("email,status\na@x.test,active\nb@x.test,unsubscribed\n", "weekly", source="form", given=NOW)
    shop.take("email\na@x.test\nc@x.test\n", "board", source="form", given=NOW)
    found = [(one.cells["email"], one.cells["list"]) for one in lines(shop.store.export("weekly"), "weekly")]
    assert found == [("a@x.test", "weekly"), ("b@x.test", "weekly")]


def test_a_segment_chooses_among_the_members(shop: Shop) -> None:
    rows = "".join(f"r{number:04}@x.test,{'vip' if number % 3 else 'x'}\n" for number in range(1500))
    shop.take(f"email,tags\n{rows}", source="form", given=NOW)
    found = within(shop.store.export("weekly"), readers(shop.database, "weekly", "tag:vip", "UTC"))
    assert sum(1 for _ in found) == 1000


def test_too_many_names_of_fields_for_a_table_are_said(shop: Shop) -> None:
    for at in range(0, 1000, 50):
        fields = {f"f{number}": "x" for number in range(at, at + 50)}
        shop.store.import_chunk([newcomer("a@x.test", Standing.ACTIVE, fields=fields)], "weekly")
    with pytest.raises(UsageError, match="too many for the columns of a table"):
        field_names(shop.database)
    assert len(json.loads(shop.exported("jsonl"))["fields"]) == 1000


def test_an_export_of_ours_may_go_to_another_list(tmp_path: Path, shop: Shop) -> None:
    shop.take("email\na@x.test\n", source="form", given=NOW)
    other = Shop(tmp_path / "other")
    with closing(other.database):
        other.take(shop.exported("csv"), "monthly")
        assert other.states("monthly") == {"a@x.test": "active"}
