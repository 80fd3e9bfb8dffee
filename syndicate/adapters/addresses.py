"""Which web addresses an account may name."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def checked_url(url: str, *, allow_http: bool = False) -> str:
    """The address, if secrets may go there: https, or http to this machine. Raises ValueError with the reason."""
    parts = urlsplit(url)
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in url) or not parts.hostname:
        raise ValueError("not a web address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a web address must not hold a user name or password")
    if parts.port == 0:  # reading the port raises ValueError when it is out of range
        raise ValueError("port 0 cannot be reached")
    if parts.scheme != "https" and not (parts.scheme == "http" and (allow_http or _loopback(parts.hostname))):
        raise ValueError("the address must begin with https:// (http:// only to this machine)")
    return url


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
