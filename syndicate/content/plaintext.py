"""Markdown -> plain text, from its tokens: what the text part of an e-mail shows.

Links become numbers, with their addresses below; tables become columns where they fit, else lines of `head: cell`.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from markdown_it.token import Token

_WIDTH = 78
_BREAK = "\x00"  # a hard line break on its way through the wrapping; the text itself holds no NUL
_TAG = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)|<!--.*?(?:-->|$)", re.IGNORECASE | re.DOTALL)


def render(tokens: Iterable[Token], resolve: Callable[[str], str | None]) -> str:
    """The text of a document, lines of at most 78 columns unless a word or code is longer, footnotes last."""
    page = _Page(resolve)
    blocks = page.blocks(iter(tokens), "")
    text = "\n\n".join(block for block in blocks if block.strip())
    notes = "\n".join(f"[{number}] {address}" for address, number in page.links.items())
    return "\n\n".join(filter(None, (text, notes))) + "\n" if text or notes else ""


class _Page:
    """One document on its way to text; numbers its links."""

    def __init__(self, resolve: Callable[[str], str | None]) -> None:
        self.resolve = resolve
        self.links: dict[str, int] = {}
        self.loose = False  # whether the items of the list at hand are paragraphs

    def blocks(self, tokens: Iterator[Token], closing: str, width: int = _WIDTH) -> list[str]:
        """The blocks up to the token of type `closing`."""
        found = []
        for token in tokens:
            if token.type == closing:
                break
            found.append(self._block(token, tokens, width))
        return found

    def _block(self, token: Token, tokens: Iterator[Token], width: int) -> str:
        if token.type == "paragraph_open":
            self.loose = self.loose or not token.hidden
        if token.type == "inline":
            return _wrap(self.inline(token.children or []), width)
        if token.type == "heading_open":
            return self._heading(token, tokens, width)
        if token.type == "blockquote_open":
            inner = "\n\n".join(filter(None, self.blocks(tokens, "blockquote_close", max(width - 2, 20))))
            return textwrap.indent(inner, "> ", lambda line: True).replace("> \n", ">\n")
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            return self._list(token, tokens, width)
        if token.type in {"fence", "code_block"}:
            return textwrap.indent(token.content.rstrip("\n").expandtabs(4), "    ")
        if token.type == "table_open":
            return _table(self._rows(tokens), width)
        if token.type == "hr":
            return "* * *"
        if token.type == "html_block":
            return _wrap(_without_tags(token.content), width)
        return ""  # the opening and closing of paragraphs

    def _heading(self, token: Token, tokens: Iterator[Token], width: int) -> str:
        text = "\n".join(filter(None, self.blocks(tokens, "heading_close", width)))
        mark = {"h1": "=", "h2": "-"}.get(token.tag)
        longest = max(map(_columns, text.split("\n")), default=0)
        return f"{text}\n{mark * longest}" if mark and text else text

    def _list(self, token: Token, tokens: Iterator[Token], width: int) -> str:
        ordered = token.type == "ordered_list_open"
        number = int(token.attrs.get("start", 1)) if ordered else 0
        closing = token.type.replace("open", "close")
        around, self.loose = self.loose, False
        items = []
        for item in tokens:
            if item.type == closing:
                break
            mark = f"{number}. " if ordered else "- "
            number += 1
            items.append((mark, self.blocks(tokens, "list_item_close", max(width - len(mark), 20))))
        gap = "\n\n" if self.loose else "\n"
        self.loose = around
        return gap.join(mark + _hanging(gap.join(filter(None, blocks)), len(mark)) for mark, blocks in items)

    def _rows(self, tokens: Iterator[Token]) -> list[list[str]]:
        rows: list[list[str]] = []
        for token in tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(self.inline(token.children or []).replace(_BREAK, " "))
        return rows

    def inline(self, tokens: Iterable[Token]) -> str:
        """The text of a line, hard breaks as `_BREAK`."""
        parts: list[str] = []
        opened: list[tuple[str, int]] = []  # address, where its text begins in `parts`
        for token in tokens:
            if token.type == "link_open":
                opened.append((str(token.attrs.get("href", "")), len(parts)))
            elif token.type == "link_close" and opened:
                address, start = opened.pop()
                parts.append(self._note(address, "".join(parts[start:])))
            else:
                parts.append(self._leaf(token))
        return "".join(parts)

    def _leaf(self, token: Token) -> str:
        if token.type in {"text", "code_inline"}:
            return token.content.replace(_BREAK, "")
        if token.type == "softbreak":
            return " "
        if token.type == "hardbreak":
            return _BREAK
        if token.type == "image":
            alt = self.inline(token.children or []).strip()
            return f"[{alt}]" if alt else ""
        if token.type == "html_inline":
            return _BREAK if re.match(r"<br\b", token.content, re.IGNORECASE) else ""
        return ""

    def _note(self, address: str, text: str) -> str:
        """What follows a link's text: nothing where it is its own address."""
        target = self.resolve(address)
        if target is None or target.removeprefix("mailto:") == text.strip():
            return ""
        return f" [{self.links.setdefault(target, len(self.links) + 1)}]"


def _without_tags(markup: str) -> str:
    return html.unescape(_TAG.sub(" ", _UNSEEN.sub("", markup))).replace(_BREAK, "").strip()


def _hanging(text: str, indent: int) -> str:
    return textwrap.indent(text, " " * indent)[indent:]


def _wrap(text: str, width: int) -> str:
    lines = (
        textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
        for part in text.split(_BREAK)
    )
    return "\n".join(line for part in lines for line in part).strip("\n")


def _columns(text: str) -> int:
    """How wide a text stands in a terminal or a plain-text mail."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _table(rows: list[list[str]], width: int) -> str:
    if not rows:
        return ""
    widths = [max(_columns(cell) for cell in column) for column in zip(*rows, strict=False)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        return "\n\n".join(_wrap(line, width) for line in _records(rows))
    lines = [
        "  ".join(cell + " " * (wide - _columns(cell)) for cell, wide in zip(row, widths, strict=False)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * wide for wide in widths), *lines[1:]])


def _records(rows: list[list[str]]) -> list[str]:
    """A table too wide for columns: each row as lines of `head: cell`."""
    head, *body = rows
    return [
        _BREAK.join(f"{name}: {cell}" if name else cell for name, cell in zip(head, row, strict=False)) for row in body
    ]
