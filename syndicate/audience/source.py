"""A readers' file as rows of text: which encoding, which separator, where each row starts, and what cannot be read."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, TextIO

LONGEST_LINE = 1_000_000  # characters; a file without line ends must not become one string
SEPARATORS = ",;\t|"
_CHUNK = 1 << 20  # bytes
#: What comes under the name of a CSV file and is none: first bytes -> what it is.
_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
    b"<": "a web page",
}
_OTHERS = {**_NO_TEXT, b"{": "JSON"}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class NotReadableError(Exception):
    """The file cannot be read as CSV; the message says why, the second argument what to do."""


def encoding(path: Path) -> tuple[str, int]:
    """(encoding, line of the first byte that is not UTF-8 or 0) of a file. Raises `NotReadableError`, or `OSError`."""
    if path.exists() and not path.is_file():  # a device or a pipe could go on for ever
        raise NotReadableError("this is not a file", "Name a CSV file.")
    with path.open("rb") as file:
        return encoding_of(file, _OTHERS)


def encoding_of(file: IO[bytes], others: Mapping[bytes, str] = _NO_TEXT) -> tuple[str, int]:
    """The same of a file that stands at its start, and is left anywhere. `others` is what it must not be."""
    start = file.read(64)
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return name, 0
    for signature, kind in others.items():
        if start.lstrip().startswith(signature):
            raise NotReadableError(f"this is {kind}, not CSV", "Export the list as CSV (UTF-8).")
    rest = iter(lambda: file.read(_CHUNK), b"")
    line = first_stray_byte(chain((start,), rest))
    return ("cp1252", line) if line else ("utf-8", 0)


def first_stray_byte(chunks: Iterator[bytes]) -> int:
    """The 1-based line of the first byte that is not UTF-8; 0 if there is none."""
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    for chunk in chunks:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            return line + error.object.count(b"\n", 0, error.start)
        line += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return 0


class Rows:
    """The rows of an open file (opened with `newline=""`), each with the line in which it starts.

    A quote that is not closed swallows the rows behind it. Such a row is given up, and reading goes on in the line
    after the one in which it started.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file
        #: the line that was read last
        self.line = 0
        self._again: deque[str] = deque()
        self._record: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, list[str] | str]]:
        """(line, cells), or (line, why there are none)."""
        separator = self._separator()
        reader = csv.reader(iter(self._next_line, ""), delimiter=separator, strict=True, skipinitialspace=True)
        while True:
            self._record, first = [], self.line + 1
            try:
                yield first, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._give_back()
                yield first, in_our_words(str(error))

    def _next_line(self) -> str:
        line = self._again.popleft() if self._again else self.file.readline(LONGEST_LINE)
        self.line += bool(line)
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := self.file.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
            raise csv.Error("line too long")
        self._record.append(line)
        return line

    def _give_back(self) -> None:
        rest = [line for line in self._record[1:] if line]
        self._again.extendleft(reversed(rest))
        self.line -= len(rest)

    def _separator(self) -> str:
        """The separator that the first line has most of; `sep=;` in the first line says it (as Excel writes it)."""
        first = self.file.readline(LONGEST_LINE)
        if first[:4].lower() == "sep=" and first[4:5]:
            self.line = 1
            return first[4]
        self._again.append(first)
        bare = first.partition('"')[0] + first.rpartition('"')[2] if '"' in first else first
        return max(SEPARATORS, key=bare.count)


def in_our_words(error: str) -> str:
    """Why a row cannot be read."""
    if "line too long" in error:
        return f"the line is longer than {LONGEST_LINE:,} characters"
    return "a quote is not closed, or text follows the closing quote"
