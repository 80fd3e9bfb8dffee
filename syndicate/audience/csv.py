"""A CSV file of readers as a stream: one bad row is one problem, and all others go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from syndicate.audience.addresses import is_role, read_address, unique
from syndicate.audience.columns import EMAIL, Columns, columns, headerless, repeated
from syndicate.audience.source import NotReadableError, Rows, encoding
from syndicate.model import Problem, Recipient, Severity

LONGEST_CELL = 8192  # characters
LONGEST_NAME = 255
MOST_COLUMNS = 64
MOST_PROBLEMS = 1000  # a file of the wrong kind has as many as it has rows
#: Control characters, and those that turn the direction of text around (UAX #9 §2.2).
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
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

    Both lists grow while the rows pass, and start anew with each pass. What is kept in memory for each reader is a
    64-bit hash of the address (two of a million share one by chance once in 37 million files).
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
        seen: set[int] = set()
        for line, row, meaning in self._rows(name):
            reader = self._reader(line, row, meaning)
            if reader is None:
                continue
            person = hash(unique(reader.address))
            if person in seen:
                self._leave_out(reader.address, DUPLICATE)
            elif person in suppressed:
                self._leave_out(reader.address, ELSEWHERE)
            else:
                seen.add(person)
                yield reader
        if not seen and not self.problems and not self.left_out:
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
        if len(row) > MOST_COLUMNS:
            raise NotReadableError(f"the header has {len(row):,} columns", f"Keep at most {MOST_COLUMNS}.")
        meaning = columns(row)
        if meaning is None:
            meaning = headerless(row, is_address)
            if meaning is None:
                shown = ", ".join(clean(cell)[:30] for cell in row)
                raise NotReadableError(
                    f"no column is named email (found: {shown})", "Name the column of addresses email."
                )
            if not quiet:
                message = f"there is no header; addresses were looked for in column {meaning.email + 1}"
                self._complain(line, message, Severity.WARNING, "Write `email` above the addresses.")
            return meaning, False
        for name in repeated(row):
            if name in EMAIL:
                raise NotReadableError(f"two columns are named {name}", "Remove one of them.")
            if not quiet:
                self._complain(line, f"two columns are named {name}; the last is used", Severity.WARNING)
        return meaning, True

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
        written = " ".join(clean(row[index]) for index in meaning.names if index < len(row) and row[index])
        name = written or clean(name)
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
        if len(row) > meaning.count and any(row[meaning.count :]):
            odd = f"{len(row)} cells where the header has {meaning.count}; is a separator not in quotes?"
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


def visible(text: str) -> str:
    """Text for a report: what has no shape of its own is spelled out."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def is_address(cell: str) -> bool:
    """Whether a cell holds an address."""
    try:
        return bool(read_address(cell))
    except ValueError:
        return False


def clean(cell: str) -> str:
    """One line of text, otherwise as it was written: what looks like a formula is text."""
    return cell.strip() if cell.isprintable() else _UNSEEN.sub("", " ".join(cell.split()))
