"""The hot path: a letter becomes an e-mail to one reader. About ten microseconds; imports nothing heavy.

Everything that is the same for all readers was encoded when the letter was built (`mime.py`). Here a few values are
encoded, each on its own between two soft line breaks (RFC 2045 §6.7), and joined with the segments.
"""

from __future__ import annotations

import hmac
import re
from binascii import b2a_qp
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape

from syndicate.model import Email, Letter, Recipient
from syndicate.render.headers import BIDI, address, display_name, link, mailbox
from syndicate.render.slots import Slot


def fill(letter: Letter, recipient: Recipient, *, secret: bytes, envelope: str = "", **links: str) -> Email:
    """The letter as `recipient` gets it: a function of its arguments alone, so a retry has the same bytes.

    `secret` keys the Message-ID; `links` are slots with URLs: `unsubscribe` is the reader's own. Raises `RenderError`
    for an address or a link that no header can hold. A name that could harm is left out of `To` and shown, escaped, in
    the text.
    """
    values = _values(letter, recipient, secret, links)
    encoded = tuple([write(values.get(name) or default) for name, default, write in _plan(letter.slots)])
    return Email(letter=letter, recipient=recipient, values=values, encoded=encoded, envelope=envelope)


def _values(letter: Letter, recipient: Recipient, secret: bytes, links: Mapping[str, str]) -> Mapping[str, str]:
    mailed = address(recipient.address)
    values = {
        "to": mailbox(display_name(recipient.name), mailed, "To"),
        "message_id": message_id(letter, mailed, secret),
        "name": recipient.name,
        "email": mailed,
    }
    for slot, url in links.items():
        values[slot] = link(url)
    for column, value in recipient.fields.items():
        values[f"fields.{column}"] = value
    return values


def message_id(letter: Letter, recipient: str, secret: bytes) -> str:
    """RFC 5322 §3.6.4, unique without clock or chance: keyed, so that nobody can tell readers from it."""
    mac = _keyed(secret).copy()
    mac.update(f"{letter.edition}\n{recipient}".encode())
    return f"<{mac.digest()[:16].hex()}@{letter.sender.address.rpartition('@')[2]}>"


@lru_cache(maxsize=4)
def _keyed(secret: bytes) -> hmac.HMAC:
    """A copy of it takes half the time of a new one."""
    return hmac.new(secret, digestmod="sha256")


@lru_cache(maxsize=256)
def _plan(slots: tuple[str, ...]) -> tuple[tuple[str, str, Callable[[str], bytes]], ...]:
    """Name, default and encoder of each slot; the same for all readers of a letter."""
    parsed = map(Slot.parse, slots)
    return tuple((slot.name, slot.default, ENCODERS[slot.region]) for slot in parsed)


#: Letters of URLs and addresses, short enough for a line: they stand for themselves wherever they stand.
_BARE = re.compile(r"[A-Za-z0-9:/@._+-]{1,70}")


def in_text(value: str) -> bytes:
    """A value in the text part: one line, quoted-printable."""
    return value.encode() if _BARE.fullmatch(value) else quoted(one_line(value))


def in_html(value: str) -> bytes:
    """A value in the HTML part, in text or attribute: one line, escaped, quoted-printable."""
    return value.encode() if _BARE.fullmatch(value) else quoted(escape(one_line(value)))


def one_line(value: str) -> str:
    """Without line ends, control characters, lone surrogates and bidirectional controls."""
    if value.isprintable():
        return value
    joined = " ".join(value.translate(BIDI).split())
    return "".join(each for each in joined if each >= " " and each != "\x7f" and not "\ud800" <= each <= "\udfff")


def quoted(text: str) -> bytes:
    r"""Quoted-printable (RFC 2045 §6.7) with CRLF, to be followed by anything.

    `b2a_qp` treats the end of its input as the end of a line: a full last line, and a last space written `=20`. A
    letter that is taken off again keeps it from doing so.
    """
    return b2a_qp(f"{text}x".encode())[:-1].replace(b"\n", b"\r\n")


#: How the value of a slot is written, by region.
ENCODERS: Mapping[str, Callable[[str], bytes]] = {"header": str.encode, "text": in_text, "html": in_html}
