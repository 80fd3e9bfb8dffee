"""What front matter holds, whatever it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from syndicate.content.notes import At

#: every scalar is the text that was written, so that `no`, `017` and `12:30` are not turned into something else
Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

#: anything deeper is an attack or an accident
MAX_DEPTH = 16
MAX_KEYS = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One top-level key and its value."""

    #: as written
    key: str
    value: Value
    #: of the value's first character, or of the key where there is no value; in the file, 1-based
    line: int = 0
    column: int = 0
    #: how a scalar was written: `'`, `"`, `|`, `>`, or empty for plain ones and for lists and mappings
    style: str = ""

    @property
    def at(self) -> At:
        """Where a problem with it is shown."""
        return self.line, self.column


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of the file to be replaced, so that the next reader needs no repair."""

    #: 1-based, in the file
    line: int
    #: how many lines go
    count: int
    #: what comes, without line ends
    lines: tuple[str, ...]


Entries: TypeAlias = dict[str, Entry]
