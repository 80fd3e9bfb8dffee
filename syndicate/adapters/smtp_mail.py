"""What a mail has to be before it may be spoken, and how its bytes are written after DATA."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from syndicate.model import Email, Mail, Payload
from syndicate.model.value import value

#: Most addresses, spared the general way.
_PLAIN = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9-][A-Za-z0-9.-]{0,180}")
_NOT_IN_ADDRESSES = frozenset('<> \\",')


@value()
class SpeakableMail(Mail):
    """A mail that was found speakable. Only `speakable` and `filled` make one, so none is looked through twice."""

    #: dot-stuffed: the bytes after DATA and before the final dot
    body: bytes = field(repr=False, compare=False)
    #: whether any server takes the bytes, also one without 8BITMIME
    seven_bit: bool = field(repr=False, compare=False)
    #: whether an address needs SMTPUTF8 (RFC 6531)
    international: bool = field(repr=False, compare=False)


def speakable(mail: Payload) -> SpeakableMail:
    """Raises ValueError, with the reason, for a mail that cannot be spoken exactly.

    A bare CR or LF lets one message become two at servers that end lines at them (SMTP smuggling, CVE-2023-51764);
    an address with a line end or an angle bracket becomes another command. Limits are those of RFC 5321 §4.5.3.1.
    """
    if isinstance(mail, SpeakableMail):
        return mail
    if not isinstance(mail, Mail):
        raise ValueError(f"smtp sends mails, not a {type(mail).__name__}")  # noqa: TRY004 -- one kind of refusal
    data = mail.data
    if not _canonical(data):
        raise ValueError("the message holds NUL, or a CR or LF that is not part of a CRLF")
    if not data.endswith(b"\r\n"):
        raise ValueError("the message does not end in CRLF")
    return _enveloped(mail.sender, mail.recipient, data, stuffed(data), data.isascii())


def signed(mail: SpeakableMail, header: bytes) -> SpeakableMail:
    """The same with a DKIM-Signature in front: ASCII, whole CRLFs, no line with a dot first, so nothing to look for."""
    return replace(mail, data=header + mail.data, body=header + mail.body)


def filled(sender: str, recipient: str, email: Email) -> SpeakableMail:
    """The same for a letter to one reader. The segments are looked through once a letter, here the values alone.

    Pieces that hold nothing but whole CRLFs make a whole that does. A value between two line ends shows what it could
    do on its edges: a CR or LF there becomes a bare one, a dot the first of a line.
    """
    letter, values = _known(email.letter.segments), b"\r\n".join((b"", *email.encoded, b""))
    if letter is None or not _canonical(values) or b"\r\n." in values:
        return speakable(Mail(sender, recipient, email.data))
    body = email.joined(letter.segments)
    data = email.data if letter.has_dots else body
    return _enveloped(sender, recipient, data, body, letter.seven_bit and values.isascii())


def stuffed(data: bytes) -> bytes:
    """The bytes after DATA and before the final dot (RFC 5321 §4.5.2)."""
    doubled = data.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def in_ascii(address: str) -> str:
    """The address with its domain in ASCII (IDNA 2008, UTS 46). Raises ValueError for a domain that IDNA refuses."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        import idna  # comes with requests, and few addresses need it

        domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}{at}{domain}"


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is the same for all readers."""

    #: dot-stuffed
    segments: tuple[bytes, ...]
    #: whether that changed anything
    has_dots: bool
    seven_bit: bool


@lru_cache(maxsize=4)
def _known(segments: tuple[bytes, ...]) -> _Letter | None:
    """None for segments that say nothing about the whole, because a dot or the end depends on the values beside it."""
    if any(each.startswith(b".") for each in segments) or not segments[-1].endswith(b"\r\n"):
        return None
    if not all(map(_canonical, segments)):
        return None
    doubled = tuple(map(stuffed, segments))
    return _Letter(doubled, doubled != segments, all(each.isascii() for each in segments))


def _canonical(data: bytes) -> bool:
    """Whether it holds no NUL, and CR and LF only as CRLF: then its lines, joined again, are what it was."""
    closed = data + b"."  # `splitlines` passes over a line end that nothing follows
    return 0 not in data and b"\r\n".join(closed.splitlines()) == closed


def _enveloped(sender: str, recipient: str, data: bytes, body: bytes, seven_bit: bool) -> SpeakableMail:
    if not recipient:
        raise ValueError("there is no recipient")
    international = not _PLAIN.fullmatch(recipient) and _checked(recipient)
    if sender:  # a bounce has none (RFC 5321 §4.5.5)
        international = _checked(sender) or international
    return SpeakableMail(sender, recipient, data, body, seven_bit, international)


@lru_cache(maxsize=16)
def _checked(address: str) -> bool:
    """Whether the address needs SMTPUTF8. Raises ValueError if it could become another command, or is too long."""
    local, _, domain = address.rpartition("@")
    fits = len(local.encode()) <= 64 and len(domain.encode()) <= 255 and len(address.encode()) <= 254
    if not (local and domain and fits and address.isprintable() and _NOT_IN_ADDRESSES.isdisjoint(address)):
        raise ValueError(f"not an address for an envelope: {address!r}")
    return not address.isascii()
