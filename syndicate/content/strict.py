"""YAML front matter as the specification has it, minus what has no place in an article.

Scalars stay the text that was written. Anchors, aliases, merge keys and tags are refused: they are how YAML bombs
and object injection work, and no article needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from syndicate.content import lines
from syndicate.content.entries import MAX_DEPTH, Entries, Entry, Value
from syndicate.content.notes import At, Unreadable

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = {"", "~", "null", "Null", "NULL"}
_TEXT_TAG = "tag:yaml.org,2002:str"


class Broken(Unreadable):
    """It is not YAML. May be repaired."""


class Unsafe(Unreadable):
    """It is YAML that an article may not hold. Never repaired."""


def read(block: str, first_line: int = 1) -> Entries:
    """The entries of a block whose first line is `first_line` of the file, in their order.

    Raises `Broken` or `Unsafe`, with the position in the file.
    """
    quick = lines.read(block, first_line)
    return _Parser(block, first_line).mapping() if quick is None else quick


class _Parser:
    """Builds entries from the events of one YAML document."""

    def __init__(self, block: str, first_line: int) -> None:
        self.block, self.first_line = block, first_line
        self.events: Iterator[Any] = iter(())

    def mapping(self) -> Entries:
        try:
            self.events = yaml.parse(self.block, Loader=_Loader)
            return self._document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            why = getattr(error, "problem", None) or "not YAML"
            raise Broken(why, self._at(mark) if mark else (self.first_line, 0)) from None

    def _document(self) -> Entries:
        """The one document there may be, which is a mapping, or empty."""
        next(self.events)  # stream start
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return {}
        root = next(self.events)
        if _is_null(root):
            return {}
        if not isinstance(root, yaml.MappingStartEvent):
            raise Broken("not a list of `key: value` lines", self._at(root.start_mark))
        self._check(root)
        entries: Entries = {}
        for key, event in self._keys(root):
            value = self._value(event, 1)
            empty = _is_null(event) and not event.value
            at = self._at(self.key_mark if empty else event.start_mark)
            entries[key] = Entry(key, value, *at, style=getattr(event, "style", None) or "")
        next(self.events)  # document end
        if not isinstance(second := next(self.events), yaml.StreamEndEvent):
            raise Unsafe("a second YAML document begins here; keep one", self._at(second.start_mark))
        return entries

    def _keys(self, parent: Any) -> Iterator[tuple[str, Any]]:
        """(key, first event of the value) for each pair of a mapping."""
        seen: dict[str, At] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = self._at(event.start_mark)
            self._check(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise Broken("a key has to be a word", at)
            if event.value == "<<":
                raise Unsafe("merge keys (<<) are not allowed here; write the keys out", at)
            if event.value in seen:
                raise Unsafe(f"{event.value} stands twice (first in line {seen[event.value][0]}); keep one of them", at)
            seen[event.value] = at
            self.key_mark = event.start_mark
            yield event.value, next(self.events)

    def _value(self, event: Any, depth: int) -> Value:
        self._check(event)
        if depth > MAX_DEPTH:
            raise Unsafe(f"nested more than {MAX_DEPTH} deep; flatten it", self._at(event.start_mark))
        if isinstance(event, yaml.ScalarEvent):
            return None if _is_null(event) else event.value
        if isinstance(event, yaml.MappingStartEvent):
            return {key: self._value(first, depth + 1) for key, first in self._keys(event)}
        items: list[Value] = []
        while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(item, depth + 1))
        return items

    def _check(self, event: Any) -> None:
        at = self._at(event.start_mark)
        if isinstance(event, yaml.AliasEvent):  # of nothing: no anchor came this far, so it is text like `*new*`
            raise Broken("a value that begins with * needs quotes", at)
        if event.anchor is not None:
            raise Unsafe("YAML anchors and aliases (& and *) are not allowed here; quote the text", at)
        if event.tag not in {None, _TEXT_TAG}:
            raise Unsafe("YAML tags (!) are not allowed here; quote the text", at)

    def _at(self, mark: Any) -> At:
        return mark.line + self.first_line, mark.column + 1


def _is_null(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.style and event.tag is None and event.value in _NULLS
