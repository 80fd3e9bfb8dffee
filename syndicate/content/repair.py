"""YAML front matter as people write it, entry by entry.

The block is cut at its keys; what YAML can read stays as YAML reads it, and only an entry that it cannot read is
repaired, if one reading alone is possible. Lines are never joined, and an entry's fault never reaches its neighbour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from syndicate.content import quotes, strict
from syndicate.content.entries import MAX_KEYS, Edit, Entries, Entry
from syndicate.content.keys import KNOWN, LISTS, TEXT, TITLE, normal
from syndicate.content.notes import Notes, Unreadable

_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_KEY = re.compile(r"""([^\W\d][\w .-]{0,60}?|"[^"]*"|'[^']*')([ \t]*)(?:(:)(?=[ \t]|$)|(：))""")
_TIGHT_KEY = re.compile(r"(\w[\w-]*)([ \t]*)(:)(?!//)(?=\S)")
#: quote mark -> a scalar between two of them
_TOKENS = {"'": re.compile(r"'[^']*(?:''[^']*)*'"), '"': re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')}
_HASH = re.compile(r"[ \t]#(?=[^\s#])")
_TAIL = re.compile(r"(?<![ \t])[ \t]++(?:#(?:\s.*)?)?$")
_TWICE = re.compile(r"(?<=\w)''(?=\w)")
#: characters of a value that are shown before and after what was repaired, and how many may end it
_BEFORE, _AFTER, _END = 12, 14, 30


@dataclass(slots=True)
class _Chunk:
    """One top-level entry as it stands in the file; its lines change as it is repaired."""

    key: str
    #: of the file, 1-based
    line: int
    lines: list[str] = field(default_factory=list)
    changed: bool = False
    certain: bool = True

    def read(self) -> Entry:
        """As YAML reads it. Raises `Broken` or `Unsafe`."""
        entries = strict.read("\n".join(self.lines), self.line)
        if len(entries) != 1:
            raise strict.Broken("text stands between two keys", (self.line, 1))
        (entry,) = entries.values()
        if entry.key != self.key:
            raise strict.Broken("not a key", (self.line, 1))
        return entry

    @property
    def is_one_line(self) -> bool:
        return not any(line.strip() and not line.lstrip().startswith("#") for line in self.lines[1:])


def read(block: str, first_line: int, notes: Notes) -> tuple[Entries, list[Edit]]:
    """The entries of a block that is no YAML, and what would mend it.

    Raises `Refusal` where it cannot be cut into entries, or where the title is among what cannot be read.
    """
    if found := _CONFLICT.search(block):
        line = first_line + block.count("\n", 0, found.start())
        notes.refuse("frontmatter.conflict", "git's conflict marks are in the front matter", (line, 1), "resolve them")
    entries: Entries = {}
    edits: list[Edit] = []
    chunks = _chunks(block, first_line, notes)
    if len(chunks) > MAX_KEYS:
        notes.refuse("frontmatter.too-large", f"the front matter has more than {MAX_KEYS} keys", (first_line, 0))
    for chunk in chunks:
        if chunk.key in entries:
            why = f"{chunk.key} stands twice (first in line {entries[chunk.key].line})"
            notes.refuse("frontmatter.duplicate-key", why, (chunk.line, 1), "keep one of them")
        before = list(chunk.lines)
        entry = _entry(chunk, notes)
        if entry is not None:
            entries[chunk.key] = entry
            edits += _edits(chunk, before)
    return entries, edits


def check_text(entries: Entries, block: str, first_line: int, notes: Notes) -> tuple[Entries, list[Edit]]:
    """Finds in valid YAML what says something else than was written, in keys that hold prose."""
    if "#" not in block and "''" not in block:
        return entries, []
    changed, edits = dict(entries), []
    lines = block.split("\n")
    for key, entry in entries.items():
        if normal(key) not in TEXT or not isinstance(entry.value, str):
            continue
        line = lines[entry.line - first_line]
        written = line[entry.column - 1 :]
        if found := (_lost_hash(entry, written) or _doubled(entry, written)):
            meant, tail = found
            changed[key] = replace(entry, value=meant.text)
            edits.append(Edit(entry.line, 1, (line[: entry.column - 1] + meant.rewritten + tail,)))
            _say(notes, key, meant, entry.value, entry.line, entry.column)
    return changed, edits


def _lost_hash(entry: Entry, written: str) -> tuple[quotes.Meant, str] | None:
    """`title: Monthly #4`: YAML takes ` #4` for a comment."""
    value = str(entry.value)
    if entry.style or not written.startswith(value) or not _HASH.match(written, len(value)):
        return None
    tail = found[0] if (found := _TAIL.search(written)) else ""
    text = written.removesuffix(tail)
    what = "a # after a blank begins a comment in YAML"
    return quotes.Meant(text, "frontmatter.hash-in-text", what, len(value) + 1), tail


def _doubled(entry: Entry, written: str) -> tuple[quotes.Meant, str] | None:
    """`"Continent''s"`: an apostrophe is doubled where it need not be, and so stays doubled in the text."""
    value = str(entry.value)
    if entry.style not in _TOKENS or not _TWICE.search(value):
        return None
    token = _TOKENS[entry.style].match(written)
    if not token:
        return None
    text, what = _TWICE.sub("'", value), "an apostrophe is doubled and need not be"
    offset = max(token[0].find("''"), 0)
    return quotes.Meant(text, "frontmatter.doubled-apostrophe", what, offset, style=entry.style), written[token.end() :]


def _chunks(block: str, first_line: int, notes: Notes) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    for number, line in enumerate(block.split("\n"), first_line):
        found = _KEY.match(line) or ((tight := _TIGHT_KEY.match(line)) and normal(tight[1]) in KNOWN and tight)
        if found:
            chunks.append(_Chunk(found[1].strip("\"'"), number, [line]))
        elif chunks:
            chunks[-1].lines.append(line)
        elif line.strip() and not line.lstrip().startswith("#"):
            notes.refuse(
                "frontmatter.invalid",
                "text stands before the first key of the front matter",
                (number, 1),
                "begin every line with `key: `",
            )
    return chunks


def _entry(chunk: _Chunk, notes: Notes) -> Entry | None:
    """The entry, repaired if need be; None where it is left out. Raises `Refusal` for an unreadable title."""
    try:
        try:
            entry = chunk.read()
        except strict.Broken:
            entry = _repaired(chunk, notes)
    except strict.Unsafe as error:
        notes.refuse("frontmatter.unsafe", error.why, error.at, "mend it by hand: no repair of it would be certain")
    except Unreadable as error:
        at = error.at if error.at[0] else (chunk.line, _value_column(chunk))
        if normal(chunk.key) in TITLE:
            hint = error.hint or 'put the title between double quotes, and write \\" for a quote mark in it'
            notes.refuse("frontmatter.unreadable-title", f"{chunk.key}: {error.why}", at, hint)
        notes.left_out(chunk.key, error.why, at, error.hint or "put the text between quotes")
        return None
    texts, edits = check_text({entry.key: entry}, "\n".join(chunk.lines), chunk.line, notes)
    for edit in edits:
        chunk.lines[edit.line - chunk.line] = edit.lines[0]
    return texts[entry.key]


def _repaired(chunk: _Chunk, notes: Notes) -> Entry:
    """Mends the chunk's lines step by step until YAML reads them. Raises `Unreadable`."""
    said = len(notes.problems)
    for step in (_space_after_colon, _key_once, _tabs, _list_items):
        if not step(chunk, notes):
            continue
        try:
            return chunk.read()
        except strict.Broken:
            pass
    try:
        return _value(chunk, notes)
    except Unreadable:
        del notes.problems[said:]  # half a repair is none
        raise


def _space_after_colon(chunk: _Chunk, notes: Notes) -> bool:
    """`key:value` and `key：value`."""
    line = chunk.lines[0]
    found = _TIGHT_KEY.match(line) or _KEY.match(line)
    if not found or (found.re is _KEY and not found[4]):
        return False
    rest = line[found.end() :].lstrip()
    chunk.lines[0] = f"{found[1]}: {rest}"
    wide = found.re is _KEY
    what = "the colon is a full-width one" if wide else "no space after the colon"
    code = "frontmatter.wide-colon" if wide else "frontmatter.no-space"
    notes.repaired(code, f"{chunk.key}: {what}; read as {_shown(rest, 0)}", (chunk.line, found.end()))
    return True


def _key_once(chunk: _Chunk, notes: Notes) -> bool:
    """`title: title: x`."""
    found = re.match(rf"({re.escape(chunk.key)}\s*:\s+){re.escape(chunk.key)}\s*:\s+(?=\S)", chunk.lines[0])
    if not found:
        return False
    rest = chunk.lines[0][found.end() :]
    chunk.lines[0] = found[1] + rest
    message = f"{chunk.key}: the key stands twice in its line; read as {_shown(rest, 0)}"
    notes.repaired("frontmatter.key-twice", message, (chunk.line, found.end(1) + 1))
    return True


def _tabs(chunk: _Chunk, notes: Notes) -> bool:
    """YAML knows no tabs at a line's start."""
    tabbed = [number for number, line in enumerate(chunk.lines) if re.match(r"[ ]*\t", line)]
    for number in tabbed:
        indent = re.match(r"[ \t]*", chunk.lines[number])
        width = indent.end() if indent else 0
        chunk.lines[number] = chunk.lines[number][:width].replace("\t", "  ") + chunk.lines[number][width:]
    if tabbed:
        message = f"{chunk.key}: tabs at the start of a line are not YAML; read as two spaces each"
        notes.repaired("frontmatter.tabs", message, (chunk.line + tabbed[0], 1))
    return bool(tabbed)


def _list_items(chunk: _Chunk, notes: Notes) -> bool:
    """`-item` in a list of tags or authors."""
    items = [number for number, line in enumerate(chunk.lines) if number and line.strip()]
    tight = [number for number in items if re.match(r"\s*-[^\s-]", chunk.lines[number])]
    is_list = all(re.match(r"\s*-(?!-)", chunk.lines[number]) for number in items)
    if not tight or not is_list or normal(chunk.key) not in LISTS:
        return False
    for number in tight:
        chunk.lines[number] = chunk.lines[number].replace("-", "- ", 1)
    message = f"{chunk.key}: no space after the - of a list item; read as a list of {len(items)}"
    notes.repaired("frontmatter.list-space", message, (chunk.line + tight[0], 1))
    return True


def _value_column(chunk: _Chunk) -> int:
    found = _KEY.match(chunk.lines[0])
    rest = chunk.lines[0][found.end() :] if found else ""
    return len(chunk.lines[0]) - len(rest.lstrip()) + 1 if rest.strip() else 1


def _value(chunk: _Chunk, notes: Notes) -> Entry:
    """An entry of one line whose value was meant as text. Raises `Unreadable`."""
    column = _value_column(chunk)
    written = chunk.lines[0][column - 1 :].rstrip()
    blanks = chunk.lines[0][column - 1 + len(written) :]
    if "{{" in written:
        raise Unreadable("a template's placeholder was left in", hint="write the value itself")
    if not chunk.is_one_line:
        raise Unreadable("its lines are not one YAML value", hint="put the text in quotes, on one line")
    meant = quotes.meant(written, normal(chunk.key) in TEXT)
    chunk.lines[0] = chunk.lines[0][: column - 1] + meant.rewritten + blanks
    chunk.certain = chunk.certain and meant.certain
    _say(notes, chunk.key, meant, written, chunk.line, column)
    return Entry(chunk.key, meant.text, chunk.line, column, meant.style)


def _say(notes: Notes, key: str, meant: quotes.Meant, written: str, line: int, column: int) -> None:
    message = f"{key}: {meant.what}; read as {_shown(meant.text, meant.offset - (written[:1] in _MARKS))}"
    hint = "" if meant.certain else "mend it in the file"
    tell = notes.repaired if meant.certain else notes.warn
    tell(meant.code, message, (line, column + meant.offset), hint)


_MARKS = {"'", '"'}


def _shown(text: str, offset: int) -> str:
    """The words around a place in a text, between typographic ellipses where it was cut."""
    text = text.strip("\"'") if offset == 0 else text
    start = max(offset - _BEFORE, 0)
    stop = len(text) if len(text) - offset <= _END else offset + _AFTER
    if start:
        start = text.find(" ", start, offset) + 1 or start
    if stop < len(text):
        stop = max(text.rfind(" ", offset, stop + 1), 0) or stop
    return f'"{"… " if start else ""}{text[start:stop]}{" …" if stop < len(text) else ""}"'


def _edits(chunk: _Chunk, before: list[str]) -> list[Edit]:
    """What would write the chunk's repair into the file; nothing for one that is only probable."""
    if not chunk.certain or chunk.lines == before:
        return []
    changed = [number for number, pair in enumerate(zip(before, chunk.lines, strict=True)) if pair[0] != pair[1]]
    return [Edit(chunk.line + number, 1, (chunk.lines[number],)) for number in changed]
