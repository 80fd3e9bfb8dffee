"""A letter as parts, for providers that want a subject, a text and an HTML instead of a message.

They are read out of the encoded message itself, so that what such a provider is told and what a mail server is handed
cannot differ. A letter is opened once; a reader costs only the joining.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from functools import lru_cache
from typing import Any

from syndicate.model import Email

#: Stands where a slot is while a letter is opened; no letter can hold it (RFC 5322 §2.2).
_CUT = "\0"


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter in parts, each cut where its slots are: one piece more than slots. Slots count through all three."""

    #: header lines, unfolded, as in the message
    head: tuple[str, ...]
    #: both decoded, lines end in LF
    text: tuple[str, ...]
    html: tuple[str, ...]

    @property
    def firsts(self) -> tuple[int, int]:
        """Numbers of the first slot in the text and in the HTML."""
        in_head, in_text = len(self.head) - 1, len(self.text) - 1
        return in_head, in_head + in_text

    def parts(self, values: Sequence[str]) -> Parts:
        """With these values in the slots, in their order."""
        text, html = self.firsts
        lines = _joined(self.head, values).split("\n")
        return Parts(
            headers=tuple((name, value) for name, _, value in (line.partition(": ") for line in lines)),
            text=_joined(self.text, values[text:]),
            html=_joined(self.html, values[html:]),
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """A letter in parts."""

    #: all of the message, in order
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str

    def headers_without(self, *names: str) -> dict[str, str]:
        """Those that a provider is handed as they are. Names without regard to case."""
        left_out = {name.lower() for name in (*names, *OWN)}
        return {name: value for name, value in self.headers if name.lower() not in left_out}

    @property
    def reader(self) -> str:
        """The reader's name as `To` has it, decoded: cleaned of what could harm; empty if there is none."""
        name, _ = parseaddr(next((value for header, value in self.headers if header == "To"), ""))
        return str(make_header(decode_header(name))) if name else ""


#: Headers that a provider makes of what it is told: it refuses them, or they would stand there twice.
OWN = ("From", "To", "Reply-To", "Subject", "Date", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")


def parts(email: Email) -> Parts:
    """The parts of a mail to one reader: what a mail program would show of its bytes."""
    return opened(email.letter.segments).parts(values(email))


def values(email: Email) -> tuple[str, ...]:
    """The values of a reader, as they stand in the decoded parts, in the order of the slots."""
    return tuple(map(_plain, email.letter.slots, email.encoded))


@lru_cache(maxsize=4)
def opened(segments: tuple[bytes, ...]) -> Opened:
    """The letter of these segments."""
    data = _CUT.encode().join(segments)
    head, _, _ = data.partition(b"\r\n\r\n")
    message: Any = message_from_bytes(data)
    found = {part.get_content_subtype(): _decoded(part) for part in message.walk() if not part.is_multipart()}
    return Opened(_cut(_unfolded(head.decode())), found["plain"], found["html"])


def name_and_address(name: str, address: str) -> Mapping[str, str]:
    """Without the name if there is none."""
    return {"email": address, "name": name} if name else {"email": address}


def mailbox(name: str, address: str) -> str:
    """`"A. Name" <a@example.com>`, in Unicode, for providers that encode it themselves."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address


def _decoded(part: Any) -> tuple[str, ...]:
    payload = part.get_payload(decode=True)
    return _cut(payload.decode(part.get_content_charset("utf-8")))


def _cut(text: str) -> tuple[str, ...]:
    return tuple(text.replace("\r\n", "\n").split(_CUT))


def _plain(slot: str, value: bytes) -> str:
    """A value out of its encoding: quoted-printable in the parts, as it is in the head."""
    return _unfolded(value.decode()) if slot.startswith("header:") else a2b_qp(value).decode()


def _unfolded(head: str) -> str:
    """RFC 5322 §2.2.3."""
    return re.sub(r"\r\n([ \t])", r"\1", head)


def _joined(pieces: Sequence[str], values: Sequence[str]) -> str:
    joined = [""] * (2 * len(pieces) - 1)
    joined[::2], joined[1::2] = pieces, values[: len(pieces) - 1]
    return "".join(joined)
