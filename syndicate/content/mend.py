"""`check --fix`: writes the repairs that are beyond doubt back into the file, and changes no other byte of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syndicate.content import fences, frontmatter, source, strict
from syndicate.content.entries import Edit, Value
from syndicate.content.notes import Notes, Refusal, Unreadable
from syndicate.whole import replacing

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"[\r\n]+$")


@dataclass(frozen=True, slots=True)
class Mended:
    """What was written."""

    path: Path
    #: lines of the file as it was that were replaced, 1-based
    lines: tuple[int, ...]


def mend(path: Path) -> Mended | None:
    """Writes certain repairs of the front matter back; None if there are none, or if the result would not be strict.

    The mended file is strict YAML with the values that the tolerant reader saw, else nothing is written. It replaces
    the old one as a whole and keeps its permissions. Raises `OSError` where the folder cannot be written to.
    """
    path = path.resolve()
    notes = Notes(path.name)
    try:
        data, _ = source.read_bytes(path, notes)
        found = frontmatter.read(source.decode(data, notes), notes)
        new = _rewritten(data, found.edits)
        if new is None or not _says_the_same(new, found):
            return None
    except (Refusal, UnicodeError):
        return None
    with replacing(path, durable=True) as file:
        file.write(new)
        os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
    return Mended(
        path, tuple(sorted({edit.line + number for edit in found.edits for number in range(edit.count or 1)}))
    )


def _rewritten(data: bytes, edits: Sequence[Edit]) -> bytes | None:
    """The bytes with other lines in place of some; None if nothing changes, or if they cannot be written back."""
    name, mark = source.codec(data)
    text = data[len(mark) :].decode(name)
    lines = _LINES.findall(text)
    for edit in sorted(edits, key=lambda each: each.line, reverse=True):
        start = edit.line - 1
        old = lines[start : start + edit.count]
        end = _end_of(old or lines[start : start + 1] or lines)
        lines[start : start + edit.count] = _like(edit.lines, old, end)
    new = mark + "".join(lines).encode(name)
    return new if new != data and mark + text.encode(name) == data else None


def _like(new: Sequence[str], old: Sequence[str], end: str) -> list[str]:
    """New lines with the line ends, and the blanks before them, of the old ones."""
    if len(new) != len(old):
        return [line + end for line in new]
    return [line + _END_AND_BLANKS.search(was)[0] for line, was in zip(new, old, strict=True)]  # type: ignore[index]


_END_AND_BLANKS = re.compile(r"[\r\n]*$")


def _end_of(lines: Sequence[str]) -> str:
    found = _END.search(lines[0]) if lines else None
    return found[0] if found else "\n"


def _says_the_same(new: bytes, found: frontmatter.FrontMatter) -> bool:
    """Whether the new bytes hold strict YAML between proper fences, with the values and the body of the old ones."""
    notes = Notes("")
    fenced = fences.split(source.decode(new, notes), notes)
    if fenced.edits or notes.problems or fenced.kind != "yaml" or fenced.body != found.body:
        return False
    try:
        values: dict[str, Value] = {key: entry.value for key, entry in strict.read(fenced.block).items()}
    except Unreadable:
        return False
    return values == {key: entry.value for key, entry in found.entries.items()}
