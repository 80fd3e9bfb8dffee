"""A post as a record of app.bsky.feed.post: text with facets, a card, and the place where it is written. All pure."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from syndicate.model import Image, Post
from syndicate.model.links import URL

LONGEST_LINK = 30  # characters of a link that are shown; the facet has all of it
LONGEST_TAG = 64
#: What a record of a thread has instead of the references to its first post and to the one that it answers.
ROOT, PARENT = "{{root}}", "{{parent}}"
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
# A mention has the DID of whom it names, which only the network knows; a link leads there as well.
_HANDLE = re.compile(r"(?<!\S)@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})\b(?!@)")
_TAG = re.compile(r"(?<!\S)#(\w*[^\W\d_]\w*)")


def record(post: Post, moment: datetime) -> dict[str, Any]:
    """The whole record, dated with the edition's moment."""
    text, facets = rich_text(post.text)
    parts = {
        "$type": "app.bsky.feed.post",
        "text": text,
        "createdAt": _written(moment),
        "langs": [post.language],
        "facets": facets,
        "embed": _embed(post),
    }
    return {name: value for name, value in parts.items() if value or name == "text"}


def answer(language: str, text: str, moment: datetime) -> dict[str, Any]:
    """A further record of a thread; a link in it makes no second card."""
    shown, facets = rich_text(text)
    parts = {
        "$type": "app.bsky.feed.post",
        "text": shown,
        "createdAt": _written(moment),
        "langs": [language],
        "reply": {"root": ROOT, "parent": PARENT},
    }
    return parts | ({"facets": facets} if facets else {})


def _written(moment: datetime) -> str:
    """To the millisecond, which tells the records of a thread apart."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def tid(moment: datetime, edition: str) -> str:
    """A record key as a post must have (https://atproto.com/specs/tid): 53 bits of microseconds, 10 bits at random.

    Here the second is the edition's, and the rest a hash of its key: who knows the edition knows the place. Each
    further post of a thread is a millisecond later and has a place of its own.
    """
    spread = int.from_bytes(sha256(edition.encode()).digest()[:8], "big")
    within = (spread + moment.microsecond // 1000 * 1000) % 1_000_000
    number = (int(moment.timestamp()) * 1_000_000 + within) << 10 | spread >> 54
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def rich_text(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The text with its links shortened for the eye, and facets that make links and hashtags of it (UTF-8 offsets)."""
    shown, facets, done = "", list[dict[str, Any]](), 0
    for start, end, words, feature in sorted(_features(text), key=lambda found: found[0]):
        shown += text[done:start]
        at = len(shown.encode())
        shown, done = shown + words, end
        facets.append({"index": {"byteStart": at, "byteEnd": at + len(words.encode())}, "features": [feature]})
    return shown + text[done:], facets


def _features(text: str) -> Iterator[tuple[int, int, str, dict[str, str]]]:
    """(start, end, what is shown, feature)."""
    for link in URL.finditer(text):
        yield (*link.span(), short_link(link[0]), {"$type": "app.bsky.richtext.facet#link", "uri": link[0]})
    for handle in _HANDLE.finditer(text):
        profile = f"https://bsky.app/profile/{handle[1]}"
        yield (*handle.span(), handle[0], {"$type": "app.bsky.richtext.facet#link", "uri": profile})
    for tag in _TAG.finditer(text):
        if len(tag[1]) <= LONGEST_TAG:
            yield (*tag.span(), tag[0], {"$type": "app.bsky.richtext.facet#tag", "tag": tag[1]})


def short_link(url: str) -> str:
    """A link as it is shown: without scheme, at most `LONGEST_LINK` characters."""
    bare = re.sub(r"^https?://(?:www\.)?", "", url).rstrip("/")
    return bare if len(bare) <= LONGEST_LINK else bare[: LONGEST_LINK - 1] + "…"


def blob(image: Image) -> dict[str, Any]:
    """A reference by content: CIDv1, raw, SHA-256 (https://atproto.com/specs/blob)."""
    cid = b"\x01\x55\x12\x20" + sha256(image.data).digest()
    link = "b" + b32encode(cid).decode().lower().rstrip("=")
    return {"$type": "blob", "ref": {"$link": link}, "mimeType": image.media_type, "size": len(image.data)}


def _embed(post: Post) -> dict[str, Any]:
    """The link card, or the picture of a post without a link. The network scrapes nothing."""
    image = post.image
    if post.url:
        card = {"uri": post.url, "title": post.title, "description": post.description}
        return {"$type": "app.bsky.embed.external", "external": card | ({"thumb": blob(image)} if image else {})}
    if image:
        return {"$type": "app.bsky.embed.images", "images": [{"image": blob(image), "alt": image.alt}]}
    return {}
