"""From a file into the store: who is taken, who is not and why, and that it may be done again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.audience.bundle import parts
from syndicate.audience.importing import Import, Step
from syndicate.audience.layout import Basis
from syndicate.audience.store import Subscribers
from syndicate.model.people import Newcomer, Reason, Said, Suppression, Taken
from tests.audience.importing import NOW, Shop

PLAIN = "email,name\na@x.test,Ada\nb@x.test,B\nbad\n"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    with closing(made.database):
        yield made


def test_nobody_is_active_without_source_and_date_of_consent(shop: Shop) -> None:
    found = shop.take("email,status,confirmed\na@x.test,confirmed,yes\n")
    assert (found.taken, found.unproven) == ({Taken.PENDING: 1}, 1)
    assert shop.states() == {"a@x.test": "pending"}
    assert shop.take(PLAIN, source="fair in Pune").taken[Taken.ADDED] == 0


def test_with_both_they_are_active_and_the_record_says_why(shop: Shop) -> None:
    found = shop.take(PLAIN, source="fair in Pune", given=NOW, tags=("fair",))
    assert (found.rows, found.refused, found.taken) == (3, 1, {Taken.ADDED: 2})
    dossier = shop.store.show("a@x.test")
    (consent,) = dossier.consents
    assert (consent.what, consent.source, consent.given, consent.evidence) == (
        Said.IMPORTED,
        "fair in Pune",
        NOW,
        "people.csv:2",
    )
    assert dossier.subscriber is not None
    assert (dossier.subscriber.name, dossier.subscriber.tags) == ("Ada", ("fair",))


def test_pending_people_become_active_when_the_proof_is_brought(shop: Shop) -> None:
    assert shop.take(PLAIN).taken == {Taken.PENDING: 2}
    assert shop.take(PLAIN, source="form", given=NOW).taken == {Taken.ADDED: 2}
    assert set(shop.states().values()) == {"active"}


def test_every_refused_row_is_reported_with_line_and_reason(shop: Shop) -> None:
    shop.take(PLAIN)
    assert [tuple(one) for one in shop.remarks] == [("people.csv", 4, "bad", "refused", "the @ is missing")]


def test_the_same_file_twice_changes_nothing(shop: Shop) -> None:
    text = (
        "email,name,status,city,tags\na@x.test,,active,,\na@x.test,Ada,active,Pune,vip\nb@x.test,B,unsubscribed,,\n"
        "c@x.test,C,bounced,,\nd@x.test,D,pending,,x\nA@x.test,,,Goa,y\nb@x.test,B,active,,\nd@x.test,,,,\n"
    )
    shop.take(text, source="form", given=NOW)
    before = shop.dump()
    found = shop.take(text, source="form", given=NOW)
    changed = [line for line in set(shop.dump()) ^ set(before) if '"list"' not in line]
    assert changed == []
    assert found.taken[Taken.ADDED] == found.taken[Taken.UPDATED] == found.taken[Taken.PENDING] == 0
    assert shop.states() == {
        "a@x.test": "active", "b@x.test": "unsubscribed", "c@x.test": "unsubscribed", "d@x.test": "active"
    }  # fmt: skip


def test_of_one_address_twice_the_first_line_counts_for_the_data_and_the_strictest_for_the_state(shop: Shop) -> None:
    shop.take(
        "email,name,city,status\na@x.test,Ada,,active\nA@X.test,Other,Pune,unsubscribed\na@x.test,,,active\n",
        source="form",
        given=NOW,
    )
    person = shop.store.find("a@x.test")
    assert person is not None
    assert (person.name, person.fields) == ("Ada", {"city": "Pune"})
    assert shop.states() == {"a@x.test": "unsubscribed"}


def test_a_newer_file_fills_gaps_and_leaves_what_is_known(shop: Shop) -> None:
    shop.take("email,name,city\na@x.test,Ada,\nb@x.test,B,Goa\n", source="form", given=NOW)
    found = shop.take("email,name,city,tags\na@x.test,Eve,Pune,\nb@x.test,B,Goa,vip\n", source="form", given=NOW)
    assert found.taken == {Taken.UPDATED: 2}
    person = shop.store.find("a@x.test")
    assert person is not None
    assert (person.name, person.fields) == ("Ada", {"city": "Pune"})


def test_an_import_never_brings_back_who_left_bounced_or_was_erased(shop: Shop) -> None:
    shop.take("email\nleft@x.test\nbounced@x.test\nerased@x.test\nstays@x.test\n", source="form", given=NOW)
    shop.store.unsubscribe("left@x.test", "weekly", source="one-click")
    shop.store.suppress("bounced@x.test", Reason.BOUNCE, source="550 5.1.1")
    shop.store.erase("erased@x.test")
    shop.store.suppress("stranger@x.test", Reason.COMPLAINT)
    found = shop.take(
        "email,status\nLEFT@x.test,active\nbounced@x.test,active\nErased@X.test,active\nstranger@x.test,active\n"
        "stays@x.test,active\n",
        source="bought",
        given=NOW,
    )
    assert found.taken == {Taken.SUPPRESSED: 3, Taken.ERASED: 1, Taken.KNOWN: 1}
    assert [(one.line, one.outcome, one.reason) for one in shop.remarks] == [
        (2, "suppressed", "unsubscribed (one-click, 2026-06-01)"),
        (3, "suppressed", "bounced (550 5.1.1, 2026-06-01)"),
        (4, "erased", "erased"),
        (5, "suppressed", "complained"),
    ]
    assert shop.states() == {"bounced@x.test": "active", "left@x.test": "unsubscribed", "stays@x.test": "active"}
    assert [one.address for one in shop.store.selection("weekly")] == ["stays@x.test"]
    assert shop.store.find("erased@x.test") is None


def test_a_no_in_a_file_outlives_it(shop: Shop) -> None:
    shop.take("email,status\na@x.test,unsubscribed\nb@x.test,bounced\nc@x.test,complained\nd@x.test,blocklisted\n")
    shop.take("email\na@x.test\nb@x.test\nc@x.test\nd@x.test\n", source="form", given=NOW)
    assert list(shop.store.selection("weekly")) == []
    reasons = {one: shop.store.suppressions(f"{one}@x.test")[0] for one in "abcd"}
    assert {one: (found.reason, found.list) for one, found in reasons.items()} == {
        "a": (Reason.UNSUBSCRIBED, "weekly"),
        "b": (Reason.BOUNCE, ""),
        "c": (Reason.COMPLAINT, ""),
        "d": (Reason.MANUAL, ""),
    }


def test_the_list_is_the_importers_choice_and_never_a_column(shop: Shop) -> None:
    shop.take("email,list\na@x.test,board\n", source="form", given=NOW)
    assert [one.name for one in shop.store.lists()] == ["weekly"]


def test_one_address_a_thousand_times_is_one_person(shop: Shop) -> None:
    found = shop.take("email\n" + "a@x.test\n" * 3000, source="form", given=NOW)
    assert found.taken == {Taken.ADDED: 1, Taken.KNOWN: 2999}
    assert shop.states() == {"a@x.test": "active"}


def test_an_import_says_how_far_it_is(tmp_path: Path, shop: Shop) -> None:
    path = tmp_path / "long.csv"
    path.write_text("email\n" + "".join(f"r{number:04}@x.test\n" for number in range(2500)))
    steps: list[Step] = []
    found = parts(path, "long.csv")
    Import(shop.store, found, Basis(now=NOW), "weekly", remark=shop.remarks.append, progress=steps.append).run()
    assert [step.rows for step in steps] == [1000, 2000, 2500]
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total == path.stat().st_size


class PowerFailure(Exception):
    """The machine stops here."""


class Failing:
    """A store whose machine stops before it takes the chunk of this number, counted from 0."""

    def __init__(self, store: Subscribers, at: int) -> None:
        self._store, self._left = store, at

    def import_chunk(self, rows: Sequence[Newcomer], list: str, *, actor: str = "import") -> Sequence[Taken]:  # noqa: A002
        if not self._left:
            raise PowerFailure
        self._left -= 1
        return self._store.import_chunk(rows, list, actor=actor)

    def refusals(self, addresses: Iterable[str], list: str) -> Mapping[str, Suppression]:  # noqa: A002
        return self._store.refusals(addresses, list)


def test_an_import_that_was_cut_short_is_finished_by_doing_it_again(tmp_path: Path) -> None:
    text = "email,name\n" + "".join(f"r{number}@x.test,N{number}\n" for number in range(3300)) + "r5@x.test,Other\n"
    whole, cut = Shop(tmp_path / "whole"), Shop(tmp_path / "cut")
    with closing(whole.database), closing(cut.database):
        whole.take(text, source="form", given=NOW)
        store, cut.store = cut.store, Failing(cut.store, 2)  # type: ignore[assignment]
        with pytest.raises(PowerFailure):
            cut.take(text, source="form", given=NOW)
        cut.store = store
        assert len(cut.states()) == 2000
        found = cut.take(text, source="form", given=NOW)
        assert found.taken == {Taken.KNOWN: 2001, Taken.ADDED: 1300}
        assert cut.exported("csv") == whole.exported("csv")


ADDRESSES = st.sampled_from(["a@x.test", "A@x.test", "b@x.test", "c@x.test", "nobody", ""])
STATES = st.sampled_from(["active", "pending", "unsubscribed", "bounced", "complained", "", "odd"])
WORDS = st.sampled_from(["", "Ada", "=1", "x"])
TABLE = st.lists(st.tuples(ADDRESSES, WORDS, STATES, WORDS, WORDS), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=TABLE, proven=st.booleans())
def test_whatever_a_file_holds_it_may_be_imported_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], proven: bool
) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    with closing(shop.database):
        basis = {"source": "form", "given": NOW} if proven else {}
        text = "email,name,status,city,tags\n" + "".join(",".join(row) + "\n" for row in rows)
        shop.take(text, **basis)
        before, mailed = shop.dump(), [one.address for one in shop.store.selection("weekly")]
        found = shop.take(text, **basis)
        assert [line for line in set(shop.dump()) ^ set(before) if '"list"' not in line] == []
        assert not {Taken.ADDED, Taken.UPDATED, Taken.PENDING} & set(+found.taken)  # type: ignore[operator]
        assert [one.address for one in shop.store.selection("weekly")] == mailed
        no = {row[0].lower() for row in rows if row[2] in {"unsubscribed", "bounced", "complained"}}
        assert not no & set(mailed)
