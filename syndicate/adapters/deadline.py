"""An end for the whole of an HTTP exchange: the timeouts of `requests` begin anew with every byte that comes.

A guard of its own cuts the connection when the time is over, so that nothing has to be read in small pieces for it.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

#: Seconds between two cuts: the first may come before there is a socket.
AGAIN = 0.05

_here = threading.local()


class Deadline:
    """A context manager around one exchange of this thread; whoever comes out late looks at `over`."""

    def __init__(self, seconds: float) -> None:
        #: whether the time ran out
        self.over = False
        self._seconds = seconds
        self._ended = threading.Event()
        self._connection: HTTPConnection | None = None
        self._guard = threading.Thread(target=self._watch, name="deadline", daemon=True)

    def __enter__(self) -> Self:
        _here.deadline = self
        self._guard.start()
        return self

    def __exit__(self, *exception: object) -> None:
        _here.deadline = None
        self._ended.set()
        self._guard.join()  # the connection may serve another exchange from here on

    def of(self, connection: HTTPConnection) -> None:
        """This connection is the one to cut."""
        self._connection = connection

    def _watch(self) -> None:
        if self._ended.wait(self._seconds):
            return
        self.over = True
        while True:
            self._cut()
            if self._ended.wait(AGAIN):
                return

    def _cut(self) -> None:
        """Whoever reads or writes there is told at once that it has ended."""
        if self._connection is not None and (found := self._connection.sock) is not None:
            with suppress(OSError):
                socket.socket.shutdown(found, socket.SHUT_RDWR)  # that of TLS would take the reader's buffers away


class _Noted(HTTPConnection):
    def connect(self) -> None:
        _note(self)
        super().connect()

    def request(self, *arguments: Any, **options: Any) -> None:
        _note(self)
        super().request(*arguments, **options)


class _NotedTls(_Noted, HTTPSConnection):
    """Both methods are those of `_Noted`."""


def _note(connection: HTTPConnection) -> None:
    if deadline := getattr(_here, "deadline", None):
        deadline.of(connection)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Noted


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _NotedTls


class Watched(HTTPAdapter):
    """The transport of a session whose exchanges may have a deadline."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """The same pools, of connections that say when they are used."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
