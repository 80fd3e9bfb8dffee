"""Pictures on the web, kept on this disk: fetched only where the configuration allows it, and only from the web.

A front matter may name any address, that of a router or of a cloud's metadata service too. So it is the resolved
addresses that are checked, every one of them, and the connection goes to the one that was checked. What is kept is
looked up by its URL, so that a dry run shows it and opens no socket.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from syndicate.content.picture import kind_of, place
from syndicate.whole import replacing

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPSConnectionPool

MOST_BYTES = 10_000_000
SECONDS = 10.0
REDIRECTS = 3
#: What Python calls global and is not: ways to write an IPv4 address in IPv6 (RFC 4291, 6052, 3056), and what was site
#: local (RFC 3879), documentation (RFC 9637) or a protocol assignment (RFC 6890).
_NOT_THE_WEB = tuple(
    map(ip_network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10", "3fff::/20", "192.0.0.0/24"))
)
Address = IPv4Address | IPv6Address
Resolve = Callable[[str], Iterable[str]]
Connect = Callable[[str, str], "HTTPSConnectionPool"]


def fetch(url: str, folder: Path, resolve: Resolve | None = None, connect: Connect | None = None) -> str:
    """Fetches a picture into the folder, in place of an earlier copy; why it could not be, or empty.

    `resolve`: host -> its addresses; `connect`: (address, host) -> connections to it. Both are the system's, if none
    are given.
    """
    deadline = time.monotonic() + SECONDS
    try:
        for _ in range(REDIRECTS + 1):
            found = _asked(url, deadline, resolve or resolved, connect or connected)
            if isinstance(found, bytes):
                _keep(place(folder, url), found)
                return ""
            url = urljoin(url, found)
    except (OSError, ValueError) as error:
        return str(error)
    return "it is sent on too often"


def _asked(url: str, deadline: float, resolve: Resolve, connect: Connect) -> bytes | str:
    """The picture, or where it is now. Raises `ValueError` or `OSError` with the reason."""
    from urllib3.exceptions import HTTPError

    parts = urlsplit(url)
    host = _host(url)
    address = _checked(host, resolve)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    try:
        with connect(address, host) as pool:
            answer = pool.request(
                "GET", target, headers={"Host": host, "Accept": "image/*"}, redirect=False, preload_content=False
            )
            if answer.status in {301, 302, 303, 307, 308}:
                return str(answer.headers.get("Location", ""))
            if answer.status != 200:
                raise ValueError(f"the server answers {answer.status}")
            return _body(answer, deadline)
    except HTTPError as error:
        raise ValueError(f"{host} cannot be reached: {type(error).__name__}") from error


def _host(url: str) -> str:
    """The host of an https URL on the usual port, in ASCII. Raises `ValueError` for any other."""
    import idna

    parts = urlsplit(url)
    if parts.scheme.lower() != "https" or not parts.hostname:
        raise ValueError("only https addresses are fetched")
    if parts.username is not None or parts.port not in {None, 443} or "\\" in parts.netloc:
        raise ValueError("an address with a user or a port is not fetched")
    try:
        return idna.encode(parts.hostname, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{parts.hostname!r} is no host name") from error


def _checked(host: str, resolve: Resolve) -> str:
    """An address of the host, all of whose addresses belong to the web. Raises `ValueError`."""
    found = list(resolve(host))
    for text in found:
        address = ip_address(text)
        if not is_of_the_web(address):
            raise ValueError(f"{host} leads to {address}, which is not on the web")
    if not found:
        raise ValueError(f"{host} has no address")
    return found[0]


def is_of_the_web(address: Address) -> bool:
    """Whether anybody on the web would reach the same machine there."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return is_of_the_web(address.ipv4_mapped)
    inside = any(address in network for network in _NOT_THE_WEB if network.version == address.version)
    return address.is_global and not address.is_multicast and not inside


def _body(answer: BaseHTTPResponse, deadline: float) -> bytes:
    """At most so many bytes in so much time, without unpacking: a picture is packed already."""
    parts, size = [], 0
    for part in answer.stream(1 << 16, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES // 1_000_000} MB")
        if time.monotonic() > deadline:
            raise ValueError(f"it did not come within {SECONDS:.0f} seconds")
    return b"".join(parts)


def _keep(file: Path, data: bytes) -> None:
    if not kind_of(data):
        raise ValueError("it is no JPEG, PNG, GIF or WebP that can be read")
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as draft:
        draft.write(data)


def resolved(host: str) -> Iterable[str]:
    """What the system's resolver says."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


def connected(address: str, host: str) -> HTTPSConnectionPool:
    """Connections to this very address, whose certificate has to be that of the host."""
    from urllib3 import HTTPSConnectionPool
    from urllib3.util import Timeout

    timeout = Timeout(connect=SECONDS / 2, read=SECONDS / 2)
    return HTTPSConnectionPool(
        address, 443, timeout=timeout, retries=False, server_hostname=host, assert_hostname=host, maxsize=1
    )
