"""The text of an article as the posts of a thread: whole paragraphs where they fit, else whole sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from syndicate.model import TextRules
from syndicate.render.fit import ELLIPSIS, Part, fit, fits
from syndicate.render.gist import in_sentences

_BLANK_LINE = regex.compile(r"\n\s*\n")
#: Characters of a line that still reads as a heading.
_HEADING = 80
# Code, rules, the lines under a table's head, and the footnotes of a plain-text body say nothing in a post.
_LEFT_OUT = regex.compile(r"    |[*] [*] [*]$|\[\d+\] |(?:.*\n)?-+(?:  -+)+(?:\n|$)")
_ENDS = frozenset('.!?:…。！？”"')
_BETWEEN = " \t\n,;:"
_UNDERLINE = regex.compile(r"\n[=-]+$")
_QUOTED = regex.compile(r"^(?:> ?)+", regex.MULTILINE)
_ITEM = regex.compile(r"^ *(?:[-*•]|(\d+)[.)]) +", regex.MULTILINE)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is not cut, unless it alone is too long."""

    words: str
    #: what stands between it and the piece before: a blank between sentences, a line break between the items of a list
    glue: str = ""


def posts(text: str, rules: TextRules, most: int) -> tuple[str, ...]:
    """The beginning of `text`, the plain text of an article, as at most `most` posts that the network takes."""
    made: list[str] = []
    for piece in (piece for paragraph in _paragraphs(text) for piece in _portions(paragraph, rules)):
        joined = f"{made[-1]}{piece.glue}{piece.words}" if made else ""
        if joined and fits(joined, rules):
            made[-1] = joined
        elif len(made) == most:
            break
        else:
            made.append(piece.words)
    return tuple(made)


def _portions(paragraph: list[Piece], rules: TextRules) -> Iterator[Piece]:
    """A paragraph as one piece if a post has room for it, else as its sentences."""
    whole = "".join((paragraph[0].words, *(piece.glue + piece.words for piece in paragraph[1:])))
    if fits(whole, rules):
        yield Piece(whole, "\n\n")
        return
    for piece in paragraph:
        yield from _cut(piece, rules)


def _cut(piece: Piece, rules: TextRules) -> Iterator[Piece]:
    """A sentence that is longer than a post goes on in the next one; a word that is, ends it."""
    words, glue = piece.words, piece.glue
    while not fits(words, rules):
        head = fit([Part("text", words)], rules).text
        said = head.removesuffix(ELLIPSIS).rstrip()
        if not said.strip(ELLIPSIS):
            return
        yield Piece(head, glue)
        words, glue = f"{ELLIPSIS} {words[len(said) :].lstrip(_BETWEEN)}", " "
    yield Piece(words, glue)


def _paragraphs(text: str) -> Iterator[list[Piece]]:
    """Each with a blank line before it; a heading stands before the first sentence of what it heads."""
    headings: list[str] = []
    for block in map(str.rstrip, _BLANK_LINE.split(text.strip("\n"))):
        if not block or _LEFT_OUT.match(block):
            continue
        if _is_heading(block):
            headings.append(_UNDERLINE.sub("", block))
        elif pieces := list(_pieces(block)):
            yield [Piece("\n\n".join((*headings, pieces[0].words)), "\n\n"), *pieces[1:]]
            headings = []
    if headings:
        yield [Piece("\n\n".join(headings), "\n\n")]


def _is_heading(block: str) -> bool:
    line = _UNDERLINE.sub("", block)
    return len(line) <= _HEADING and "\n" not in line and not _ITEM.match(line) and line[-1:] not in _ENDS


def _pieces(block: str) -> Iterator[Piece]:
    """The sentences of running text, or of the items of a list."""
    for line in _lines(block):
        glue = "\n"
        for sentence in in_sentences(line):
            yield Piece(sentence, glue)
            glue = " "


def _lines(block: str) -> Iterator[str]:
    """The items of a list, each with its mark; any other block as it is, without the marks of a quotation."""
    if not _ITEM.match(block):
        yield _QUOTED.sub("", block)
        return
    starts = [item.start() for item in _ITEM.finditer(block)]
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        yield _ITEM.sub(lambda item: f"{item[1]}. " if item[1] else "– ", block[start:end], count=1)


def numbered(texts: Sequence[str]) -> tuple[str, ...]:
    """Each with its number and how many there are at its end."""
    return tuple(f"{text}\n\n{number}/{len(texts)}" for number, text in enumerate(texts, start=1))


def inner(rules: TextRules, most: int) -> TextRules:
    """The rules with room for the number at the end of a post; its characters are one unit each everywhere."""
    room = len(f"\n\n{most}/{most}")
    return replace(rules, max_length=rules.max_length - room, max_bytes=max(rules.max_bytes - room, 0))
