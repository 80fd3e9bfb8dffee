"""The expression that picks a part of a list: `tag:python and not tag:vip and country = "IN" and joined > 2025-01-01`.

Only the notation lives here, so that a configuration can be checked without a database. The grammar::

    either   = both { "or" both }
    both     = one { "and" one }
    one      = "not" one | "(" either ")" | "tag:" WORD | NAME comparison
    comparison = ("=" | "!=" | "<" | "<=" | ">" | ">=") literal | "in" "(" literal { "," literal } ")"
    literal  = "text" | 'text' | NUMBER | DATE

A NAME is `joined`, `created`, `address`, `domain`, `name`, or a field of the subscribers. Dates are days
(2025-01-31), and only `joined`, `created` and fields that hold such dates can be compared with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TypeAlias

#: What can be asked besides fields: name -> what it means.
DATES = {"joined": "since when on the list", "created": "since when known"}
#: What other services select by, and nobody here keeps a record of: it would be a condition that nobody meets.
UNKEPT = frozenset({"opened", "clicked", "opens", "clicks"})
TEXTS = {"address": "the whole address", "domain": "what follows the @", "name": "the full name"}
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
WORDS = ("and", "or", "not", "in")
LONGEST = 2000  # characters
DEEPEST = 50  # brackets and `not` within one another; the database has a limit of its own (SQLITE_MAX_EXPR_DEPTH)

#: So much alike, a field that is compared with a date is a slip of the pen.
_ALIKE = 0.8

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<tag>tag:(?P<tagged>[\w.&/+#-]+|"[^"]+"))
    | (?P<date>\d{4}-\d{2}-\d{2}(?![\w-]))
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.-]))
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<sign><=|>=|!=|[=<>(),])
    | (?P<word>[^\W\d][\w]*(?::[\w.-]*)?)
    )""",
    re.VERBOSE,
)

Literal: TypeAlias = str | float | date


class SegmentError(ValueError):
    """What is wrong with an expression, and where."""

    def __init__(self, message: str, offset: int, near: tuple[str, tuple[str, ...]] = ("", ())) -> None:
        """`offset`: characters before the mistake. `near`: what was written, and what may stand there."""
        super().__init__(message)
        self.offset = offset
        self.near = near


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has this tag."""

    #: in lower case
    tag: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of somebody, compared with one value; with several only by `in`."""

    name: str
    #: one of `COMPARISONS`, or `in`
    sign: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not so."""

    of: Condition


@dataclass(frozen=True, slots=True)
class Several:
    """All of these, or any of them."""

    #: `and` or `or`
    word: str
    of: tuple[Condition, ...]


Condition: TypeAlias = Tagged | Compared | Not | Several


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the expression."""

    #: group of `_TOKEN`; `end` at the end
    kind: str
    text: str
    offset: int


def parse(text: str) -> Condition:
    """The meaning of an expression. Raises `SegmentError` for the first mistake."""
    if len(text) > LONGEST:
        raise SegmentError(f"a segment has at most {LONGEST:,} characters", LONGEST)
    reader = _Reader(list(_tokens(text)))
    found = reader.several("or", DEEPEST)
    rest = reader.next
    if rest.kind != "end":
        near = (rest.text, ("and", "or")) if rest.kind == "word" else ("", ())
        raise SegmentError(f"'and' or 'or' was expected before {rest.text!r}", rest.offset, near)
    return found


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if not found:
            at = position + len(text[position:]) - len(text[position:].lstrip())
            what = (
                "the quote is not closed" if text[at] in "\"'" else f"{text[at:].split()[0][:30]!r} means nothing here"
            )
            raise SegmentError(what, at)
        kind = found.lastgroup or ""
        yield _Token(kind, found["tagged"] or found[kind], found.start(kind))
        position = found.end()
    yield _Token("end", "the end", len(text))


class _Reader:
    """Reads from left to right, one token ahead."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at]

    def take(self) -> _Token:
        token = self.next
        self._at += token.kind != "end"
        return token

    def taken(self, *wanted: str) -> bool:
        """Whether one of these stood next; then it is behind us."""
        found = self.next.kind in {"word", "sign"} and self.next.text.lower() in wanted
        self._at += found
        return found

    def expect(self, sign: str, why: str) -> None:
        if not self.taken(sign):
            raise SegmentError(f"{sign!r} was expected {why}", self.next.offset)

    def several(self, word: str, depth: int) -> Condition:
        parts = [self._part(word, depth)]
        while self.taken(word):
            parts.append(self._part(word, depth))
        return parts[0] if len(parts) == 1 else Several(word, tuple(parts))

    def _part(self, word: str, depth: int) -> Condition:
        return self.several("and", depth) if word == "or" else self.one(depth)

    def one(self, depth: int) -> Condition:
        if not depth:
            raise SegmentError("too many brackets within one another", self.next.offset)
        if self.taken("not"):
            return Not(self.one(depth - 1))
        if self.taken("("):
            inner = self.several("or", depth - 1)
            self.expect(")", "to close the bracket")
            return inner
        token = self.take()
        if token.kind == "tag":
            return Tagged(token.text.strip('"').lower())
        if token.kind != "word" or token.text.lower() in WORDS:
            raise SegmentError(
                f"a condition was expected, such as tag:python or joined > 2025-01-01, not {token.text!r}", token.offset
            )
        if token.text.lower() in UNKEPT:
            raise SegmentError(f"{token.text!r}: who opens a mail or clicks in it is not recorded", token.offset)
        if ":" in token.text:
            raise SegmentError(f"{token.text!r} means nothing", token.offset, (token.text.partition(":")[0], ("tag",)))
        return self.comparison(token)

    def comparison(self, name: _Token) -> Compared:
        sign = self.take()
        if sign.kind == "word" and sign.text.lower() == "in":
            self.expect("(", "after 'in'")
            values = [self.literal(name)]
            while self.taken(","):
                values.append(self.literal(name))
            self.expect(")", "to close the bracket")
            return Compared(name.text, "in", tuple(values))
        if sign.text not in COMPARISONS:
            near = (sign.text, ("in",)) if sign.kind == "word" else ("", ())
            what = f"one of {' '.join(COMPARISONS)} or 'in' was expected after {name.text!r}"
            raise SegmentError(what, sign.offset if sign.kind != "end" else name.offset, near)
        return Compared(name.text, sign.text, (self.literal(name),))

    def literal(self, name: _Token) -> Literal:
        token = self.take()
        if token.kind not in {"text", "number", "date"}:
            hint = f': write "{token.text}"' if token.kind == "word" else ""
            raise SegmentError(f"a text, a number or a date was expected, not {token.text!r}{hint}", token.offset)
        if name.text in DATES and token.kind != "date":
            raise SegmentError(f"{name.text!r} is compared with a date such as 2025-01-31", token.offset)
        if token.kind != "date":
            return token.text[1:-1] if token.kind == "text" else float(token.text)
        if name.text in TEXTS:
            raise SegmentError(f"{name.text!r} is no date", token.offset)
        if name.text not in DATES and (near := get_close_matches(name.text, DATES, 1, _ALIKE)):
            raise SegmentError(f"{name.text!r} is not known", name.offset, (name.text, tuple(near)))
        try:
            return date.fromisoformat(token.text)
        except ValueError:
            raise SegmentError(f"there is no day {token.text}", token.offset) from None
