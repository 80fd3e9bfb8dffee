"""LinkedIn's `little` text: what has to be escaped, and what becomes a mention.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from syndicate.model.links import URL

RESERVED = "|{}@[]()<>#\\*_~"
_HASHTAG = r"(?P<hashtag>(?<!\S)#(?=\w*[^\W\d_]))"
_TO_ESCAPE = re.compile(f"{_HASHTAG}|[{re.escape(RESERVED)}]")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a text names somebody who is on LinkedIn."""

    #: offsets in code points
    start: int
    end: int
    #: as at LinkedIn: another spelling shows as plain text
    name: str
    urn: str


def little_text(text: str, places: Sequence[Place] = ()) -> str:
    """Commentary as the API reads it: every reserved character escaped but the `#` of a hashtag.

    One that is not escaped cuts the post off there, silently and with a 201. `places` become mentions, in order.
    """
    written, last = "", 0
    for place in places:
        written += escaped(text[last : place.start]) + mention(place.name, place.urn)
        last = place.end
    return written + escaped(text[last:])


def escaped(text: str) -> str:
    """As it is read: with no meaning but that of a hashtag."""
    return _TO_ESCAPE.sub(lambda match: match[0] if match["hashtag"] else f"\\{match[0]}", text)


def mention(name: str, urn: str) -> str:
    """`@[Devtestco](urn:li:organization:2414183)`; without a blank before it, it is one all the same."""
    return f"@[{escaped(name)}]({urn})"


def cost(name: str, urn: str) -> int:
    """How many UTF-16 units a mention has more than the name alone."""
    return len(mention(name, urn).encode("utf-16-le")) // 2 - len(escaped(name).encode("utf-16-le")) // 2


def named(text: str, mentions: Mapping[str, str], taken: Sequence[Place] = ()) -> list[Place]:
    """Where a text first names each of these, in order: whole words, the longest name first, never inside a link."""
    found = list(taken)
    links = [match.span() for match in URL.finditer(text)]
    for name in sorted(mentions, key=len, reverse=True):
        busy = [*links, *((one.start, one.end) for one in found)]
        if span := next(_free(text, name, busy), None):
            found.append(Place(*span, name, mentions[name]))
    return sorted(found)


def _free(text: str, name: str, busy: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for match in re.finditer(rf"(?<![\w@#]){re.escape(name)}(?!\w)", text):
        start, end = match.span()
        if not any(start < until and since < end for since, until in busy):
            yield start, end


def without_link(text: str, url: str, note: str) -> str:
    """The text without the lines that only hold the link, and without the line that announced it; `note` instead."""
    kept: list[str] = []
    for line in text.split("\n"):
        if line.strip() != url:
            kept.append(line)
            continue
        if kept and kept[-1].rstrip().endswith(":"):
            kept.pop()
        kept += [note] if note else []
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
