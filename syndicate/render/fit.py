"""The one shortener: a text made of parts is brought to the length a network takes, in its own way of counting.

A part is dropped line by line in the declared order, then what is left is shortened at a word. A link, half a word, or
half a grapheme (UAX #29, `\\X`) is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from unicodedata import normalize

import regex

from syndicate.errors import RenderError
from syndicate.model import TextRules
from syndicate.model.links import URL

ELLIPSIS = "…"
# Chinese and Japanese are written without spaces and break anywhere: there each grapheme counts as a word (UAX #14).
_IDEOGRAPH = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_WORD = regex.compile(rf"{URL.pattern}|(?={_IDEOGRAPH})\X|(?:(?!{_IDEOGRAPH})\S)+|\s+")
_LIGHT = regex.compile(r"[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Emoji}\u20e3")
# X makes a link of `example.com` too, if there is such a top-level domain. Nobody here knows them all, so each name
# that could be one costs as much as a link.
_NAME = regex.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[A-Za-z]{2,}\b")
_CLOSING = " \t\n,;:–—-("


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a post, with blank lines around it."""

    name: str
    text: str
    #: place in the drop order, from 1; 0: never dropped, but shortened when nothing else is left
    drop: int = 0
    #: the link: neither dropped nor shortened, but at last bared of the words around its URL
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text, and what it cost."""

    text: str
    #: names of the parts that lost lines or words, in the order in which they did
    cut: tuple[str, ...] = ()


def measure(text: str, rules: TextRules) -> int:
    """Length of `text` in the network's units: URLs at their fixed price, escaped characters and mentions at more."""
    links = 0
    if rules.link_length:
        text, links = URL.subn("", text)
    escapes = sum(map(text.count, rules.escaped)) + sum(cost for name, cost in rules.named if name in text)
    return _units(text, rules) + escapes + links * rules.link_length


def _units(text: str, rules: TextRules) -> int:
    if rules.unit == "utf16":
        return len(text.encode("utf-16-le")) // 2
    if rules.unit == "byte":
        return len(text.encode())
    if rules.unit == "grapheme":
        return len(regex.findall(r"\X", text))
    if rules.unit == "emoji":
        return sum(len(g.encode() if _EMOJI.search(g) else g) for g in regex.findall(r"\X", text))
    if rules.unit == "weighted":
        text = normalize("NFC", text)
        names = (_weight(name[0]) for name in _NAME.finditer(text))
        return _weight(text) + sum(max(rules.link_length - weight, 0) for weight in names)
    return len(text)


def _weight(text: str) -> int:
    """As X weighs (twitter-text, config/v3.json): an emoji two, Latin and its neighbours one, everything else two."""
    return sum(
        2 if _EMOJI.search(grapheme) else 2 * len(grapheme) - len(_LIGHT.findall(grapheme))
        for grapheme in regex.findall(r"\X", text)
    )


def fits(text: str, rules: TextRules) -> bool:
    """Whether the network takes a text of this length."""
    if rules.max_bytes and len(text.encode("utf-8", "replace")) > rules.max_bytes:
        return False
    return not rules.max_length or measure(text, rules) <= rules.max_length


def fit(parts: Sequence[Part], rules: TextRules) -> Fitted:
    """Joins the parts with blank lines, and drops and shortens as declared until the network takes the text.

    Raises `RenderError` where not even the parts that must stay whole fit.
    """
    kept = [part for part in parts if part.text]
    cut: dict[str, None] = {}
    while not fits(_joined(kept), rules):
        smaller = _drop_a_line(kept) or _shorten_one(kept, rules) or _bare_link(kept)
        if smaller is None:
            raise RenderError(
                f"the link alone is longer than the {rules.max_length} characters that the network takes",
                hint="Give the article a shorter url.",
            )
        cut[smaller.name] = None
        kept = [smaller if part.name == smaller.name else part for part in kept]
        kept = [part for part in kept if part.text]
    return Fitted(_joined(kept), tuple(cut))


def _joined(parts: Iterable[Part]) -> str:
    return "\n\n".join(part.text for part in parts)


def _drop_a_line(parts: Sequence[Part]) -> Part | None:
    """The part that is next in the drop order, without its last line."""
    droppable = [part for part in parts if part.drop and not part.whole]
    if not droppable:
        return None
    part = min(droppable, key=lambda part: part.drop)
    lines = part.text.rstrip().split("\n")[:-1]
    # A line that ends in a colon announced the lines that are gone.
    while lines and (not lines[-1].strip() or lines[-1].rstrip().endswith(":")):
        lines.pop()
    return replace(part, text="\n".join(lines))


def _shorten_one(parts: Sequence[Part], rules: TextRules) -> Part | None:
    """The last part that may be shortened, as long as the others leave room for."""
    for at in reversed(range(len(parts))):
        if not parts[at].whole:
            return replace(parts[at], text=_longest(parts[at].text, parts[:at], parts[at + 1 :], rules))
    return None


def _bare_link(parts: Sequence[Part]) -> Part | None:
    """A whole part that still holds more than its URL, which stands last, without the rest: a title may hold others."""
    for part in parts:
        urls = URL.findall(part.text)
        if urls and urls[-1] != part.text:
            return replace(part, text=urls[-1])
    return None


def _longest(text: str, before: Sequence[Part], after: Sequence[Part], rules: TextRules) -> str:
    """The longest beginning of `text` that fits between its neighbours; empty if not one word does."""

    def good(words: int) -> bool:
        part = Part("", beginning(tokens, words))
        return fits(_joined([*before, part, *after] if part.text else [*before, *after]), rules)

    tokens = _WORD.findall(text)
    low, high = 0, len(tokens) - 1
    while low < high:  # bisect: each further word makes the text longer
        middle = (low + high + 1) // 2
        low, high = (middle, high) if good(middle) else (low, middle - 1)
    return beginning(tokens, max(low, 0))


def beginning(tokens: Sequence[str], words: int) -> str:
    """The first `words` tokens with an ellipsis; empty if they hold no word. A URL at the cut stays whole."""
    head = "".join(tokens[:words]).rstrip(_CLOSING)
    if not head:
        return ""
    return f"{head} {ELLIPSIS}" if URL.fullmatch(tokens[words - 1].strip()) else head + ELLIPSIS


def shorten(text: str, length: int) -> str:
    """`text` in one line of at most `length` characters, cut at a word, or inside a first word that is longer."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    return _longest(text, [], [], TextRules(max_length=length)) or _graphemes(text, length - 1) + ELLIPSIS


def _graphemes(text: str, length: int) -> str:
    """The longest beginning of at most `length` characters that ends with a whole grapheme."""
    ends = [match.end() for match in regex.finditer(r"\X", text)]
    return text[: max((end for end in ends if end <= length), default=0)]


def fold(text: str, rules: TextRules) -> tuple[str, str]:
    """What a phone and a desktop show before “…more”; the whole text where the network folds nothing.

    Networks cut by rendered lines, not characters; a line holds about `fold_phone` or `fold_desktop` of them.
    """
    return _above(text, rules.fold_lines, rules.fold_phone), _above(text, rules.fold_lines, rules.fold_desktop)


def _above(text: str, lines: int, width: int) -> str:
    if not lines or not width:
        return text
    shown = [row for line in text.split("\n") for row in _rows(line, width)]
    return text if len(shown) <= lines else "\n".join(shown[:lines]).rstrip()


def _rows(line: str, width: int) -> list[str]:
    """One line as a screen of `width` characters wraps it."""
    rows = [""]
    for word in _WORD.findall(line):
        if rows[-1] and len(rows[-1] + word.rstrip()) > width:
            rows.append("")
        rows[-1] += word if rows[-1] else word.lstrip()
    return [row.rstrip() for row in rows]
