"""Where the front matter of a text begins and ends, in every way in which people fence it.

A fence that is missing or in the wrong place is repaired where nothing else can have been meant: none at the start,
indented ones, keys above the first one, none at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from syndicate.content.entries import Edit
from syndicate.content.keys import ALIASES, KNOWN, TITLE, normal
from syndicate.content.notes import Notes

#: gray-matter runs `---js`; we run nothing
_LANGUAGES = {"": "yaml", "yaml": "yaml", "yml": "yaml", "toml": "toml", "json": "json"}
_OPEN = re.compile(r"(?:[ \t]*\n)*([ \t]*+)(-{3,}+|\+{3,}+)[ \t]*+(\w*+)[ \t]*+(?:\n|\Z)")
_CLOSE = {
    mark: (re.compile(rf"^{fence}[ \t]*$", re.MULTILINE), re.compile(rf"^[ \t]{{1,8}}{fence}[ \t]*$", re.MULTILINE))
    for mark, fence in (("+", r"\+{3,}"), ("-", r"(?:-{3,}|\.\.\.)"))
}
_JSON = re.compile(r"\s*\{\s*[\"}]")
_JSON_CLOSE = re.compile(r"\}[ \t]*$", re.MULTILINE)
_KEY_LINE = re.compile(r"[^\W\d][\w .-]*[:：](?:[ \t].*)?")
_DATES_AND_TITLES = {*TITLE, *ALIASES["published"]}


@dataclass(frozen=True, slots=True)
class Fenced:
    """A text, cut in two."""

    #: `yaml`, `toml`, `json`, `headers`, or `none`
    kind: str
    #: the front matter without its fences
    block: str
    #: line of the file in which `block` begins, 1-based
    first_line: int
    body: str
    #: what would put the fences where they belong
    edits: tuple[Edit, ...] = ()


def split(text: str, notes: Notes) -> Fenced:
    """Front matter and body. Raises `Refusal` where they cannot be told apart."""
    if found := _OPEN.match(text):
        return _fenced(text, found, notes)
    if found := _JSON.match(text):
        return _json(text, notes)
    return _without_opening(text, notes)


def cut_at_blank_line(text: str, fenced: Fenced, notes: Notes) -> Fenced | None:
    """The same text, if its front matter was never closed and a later rule of the body was taken for the fence.

    That is so where a paragraph stands after a blank line of the block.
    """
    head, blank, rest = fenced.block.partition("\n\n")
    if not blank or not _is_prose(rest):
        return None
    body = text.split("\n", fenced.first_line + head.count("\n") + 1)[-1]
    return _unclosed(head, fenced.first_line, body, notes)


def _is_prose(lines: str) -> bool:
    """Whether the first line with anything in it is none that front matter can hold."""
    first = next((line for line in lines.split("\n") if line.strip()), "")
    return bool(first) and first[0] not in " \t#-]}\"'" and not _KEY_LINE.match(first)


def _fenced(text: str, found: re.Match[str], notes: Notes) -> Fenced:
    indent, fence, language = found.groups()
    first_line = text.count("\n", 0, found.end()) + 1
    kind = "toml" if fence[0] == "+" else _LANGUAGES.get(language.lower(), "")
    if not kind:
        hint = "use YAML, TOML or JSON"
        notes.refuse("frontmatter.language", f"front matter in {language} is never run", (first_line - 1, 0), hint)
    closing = _closing(text, found.end(), fence[0], indent)
    if closing is None:
        return _unclosed_fence(text, found.end(), first_line, kind, notes)
    block = text[found.end() : closing.start()].removesuffix("\n")
    body = text[closing.end() :].removeprefix("\n")
    if kind == "yaml" and ":" not in block and _is_prose(block):
        return Fenced("none", "", 1, text)  # a paragraph between two rules
    if closing[0].strip() == "..." and _OPEN.match(body):
        line = text.count("\n", 0, closing.end()) + 2
        notes.refuse("frontmatter.invalid", "a second YAML document begins here", (line, 0), "keep only one")
    if indent or closing[0][0] in " \t":
        whole = Fenced(kind, block, first_line, body)
        return _dedented(whole, fence + language, closing[0].strip(), notes)
    return Fenced(kind, block, first_line, body)


def _closing(text: str, start: int, mark: str, indent: str) -> re.Match[str] | None:
    """The closing fence: at the line's start, or else indented as the opening one may be."""
    straight, askew = _CLOSE[mark]
    order = (askew, straight) if indent else (straight, askew)
    return order[0].search(text, start) or order[1].search(text, start)


def _dedented(whole: Fenced, opening: str, closing: str, notes: Notes) -> Fenced:
    lines, first_line = whole.block.split("\n"), whole.first_line
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    lines = [line[depth:] for line in lines]
    notes.repaired("frontmatter.fence-indented", "the --- lines of the front matter are indented", (first_line - 1, 1))
    edit = Edit(first_line - 1, len(lines) + 2, (opening, *lines, closing))
    return replace(whole, block="\n".join(lines), edits=(edit,))


def _unclosed_fence(text: str, start: int, first_line: int, kind: str, notes: Notes) -> Fenced:
    head, blank, body = text[start:].partition("\n\n")
    if kind == "yaml" and not _KEY_LINE.match(head.lstrip().split("\n")[0]):
        return Fenced("none", "", 1, text)  # a rule, not a fence
    if kind != "yaml" or not blank:
        hint = "write a closing fence (--- or +++) below its last key"
        notes.refuse("frontmatter.unclosed", "the front matter is never closed", (first_line - 1, 0), hint)
    return _unclosed(head, first_line, body, notes)


def _unclosed(head: str, first_line: int, body: str, notes: Notes) -> Fenced:
    line = first_line + head.count("\n") + 1
    notes.warn(
        "frontmatter.unclosed",
        "the front matter is never closed; its first blank line was taken for its end",
        (line, 0),
        hint="write --- in that line",
    )
    return Fenced("yaml", head, first_line, body)


def _json(text: str, notes: Notes) -> Fenced:
    first_line = text[: len(text) - len(text.lstrip())].count("\n") + 1
    closing = next((end for end in _JSON_CLOSE.finditer(text) if text[end.start() - 1 : end.start()] in "\n"), None)
    closing = closing or _JSON_CLOSE.search(text)
    if closing is None:
        notes.refuse(
            "frontmatter.unclosed", "the JSON front matter is never closed", (first_line, 1), "close it with }"
        )
    return Fenced("json", text[: closing.end()].lstrip(), first_line, text[closing.end() :].removeprefix("\n"))


def _without_opening(text: str, notes: Notes) -> Fenced:
    """Keys at the top of the file that no fence opens: the fence was forgotten, or they are headers."""
    lines = text.split("\n", 200)
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    stop = start
    while stop < len(lines) and _is_front_matter(lines[stop], stop == start):
        stop += 1
    head = lines[start:stop]
    keys = {normal(line.partition(":")[0]) for line in head if _KEY_LINE.match(line)}
    at_fence = stop < len(lines) and re.fullmatch(r"-{3,}[ \t]*", lines[stop])
    if at_fence and keys & KNOWN:
        return _missing_fence(lines, start, stop, keys, notes) or Fenced("none", "", 1, text)
    at_blank = stop >= len(lines) or not lines[stop].strip()
    if at_blank and keys & TITLE and len(keys) > 1:
        return Fenced("headers", "\n".join(head), start + 1, "\n".join(lines[stop:]))
    return Fenced("none", "", 1, text)


def _is_front_matter(line: str, is_first: bool) -> bool:
    return bool(_KEY_LINE.fullmatch(line)) or (not is_first and bool(line.strip()) and line[0] in " \t#")


def _missing_fence(lines: list[str], start: int, stop: int, keys: set[str], notes: Notes) -> Fenced | None:
    """Keys, then a fence: it closes them, or it stands below the first ones of them."""
    head = lines[start:stop]
    rest = "\n".join(lines[stop + 1 :])
    closing = re.search(r"^-{3,}[ \t]*$", rest, re.MULTILINE)
    if closing and _KEY_LINE.match(rest):
        notes.repaired("frontmatter.keys-above", "keys stand above the opening ---", (start + 1, 1))
        edit = Edit(start + 1, len(head) + 1, ("---", *head))
        block = "\n".join([*head, "", rest[: closing.start()].removesuffix("\n")])
        return Fenced("yaml", block, start + 1, rest[closing.end() :].removeprefix("\n"), (edit,))
    if not keys & _DATES_AND_TITLES:
        return None  # a heading that is underlined
    notes.repaired("frontmatter.fence-missing", "the opening --- is missing", (start + 1, 1))
    return Fenced("yaml", "\n".join(head), start + 1, rest, (Edit(start + 1, 0, ("---",)),))
