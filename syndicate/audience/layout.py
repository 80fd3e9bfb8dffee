"""A row of a file as a newcomer: what the columns of a header mean to an import, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from syndicate.audience import columns as vocabulary
from syndicate.audience.addresses import is_role, read_address
from syndicate.audience.cells import LONGEST_CELL, LONGEST_FIELD, LONGEST_NAME, clean, unguarded
from syndicate.audience.columns import Columns
from syndicate.audience.dates import read_date
from syndicate.audience.formats import OWN, Format, as_text, loose_json
from syndicate.audience.verdicts import NOT_YET, Verdict, rules, unheard_of, verdict
from syndicate.model.people import Grounds, Newcomer, Standing

LONGEST_TAG = 100  # characters
MOST_TAGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What whoever imports says of all rows."""

    #: aware; dates after it are mistakes
    now: datetime
    #: how these people agreed; empty: not said
    source: str = ""
    #: aware; when they agreed, for rows that do not say; None: not said
    given: datetime | None = None
    #: for each of them
    tags: tuple[str, ...] = ()
    #: also addresses that belong to a duty, such as postmaster@
    roles: bool = False


class Read(NamedTuple):
    """A row that was understood."""

    newcomer: Newcomer
    #: the list that the row itself names; empty in the files of others
    list: str
    #: what the reader of the report should know; empty: nothing
    note: str


class Layout:
    """The columns of one header, and how to read a row under it."""

    def __init__(self, header: Sequence[str], columns: Columns, form: Format, basis: Basis, where: str) -> None:
        """`where` names the file in the record of consent."""
        self.form = form
        self._columns, self._basis, self._where = columns, basis, where
        self._names = names = [vocabulary.key(cell) for cell in header]
        self._given = _places(names, (*vocabulary.CONFIRMED, *vocabulary.GIVEN))
        self._created = _places(names, vocabulary.CREATED)
        self._left = _places(names, vocabulary.LEFT)
        self._tags = _places(names, vocabulary.TAGS)
        self._ip = _places(names, vocabulary.IP)
        self._source = _places(names, vocabulary.SOURCE)
        self._unfold = names.index(form.unfold) if form.unfold and form.unfold in names else -1
        self._rules = rules(names, form)
        # Many people have the same few tags.
        self._split = lru_cache(maxsize=1024)(lambda cell: _as_tags(form.tags(cell)))
        self._own = {name: names.index(name) for name in OWN if form.own and name in names}
        #: column -> name of the field that it becomes
        found = self._own_fields(header) if form.own else self._fields()
        self.fields = {place: name for place, name in found if 0 < len(name) <= LONGEST_FIELD}

    def _fields(self) -> Iterator[tuple[int, str]]:
        """What no one maps, and the kind of a subscription, which says more than whether to mail."""
        mapped = (self._given, self._created, self._left, self._tags, self._ip, self._source, (self._unfold,))
        taken = {place for places in mapped for place in places}
        if self.form.name:  # whose `state` is never that of a postal address
            taken |= {place for place, _ in self._rules}
        yield from ((place, name) for place, name in self._columns.fields.items() if place not in taken)
        yield from ((place, self._names[place]) for place in _places(self._names, ("subscriber_type",)))

    def _own_fields(self, header: Sequence[str]) -> Iterator[tuple[int, str]]:
        taken = {*self._own.values(), self._unfold}
        yield from ((place, clean(unguarded(name))) for place, name in enumerate(header) if place not in taken)

    def read(self, row: Sequence[str], line: int) -> Read:
        """What the row says. Raises `ValueError` with one clause that says why it cannot be used."""
        self._look_over(row)
        if self.form.guarded:
            row = [unguarded(cell) for cell in row]
        address, named = read_address(self.address_cell(row))
        found = self._verdict(row)
        if is_role(address) and found.state is Standing.ACTIVE and not self._basis.roles:
            raise ValueError("the address belongs to a duty and not to a person; --roles takes it all the same")
        notes = [found.note] if found.note else []
        fields, more_tags = self._extras(row)
        newcomer = Newcomer(
            address=address,
            name=_fitting_name(self._columns.name(row) or clean(named), notes),
            fields=fields,
            tags=self._all_tags(row, more_tags, notes),
            state=found.state,
            suppressed=found.everywhere,
            grounds=self._grounds(row, line, found.state),
            joined=self._date_or_none(row, self._created),
        )
        return Read(newcomer, self._own_cell(row, "list"), "; ".join(notes))

    def address_cell(self, row: Sequence[str]) -> str:
        """What stands where the address belongs."""
        return self._first(row, (self._columns.email,))

    def _look_over(self, row: Sequence[str]) -> None:
        """With a cell too many, the consent may not be what it seems."""
        if max(map(len, row)) > LONGEST_CELL:
            raise ValueError(f"a cell has more than {LONGEST_CELL:,} characters")
        if odd := self._columns.overflow(row):
            raise ValueError(odd)

    def _verdict(self, row: Sequence[str]) -> Verdict:
        if not self.form.own:
            found = verdict(row, self._rules)
            return NOT_YET if self.form.strangers and found.state is Standing.ACTIVE else found
        state = self._own_cell(row, "status")
        known = Verdict(Standing(state)) if state in set(Standing) else unheard_of(state)
        found = known if state else NOT_YET
        return found._replace(everywhere=self._own_cell(row, "suppressed"))

    def _grounds(self, row: Sequence[str], line: int, state: Standing) -> Grounds:
        """How and when somebody agreed, or left; without `source` and `given` the store makes nobody active."""
        source, export = self._first(row, self._source), f"{self.form.name} export".strip()
        if state is not Standing.ACTIVE:
            given, source = self._date_or_none(row, self._left), source or export
        elif given := self._date(row, self._given):
            source = source or (export if self.form.witness else "")
        else:
            given = self._joined_as_consent(row)
        return Grounds(
            source=source or self._basis.source,
            wording=self._own_cell(row, "consent_wording"),
            evidence=self._own_cell(row, "consent_evidence") or f"{self._where}:{line}",
            ip=self._first(row, self._ip)[:64],
            given=given,
        )

    def _joined_as_consent(self, row: Sequence[str]) -> datetime | None:
        """Where nothing says when somebody agreed, when they came is the next best; else what the importer says."""
        try:
            return self._date(row, () if self.form.own else self._created) or self._basis.given
        except ValueError:
            if self._basis.given is None:
                raise
            return self._basis.given

    def _date(self, row: Sequence[str], places: Iterable[int]) -> datetime | None:
        """The date in the first of the cells that is filled. Raises `ValueError` if it is none."""
        for place in places:
            if cell := row[place].strip() if place < len(row) else "":
                try:
                    return read_date(cell, self._basis.now)
                except ValueError as error:
                    raise ValueError(f"{self._names[place]}: {error}") from None
        return None

    def _date_or_none(self, row: Sequence[str], places: Iterable[int]) -> datetime | None:
        try:
            return self._date(row, places)
        except ValueError:
            return None

    def _extras(self, row: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """(fields, tags among them): columns that no one maps, and what a column of JSON holds."""
        fields = {
            name: value for place, name in self.fields.items() if place < len(row) and (value := clean(row[place]))
        }
        folded = self._first(row, (self._unfold,)) if self._unfold >= 0 else ""
        inner = loose_json(folded) if folded else None
        tags: list[str] = []
        for name, value in inner.items() if isinstance(inner, dict) else ():
            if name == "tags" and isinstance(value, list) and not self.form.own:
                tags = [item for item in value if isinstance(item, str)]
            elif text := clean(as_text(value)):
                fields[clean(str(name)) if self.form.own else vocabulary.key(str(name))] = text
        return {name: text for name, text in fields.items() if 0 < len(name) <= LONGEST_FIELD}, tags

    def _all_tags(self, row: Sequence[str], more: Iterable[str], notes: list[str]) -> tuple[str, ...]:
        cell = self._first(row, self._tags)
        tags = dict.fromkeys((*(self._split(cell) if cell else ()), *_as_tags(more)))
        fitting = [tag for tag in tags if len(tag) <= LONGEST_TAG][:MOST_TAGS]
        if len(fitting) < len(tags):
            notes.append(f"{len(tags) - len(fitting)} of the tags are too long or too many, and not used")
        return (*fitting, *(tag for tag in self._basis.tags if tag not in tags))

    def _first(self, row: Sequence[str], places: Iterable[int]) -> str:
        """The first of the cells that is filled."""
        return next((cell for place in places if place < len(row) and (cell := row[place].strip())), "")

    def _own_cell(self, row: Sequence[str], name: str) -> str:
        return clean(self._first(row, (self._own[name],))) if name in self._own else ""


def _places(names: Sequence[str], wanted: Iterable[str]) -> tuple[int, ...]:
    """Where the wanted names stand, in the order in which they are wanted."""
    return tuple(names.index(name) for name in wanted if name in names)


def _as_tags(written: Iterable[str]) -> tuple[str, ...]:
    return tuple(tag for one in written if (tag := clean(one).lower()))


def _fitting_name(name: str, notes: list[str]) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    notes.append(f"the name has more than {LONGEST_NAME} characters and is not used")
    return ""
