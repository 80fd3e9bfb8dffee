"""What the columns of a row say about whether its reader may be mailed; the strictest of them counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from syndicate.audience import columns as vocabulary
from syndicate.audience.formats import Format
from syndicate.model.people import Reason, Standing

#: Pieces of a column's name or of a state -> why nobody is to write there any more, on whatever list.
_EVERYWHERE: Mapping[Reason, Sequence[str]] = {
    Reason.BOUNCE: ("bounce", "clean", "undeliverable", "unreachable"),
    Reason.COMPLAINT: ("complain", "spam"),
    Reason.MANUAL: ("block", "blacklist", "suppressed", "removed", "do_not_email"),
}
_STRICTNESS = (Standing.ACTIVE, Standing.PENDING, Standing.UNSUBSCRIBED)


class Verdict(NamedTuple):
    """How somebody stands by one column, or by all of them."""

    state: Standing
    #: why on no list at all; empty if it is about one list
    everywhere: str = ""
    #: what the reader of the report should know
    note: str = ""


NOTHING_SAID = Verdict(Standing.ACTIVE)
NOT_YET = Verdict(Standing.PENDING)
Rule = Callable[[str], Verdict]


def rules(names: Sequence[str], form: Format) -> tuple[tuple[int, Rule], ...]:
    """(column, rule) for each column of the header that says something."""
    return tuple((index, rule) for index, name in enumerate(names) if (rule := _rule(name, form)))


def verdict(row: Sequence[str], of: Sequence[tuple[int, Rule]]) -> Verdict:
    """What the row says, all in all."""
    strictest = NOTHING_SAID
    for index, rule in of:
        if index < len(row) and (found := rule(row[index].strip().lower())) is not NOTHING_SAID:
            strictest = max(strictest, found, key=lambda one: (_STRICTNESS.index(one.state), bool(one.everywhere)))
    return strictest


def _rule(name: str, form: Format) -> Rule | None:
    if name in vocabulary.OUT_IF_SET:
        out = _out(name)
        return lambda value: out if value and value not in vocabulary.NO else NOTHING_SAID
    if name in vocabulary.OUT_IF_NO:
        return lambda value: _out(name) if value in vocabulary.NO else NOTHING_SAID
    if name == "state" and not form.name:  # also a part of a postal address
        return lambda value: _state(value) if value in vocabulary.OUT | vocabulary.PENDING else NOTHING_SAID
    return (lambda value: _state(form.states.get(value, value))) if name in vocabulary.STATUS else None


def _state(value: str) -> Verdict:
    if not value or value in vocabulary.ACTIVE:
        return NOTHING_SAID
    if value in vocabulary.OUT:
        return _out(value)
    return NOT_YET if value in vocabulary.PENDING else unheard_of(value)


def unheard_of(state: str) -> Verdict:
    """What a state means that nobody has heard of."""
    return NOT_YET._replace(note=f"nobody knows the status {state[:40]!r}: not mailed")


def _out(words: str) -> Verdict:
    found = (reason for reason, pieces in _EVERYWHERE.items() if any(piece in words for piece in pieces))
    return Verdict(Standing.UNSUBSCRIBED, everywhere=next(found, ""))
