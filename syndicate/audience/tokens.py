"""Unsubscribe links that name nobody, cannot be guessed, and are the same whenever they are made again."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from syndicate.audience.addresses import unique
from syndicate.errors import ConfigError

#: 120 bits of the HMAC, which base64 writes in 20 characters without padding: with a host name of up to 29 characters
#: the whole link stays within 60, so that List-Unsubscribe fits on a header line of 78 (RFC 5322 §2.1.1).
TOKEN_BYTES = 15
SHORTEST_SECRET = 16
_PURPOSE = b"unsubscribe"


def unsubscribe_token(secret: bytes, audience: str, address: str) -> str:
    """20 characters of `A-Za-z0-9_-` that stand for one reader of one audience: a truncated HMAC-SHA256 (RFC 2104 §5).

    It holds nothing to decode. A server finds the reader by it as by any key: the column of tokens of a subscriber
    table is indexed, and filled by this function when the reader is imported. `address` is normalised; its case does
    not count. A token for another purpose or another audience is a different one. Raises `ConfigError` if `secret`
    has fewer than 16 bytes.
    """
    if len(secret) < SHORTEST_SECRET:
        raise ConfigError(
            f"the key material of the unsubscribe links has fewer than {SHORTEST_SECRET} bytes",
            hint='Remove the key "secret" from the configuration, or give it a longer one.',
        )
    text = b"\0".join((_PURPOSE, audience.encode(), unique(address).encode()))
    return urlsafe_b64encode(hmac.digest(secret, text, "sha256")[:TOKEN_BYTES]).decode()


def verify(token: str, secret: bytes, audience: str, address: str) -> bool:
    """Whether a token that came from outside belongs to this reader, in the same time for right and wrong."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), unsubscribe_token(secret, audience, address).encode())


def unsubscribe_url(links: str, token: str) -> str:
    """The page on which one reader leaves one audience. `links` is the publication's base, with or without a slash."""
    return f"{links.rstrip('/')}/u/{token}"
