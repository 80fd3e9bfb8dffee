"""What must hold of an edition whatever happened to its workers: the ledger against the network's own journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from syndicate.ledger.base import EditionRow, Ledger
from syndicate.model import Delivery, State

#: What waits for a worker, or is in a worker's hands.
UNFINISHED = frozenset({State.PLANNED, State.SENDING, State.DEFERRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An edition at rest: nobody works on it any more."""

    edition: EditionRow
    rows: Sequence[Delivery]
    #: (recipient, hex SHA-256 of the bytes) of everything that the network answers for, in order
    accepted: Sequence[tuple[str, str]]
    #: who the edition was entered for
    entered: frozenset[str]
    #: who was taken off the list before he was claimed
    suppressed: frozenset[str] = frozenset()
    #: recipient -> how often somebody allowed a repeat of what was unknown
    repeats: Mapping[str, int] = field(default_factory=dict)

    @property
    def times(self) -> Counter[str]:
        """Recipient -> how often the network accepted."""
        return Counter(recipient for recipient, _ in self.accepted)

    def of(self, *states: State) -> set[str]:
        """The recipients whose delivery is in one of these states."""
        return {row.recipient for row in self.rows if row.state in states}


def evidence(
    ledger: Ledger, key: str, accepted: Sequence[tuple[str, str]], entered: frozenset[str], suppressed: frozenset[str]
) -> Evidence:
    """What the ledger has of an edition, beside what the network accepted of it."""
    row = ledger.edition(key)
    assert row
    rows = list(ledger.deliveries(key))
    return Evidence(edition=row, rows=rows, accepted=accepted, entered=entered, suppressed=suppressed)


def at_most_once(found: Evidence) -> set[str]:
    """I1: nobody got it more often than somebody allowed."""
    return {who for who, times in found.times.items() if times > 1 + found.repeats.get(who, 0)}


def sent_has_arrived(found: Evidence) -> set[str]:
    """I2: of whom the ledger says `sent`, the network has it."""
    return found.of(State.SENT) - set(found.times)


def arrived_is_known(found: Evidence) -> set[str]:
    """I3: what the network has is `sent`, or in doubt, and is nothing else."""
    return set(found.times) - found.of(State.SENT, State.UNKNOWN, State.SENDING)


def nobody_is_forgotten(found: Evidence) -> set[str]:
    """I4: at rest nothing waits for a worker, and each doubt has its reason."""
    return found.of(*UNFINISHED) | {
        row.recipient for row in found.rows if row.state is State.UNKNOWN and not row.reason
    }


def one_row_each(found: Evidence) -> set[str]:
    """I5: everybody for whom it was entered has one row, and nobody else has one."""
    rows = Counter(row.recipient for row in found.rows)
    return {who for who, count in rows.items() if count > 1} | (set(rows) ^ found.entered)


def same_bytes(found: Evidence) -> set[str]:
    """I6: all attempts had the same bytes, and the ledger knows their hash."""
    known = {row.recipient: row.sha256 for row in found.rows}
    return {who for who, sha256 in found.accepted if known.get(who) != sha256}


def the_suppressed_are_left_alone(found: Evidence) -> set[str]:
    """I7: who was taken off the list in time got nothing."""
    return set(found.suppressed & set(found.times) | found.suppressed - found.of(State.SKIPPED))


def done_is_done(found: Evidence) -> set[str]:
    """I8: the edition is `done` if and only if nothing of it waits; its counts are those of its rows."""
    waits = bool(found.of(*UNFINISHED))
    counts = {state: count for state, count in found.edition.counts.items() if count}
    true = (found.edition.state == "done") is not waits and counts == Counter(row.state for row in found.rows)
    return set() if true else {found.edition.key}


INVARIANTS: Mapping[str, Callable[[Evidence], set[str]]] = {
    "I1": at_most_once,
    "I2": sent_has_arrived,
    "I3": arrived_is_known,
    "I4": nobody_is_forgotten,
    "I5": one_row_each,
    "I6": same_bytes,
    "I7": the_suppressed_are_left_alone,
    "I8": done_is_done,
}


def violations(found: Evidence) -> Iterator[str]:
    """`I2 sent_has_arrived: 7@example.org, …` for each invariant that does not hold."""
    for name, check in INVARIANTS.items():
        if who := sorted(check(found)):
            yield f"{name} {check.__name__}: {', '.join(who[:5])}{' …' if len(who) > 5 else ''} ({len(who)})"
