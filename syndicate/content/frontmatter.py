"""Front matter of every dialect -> entries, through python-frontmatter with handlers of our own.

The library's handlers answer with nothing, and without a word, for TOML, headers and bad fences, and raise for
whatever is not quite YAML; ours repair and report (`fences.py`, `repair.py`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

import frontmatter
from frontmatter.default_handlers import BaseHandler

from syndicate.content import fences, repair, strict
from syndicate.content.entries import MAX_DEPTH, MAX_KEYS, Edit, Entries, Entry, Value
from syndicate.content.notes import At, Notes, Unreadable
from syndicate.model import Severity

#: the longest that was found has 138 KB, of transcripts
MAX_BLOCK = 256_000
_SURROGATE = re.compile(r"[\ud800-\udfff\x00]")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """One file's front matter and body."""

    entries: Mapping[str, Entry]
    body: str
    #: `yaml`, `toml`, `json` or `headers`
    kind: str
    #: what would spare the next reader all certain repairs
    edits: tuple[Edit, ...] = ()


class _Handler(BaseHandler):
    """Hands python-frontmatter the cut that was made already, and remembers what was repaired."""

    FM_BOUNDARY = re.compile(r"^(?:-{3,}|\+{3,})\s*$", re.MULTILINE)

    def __init__(self, text: str, fenced: fences.Fenced, notes: Notes) -> None:
        super().__init__()
        self.text, self.fenced, self.notes = text, fenced, notes
        self.edits = list(fenced.edits)

    def split(self, text: str) -> tuple[str, str]:
        """Block and body."""
        return self.fenced.block, self.fenced.body

    def check(self, found: Mapping[str, Any]) -> None:
        """Refuses what no article needs."""
        if len(found) > MAX_KEYS:
            message = f"the front matter has more than {MAX_KEYS} keys"
            self.notes.refuse("frontmatter.too-large", message, (self.fenced.first_line, 0))

    def entry(self, key: str, found: Any, at: At) -> Entry:
        """An entry whose value comes from another parser than ours."""
        try:
            return Entry(key, _value(found), *at)
        except Unreadable as error:
            self.notes.refuse("frontmatter.unsafe", f"{key}: {error.why}", at, "write it flatter")

    def at(self, pattern: str, group: int = 0) -> At:
        """Where a pattern first matches in the block, as a position in the file."""
        found = re.search(pattern, self.fenced.block, re.MULTILINE)
        start = found.start(group) if found else 0
        block = self.fenced.block
        return self.fenced.first_line + block.count("\n", 0, start), start - block.rfind("\n", 0, start)

    def invalid(self, name: str, error: Exception) -> None:
        """Refuses the file for what a parser said of it."""
        line = getattr(error, "lineno", None) or _line_in(str(error)) or 1
        why = getattr(error, "msg", None) or str(error) or type(error).__name__
        self.notes.refuse(
            "frontmatter.invalid",
            f"the {name} front matter cannot be read: {why}",
            (self.fenced.first_line + line - 1, 0),
        )


def _line_in(message: str) -> int:
    found = re.search(r"line (\d+)", message)
    return int(found[1]) if found else 0


class _Yaml(_Handler):
    """YAML, broken or not."""

    def load(self, fm: str) -> Entries:
        """Entries, repaired where that is beyond doubt."""
        first_line, notes = self.fenced.first_line, self.notes
        try:
            entries = strict.read(fm, first_line)
        except strict.Unsafe as error:
            notes.refuse("frontmatter.unsafe", error.why, error.at, "mend it by hand: no repair of it would be certain")
        except strict.Broken:
            return self._tolerant(fm)
        if any('"' in key or "'" in key for key in entries):  # `title:"x"` is valid YAML, and a key
            return self._tolerant(fm)
        entries, edits = repair.check_text(entries, fm, first_line, notes)
        self.edits += edits
        return entries

    def _tolerant(self, block: str) -> Entries:
        if cut := fences.cut_at_blank_line(self.text, self.fenced, self.notes):
            self.fenced, block = cut, cut.block
        entries, edits = repair.read(block, self.fenced.first_line, self.notes)
        self.edits += edits
        return entries


class _Toml(_Handler):
    """TOML, as Hugo and Zola have it."""

    def load(self, fm: str) -> Entries:
        """Entries; the tables `taxonomies` and `extra` of Zola count as top level."""
        import tomllib

        try:
            found = tomllib.loads(fm)
        except (ValueError, RecursionError) as error:
            self.invalid("TOML", error)
        flat = {**found.get("extra", {}), **found.get("taxonomies", {}), **found} if isinstance(found, dict) else {}
        self.check(flat)
        return {key: self.entry(key, value, self._at(key)) for key, value in flat.items()}

    def _at(self, key: str) -> At:
        return self.at(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=\s*(\S)", 1)


class _Json(_Handler):
    """JSON, as Hugo has it."""

    def load(self, fm: str) -> Entries:
        """Entries."""
        try:
            found = json.loads(fm, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            self.invalid("JSON", error)
        if not isinstance(found, dict):
            self.invalid("JSON", ValueError("it is not an object"))
        self.check(found)
        return {key: self.entry(key, value, self._at(key)) for key, value in found.items()}

    def _at(self, key: str) -> At:
        return self.at(rf'"{re.escape(key)}"\s*:\s*(\S)', 1)


class _Headers(_Handler):
    """`Title: x` lines without fences, as Pelican and MultiMarkdown have them."""

    def load(self, fm: str) -> Entries:
        """Entries, all of them text; an indented line goes on with the one above."""
        entries: Entries = {}
        for number, line in enumerate(fm.split("\n"), self.fenced.first_line):
            key, colon, value = line.partition(":")
            if line[:1] in " \t" or not colon:
                last = entries.popitem()[1]
                entries[last.key] = Entry(last.key, f"{last.value or ''} {line.strip()}".strip(), *last.at)
            else:
                column = len(line) - len(value.lstrip()) + 1
                entries[key.strip()] = Entry(key.strip(), value.strip() or None, number, column)
        return entries


_HANDLERS: dict[str, type[_Handler]] = {"yaml": _Yaml, "toml": _Toml, "json": _Json, "headers": _Headers}


def read(text: str, notes: Notes) -> FrontMatter:
    """The front matter and the body of a text.

    Raises `Refusal` where there is none, where it cannot be read, and where it holds what no article may hold.
    """
    fenced = fences.split(text, notes)
    if fenced.kind == "none":
        hint = "begin it with `---`, `title: …`, `publish_date: …`, `---`, if it is an article"
        notes.refuse("frontmatter.none", "has no front matter; not an article", (1, 0), hint, Severity.WARNING)
    if len(fenced.block) > MAX_BLOCK:
        message = f"the front matter has {len(fenced.block) / 1000:.0f} KB; {MAX_BLOCK // 1000} KB are allowed"
        notes.refuse("frontmatter.too-large", message, (fenced.first_line, 0), "move the text into the body")
    handler = _HANDLERS[fenced.kind](text, fenced, notes)
    entries = cast("Entries", frontmatter.parse(text, handler=handler)[0])
    # python-frontmatter strips the body, which an indented code block at its start would not survive
    if "\\" in fenced.block:
        entries = _encodable(entries, notes)
    return FrontMatter(entries, handler.fenced.body, fenced.kind, tuple(handler.edits))


def _encodable(entries: Entries, notes: Notes) -> Entries:
    """Without values that hold NUL or half a character, which JSON and YAML escapes can spell."""
    for key in [key for key, entry in entries.items() if any(map(_SURROGATE.search, (key, *_texts(entry.value))))]:
        notes.left_out(key.encode("utf-8", "replace").decode(), "holds half a character or NUL", entries.pop(key).at)
    return entries


def _texts(value: Value) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"{twice} stands twice")
    return found


def _value(found: Any, depth: int = 1) -> Value:
    """A value of TOML or JSON as YAML front matter would have written it."""
    if depth > MAX_DEPTH:
        raise Unreadable(f"nested more than {MAX_DEPTH} deep")
    if isinstance(found, dict):
        return {str(key): _value(value, depth + 1) for key, value in found.items()}
    if isinstance(found, list):
        return [_value(value, depth + 1) for value in found]
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, date | datetime | time):
        return found.isoformat()
    return None if found is None else str(found)
