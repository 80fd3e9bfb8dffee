"""An HTTP server on loopback that keeps a journal of what it received and misbehaves where a script says so."""

from __future__ import annotations

import ssl
import struct
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Received:
    """A request, as it came."""

    method: str
    path: str
    #: names in lower case
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request instead of what should."""

    #: instead of the right answer; None: the right one
    reply: Reply | None = None
    #: bytes in place of an HTTP answer; None: an answer
    raw: bytes | None = None
    #: `answer`, `close` without a word, `reset`, or `hang` until the server stops
    then: str = "answer"
    #: whether the request is carried out all the same
    apply: bool = False
    #: the connection is cut before the body is read
    unread: bool = False


class FakeNetwork:
    """The frame of a fake network: subclasses say what is right in `handle`. Use as a context manager."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        #: every request that was read whole, in order
        self.journal: list[Received] = []
        self._faults: deque[Fault | None] = deque()
        self.stopping = threading.Event()
        network = self

        class Handler(_Handler):
            fake = network

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        host = "https://localhost" if tls else "http://127.0.0.1"
        self.url = f"{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuses connections from now on."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._server.shutdown()
            self._server.server_close()

    def fault(self, *faults: Fault | None) -> None:
        """What happens to the next requests, one each; None: nothing."""
        self._faults.extend(faults)

    def next_fault(self) -> Fault | None:
        """What the script has for this request."""
        return self._faults.popleft() if self._faults else None

    def handle(self, request: Received) -> Reply:
        """What the network does with a request, and answers."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeNetwork

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        fault = self.fake.next_fault()
        if fault and fault.unread:
            return self._cut("reset")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        received = Received(self.command, self.path, headers, body)
        self.fake.journal.append(received)
        reply = self.fake.handle(received) if fault is None or fault.apply else None
        return self._answer(fault, reply)

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 -- the names that http.server calls

    def _answer(self, fault: Fault | None, reply: Reply | None) -> None:
        if fault and fault.raw is not None:
            self.wfile.write(fault.raw)
        if fault and fault.then == "hang":
            self.fake.stopping.wait(30)
        if fault and (fault.then != "answer" or fault.raw is not None):
            return self._cut(fault.then)
        chosen = (fault and fault.reply) or reply or Reply(500)
        self.send_response_only(chosen.status)  # without a Date of its own: the tests own the clock
        for name, value in {"Content-Length": str(len(chosen.body)), **chosen.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(chosen.body)
        return None

    def _cut(self, how: str) -> None:
        self.close_connection = True
        if how == "reset":
            # SO_LINGER of zero: closing sends RST instead of FIN
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
