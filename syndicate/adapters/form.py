"""A form with files (RFC 7578), in pieces: further recipients of a call are further fields."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

#: Name and value; a name may bring a file name with it: `message"; filename="message.eml`.
Field = tuple[str, bytes]


def boundary(fields: Sequence[Field]) -> str:
    """A function of the content: nothing in it can hold its own hash."""
    return sha256(b"\0".join(value for _, value in fields)).hexdigest()[:40]


def fields(boundary: str, fields: Sequence[Field]) -> bytes:
    """The first fields of a form."""
    return b"".join(field(boundary, name, value) for name, value in fields).removeprefix(b"\r\n")


def field(boundary: str, name: str, value: bytes) -> bytes:
    """One more field, with the line end that belongs to its delimiter in front."""
    return f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def end(boundary: str) -> bytes:
    """The end of a form."""
    return f"\r\n--{boundary}--\r\n".encode()


def media_type(boundary: str) -> str:
    """The Content-Type of a form."""
    return f"multipart/form-data; boundary={boundary}"
