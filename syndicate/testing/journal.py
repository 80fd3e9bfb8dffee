"""A server that keeps a journal of what it accepted, on the disk before it says so; and a sender that speaks to it.

The journal against the ledger is the oracle of "nobody gets it twice, nobody is lost".
"""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from syndicate.model import Dedupe, Deferred, Mail, Outcome, Payload, Receipt, Unknown

#: One message: a line `recipient length`, then so many bytes. The answer: one line.
_HEADER_LIMIT = 1000


class JournalServer:
    """Listens on loopback as long as its context lasts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lock = threading.Lock()

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(handler) -> None:  # noqa: N805 - `self` is the server
                self._converse(handler)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    @contextmanager
    def running(self) -> Iterator[JournalServer]:
        """Serves in a thread."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
            os.close(self._descriptor)

    def accepted(self) -> list[tuple[str, str]]:
        """(recipient, hex SHA-256 of the bytes) of everything that was accepted, in order."""
        return [(line.split()[0], line.split()[1]) for line in self._path.read_text("ascii").splitlines()]

    def _converse(self, handler: Any) -> None:
        try:
            while header := handler.rfile.readline(_HEADER_LIMIT).split():
                body = handler.rfile.read(int(header[1]))
                if len(body) < int(header[1]):
                    return
                self._accept(header[0].decode("ascii"), body)
                handler.wfile.write(b"ok\n")
        except OSError:
            return  # the client was killed

    def _accept(self, recipient: str, body: bytes) -> None:
        with self._lock:
            os.write(self._descriptor, f"{recipient} {sha256(body).hexdigest()}\n".encode("ascii"))
            os.fsync(self._descriptor)


@dataclass(frozen=True)
class JournalOptions:
    """As much of an adapter's options as the courier looks at."""

    #: how many conversations at once
    connections: int = 4


@dataclass
class JournalSender:
    """Plays an adapter that knows neither a repeat nor a question."""

    port: int
    dedupe: Dedupe = field(default_factory=Dedupe)
    options: JournalOptions = field(default_factory=JournalOptions)

    @contextmanager
    def open(self) -> Iterator[socket.socket]:
        """A connection for many messages."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=30)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection

    def prepare(self, session: socket.socket, payload: Payload) -> Payload | Outcome:
        """Nothing to prepare."""
        return payload

    def send(self, session: socket.socket, payload: Payload, key: str) -> Outcome:
        """One message, one answer."""
        if not isinstance(payload, Mail):
            return Deferred("only mail is spoken here")
        try:
            session.sendall(f"{payload.recipient} {len(payload.data)}\n".encode("ascii") + payload.data)
            answer = session.recv(100)
        except OSError as error:
            return Unknown(str(error))
        return Receipt(payload.recipient, status="ok") if answer == b"ok\n" else Unknown(f"answered {answer!r}")

    def find(self, session: socket.socket, payload: Payload, key: str) -> Receipt | None:
        """Never called: `dedupe` says so."""
        raise NotImplementedError
