"""Tokens in links: short, for one purpose, impossible to make up, and the same whenever they are made again.

Twenty characters of base64url are 15 bytes: a head (what kind, and which key), seven bytes that say who, and a
truncated HMAC-SHA256 (RFC 2104 §5) over the purpose and all before it. With a host name of up to 29 characters the
whole link stays within 60, so that List-Unsubscribe fits on a header line of 78 (RFC 5322 §2.1.1). Nothing expires by
itself, and whether a token is ours shows without a look at the database: a guess costs its sender more than us.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from syndicate.audience.addresses import unique
from syndicate.errors import ConfigError
from syndicate.keyed import keyed

SHORTEST_SECRET = 16  # bytes
#: Characters of a token, and the bytes that they hold.
LENGTH, _BYTES = 20, 15
#: First bit of the head: the token is a stranger's, and holds no numbers.
_STRANGER = 0x80
#: Bytes of a subscriber's number, of his list's, and of a stranger's trace. What is left of 15 is the MAC: 64 and 56
#: bits, which somebody who asks 1,000 times a second finds in a million years.
_READER, _LIST, _TRACE = 4, 2, 7


class Purpose(StrEnum):
    """What a token is for; none does for another."""

    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    VIEW = "view"  #: an edition in the browser: of nobody
    FORM = "form"  #: a form that we have shown


@dataclass(frozen=True, slots=True)
class Member:
    """A subscriber on a list, by their numbers in the store."""

    reader: int
    list: int


@dataclass(frozen=True, slots=True)
class Stranger:
    """A reader from a file, whom only the ledger knows: a keyed hash of list and address."""

    trace: bytes


Bearer: TypeAlias = Member | Stranger


class Keys:
    """The key material: the first key signs, all verify, for as long as they are kept."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Raises `ConfigError` if one of them has fewer than 16 bytes."""
        if not secrets or min(map(len, secrets)) < SHORTEST_SECRET:
            raise ConfigError(
                f"the key material of the unsubscribe links has fewer than {SHORTEST_SECRET} bytes",
                hint='Remove the key "secret" from the configuration, or give it a longer one.',
            )
        self.secrets = tuple(secrets)

    def member(self, purpose: Purpose, reader: int, number: int) -> str:
        """The token of a subscriber for a list; its number is 0 where it is about all lists."""
        return self.members(purpose, number)(reader)

    def members(self, purpose: Purpose, number: int) -> Callable[[int], str]:
        """The same for all subscribers of a list: number of the reader -> token."""
        token = self._tokens(purpose, 0)
        where = number.to_bytes(_LIST, "big")
        return lambda reader: token(reader.to_bytes(_READER, "big") + where)

    def stranger(self, purpose: Purpose, audience: str, address: str) -> str:
        """The token of a reader from a file. `address` is normalised; its case does not count."""
        return self.strangers(purpose, audience)(address)

    def strangers(self, purpose: Purpose, audience: str) -> Callable[[str], str]:
        """The same for all readers of a file: address -> token."""
        token, trace = self._tokens(purpose, _STRANGER), _traces(self.secrets[0], audience)
        return lambda address: token(trace(address))

    def _tokens(self, purpose: Purpose, kind: int) -> Callable[[bytes], str]:
        """Who -> token, under the first key."""
        key = self.secrets[0]
        head = bytes([_name(key) | kind])
        mac = _macs(key, purpose, head)
        return lambda who: urlsafe_b64encode((head + who + mac(who))[:_BYTES]).decode()

    def read(self, purpose: Purpose, token: str) -> Bearer | None:
        """Whom a token that came from outside stands for; None if it is not one of ours for this purpose."""
        data = _decoded(token)
        if data is None:
            return None
        strange = bool(data[0] & _STRANGER)
        size = 1 + (_TRACE if strange else _READER + _LIST)
        known = [
            hmac.compare_digest(data[size:], _macs(key, purpose, data[:1])(data[1:size])[: _BYTES - size])
            for key in self.secrets
            if _name(key) == data[0] & ~_STRANGER
        ]
        if not any(known):
            return None
        if strange:
            return Stranger(data[1:size])
        return Member(int.from_bytes(data[1 : 1 + _READER], "big"), int.from_bytes(data[1 + _READER : size], "big"))

    def traces(self, audience: str, address: str) -> list[bytes]:
        """By which traces this reader may be asked for: one for each key."""
        return [_traces(key, audience)(address) for key in self.secrets]

    def seal(self, purpose: Purpose, text: str) -> str:
        """16 characters that prove that we have written `text` for this purpose: 96 bits."""
        return _seal(self.secrets[0], purpose, text)

    def sealed(self, purpose: Purpose, text: str, seal: str) -> bool:
        """Whether `seal` is one of ours for `text`, in the same time for right and wrong."""
        given = seal.encode("utf-8", "replace")
        known = [hmac.compare_digest(given, _seal(key, purpose, text).encode()) for key in self.secrets]
        return any(known)

    def anonymous(self, text: str) -> str:
        """A name for what must not be kept as it is, such as the network address of a visitor."""
        return _seal(self.secrets[-1], "anonymous", text)


def link(base: str, page: str, token: str) -> str:
    """`https://news.example.com/u/TOKEN`. `base` is `publication.links`, with or without a slash."""
    return f"{base.rstrip('/')}/{page}/{token}"


def _decoded(token: str) -> bytes | None:
    """The 15 bytes of a token; None for whatever is not the one way to write them."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        data = urlsafe_b64decode(token)
    except (Error, ValueError):
        return None
    # The decoder of the standard library skips what it does not know.
    return data if urlsafe_b64encode(data).decode() == token else None


def _macs(key: bytes, purpose: str, head: bytes) -> Callable[[bytes], bytes]:
    """Who -> the MAC of a token, as long as it is before it fills the 15 bytes."""
    return keyed(key, b"%b\0%b" % (purpose.encode(), head))


def _traces(key: bytes, audience: str) -> Callable[[str], bytes]:
    """Address -> trace."""
    mac = keyed(key, b"reader\0%b\0" % audience.encode())
    return lambda address: mac(unique(address).encode())[:_TRACE]


def _seal(key: bytes, purpose: str, text: str) -> str:
    return urlsafe_b64encode(_digest(key, b"seal", purpose.encode(), text.encode("utf-8", "replace"))[:12]).decode()


def _digest(key: bytes, *parts: bytes) -> bytes:
    return keyed(key)(b"\0".join(parts))


@lru_cache(maxsize=64)
def _name(key: bytes) -> int:
    """Seven bits that tell a key from the others; two with the same name are both tried."""
    return _digest(key, b"name")[0] & ~_STRANGER
