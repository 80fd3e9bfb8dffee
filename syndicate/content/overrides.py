"""The front-matter block `syndicate:`, with which an article differs from its channels."""

from __future__ import annotations

import re
from difflib import get_close_matches

from syndicate.content.entries import Entry, Value
from syndicate.content.notes import Notes
from syndicate.model import Overrides

_KEYS = ("text", "skip", "hashtags", "mentions", "campaign", "hold")
_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
NONE = Overrides()
_HANDLE = re.compile(r"@[\w.-]+(@[\w.-]+)?")


def as_bool(value: Value) -> bool | None:
    """Yes or no, as people write it; None where it is neither."""
    word = str(value).strip().lower()
    return True if word in _YES else False if word in _NO else None


def words(value: Value) -> tuple[str, ...] | None:
    """A list of texts, or one text with commas; None for anything else."""
    if isinstance(value, str):
        value = [*value.split(",")]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        return None
    return tuple(dict.fromkeys(part.strip() for part in value if isinstance(part, str) and part.strip()))


def read(entry: Entry | None, notes: Notes) -> tuple[Overrides, bool | None]:
    """(overrides, what `hold:` says: held back, released, or nothing)."""
    if entry is None or entry.value is None:
        return NONE, None
    if not isinstance(entry.value, dict):
        notes.left_out("syndicate", "not a block of keys", entry.at, f"it may hold {', '.join(_KEYS)}")
        return NONE, None
    block = dict(entry.value)
    for key in [key for key in block if key not in _KEYS]:
        near = get_close_matches(key, _KEYS, 1)
        hint = f"did you mean {near[0]}?" if near else f"it may hold {', '.join(_KEYS)}"
        notes.left_out(f"syndicate.{key}", "unknown key", entry.at, hint)
    overrides = Overrides(
        text=_text(block.get("text"), entry, notes),
        skip=frozenset(_skip(block.get("skip"), entry, notes)),
        hashtags=tuple(tag.lstrip("#") for tag in _words("hashtags", block.get("hashtags"), entry, notes)),
        mentions=_mentions(block.get("mentions"), entry, notes),
        campaign=_campaign(block.get("campaign"), entry, notes),
    )
    return overrides, _hold(block.get("hold"), entry, notes)


def _words(key: str, value: Value, entry: Entry, notes: Notes) -> tuple[str, ...]:
    found = () if value is None else words(value)
    if found is None:
        notes.left_out(f"syndicate.{key}", "not a list of words", entry.at)
    return found or ()


def _skip(value: Value, entry: Entry, notes: Notes) -> tuple[str, ...]:
    """Channels by name; `true` for all of them."""
    everywhere = as_bool(value) if isinstance(value, str) else None
    if everywhere is not None:
        return ("*",) if everywhere else ()
    return _words("skip", value, entry, notes)


def _text(value: Value, entry: Entry, notes: Notes) -> dict[str, str]:
    """Text for each channel or adapter; one text alone is for all posts."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"post": value.strip()}
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return {name: str(text).strip() for name, text in value.items()}
    notes.left_out("syndicate.text", "neither a text nor a text for each channel", entry.at)
    return {}


def _mentions(value: Value, entry: Entry, notes: Notes) -> dict[str, tuple[str, ...]]:
    """Handles for each network."""
    found = {name: words(handles) or () for name, handles in value.items()} if isinstance(value, dict) else {}
    if all(handles and all(map(_HANDLE.fullmatch, handles)) for handles in found.values()) and (found or value is None):
        return found
    hint = "write mentions: {mastodon: '@name@example.social'}"
    notes.left_out("syndicate.mentions", "not handles for each network", entry.at, hint)
    return {}


def _campaign(value: Value, entry: Entry, notes: Notes) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and value.isprintable() and len(value) <= 100:
        return value.strip()
    notes.left_out("syndicate.campaign", "not a short text", entry.at)
    return ""


def _hold(value: Value, entry: Entry, notes: Notes) -> bool | None:
    if value is None:
        return None
    found = as_bool(value)
    if found is None:
        notes.warn("overrides.hold", "syndicate.hold: neither true nor false; the article is held back", entry.at)
    return found is not False
