"""What the line servers of this folder share: a listener on loopback, a thread for each connection, lines in CRLF."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import Self


class Over(Exception):
    """A connection has come to its end."""


class LoopbackServer:
    """A server in threads of its own. Use as a context manager."""

    def __init__(self) -> None:
        #: set when the server is to stop
        self.stopping = threading.Event()
        self.connections = 0
        self._links: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._spawn(threading.Thread(target=self._listen, daemon=True))
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuses connections from now on, and waits for those that are open."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def talk(self, link: socket.socket) -> None:
        """One connection, from its first byte to its last."""
        raise NotImplementedError

    def _listen(self) -> None:
        while not self.stopping.is_set():
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._links.append(link)
            self._spawn(threading.Thread(target=self.talk, args=(link,), daemon=True))

    def _spawn(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()


class Lines:
    """A connection that is read line by line."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._buffer = b""

    def _line(self) -> bytes:
        """One line: it ends in CRLF and in nothing else. Raises `Over` where there is no more."""
        while b"\r\n" not in self._buffer:
            data = self._link.recv(65536)
            if not data:
                raise Over
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _encrypt(self, tls: ssl.SSLContext | None) -> None:
        if tls is None:
            raise Over
        self._link = tls.wrap_socket(self._link, server_side=True)
