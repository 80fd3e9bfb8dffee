"""A CSV file of readers as a stream: one bad row is one problem, and all others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from syndicate.audience.addresses import is_role, read_address, unique
from syndicate.audience.cells import LONGEST_CELL, LONGEST_NAME, clean, visible
from syndicate.audience.columns import Columns, read_header
from syndicate.audience.once import Once
from syndicate.audience.source import NotReadableError, Rows, encoding
from syndicate.model import Problem, Recipient, Severity

MOST_PROBLEMS = 1000  # a file of the wrong kind has as many as it has rows
DUPLICATE = "the address stands in an earlier row"
ELSEWHERE = "another row says that the address is not to be mailed"


class LeftOut(NamedTuple):
    """A row whose reader gets nothing, and why."""

    #: the address, or the cell as far as it can be shown, or `line 7`
    who: str
    #: one clause, the same for all rows of one kind
    reason: str


class Readers:
    """The readers of one CSV file. Iterating reads the file; then `problems` and `left_out` are known.

    Both lists grow while the rows pass, and start anew with each pass. What is kept of each reader, on the
    disk, is a 64-bit hash of the address (two of a million share one by chance once in 37 million files).
    """

    def __init__(self, path: Path | str, root: Path) -> None:
        #: relative to the project folder
        self.path = root / path
        self.shown = Path(path).as_posix()
        self.problems: list[Problem] = []
        self.left_out: list[LeftOut] = []
        self._told: set[int] = set()
        self._unshown = 0

    def __iter__(self) -> Iterator[Recipient]:
        """The readers who may be mailed, in the order of the file, each address once."""
        for known in (self.problems, self.left_out, self._told):
            known.clear()
        self._unshown = 0
        try:
            yield from self._readers()
        except NotReadableError as error:
            self._complain(0, str(error.args[0]), hint=error.args[1])
        except FileNotFoundError:
            self._complain(0, "there is no such file", hint="Write one with the columns email and name.")
        except OSError as error:
            self._complain(0, f"the file cannot be read: {error.strerror}")
        if self._unshown:
            self.problems.append(Problem(self.shown, f"{self._unshown:,} more rows have problems", Severity.WARNING))

    def count(self) -> int:
        """How many they are; reads the file."""
        return sum(1 for _ in self)

    def fingerprint(self) -> str:
        """Hex SHA-256 of the file as it is now; empty where it cannot be read."""
        try:
            with self.path.open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def _readers(self) -> Iterator[Recipient]:
        name, stray = encoding(self.path)
        if stray:
            self._complain(
                stray, "not UTF-8; read as Windows-1252", Severity.WARNING, "Save it as UTF-8 if names look odd."
            )
        suppressed = self._suppressed(name)
        anybody = False
        with closing(Once()) as known:
            for line, row, meaning in self._rows(name):
                reader = self._reader(line, row, meaning)
                if reader is None:
                    continue
                person = hash(unique(reader.address))
                if person in suppressed:
                    self._leave_out(reader.address, ELSEWHERE)
                elif known.add(person):
                    anybody = True
                    yield reader
                else:
                    self._leave_out(reader.address, DUPLICATE)
        if not anybody and not self.problems and not self.left_out:
            self._complain(0, "there is no reader in it", Severity.WARNING)

    def _suppressed(self, encoding: str) -> set[int]:
        """The addresses of rows that say no. A pass of its own, since a no counts for the rows above it as well."""
        found = set()
        for _, row, meaning in self._rows(encoding, quiet=True):
            if not meaning.rules:
                break
            if meaning.reason(row):
                try:
                    found.add(hash(unique(read_address(row[meaning.email])[0])))
                except (ValueError, IndexError):
                    continue
        return found

    def _rows(self, encoding: str, *, quiet: bool = False) -> Iterator[tuple[int, list[str], Columns]]:
        """The rows that hold something, behind the header."""
        meaning: Columns | None = None
        with self.path.open(encoding=encoding, errors="replace", newline="") as file:
            for line, row in Rows(file):
                if isinstance(row, str):
                    if not quiet:
                        self._reject(line, f"line {line}", row)
                elif meaning is not None:
                    if row and any(row):
                        yield line, row, meaning
                elif any(row):
                    meaning, is_header = self._header(line, row, quiet)
                    if not is_header:
                        yield line, row, meaning

    def _header(self, line: int, row: list[str], quiet: bool) -> tuple[Columns, bool]:
        """What the columns mean, and whether the row is a header; if not, it is the first reader."""
        found = read_header(row)
        for message, hint in () if quiet else found.warnings:
            self._complain(line, message, Severity.WARNING, hint)
        return found.columns, found.is_header

    def _reader(self, line: int, row: list[str], meaning: Columns) -> Recipient | None:
        """The reader of one row, or None after it was noted why there is none."""
        cell = row[meaning.email] if meaning.email < len(row) else ""
        try:
            self._look_over(line, row, meaning)
            address, name = read_address(cell)
        except ValueError as error:
            self._reject(line, cell, str(error))
            return None
        if meaning.rules and (reason := meaning.reason(row)):
            self._leave_out(address, reason)
            return None
        name = meaning.name(row) or clean(name)
        if len(name) > LONGEST_NAME:
            self._complain(line, f"the name has more than {LONGEST_NAME} characters and is not used", Severity.WARNING)
            name = ""
        if is_role(address):
            self._complain(line, f"{address} is a role: did a person sign up with it?", Severity.WARNING)
        fields = {key: clean(row[index]) for index, key in meaning.fields.items() if index < len(row) and row[index]}
        return Recipient(address, name, fields)

    def _look_over(self, line: int, row: list[str], meaning: Columns) -> None:
        """Raises `ValueError` if the row cannot be used: with a cell too many, the consent may not be what it seems."""
        if max(map(len, row)) > LONGEST_CELL:
            raise ValueError(f"a cell has more than {LONGEST_CELL:,} characters")
        if odd := meaning.overflow(row):
            if meaning.rules:
                raise ValueError(odd)
            self._complain(line, f"{odd} What no column claims is ignored.", Severity.WARNING)

    def _reject(self, line: int, who: str, reason: str) -> None:
        self._complain(line, f"the row is left out: {reason}")
        self._leave_out(visible(clean(who)[:80]) or f"line {line}", reason)

    def _leave_out(self, who: str, reason: str) -> None:
        entry = LeftOut(who, reason)
        if (told := hash(entry)) not in self._told:  # one address a million times is one entry
            self._told.add(told)
            self.left_out.append(entry)

    def _complain(self, line: int, message: str, severity: Severity = Severity.ERROR, hint: str = "") -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(self.shown, message, severity, line, hint=hint, code="audience.csv"))
        else:
            self._unshown += 1
