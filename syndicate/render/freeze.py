"""A letter or post as bytes for the ledger, and back: exact, readable, and the same bytes for the same message.

JSON with a version: what an older release has frozen, a newer one still thaws. Not compressed, because two builds of
zlib may compress alike texts to different bytes.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from syndicate.errors import RenderError
from syndicate.model import Image, Letter, Mailbox, Mention, Post

VERSION = 1
_KINDS: dict[str, type[Letter | Post | Image | Mailbox | Mention]] = {
    kind.__name__: kind for kind in (Letter, Post, Image, Mailbox, Mention)
}


def freeze(message: Letter | Post) -> bytes:
    """The message as bytes; `thaw` gives back an equal one."""
    document = {"syndicate": VERSION, "message": message}
    return json.dumps(document, default=_plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def thaw(data: bytes) -> Letter | Post:
    """The message that was frozen. Raises `RenderError` for bytes of an unknown version or of something else."""
    try:
        document = json.loads(data, object_hook=_value)
    except (ValueError, KeyError, TypeError) as error:
        raise RenderError(f"a frozen message cannot be read: {error}") from None
    if not isinstance(document, dict) or document.get("syndicate") != VERSION:
        raise RenderError(
            "a frozen message is of another version of Syndicate", hint="Update Syndicate on this machine."
        )
    message = document.get("message")
    if not isinstance(message, Letter | Post):
        raise RenderError("a frozen message is neither a letter nor a post")
    return message


def _plain(value: Any) -> dict[str, Any]:
    """What JSON has no word for, as an object whose one key starts with `$`."""
    if isinstance(value, bytes):
        return {"$ascii": value.decode("ascii")} if value.isascii() else {"$base64": b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {"$moment": _moment(value)}
    return {"$is": type(value).__name__, **{field.name: getattr(value, field.name) for field in fields(value)}}


def _moment(value: datetime) -> list[str | int | float]:
    """Wall clock, fold, and zone by name or offset in seconds: an instant alone would lose what `Date:` shows."""
    zone = getattr(value.tzinfo, "key", None)
    offset = value.utcoffset()
    if zone is None and offset is None:
        raise RenderError("a message is dated without a zone")
    return [value.replace(tzinfo=None).isoformat(), value.fold, zone or (offset or timedelta()).total_seconds()]


def _value(found: dict[str, Any]) -> Any:
    """The inverse of `_plain`; a plain object stays one."""
    if "$ascii" in found:
        return found["$ascii"].encode("ascii")
    if "$base64" in found:
        return b64decode(found["$base64"])
    if "$moment" in found:
        wall, fold, zone = found["$moment"]
        tzinfo = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(seconds=zone))
        return datetime.fromisoformat(wall).replace(tzinfo=tzinfo, fold=fold)
    if "$is" in found:
        return _KINDS[found.pop("$is")](**{name: _tuples(value) for name, value in found.items()})
    return found


def _tuples(value: Any) -> Any:
    """Frozen values hold tuples where JSON has lists."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
