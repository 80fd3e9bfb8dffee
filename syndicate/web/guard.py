"""What stands around every route: whom it is for, how much may come in and how slowly, and what every answer says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address, ip_network
from typing import Any

from syndicate.returns.intake import LARGEST

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Bytes of the body of a form; what a provider posts may have more.
FORM = 64 * 1024
#: Bytes and number of the headers of a request; browsers send a tenth of that.
HEAD, MOST_HEADERS = 16 * 1024, 100
#: Seconds within which a whole body has to be here.
PATIENCE = 20.0
HOOKS = "/hooks/"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: On every answer that does not say otherwise.
HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-robots-tag": b"noindex, nofollow",
}
REASONS = {400: b"bad request", 408: b"too slow", 413: b"too large", 500: b"something went wrong"}


class Guard:
    """ASGI middleware."""

    def __init__(
        self,
        app: App,
        hosts: Callable[[], frozenset[str]],
        report: Callable[[Exception], object],
        patience: float = PATIENCE,
    ) -> None:
        """`hosts` names those under which the pages may be asked for; `report` is told what went wrong in a route."""
        self._app = app
        self._hosts = hosts
        self._report = report
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        try:
            await self._handle(scope, receive, answer)
        except _Refused as refused:
            await answer.plain(refused.status)
        except Exception as error:
            self._report(error)
            if not answer.begun:
                await answer.plain(500)

    async def _handle(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        if is_too_long(scope) or not self._is_ours(scope):
            raise _Refused(400)
        body = await self._body(scope, receive)
        await self._app(scope, _replay(body, receive), answer)

    def _is_ours(self, scope: Scope) -> bool:
        """Whether the one `Host` names us; on this machine, by its own names too."""
        named = [value for name, value in scope["headers"] if name == b"host"]
        host = hostname(named[0].decode("latin-1")) if len(named) == 1 else ""
        return host in self._hosts() or (host in LOOPBACK and is_within(client(scope), LOOPBACK - {"localhost"}))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        most = LARGEST if scope["path"].startswith(HOOKS) else FORM
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if any(not value.isdigit() or int(value) > most for value in lengths):
            raise _Refused(413)
        try:
            return await asyncio.wait_for(_read(receive, most), self._patience)
        except TimeoutError:
            raise _Refused(408) from None


def is_too_long(scope: Scope) -> bool:
    """Whether the head of a request is larger than anybody needs it."""
    headers = scope["headers"]
    return len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > HEAD


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Answer:
    """The way back: adds the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            given = {name.lower() for name, _ in message["headers"]}
            missing = [(name, value) for name, value in HEADERS.items() if name not in given]
            message = {**message, "headers": [*message["headers"], *missing]}
        await self._send(message)

    async def plain(self, status: int) -> None:
        """A short text. The connection ends: what is left of the request was not read."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": REASONS[status] + b"\n"})


async def _read(receive: Receive, most: int) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise _Refused(413)
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands out a body that was read already, then what comes after it."""
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> MutableMapping[str, Any]:
        return first.pop() if first else await receive()

    return replayed


def client(scope: Scope) -> str:
    """The visitor's address: that of the connection, or what a proxy that we trust says it is."""
    found = scope.get("client")
    return str(found[0]) if found else ""


def hostname(host: str) -> str:
    """`News.Example.com:443` -> `news.example.com`, `[::1]:80` -> `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().removesuffix(".")


def is_within(address: str, networks: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether an IP address is one of these, or in one of these networks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in ip_network(network) for network in networks)
