"""Return addresses that name a delivery: `bounces+4711.k3v9x2ab@example.com` (variable envelope return path).

The MAC makes them impossible to guess, so a bounce that comes to one was caused by our own mail.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable, Sequence
from functools import lru_cache

from syndicate.keyed import keyed

#: 40 bits, which base32 writes in 8 characters. Whoever guesses has one try per mail, at one delivery.
_MAC_BYTES = 5
_PURPOSE = b"bounce\0"


def return_address(bounces: str, delivery: int, secret: bytes) -> str:
    """The envelope sender of one delivery. `bounces` is the mailbox that takes them, with any `+extension`.

    All of it is lower case and of `[a-z0-9+.]`, which forwarders that rewrite envelopes (SRS) carry unharmed.
    """
    local, _, domain = bounces.rpartition("@")
    return f"{local}+{delivery}.{_mac(delivery, secret)}@{domain}"


def delivery_of(texts: Iterable[str], bounces: str, secrets: Sequence[bytes]) -> int:
    """The first delivery that a text names by a return address of ours whose MAC is right; 0 if there is none.

    Case does not count: some servers change it. Every secret that ever signed verifies.
    """
    pattern = _pattern(bounces)
    for text in texts:
        for found in pattern.finditer(text):
            delivery, mac = int(found[1]), found[2].lower()
            if any(hmac.compare_digest(mac, _mac(delivery, secret)) for secret in secrets):
                return delivery
    return 0


def _mac(delivery: int, secret: bytes) -> str:
    return b32encode(keyed(secret, _PURPOSE)(b"%d" % delivery)[:_MAC_BYTES]).decode().lower()


@lru_cache(maxsize=8)
def _pattern(bounces: str) -> re.Pattern[str]:
    local, _, domain = map(re.escape, bounces.rpartition("@"))
    return re.compile(rf"(?<![\w.+-]){local}\+([1-9][0-9]{{0,17}})\.([a-z2-7]{{8}})@{domain}(?![\w.-])", re.IGNORECASE)
