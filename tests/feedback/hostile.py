"""Bodies that strangers could send, whatever the provider."""

from __future__ import annotations

#: Those that are no event of anybody's.
NO_EVENTS = {
    "nothing": b"",
    "half an object": b"{",
    "null": b"null",
    "a number": b"1",
    "a string": b'"x"',
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "one key twice": b'{"a":1,"a":2}',
    "UTF-16": b"\xff\xfe{\x00}\x00",
    "a lone surrogate": b'{"email":"\\ud800@x.test"}',
    "not a number": b'{"a":NaN}',
    "a list of nothing": b"[null]",
}
