"""The hot path: a letter becomes an e-mail to one reader. About four microseconds; imports nothing heavy.

Everything that is the same for all readers was encoded when the letter was built (`mime.py`). Here a few values are
encoded, each on its own between two soft line breaks (RFC 2045 §6.7), and joined with the segments.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import escape
from typing import TypeAlias

from syndicate.keyed import keyed
from syndicate.model import Email, Letter, Recipient
from syndicate.render.headers import BIDI, address, link, to_reader
from syndicate.render.slots import Slot

#: Recipient, slot -> URL, and the envelope sender of this delivery alone or "".
Fill: TypeAlias = Callable[[Recipient, Mapping[str, str], str], Email]


def fill(letter: Letter, recipient: Recipient, *, secret: bytes, envelope: str = "", **links: str) -> Email:
    """The letter as `recipient` gets it: a function of its arguments alone, so a retry has the same bytes.

    `secret` keys the Message-ID; `links` are slots with URLs: `unsubscribe` is the reader's own. Raises `RenderError`
    for an address or a link that no header can hold. A name that could harm is left out of `To` and shown, escaped, in
    the text.
    """
    return filler(letter, secret)(recipient, links, envelope)


def filler(letter: Letter, secret: bytes) -> Fill:
    """The same for all readers of a letter: what they have in common is made once."""
    message_id, plan = _message_ids(letter, secret), _plan(letter.slots)

    def fill(recipient: Recipient, links: Mapping[str, str], envelope: str) -> Email:
        mailed = address(recipient.address)
        values = {
            "to": to_reader(recipient.name, mailed),
            "message_id": message_id(mailed),
            "name": recipient.name,
            "email": mailed,
            **links,
        }
        for column, value in recipient.fields.items():
            values[f"fields.{column}"] = value
        plain = _plain(links)
        encoded = tuple([plain.get(name) or write(values.get(name) or default) for name, default, write in plan])
        return Email(letter=letter, recipient=recipient, values=values, encoded=encoded, envelope=envelope)

    return fill


def _plain(links: Mapping[str, str]) -> Mapping[str, bytes]:
    """All links are looked at, and those that are written the same way wherever they stand are encoded."""
    plain = {}
    for slot, url in links.items():
        if _PLAIN_LINK.fullmatch(url):
            plain[slot] = url.encode()
        else:
            link(url)
    return plain


def _message_ids(letter: Letter, secret: bytes) -> Callable[[str], str]:
    """RFC 5322 §3.6.4, unique without clock or chance: keyed, so that nobody can tell readers from it."""
    mac, domain = keyed(secret, f"{letter.edition}\n".encode()), letter.sender.address.rpartition("@")[2]
    return lambda mailed: f"<{mac(mailed.encode())[:16].hex()}@{domain}>"


@lru_cache(maxsize=256)
def _plan(slots: tuple[str, ...]) -> tuple[tuple[str, str, Callable[[str], bytes]], ...]:
    """Name, default and encoder of each slot; the same for all readers of a letter."""
    parsed = map(Slot.parse, slots)
    return tuple((slot.name, slot.default, ENCODERS[slot.region]) for slot in parsed)


#: Letters of URLs and addresses, short enough for a line: they stand for themselves wherever they stand.
_BARE = re.compile(r"[A-Za-z0-9:/@._+-]{1,70}")
#: Links of them: one look where there would be three, at the URL itself and at its places in text and HTML.
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9:/@._+-]{1,62}")


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
