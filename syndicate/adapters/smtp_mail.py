"""What a mail has to be before it may be spoken, and how its bytes are written after DATA."""

from __future__ import annotations

from syndicate.model import Mail

_HARMLESS = bytes(byte for byte in range(256) if byte not in b"\r\n\0")


def check(mail: Mail) -> None:
    """Raises ValueError, with the reason, for a mail that cannot be spoken exactly.

    A bare CR or LF lets one message become two at servers that end lines at them (SMTP smuggling, CVE-2023-51764);
    an address with a line end or an angle bracket becomes another command. Limits are those of RFC 5321 §4.5.3.1.
    """
    data = mail.data
    if len(data.translate(None, _HARMLESS)) != 2 * data.count(b"\r\n"):
        raise ValueError("the message holds NUL, or a CR or LF that is not part of a CRLF")
    if not data.endswith(b"\r\n"):
        raise ValueError("the message does not end in CRLF")
    for address in filter(None, (mail.sender, mail.recipient)):
        local, _, domain = address.rpartition("@")
        fits = len(local.encode()) <= 64 and len(domain.encode()) <= 255 and len(address.encode()) <= 254
        if not (local and domain and fits) or _unspeakable(address):
            raise ValueError(f"not an address for an envelope: {address!r}")
    if not mail.recipient:
        raise ValueError("there is no recipient")


def stuffed(data: bytes) -> bytes:
    """The bytes after DATA and before the final dot (RFC 5321 §4.5.2)."""
    doubled = data.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def speakable(address: str) -> str:
    """The address with its domain in ASCII (IDNA 2008, UTS 46). Raises ValueError for a domain that IDNA refuses."""
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        import idna  # comes with requests, and few addresses need it

        domain = idna.encode(domain, uts46=True).decode("ascii")
    return f"{local}{at}{domain}"


def _unspeakable(address: str) -> bool:
    return not address.isprintable() or any(char in '<> \\",' for char in address)


def international(mail: Mail) -> bool:
    """Whether an address needs SMTPUTF8 (RFC 6531)."""
    return not (mail.sender.isascii() and mail.recipient.isascii())
