"""DKIM (RFC 6376, RFC 8301): one rsa-sha256 signature that is a function of the message and the key alone.

Its time is the message's own date and RSA PKCS#1 v1.5 draws no random numbers, so a retry repeats it byte for byte.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import getaddresses, parsedate_to_datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: Named in `h=` once more than they occur, so that a verifier notices one that was added (RFC 6376 §8.15). Unsigned
#: stays what relays set for themselves, such as Precedence.
OVERSIGNED = (
    *(b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"list-help", b"list-owner", b"list-post"),
    b"feedback-id",
)
#: Bits of a key that every verifier takes (RFC 8301 §3.2).
SMALLEST, LARGEST = 1024, 4096
_WIDTH = 78  # characters of a line without its CRLF (RFC 5322 §2.1.1)
# Both begin with two literal characters, which `re` finds ten times as fast as a set.
_SPACES = re.compile(rb"  +")
_TRAILING = re.compile(rb" \r\n")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_LONGEST_DOMAIN, _LONGEST_SELECTOR = 200, 40  # `SELECTOR._domainkey.DOMAIN` has at most 253 characters
_MAKE_ONE = "make one with: openssl genrsa -out dkim.pem 2048"


def _checked_domain(domain: str) -> str:
    if len(domain) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        raise ValueError("not a domain such as example.com (an international one is written in its xn-- form)")
    return domain.lower()


def _checked_selector(selector: str) -> str:
    if len(selector) > _LONGEST_SELECTOR or not _SELECTOR.fullmatch(selector):
        raise ValueError("not a selector such as news2025: letters, digits, hyphens and dots")
    return selector


class DkimOptions(BaseModel):
    """The signature of our own domain, for a mail server that does not sign for us."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    domain: Annotated[str, AfterValidator(_checked_domain)] = Field(
        description="who signs: the domain of the From address, or one above it"
    )
    selector: Annotated[str, AfterValidator(_checked_selector)] = Field(
        description="where the public key is: a TXT record at SELECTOR._domainkey.DOMAIN"
    )
    private_key: SecretStr = Field(description='RSA private key in PEM, 2048 bits, such as "${file:dkim.pem}"')

    @model_validator(mode="after")
    def _with_a_usable_key(self) -> Self:
        # An account is also checked with its references as they are written, where the secrets may not exist.
        if not self.private_key.get_secret_value().startswith("${"):
            _ = self.signer
        return self

    @cached_property
    def signer(self) -> Signer:
        """Signs for this domain. Raises ValueError for a key that cannot."""
        return Signer(self.domain, self.selector, rsa_key(self.private_key.get_secret_value()))


@dataclass(frozen=True)
class Signer:
    """Signs whole messages; any number of threads may share one."""

    #: `d=`, in ASCII and lower case
    domain: str
    #: `s=`
    selector: str
    key: RSAPrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """The message with its signature in front. Raises ValueError as `header` does."""
        return self.header(data) + data

    def header(self, data: bytes) -> bytes:
        """The DKIM-Signature, with its CRLF, to stand before the first header of `data`, which is canonical CRLF.

        Raises ValueError for what is no such message, has not exactly one From and one Date, or is From a domain that
        this signature says nothing about (DMARC alignment, RFC 7489 §3.1.1).
        """
        head, end, body = data.partition(b"\r\n\r\n")
        if not (end and data.endswith(b"\r\n")):
            raise ValueError("the message has no empty line after its headers, or does not end in CRLF")
        fields = relaxed_headers(head + b"\r\n")
        sender = _domain_of(_only(fields, b"from"))
        if not aligned(self.domain, sender):
            raise ValueError(f"a DKIM signature of {self.domain} does not stand for mail from {sender}")
        names = tuple(len(fields.get(name, ())) for name in OVERSIGNED)
        digest = b64encode(sha256(relaxed_body(body)).digest())
        unsigned = b"%s\r\n t=%d; bh=%s;\r\n b=" % (
            _opening(self.domain, self.selector, names),
            _seconds(_only(fields, b"date")),
            digest,
        )
        (own,) = relaxed_headers(unsigned + b"\r\n")[b"dkim-signature"]
        # The last of several comes first (§5.4.2); our own is hashed without its CRLF (§3.7).
        signed = b"".join([line for name in OVERSIGNED for line in reversed(fields.get(name, ()))]) + own[:-2]
        return unsigned + _folded_base64(b64encode(_rsa_sha256(self.key, signed))) + b"\r\n"


def aligned(domain: str, sender: str) -> bool:
    """Whether a signature of `domain` may stand for mail whose From address is at `sender`: itself, or one above it."""
    return f".{sender.lower()}".endswith(f".{domain.lower()}")


def rsa_key(pem: str) -> RSAPrivateKey:
    """The key in `pem`: RSA, 1024 to 4096 bits, PKCS#1 or PKCS#8, without a passphrase.

    Raises ValueError that says what is wrong with another one, and shows nothing of it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # 60 ms, and few accounts sign
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except TypeError:
        raise ValueError("the DKIM key has a passphrase; take it off with: openssl rsa -in KEY -out dkim.pem") from None
    except (ValueError, UnsupportedAlgorithm):  # whose words may quote the key
        raise ValueError(f"the DKIM key {_unread(pem)}; {_MAKE_ONE}") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"the DKIM key is not RSA, which every receiver verifies; {_MAKE_ONE}")  # noqa: TRY004 - a user's value
    if not SMALLEST <= key.key_size <= LARGEST:
        raise ValueError(f"the DKIM key has {key.key_size} bits, receivers take {SMALLEST} to {LARGEST}; {_MAKE_ONE}")
    return key


def dns_record(key: RSAPrivateKey) -> str:
    """The text to publish as TXT at `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.6.1).

    A zone file cuts it into strings of at most 255 characters, which are read as one.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


def relaxed_headers(head: bytes) -> dict[bytes, list[bytes]]:
    """Name -> its fields from the top down, each `name:value` with CRLF, in the relaxed form of RFC 6376 §3.4.2.

    `head` ends in CRLF. Raises ValueError for a line that is no header.
    """
    unfolded = _single_spaced(head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" "))
    found: dict[bytes, list[bytes]] = {}
    for line in unfolded[:-2].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" ").lower()
        if not (name and colon) or b" " in name:
            raise ValueError("the message has a line among its headers that is none")
        found.setdefault(name, []).append(b"%s:%s\r\n" % (name, value.strip(b" ")))
    return found


def relaxed_body(body: bytes) -> bytes:
    """The body in the relaxed form of RFC 6376 §3.4.4. It is empty or ends in CRLF."""
    text = _TRAILING.sub(b"\r\n", _single_spaced(body)).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _single_spaced(data: bytes) -> bytes:
    """One space for each run of spaces and tabs."""
    return _SPACES.sub(b" ", data.replace(b"\t", b" "))


@lru_cache(maxsize=64)
def _opening(domain: str, selector: str, counts: tuple[int, ...]) -> bytes:
    """The header up to its `h=`, which names each of `OVERSIGNED` so many times and once more."""
    names = [name.decode() for name, count in zip(OVERSIGNED, counts, strict=True) for _ in range(count + 1)]
    signed = [f" h={names[0]}:", *(f"{name}:" for name in names[1:-1]), f"{names[-1]};"]
    lines = ["DKIM-Signature:"]
    for token in (" v=1;", " a=rsa-sha256;", " c=relaxed/relaxed;", f" d={domain};", f" s={selector};", *signed):
        if len(lines[-1]) + len(token) > _WIDTH:
            lines.append(" " + token.strip())
        else:
            lines[-1] += token
    return "\r\n".join(lines).encode()


def _folded_base64(text: bytes) -> bytes:
    """`text` after ` b=`, on lines of at most 78 characters."""
    first = _WIDTH - len(" b=")
    rest = [text[at : at + _WIDTH - 1] for at in range(first, len(text), _WIDTH - 1)]
    return b"\r\n ".join([text[:first], *rest])


def _rsa_sha256(key: RSAPrivateKey, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return key.sign(data, PKCS1v15(), SHA256())  # without the GIL


def _only(fields: dict[bytes, list[bytes]], name: bytes) -> bytes:
    """The value of a header that stands there once."""
    lines = fields.get(name, ())
    if len(lines) != 1:
        raise ValueError(f"the message has {len(lines)} {name.decode().title()} headers where one is needed")
    return lines[0][len(name) + 1 : -2]


@lru_cache(maxsize=64)
def _domain_of(value: bytes) -> str:
    """The domain of the one address in a From header."""
    addresses = [address for _, address in getaddresses([value.decode("utf-8", "surrogateescape")])]
    if len(addresses) != 1 or "@" not in addresses[0]:
        raise ValueError("the From header of the message is not one address")
    return addresses[0].rpartition("@")[2]


@lru_cache(maxsize=64)
def _seconds(value: bytes) -> int:
    """A Date header in seconds since 1970; `-0000`, no zone known, counts as UTC (RFC 5322 §3.3)."""
    try:
        date = parsedate_to_datetime(value.decode("ascii"))
    except ValueError:
        raise ValueError("the Date header of the message is not a date") from None
    seconds = int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
    if seconds < 0:
        raise ValueError("the message is dated before 1970, which DKIM cannot say")
    return seconds


def _unread(pem: str) -> str:
    """Why a key could not be read."""
    if "BEGIN CERTIFICATE" in pem or "PUBLIC KEY" in pem:
        return "is the public half, where the private one is needed"
    if "-----BEGIN" in pem:
        return "is damaged, or of an unknown kind"
    return "is missing, or a path or other text, not PEM"
