"""The checks of I1 to I8 find what they are there for."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from syndicate.deliver.courier import Courier
from syndicate.ledger import open_ledger
from syndicate.model import Refused, State
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.entries import KEY, entry, people
from syndicate.testing.invariants import INVARIANTS, Evidence, evidence, violations


@pytest.fixture
def good(tmp_path: Path) -> Evidence:
    """Five readers: one unsubscribed, one was refused, three have it."""
    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        ledger.enter(entry(recipients=5), Clock()())
        first = next(ledger.deliveries(KEY))
        ledger.resolve(first, State.SKIPPED, "unsubscribed", Clock()(), "reader")
        network = ScriptedSender({"1@example.org": [Refused("no")]})
        Courier(ledger, Clock()).deliver(KEY, network, mail_for)
        accepted = [(row.recipient, row.sha256) for row in ledger.deliveries(KEY, [State.SENT])]
        entered = frozenset(person.address for person in people(5))
        return evidence(ledger, KEY, accepted, entered, frozenset({first.recipient}))


def with_row(found: Evidence, number: int, **changes: object) -> Evidence:
    rows = list(found.rows)
    rows[number] = replace(rows[number], **changes)  # type: ignore[arg-type]
    return replace(found, rows=rows)


BROKEN: dict[str, Callable[[Evidence], Evidence]] = {
    "I1": lambda good: replace(good, accepted=[*good.accepted, good.accepted[0]]),
    "I2": lambda good: replace(good, accepted=good.accepted[1:]),
    "I3": lambda good: replace(good, accepted=[*good.accepted, (good.rows[1].recipient, good.rows[1].sha256)]),
    "I4": lambda good: with_row(good, 4, state=State.DEFERRED),
    "I5": lambda good: replace(good, rows=[*good.rows, good.rows[0]]),
    "I6": lambda good: replace(good, accepted=[*good.accepted[:-1], (good.accepted[-1][0], "other bytes")]),
    "I7": lambda good: replace(good, accepted=[*good.accepted, (good.rows[0].recipient, "")]),
    "I8": lambda good: replace(good, edition=replace(good.edition, state="sending")),
}


def test_all_is_well_where_all_is_well(good: Evidence) -> None:
    assert list(violations(good)) == []
    assert good.of(State.SENT) == {f"{number}@example.org" for number in (2, 3, 4)}


@pytest.mark.parametrize("name", INVARIANTS)
def test_each_invariant_sees_its_own_breach(good: Evidence, name: str) -> None:
    found = [line.split()[0] for line in violations(BROKEN[name](good))]
    assert name in found


def test_a_repeat_that_a_person_allowed_is_no_breach(good: Evidence) -> None:
    twice = replace(good, accepted=[*good.accepted, good.accepted[0]])
    assert list(violations(replace(twice, repeats={good.accepted[0][0]: 1}))) == []


def test_a_doubt_without_a_reason_is_a_breach(good: Evidence) -> None:
    found = with_row(good, 2, state=State.UNKNOWN, reason="")
    assert any(line.startswith("I4") for line in violations(found))
