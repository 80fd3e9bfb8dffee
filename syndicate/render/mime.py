"""The letter's bytes: multipart/alternative, encoded once and cut at the slots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256

from syndicate.errors import RenderError
from syndicate.model import Email
from syndicate.render.fill import quoted
from syndicate.render.slots import Slot, cut

_SOFT = b"=\r\n"
#: Where the line has room (RFC 2045 §6.7, 76 characters). Without one nothing has to be doubled for SMTP, reader by
#: reader, and no relay that forgets to (RFC 2049 §3) spoils a line.
_LEADING_DOT = re.compile(rb"(?m)^\.(?=[^\r\n]{0,73}\r\n)")


def skeleton(
    headers: Iterable[tuple[str, str]], text: str, html: str, *, nonce: str, edition: str
) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """(segments, slots) of the whole message. Headers come guarded and encoded; all three with slot markers.

    The boundary is a function of the edition and can be in no part: quoted-printable writes every `=` as `=3D`.
    """
    boundary = f"=_{sha256(edition.encode()).hexdigest()[:32]}"
    head = [*headers, ("MIME-Version", "1.0"), ("Content-Type", f'multipart/alternative; boundary="{boundary}"')]
    tokens = [
        *_headers(head, nonce),
        f"\r\n\r\n--{boundary}\r\n".encode(),
        *_part("plain", text, nonce, "text"),
        f"\r\n--{boundary}\r\n".encode(),
        *_part("html", html, nonce, "html"),
        f"\r\n--{boundary}--\r\n".encode(),
    ]
    return _merged(tokens)


def plain_skeleton(
    headers: Iterable[tuple[str, str]], text: str, *, nonce: str
) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """(segments, slots) of a message that has no HTML."""
    head = [*headers, ("MIME-Version", "1.0")]
    return _merged([*_headers(head, nonce), b"\r\n", *_part("plain", text, nonce, "text")])


def _headers(headers: Iterable[tuple[str, str]], nonce: str) -> Iterator[bytes | Slot]:
    lines = "\r\n".join(f"{name}: {value}" for name, value in headers)
    for token in cut(lines, nonce, "header"):
        yield token if isinstance(token, Slot) else token.encode("ascii")


def _part(subtype: str, body: str, nonce: str, region: str) -> Iterator[bytes | Slot]:
    yield (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()
    for token in cut(body, nonce, region):
        if isinstance(token, Slot):
            yield from (_SOFT, token, _SOFT)
        else:
            yield _LEADING_DOT.sub(b"=2E", quoted(token))


def _merged(tokens: Iterable[bytes | Slot]) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Neighbouring bytes joined: one segment more than slots."""
    segments, slots = [bytearray()], []
    for token in tokens:
        if isinstance(token, Slot):
            slots.append(str(token))
            segments.append(bytearray())
        else:
            segments[-1] += token
    return tuple(map(bytes, segments)), tuple(slots)


def verify(email: Email) -> None:
    """Reads the message back with the standard library's parser, which had no part in writing it.

    Raises `RenderError` if a header is missing, added or changed, if a line is longer than RFC 5322 §2.1.1 allows, or
    if a line end is not CRLF (RFC 5321 §2.3.8: a bare one can smuggle a second message).
    """
    letter, data = email.letter, email.data
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", data) or max(map(len, data.split(b"\r\n"))) > 998:
        raise RenderError(f"edition {letter.edition}: the message has a line that mail servers refuse")
    parsed = message_from_bytes(data, policy=SMTP)
    wanted = [name for name, _ in letter.headers] + ["MIME-Version", "Content-Type"]
    if not letter.html:
        wanted.append("Content-Transfer-Encoding")
    if parsed.keys() != wanted or parsed["Subject"] != letter.subject or parsed.defects:
        raise RenderError(f"edition {letter.edition}: the message does not read back as it was written")
    parts, made = (parsed.iter_parts(), ["text/plain", "text/html"]) if letter.html else ([parsed], ["text/plain"])
    if [(part.get_content_type(), part.defects) for part in parts] != [(kind, []) for kind in made]:
        raise RenderError(f"edition {letter.edition}: the parts of the message do not read back as they were written")


def size(html: str, slots: int = 0) -> int:
    """Bytes of the decoded HTML part, each slot counted at its longest likely value (a link of 200 bytes)."""
    return len(html.encode()) + 200 * slots
