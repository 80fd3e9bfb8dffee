"""What adapters that speak HTTP have in common: bodies that are a function of the message, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from syndicate.adapters.base import Adapter
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Image, Message, Outcome, Payload, Post, Request, Unknown, Upload

JSON: Mapping[str, str] = {"Content-Type": "application/json"}
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}


def canonical(value: Any) -> bytes:
    """JSON in UTF-8: the same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def multipart(fields: Mapping[str, str], name: str, image: Image | Upload) -> tuple[bytes, str]:
    """(body, Content-Type) of a form with one file (RFC 7578). The boundary is a hash of what it separates."""
    from urllib3.filepost import encode_multipart_formdata

    boundary = sha256(canonical(dict(fields)) + image.data).hexdigest()[:32]
    file = (file_name(image), image.data, image.media_type)
    return encode_multipart_formdata({**fields, name: file}, boundary)


def file_name(image: Image | Upload) -> str:
    """A name by the picture's kind: its own would tell of the author's disk."""
    return f"picture.{_ENDINGS.get(image.media_type, 'bin')}"


def post_of(message: Message, adapter: Adapter) -> Post:
    """The message as a post that the adapter can express. Raises `Unsupported` for e-mail, and for its picture."""
    if not isinstance(message, Post):
        raise Unsupported(f"{adapter.name} takes posts, not e-mail")
    if message.then and "thread" not in adapter.supports:
        raise Unsupported(f"{adapter.name} takes no threads")
    image, rules = message.image, adapter.pictures
    if image and "image" not in adapter.supports:
        raise Unsupported(f"{adapter.name} takes posts without pictures")
    if image and (image.media_type not in rules.media_types or len(image.data) > rules.max_bytes):
        kinds = ", ".join(rules.media_types)
        raise Unsupported(f"{adapter.name} takes pictures of at most {rules.max_bytes:,} bytes: {kinds}")
    return message


def request_of(payload: Payload) -> Request:
    """The payload as what `compose` made it."""
    if not isinstance(payload, Request):
        raise TypeError(f"a Request is sent here, not {type(payload).__name__}")
    return payload


def harmless(outcome: Outcome) -> Outcome:
    """A call without public effect leaves no doubt where it stays without an answer."""
    return Deferred(outcome.reason) if isinstance(outcome, Unknown) else outcome
