"""An HTTP server on loopback that keeps a journal of what it received and misbehaves where a script says so."""

from __future__ import annotations

import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.parser import BytesParser
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from socket import SO_LINGER, SOL_SOCKET
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import requests


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
    #: seconds after every byte of `raw`
    drip: float = 0.0


#: Not now; not for ten minutes; nobody knows; carried out, and never answered.
BUSY = Fault(Reply(429))
BUSY_FOR = Fault(Reply(429, headers={"Retry-After": "600"}))
DOWN = Fault(Reply(503))
LOST = Fault(then="close", apply=True)


def form(request: Received) -> Iterator[tuple[str, str, bytes]]:
    """(name, file name or empty, data) of each field of a `multipart/form-data` body."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    for part in BytesParser().parsebytes(head + request.body).walk():
        if not part.is_multipart():
            name, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
            yield str(name), part.get_filename() or "", data if isinstance(data, bytes) else b""


def hurried(session: requests.Session, seconds: float) -> requests.Session:
    """A session that waits for no answer longer than this."""
    from requests.adapters import HTTPAdapter

    class Hurried(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
            return super().send(request, **(options | {"timeout": seconds}))

    session.mount("http://", Hurried())
    return session


class FakeNetwork:
    """The frame of a fake network: subclasses say what is right in `handle`. Use as a context manager."""

    #: the option of an account that holds the network's address, and what comes behind host and port in it
    option: ClassVar[str] = "base_url"
    path: ClassVar[str] = ""
    #: options with which an account is let in
    credentials: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        #: every request that was read whole, in order
        self.journal: list[Received] = []
        #: dates the answers; None: they have no date, and who reads them goes by another clock
        self.clock: Callable[[], datetime] | None = None
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

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of an account, changed so that they lead here and it is let in."""
        return {**options, self.option: self.url + self.path, **self.credentials}

    def storm(self, random: Random) -> None:
        """Scripts bad weather: of a thousand requests one in four meets something that a network does at times."""
        kinds = (None, BUSY, BUSY_FOR, DOWN, LOST)
        self.fault(*random.choices(kinds, weights=(75, 6, 6, 6, 7), k=1000))

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
            self._drip(fault.raw, fault.drip)
        if fault and fault.then == "hang":
            self.fake.stopping.wait(30)
        if fault and (fault.then != "answer" or fault.raw is not None):
            return self._cut(fault.then)
        chosen = (fault and fault.reply) or reply or Reply(500)
        self.send_response_only(chosen.status)  # without a Date of its own: the tests own the clock
        if self.fake.clock:
            self.send_header("Date", format_datetime(self.fake.clock(), usegmt=True))
        for name, value in {"Content-Length": str(len(chosen.body)), **chosen.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(chosen.body)
        return None

    def _drip(self, data: bytes, pause: float) -> None:
        for piece in [data[at : at + 1] for at in range(len(data))] if pause else [data]:
            with suppress(OSError):  # nobody waits any more
                self.wfile.write(piece)
            self.fake.stopping.wait(pause)

    def _cut(self, how: str) -> None:
        self.close_connection = True
        if how == "reset":
            # SO_LINGER of zero: closing sends RST instead of FIN
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
