"""HMAC-SHA256 for what is made once for every mail: the same bytes as `hmac` makes, in half the time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

_BLOCK = 64


@lru_cache(maxsize=64)
def keyed(key: bytes, before: bytes = b"") -> Callable[[bytes], bytes]:
    """Message -> its HMAC-SHA256 (RFC 2104 §2) under `key`, with `before` in front of every message.

    What does not change is hashed once. A copy of an object of `hmac` costs 1 µs, since it is made of three hashes and
    a wrapper in Python; copies of these two cost half of it, and a mail has three such codes.
    """
    block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + before)
    outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(message: bytes) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(message)
        outside.update(inside.digest())
        return outside.digest()

    return mac
