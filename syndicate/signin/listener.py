"""The place on this machine that a network sends the browser back to (RFC 8252 §7.3): one page, for one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

from syndicate.errors import SyndicateError
from syndicate.signin.flow import query_of

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Syndicate</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 15vh auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">{title}</h1><p>{text}</p>"""
DONE = PAGE.format(title="Syndicate has its answer", text="You can close this window and go back to the terminal.")
STRANGE = PAGE.format(
    title="This is not the answer that is waited for",
    text="Open the address that the terminal shows, in one window only.",
)
#: Of a page that was reached with a code in its address: nobody keeps it or hears of it.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Connection": "close",
}
#: Seconds that one caller may take for his request.
PATIENCE = 5


class Listener:
    """Listens on 127.0.0.1 and nowhere else. Use as a context manager."""

    def __init__(self, redirect: str) -> None:
        """`redirect` is the registered address; without a port any free one is taken.

        Raises `SyndicateError` if its port is taken.
        """
        parts = urlsplit(redirect)
        self._path = parts.path or "/"
        self._answers: SimpleQueue[Mapping[str, str]] = SimpleQueue()
        self._is_ours: Callable[[Mapping[str, str]], bool] = lambda query: False
        #: answers with another state: of an older attempt, or of somebody who tried
        self.strangers = 0
        listener = self

        class Handler(_Handler):
            place = listener

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", parts.port or 0), Handler)
        except OSError as error:
            raise SyndicateError(
                f"port {parts.port} of this machine cannot be listened at: {error.strerror}",
                hint="End what uses it, set and register another `redirect`, or use --paste.",
            ) from error
        self._server.daemon_threads = True
        port = self._server.server_address[1]
        #: the address as the network is told
        self.redirect = redirect if parts.port else f"{parts.scheme}://{parts.hostname}:{port}{parts.path}"

    def __enter__(self) -> Self:
        serve = {"poll_interval": 0.05}
        Thread(target=self._server.serve_forever, kwargs=serve, name="sign-in", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def expect(self, is_ours: Callable[[Mapping[str, str]], bool]) -> None:
        """What tells our answer from another; until then none is."""
        self._is_ours = is_ours

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The query of our answer. Raises `SyndicateError` where none comes in time."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            strange = f"; {self.strangers} came with another `state` and do not count" if self.strangers else ""
            raise SyndicateError(
                f"no answer came back within {seconds:g} seconds{strange}",
                hint="Run it again, and agree in the browser; where that is on another machine, use --paste.",
            ) from None

    def take(self, target: str) -> tuple[int, str]:
        """Status and page for a request. What carries another state is turned away, and the wait goes on."""
        if urlsplit(target).path != self._path:
            return 404, STRANGE
        query = query_of(target)
        if not self._is_ours(query):
            self.strangers += 1
            return 400, STRANGE
        self._answers.put(query)
        return 200, DONE


class _Handler(BaseHTTPRequestHandler):
    place: Listener
    timeout = PATIENCE
    server_version, sys_version = "Syndicate", ""

    def do_GET(self) -> None:
        status, page = self.place.take(self.path)
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Length": str(len(page.encode()))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing: the code stands in the address."""
