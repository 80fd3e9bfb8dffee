"""Slots: the few places of a letter that differ from reader to reader.

A template writes `{{ slot("name", "reader") }}`: the reader's name, or “reader” where none is known. While the letter
is built a marker stands there, made of letters, digits and hyphens only, so that HTML, URLs and MJML leave it alone.
Its nonce comes from the edition's content, so no article can hold a marker by chance or by design.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from syndicate.model import Edition

#: What a template may ask for, and `fields.COLUMN` for any other column of the audience.
NAMES = ("name", "email", "unsubscribe", "preferences", "view", "confirm")
_FIELD = re.compile(r"fields\.[A-Za-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place, in one region of the message."""

    #: `header`, `text` or `html`: how the value is encoded
    region: str
    #: one of `NAMES`, `fields.COLUMN`, or for headers also `to` and `message_id`
    name: str
    #: what stands there for a reader without a value
    default: str = ""

    def __str__(self) -> str:
        return f"{self.region}:{self.name}" + (f"={self.default}" if self.default else "")

    @classmethod
    def parse(cls, text: str) -> Slot:
        """The inverse of `str`."""
        region, _, rest = text.partition(":")
        name, _, default = rest.partition("=")
        return cls(region, name, default)


def nonce(edition: Edition) -> str:
    """Twelve hex digits that depend on all that the articles say."""
    said = [edition.key]
    for article in edition.articles:
        said += [article.title, article.subtitle, article.description, article.cta, article.url, *article.authors]
        said += [article.sha256, article.body.text if article.body else ""]
    return sha256("\0".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def writer(nonce: str) -> Callable[..., str]:
    """The function `slot(name, default="")` of the templates."""

    def slot(name: str, default: str = "") -> str:
        if name not in NAMES and not _FIELD.fullmatch(name):
            known = ", ".join(f'"{each}"' for each in NAMES)
            raise LookupError(f'there is no slot "{name}"; templates may use {known} and "fields.COLUMN"')
        return marker(nonce, name, default)

    return slot


def marker(nonce: str, name: str, default: str = "") -> str:
    """What stands in a rendered part until the reader is known."""
    return f"slot-{nonce}-{name}-{default.encode().hex()}-end"


def cut(text: str, nonce: str, region: str) -> Iterator[str | Slot]:
    """The text between the markers, and the slots, in order."""
    at = 0
    for found in re.finditer(rf"slot-{nonce}-([a-z_]+|fields\.\w+)-([0-9a-f]*)-end", text, re.ASCII):
        yield text[at : found.start()]
        yield Slot(region, found[1], bytes.fromhex(found[2]).decode())
        at = found.end()
    yield text[at:]


def readable(text: str) -> str:
    """The text of a letter without a reader, for people: `[unsubscribe]` where a slot is."""
    return re.sub(r"slot-[0-9a-f]{12}-([a-z_]+|fields\.\w+)-[0-9a-f]*-end", r"[\1]", text, flags=re.ASCII)


def anonymous(html: str, links: Mapping[str, str]) -> str:
    """The HTML of a letter as it may be shown to everybody: each slot has its default, or its link of `links`."""

    def value(found: re.Match[str]) -> str:
        return escape(links.get(found[1]) or bytes.fromhex(found[2]).decode())

    return re.sub(r"slot-[0-9a-f]{12}-([a-z_]+|fields\.\w+)-([0-9a-f]*)-end", value, html, flags=re.ASCII)
