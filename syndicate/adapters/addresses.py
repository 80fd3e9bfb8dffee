"""Which web addresses an account may name."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

#: Stand in an address, or for all of it, where `send` puts the secret: what is shown and hashed does not depend on it.
SECRET_HOLE, WEBHOOK_HOLE = "{secret}", "{webhook}"


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


def checked_webhook(url: str) -> str:
    """The address, if it can be that of a webhook, whose path nobody can guess. Raises ValueError with the reason."""
    if not urlsplit(checked_url(url)).path.strip("/"):
        raise ValueError("the address has no path: copy it whole")
    return url


def webhook_holes(url: str) -> Mapping[str, str]:
    """What `http.exchange` fills in for an address that is itself the secret; an answer may repeat its end alone."""
    return {WEBHOOK_HOLE: url, SECRET_HOLE: url.rstrip("/").rpartition("/")[2]}


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
