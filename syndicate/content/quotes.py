"""A one-line value that YAML cannot read: what its author meant, if that is beyond doubt.

The rules and their limits come from reading 3,411 broken versions of real articles beside the commits in which
their authors mended them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from syndicate.content.notes import Unreadable

_COMMENT = re.compile(r"(?<!\s)\s++(?://(?:\s.*)?|<!--.*-->\s*|#.*)$")
_COMMENT_IN_PLAIN = re.compile(r"(?<!\s)\s++#.*$")
_COMMENT_IN_TEXT = re.compile(r"(?<!\s)\s++#\s.*$")  # `#4` is more likely a number
#: a quote mark between two letters is a letter: Hebrew abbreviations are written so
_INNER_DOUBLE = re.compile(r'(?<!\\)"(?<![^\W\d_]"(?=[^\W\d_]))')
_LOOSE_SINGLE = re.compile(r"(?<!\w)'|'(?!\w)")
_URL = re.compile(r"\bhttps?://")


@dataclass(frozen=True, slots=True)
class Meant:
    """What a value was taken for."""

    text: str
    #: stable name of the rule
    code: str
    #: what was wrong, a clause
    what: str
    #: 0-based, of the slip in the written value
    offset: int = 0
    #: beyond doubt; else it is only probable and a person should look
    certain: bool = True
    #: quote mark in which it is to be written: `'` or `"`
    style: str = "'"
    #: a comment that stands after the value, with the blanks before it
    comment: str = ""

    @property
    def rewritten(self) -> str:
        """The value as YAML has it, with its comment."""
        words = self.comment.lstrip()
        blanks = self.comment.removesuffix(words)
        mark = "" if words.startswith("#") or not words else "# "
        return f"{quoted(self.text, self.style)}{blanks}{mark}{words}"


def meant(written: str, is_text: bool) -> Meant:
    """What `written`, all that stands after the colon, was meant to say; `is_text`: the key holds prose.

    Raises `Unreadable` where more than one reading is possible.
    """
    if "{{" in written or "{%" in written:
        raise Unreadable("a template's placeholder was left in")
    if written[:1] in {"'", '"'}:
        body, comment = _without_comment(written, written[0])
        found = _single(body, comment) if written[0] == "'" else _double(body, comment)
        return replace(found, comment=comment)
    if written[:1] in "[{":
        raise Unreadable("the bracket is never closed, or text follows it")
    if written[:1] in "|>&!?" or not written:
        raise Unreadable("it cannot be read as YAML")
    return _plain(written, is_text)


def _single(body: str, comment: str) -> Meant:
    if not (len(body) > 1 and body[-1] == "'"):
        return _unclosed(body, "'", '"')
    inner = body[1:-1].replace("'\\''", "\\'")  # as a shell wants it
    if _belongs_to_text(inner, "'"):
        return Meant(body, "frontmatter.quotes-in-text", "the quotes belong to the text, which needs its own")
    text = inner.replace("\\'", "'").replace("''", "'")
    backslash = inner.find("\\'")
    stray = _stray_apostrophe(inner)
    if backslash >= 0 and not 0 <= stray < backslash:
        what, code, offset = r"\' inside '…' is not YAML", "frontmatter.backslash-apostrophe", backslash + 1
    elif stray >= 0:
        what, code, offset = "an apostrophe inside '…' is not doubled", "frontmatter.stray-apostrophe", stray + 1
    elif comment:
        what, code, offset = "text after the closing quote was taken as a comment", _COMMENT_CODE, len(body)
    else:
        raise Unreadable("it cannot be read as YAML")
    return Meant(text, code, what, offset)


_COMMENT_CODE = "frontmatter.comment-after-value"


def _stray_apostrophe(inner: str) -> int:
    """Where the first apostrophe stands that is neither doubled nor after a backslash; -1 if none does."""
    found = re.search(r"(?<!')(?:'')*'(?!')", inner.replace("\\'", "\x00\x00"))
    return found.end() - 1 if found else -1


def _double(body: str, comment: str) -> Meant:
    if not (len(body) > 1 and body[-1] == '"'):
        return _unclosed(body, '"', "'")
    inner = body[1:-1]
    marks = [found.start() for found in _INNER_DOUBLE.finditer(inner)]
    if len(marks) % 2:
        raise Unreadable('an odd number of " inside "…"')
    if marks and _belongs_to_text(inner, '"'):
        return Meant(body, "frontmatter.quotes-in-text", "the quotes belong to the text, which needs its own")
    text = inner.replace('\\"', '"').replace("\\'", "'")
    if marks:
        return Meant(text, "frontmatter.stray-quote", 'a " inside "…" is not escaped', marks[0] + 1, style='"')
    if "\\'" in inner:
        code = "frontmatter.backslash-apostrophe"
        return Meant(text, code, r"""\' inside "…" is not YAML""", inner.find("\\'") + 1, style='"')
    if '"' in inner.replace('\\"', ""):
        return Meant(text, "frontmatter.stray-quote", 'a " inside "…" is not escaped', inner.find('"') + 1, style='"')
    if comment:
        what = "text after the closing quote was taken as a comment"
        return Meant(text, _COMMENT_CODE, what, len(body), style='"')
    raise Unreadable("it cannot be read as YAML")


def _without_comment(written: str, mark: str) -> tuple[str, str]:
    """(value, the comment after its closing quote)."""
    if written[-1] != mark and (found := _COMMENT.search(written, max(written.rfind(mark), 1))):
        return written[: found.start()], found[0]
    return written, ""


def _belongs_to_text(inner: str, mark: str) -> bool:
    """Whether, as in `'Rust' and 'Go'`, the first inner mark closes a word and the last one opens one."""
    first, last = inner.find(mark), inner.rfind(mark)
    if first < 1 or first == last:
        return False
    closes = inner[first - 1].isalnum() and not inner[first + 1 : first + 2].isalnum()
    opens = not inner[last - 1].isalnum() and inner[last + 1 : last + 2].isalnum()
    return closes and opens and inner[first - 1] != "\\"


def _unclosed(written: str, mark: str, other: str) -> Meant:
    """It opens with `mark` and does not end with it: probable at best."""
    rest = written[1:]
    if len(_URL.findall(rest)) > 1:
        raise Unreadable("two addresses in one value")
    if len(rest) > 1 and rest[-1] == other and rest.count(other) == 1 and mark not in rest:
        what = f"opens with {mark} and closes with {other}"
        return Meant(rest[:-1], "frontmatter.mismatched-quotes", what, len(written) - 1, certain=False)
    loose = _LOOSE_SINGLE.search(rest.replace("''", "")) if mark == "'" else mark in rest
    if loose or not rest.strip():
        raise Unreadable(f"text stands after the closing {mark}" if loose else "it cannot be read as YAML")
    return Meant(rest.replace("''", "'"), "frontmatter.unclosed-quote", f"the closing {mark} is missing", certain=False)


def _plain(written: str, is_text: bool) -> Meant:
    found = (_COMMENT_IN_TEXT if is_text else _COMMENT_IN_PLAIN).search(written)
    comment = found[0] if found else ""
    text = written.removesuffix(comment)
    if text[:1] in "@`%*":
        what = f"a value that begins with {text[0]} needs quotes"
        return Meant(text, "frontmatter.unquoted", what, comment=comment)
    colon = re.search(r":(?:\s|$)", text)
    if not colon:
        raise Unreadable("it cannot be read as YAML")
    return Meant(text, "frontmatter.unquoted", 'a value with ": " in it needs quotes', colon.start(), comment=comment)


def quoted(text: str, style: str) -> str:
    """A one-line text as YAML, between single or double quotes."""
    if style == '"':
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
