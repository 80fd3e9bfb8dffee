"""The plain half of YAML, read by line: `key: text`, quoted or not, and lists of such texts.

Most front matter is no more than that, and regular expressions read it in a third of the time of libyaml, which is a
third of the time of a cold start. Whatever they do not know for certain they leave to `strict.py`: where `read`
answers at all, its answer is the one of the YAML parser (a property test holds them together).
"""

from __future__ import annotations

import re

from syndicate.content.entries import Entries, Entry, Value

#: not printable in YAML 1.1 (§5.1), or a line break only there
_FOREIGN = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# no part can be matched in two ways, so that a line of a hundred thousand blanks takes no longer than one of text
_KEY = r"([A-Za-z_][A-Za-z0-9_-]*)"
#: begins with a letter or digit, so that no indicator is in its place; `: ` and ` #` would end it
_PLAIN = r"(?>[^\W_][^:#\n]*(?:(?::(?=[^ \n])|(?<! )#)[^:#\n]*)*)"
_SINGLE = r"'[^'\n]*(?:''[^'\n]*)*'"
_DOUBLE = r'"[^"\\\n]*"'
_FLOW_ITEM = rf"(?:(?>[^\W_][\w ./+-]*)|{_SINGLE}|{_DOUBLE})"
_FLOW = rf"\[ *(?:{_FLOW_ITEM} *(?:, *{_FLOW_ITEM} *)*)?\]"
_LINE = re.compile(rf"{_KEY}:(?:( +)({_PLAIN}|{_SINGLE}|{_DOUBLE}|{_FLOW}))? *")
_ITEM = re.compile(rf"( *)- +({_PLAIN}|{_SINGLE}|{_DOUBLE}) *")
_BLANK = re.compile(r" *(?:#.*)?")
_FLOW_PART = re.compile(_FLOW_ITEM)
_NULLS = {"null", "Null", "NULL"}  # `~` is no letter


def read(block: str, first_line: int) -> Entries | None:
    """The entries of a block whose first line is `first_line` of the file, or None if it takes a YAML parser."""
    if not block.replace("\n", "").isprintable() and _FOREIGN.search(block):
        return None
    entries: Entries = {}
    items: list[Value] | None = None  # the list that may still grow
    indent = ""
    for number, line in enumerate(block.split("\n"), first_line):
        if found := _LINE.fullmatch(line):
            key, gap, written = found.groups()
            if key in entries:
                return None
            entries[key] = _entry(key, written, number, found.start(3) if gap else 0)
            items = None if gap else []
        elif items is not None and (found := _ITEM.fullmatch(line)):
            if not items:
                indent = found[1]
                entries[key] = Entry(key, items, number, len(indent) + 1)
            elif found[1] != indent:
                return None
            items.append(_scalar(found[2])[0])
        elif not _BLANK.fullmatch(line):
            return None
    return entries


def _entry(key: str, written: str | None, line: int, start: int) -> Entry:
    if written is None:
        return Entry(key, None, line, 1)
    if written[0] == "[":
        parts: list[Value] = [_scalar(part)[0] for part in _FLOW_PART.findall(written)]
        return Entry(key, parts, line, start + 1)
    value, style = _scalar(written)
    return Entry(key, value, line, start + 1, style)


def _scalar(written: str) -> tuple[str | None, str]:
    """(text, style) of a scalar."""
    style = written[0]
    if style == "'":
        return written[1:-1].replace("''", "'"), style
    if style == '"':
        return written[1:-1], style
    text = written.rstrip(" ")
    return None if text in _NULLS else text, ""
