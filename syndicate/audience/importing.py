"""A file of people into the store: a durable thousand at a time, and a reason for each row that is not taken.

Nothing is kept of how far an import came: a row that was taken before changes nothing when it comes again, so an
import that was cut short is finished by running it once more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple, Protocol

from syndicate.audience.bundle import Part
from syndicate.audience.cells import visible
from syndicate.audience.layout import Basis, Read
from syndicate.audience.records import Records, Row
from syndicate.audience.source import NotReadableError
from syndicate.model import Problem, Severity
from syndicate.model.people import EVERYWHERE, Newcomer, Standing, Suppression, Taken

#: Rows of one commit.
CHUNK = 1000
#: Rows from which on an import is looked at twice: lists that were bought are long.
MANY = 500
#: As names are in the configuration.
LIST_NAME = re.compile("[A-Za-z0-9_-]{1,64}")


class Store(Protocol):
    """What an import needs of `store.Subscribers`."""

    def import_chunk(self, rows: Sequence[Newcomer], list: str, *, actor: str = "import") -> Sequence[Taken]:  # noqa: A002 - as the store calls it
        """Takes rows in one durable commit; what became of each, in their order."""

    def refusals(self, addresses: Iterable[str], list: str) -> Mapping[str, Suppression]:  # noqa: A002 - as the store calls it
        """Those of the addresses that get nothing -> what bars them."""


class Remark(NamedTuple):
    """One line of the report: a row that was not taken, or that looks wrong."""

    file: str
    #: 1-based, where the row starts
    line: int
    #: as it was written, as far as it can be shown
    address: str
    #: `refused`, a word of `Taken`, or `note` for a row that was taken
    outcome: str
    #: one clause
    reason: str


class Step(NamedTuple):
    """How far an import is."""

    #: of all parts together, unpacked
    done: int
    total: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a file."""

    #: that hold something, blank ones and headers not counted
    rows: int
    #: rows that could not be understood
    refused: int
    #: what became of the others
    taken: Mapping[Taken, int]
    #: of the pending: those of whom nothing shows how and when they agreed
    unproven: int
    #: (file, service) of each part whose service was recognised
    recognised: tuple[tuple[str, str], ...]
    #: what is not about one row
    problems: tuple[Problem, ...]


class Import:
    """One run over one file. `run` may be called once."""

    def __init__(
        self,
        store: Store,
        parts: Sequence[Part],
        basis: Basis,
        list_name: str,
        *,
        remark: Callable[[Remark], None],
        progress: Callable[[Step], None] = lambda step: None,
    ) -> None:
        """`list_name` is where the people go; empty: to the lists that an export of ours names."""
        self._store, self._parts, self._basis, self._list = store, parts, basis, list_name
        self._remark, self._progress = remark, progress
        self._total = sum(part.size for part in parts)
        self._taken: Counter[Taken] = Counter()
        self._rows = self._refused = self._unproven = self._done = 0
        self._recognised: list[tuple[str, str]] = []
        self._problems: list[Problem] = []

    def run(self) -> Summary:
        """Takes what can be taken. May raise `LedgerError`, or `OSError`; what was taken until then stays."""
        for part in self._parts:
            try:
                self._take_part(part)
            except NotReadableError as error:
                # An archive may hold other tables too: Substack's has one of the articles.
                severity = Severity.ERROR if len(self._parts) == 1 else Severity.WARNING
                self._problems.append(Problem(part.shown, str(error.args[0]), severity, hint=error.args[1]))
            self._done += part.size
        if not self._rows and not self._problems:
            where = self._parts[0].shown if len(self._parts) == 1 else "the file"
            self._problems.append(Problem(where, "there is nobody in it", Severity.WARNING))
        return Summary(
            rows=self._rows,
            refused=self._refused,
            taken=self._taken,
            unproven=self._unproven,
            recognised=tuple(self._recognised),
            problems=tuple(self._problems),
        )

    def _take_part(self, part: Part) -> None:
        records = Records(part, self._basis)
        rows = iter(records)
        while chunk := list(islice(rows, CHUNK)):
            self._rows += len(chunk)
            self._take(part, chunk)
            self._progress(Step(self._done + records.position(), self._total, self._rows))
        if records.layout and records.layout.form.name:
            self._recognised.append((part.shown, records.layout.form.name))
        for line, message, hint in records.warnings:
            self._problems.append(Problem(part.shown, message, Severity.WARNING, line, hint=hint))

    def _take(self, part: Part, chunk: Sequence[Row]) -> None:
        good: list[tuple[Row, Read]] = []
        for row in chunk:
            if isinstance(row.found, str):
                self._refuse(part, row, row.found)
            elif not self._goes_somewhere(row.found):
                self._refuse(part, row, f"{row.found.list[:40]!r} is not the name of a list")
            else:
                good.append((row, row.found))
        where = lambda one: self._list or one[1].list  # noqa: E731 - said twice in a row
        for name, group in groupby(sorted(good, key=where), key=where):
            self._hand_over(part, list(group), name)

    def _goes_somewhere(self, read: Read) -> bool:
        """Who is only known as not to be mailed at all needs no list."""
        name = self._list or read.list
        return LIST_NAME.fullmatch(name) is not None or (name == EVERYWHERE and read.newcomer.suppressed != "")

    def _hand_over(self, part: Part, group: Sequence[tuple[Row, Read]], name: str) -> None:
        outcomes = self._store.import_chunk([read.newcomer for _, read in group], name)
        self._taken.update(outcomes)
        both = [(row.line, read, taken) for (row, read), taken in zip(group, outcomes, strict=True)]
        away = [read.newcomer.address for _, read, taken in both if _turned_away(read, taken)]
        why = self._store.refusals(away, name) if away else {}
        for line, read, taken in both:
            address = read.newcomer.address
            self._unproven += taken is Taken.PENDING and read.newcomer.state is Standing.ACTIVE
            if _turned_away(read, taken):
                self._remark(Remark(part.shown, line, address, taken, _reason(why.get(address), taken)))
            elif read.note:
                self._remark(Remark(part.shown, line, address, "note", read.note))

    def _refuse(self, part: Part, row: Row, reason: str) -> None:
        self._refused += 1
        self._remark(Remark(part.shown, row.line, visible(row.who.strip())[:254], "refused", reason))


def _turned_away(read: Read, taken: Taken) -> bool:
    """Whether the store knows something against a person that the file does not."""
    said = read.newcomer.suppressed or read.newcomer.state is Standing.UNSUBSCRIBED
    return taken is Taken.ERASED or (taken is Taken.SUPPRESSED and not said)


def _reason(barred: Suppression | None, taken: Taken) -> str:
    """Why somebody stays out, with where that comes from."""
    if barred is None or not barred.source:
        return barred.reason if barred else taken
    return f"{barred.reason} ({barred.source}, {barred.at:%Y-%m-%d})"


@dataclass(frozen=True, slots=True)
class Glance:
    """What the first rows of a file tell."""

    #: exact up to `MANY`, beyond that by how long the first of them are
    rows: int
    #: an export of ours, whose rows name their lists
    own: bool


def glance(parts: Sequence[Part], basis: Basis) -> Glance:
    """Looks at the first rows. May raise `OSError`."""
    rows, own = 0, False
    for part in parts:
        records = Records(part, basis)
        with suppress(NotReadableError), closing(iter(records)) as found:  # `run` says what cannot be read
            some = sum(1 for _ in islice(found, MANY + 1))
            rows += some if some <= MANY else max(some, some * part.size // records.position())
        own = own or (records.layout is not None and records.layout.form.own)
    return Glance(rows, own)
