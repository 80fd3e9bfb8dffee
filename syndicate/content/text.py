"""Text of one line: cleaned of what does not belong there, counted, and turned into slugs."""

from __future__ import annotations

import html
import re
import unicodedata
from hashlib import sha256

#: the longest title that was found has 143 characters
MAX_TITLE = 500
MAX_TEXT = 10_000
MAX_SLUG = 60

#: they end lines, or hide text, in headers and terminals
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
#: they turn the direction of the text around them, also of text that is not theirs (Trojan Source)
BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: RFC 2047: a mail reader would decode it, and show what was not written
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?")
_INVISIBLE = re.compile(r"[\u200b\ufeff\u2060]")
_SPACE = re.compile(r"[ \t\r\n\v\f]+")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_STRONG = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(https?://[^()\s]*\)")
#: scripts that put no blanks between words; a reader takes two characters for about one word
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0eff]")
#: letters that Unicode does not decompose
_FOLDED = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"})
_APOSTROPHE = re.compile(r"['’ʼ\u200c\u200d]")
_WORDS_PER_MINUTE = 230


def one_line(value: str) -> str:
    """Plain text of one line: entities decoded, simple Markdown off, invisible and control characters out, NFC."""
    if "&" in value:
        value = _ENTITY.sub(lambda found: html.unescape(found[0]), value)
    if "**" in value:
        value = _STRONG.sub(r"\1", value)
    if "](" in value:
        value = _LINK.sub(r"\1", value)
    if not (value.isascii() and value.isprintable()):
        value = _SPACE.sub(" ", value)
        value = _INVISIBLE.sub("", BIDI.sub("", CONTROL.sub("", value)))
        value = unicodedata.normalize("NFC", value)
    return _SPACE.sub(" ", value).strip() if "  " in value else value.strip()


def count_words(text: str) -> int:
    """Words of a text; in scripts without blanks, half its characters."""
    words = len(text.split())
    if len(text.encode("utf-8", "replace")) - len(text) < len(text) // 20:  # dashes and accents
        return words
    return words + len(_UNSPACED.findall(text)) // 2


def minutes(words: int) -> int:
    """Reading time of so many words, at least 1."""
    return max(1, round(words / _WORDS_PER_MINUTE))


def slugify(title: str) -> str:
    """Lower-case words with hyphens, at most `MAX_SLUG` characters.

    Latin letters lose their accents; other scripts are kept as they are, since no transliteration pleases their
    readers. A title without any letter gives a name made of its hash.
    """
    words = re.findall(r"[a-z0-9]+", _letters(title)) if title.isascii() else _letters(title).split()
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word
        if len(longer) > MAX_SLUG:
            break
        slug = longer
    return slug or "".join(words)[:MAX_SLUG] or f"article-{sha256(title.encode()).hexdigest()[:8]}"


def _letters(title: str) -> str:
    """The title in lower case; if it is not ASCII, letters and digits alone, with blanks between the words."""
    title = _APOSTROPHE.sub("", title.lower())
    if title.isascii():
        return title
    return "".join(map(_letter, unicodedata.normalize("NFKC", title).lower().translate(_FOLDED)))


def _letter(character: str) -> str:
    folded = unicodedata.normalize("NFKD", character)[0]
    if folded.isascii():
        return folded if folded.isalnum() else " "
    return character if unicodedata.category(character)[0] in "LMN" else " "
