"""A part of a file as rows under a layout: line by line, in constant memory, and none stops the others."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from io import TextIOWrapper
from typing import NamedTuple

from syndicate.audience import columns as vocabulary
from syndicate.audience.bundle import Part
from syndicate.audience.columns import columns, read_header
from syndicate.audience.formats import as_text, recognise
from syndicate.audience.layout import Basis, Layout, Read
from syndicate.audience.source import LONGEST_LINE, NotReadableError, Rows, encoding_of

#: Of our own table, whose every field is a column.
MOST_OWN_COLUMNS = 1000
#: Objects in a file of JSON lines may have different keys; so many different sets of them are remembered.
_LAYOUTS = 256


class Row(NamedTuple):
    """One row of a file."""

    #: 1-based, where it starts
    line: int
    #: the cell with the address, as it was written
    who: str
    #: what it says, or one clause that says why it cannot be used
    found: Read | str


class Records:
    """The rows of one part. Iterating reads it; `form` and `layout` are known from the first row on."""

    def __init__(self, part: Part, basis: Basis) -> None:
        self.part = part
        self._basis = basis
        self.layout: Layout | None = None
        #: (line, message, hint) of what is not about one row
        self.warnings: list[tuple[int, str, str]] = []
        self._bytes: Callable[[], int] = lambda: 0

    def position(self) -> int:
        """Bytes that were read."""
        return self._bytes()

    def __iter__(self) -> Generator[Row, None, None]:
        """Raises `NotReadableError` if the part is no list of people, or `OSError`."""
        try:
            with self.part.open() as file:
                name, stray = encoding_of(file)
            if stray:
                self.warnings.append((stray, "not UTF-8; read as Windows-1252", "Save it as UTF-8 if names look odd."))
            with self.part.open() as file:
                self._bytes = file.tell
                text = TextIOWrapper(file, encoding=name, errors="replace", newline="")
                yield from self._objects(text) if self.part.lines else self._table(text)
                self._bytes = lambda: self.part.size
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise NotReadableError(f"this ZIP archive is damaged ({error})", "Download it again.") from None

    def _table(self, text: TextIOWrapper) -> Iterator[Row]:
        for line, row in Rows(text):
            if isinstance(row, str):
                yield Row(line, "", row)
            elif not any(row):
                continue
            elif self.layout is None:
                self.layout, is_header = self._layout(row, line)
                if not is_header:
                    yield self._row(self.layout, line, row)
            else:
                yield self._row(self.layout, line, row)

    def _layout(self, row: Sequence[str], line: int) -> tuple[Layout, bool]:
        """What the first row means, and whether it is a header. Raises `NotReadableError`."""
        form = recognise([vocabulary.key(cell) for cell in row], self.part.name)
        if self.part.lines:  # which no spreadsheet opens
            form = replace(form, guarded=False)
        elif form.own:  # our tables have a column for each field
            form = replace(form, unfold="")
        if form.own and len(row) <= MOST_OWN_COLUMNS and (own := columns(row)):
            return Layout(row, own, form, self._basis, self.part.short), True
        found = read_header(row)
        self.warnings += [(line, message, hint) for message, hint in found.warnings]
        return Layout(row, found.columns, form, self._basis, self.part.short), found.is_header

    def _row(self, layout: Layout, line: int, row: Sequence[str]) -> Row:
        who = layout.address_cell(row)
        try:
            return Row(line, who, layout.read(row, line))
        except ValueError as error:
            return Row(line, who, str(error))

    def _objects(self, text: TextIOWrapper) -> Iterator[Row]:
        under = lru_cache(maxsize=_LAYOUTS)(lambda keys: self._layout(keys, 0))
        line = 0
        while written := text.readline(LONGEST_LINE):
            line += 1
            if len(written) == LONGEST_LINE and written[-1] not in "\r\n":
                while (rest := text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                    pass
                yield Row(line, "", f"the line is longer than {LONGEST_LINE:,} characters")
            elif written.strip():
                yield self._object(written, line, under)

    def _object(self, written: str, line: int, under: Callable[[tuple[str, ...]], tuple[Layout, bool]]) -> Row:
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            return Row(line, "", "the line is no JSON")
        if not isinstance(found, dict) or not found:
            return Row(line, "", "the line is no JSON object with an address")
        try:
            layout, is_header = under(tuple(found))
        except NotReadableError as error:
            return Row(line, "", str(error.args[0]))
        if not is_header:
            return Row(line, "", "no key is named email")
        self.layout = self.layout or layout
        return self._row(layout, line, [as_text(value) for value in found.values()])
