"""The pages as a server: uvicorn in a thread of its own, and beside it the postman, who asks for confirmations."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_address
from threading import Event, Thread
from traceback import format_exc
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syndicate.app import App
from syndicate.audience.signups import Signups
from syndicate.audience.store import Subscribers
from syndicate.errors import SyndicateError, UsageError
from syndicate.newsroom.confirmations import settle
from syndicate.web.guard import Guard
from syndicate.web.office import Office
from syndicate.web.routes import application

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from uvicorn import Config

    from syndicate.config.settings import Settings
    from syndicate.log import Log

#: Requests that are worked on at once; whoever comes then is asked to come again (503).
MOST = 400
#: Bytes of the head of a request.
LARGEST_HEAD = 32 * 1024
#: Seconds after which the postman looks by himself, for what a network has put off.
ROUND = 60.0
DAY = timedelta(days=1)


class Postman:
    """Sends what the form has noted, as soon as it is woken. Whatever goes wrong is said, and the next round comes."""

    def __init__(self, app: Callable[[], App], log: Log) -> None:
        self._app = app
        self._log = log
        self._call = Event()
        self._stopping = Event()
        self._tidied: datetime | None = None
        self._said = ""
        self._thread = Thread(target=self._work, name="postman", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to send. From any thread."""
        self._call.set()

    def stop(self) -> None:
        """Finishes what is in flight."""
        self._stopping.set()
        self._call.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._call.clear()
            self.round()
            self._call.wait(ROUND)

    def round(self) -> None:
        """One round."""
        said = ""
        try:
            app = self._app()
            settle(app)
            self._tidy(app)
        except SyndicateError as error:
            said = f"{error.message} {error.hint}".strip()
        except Exception as error:
            self._log.debug("traceback", says=format_exc())
            said = f"{type(error).__name__}: {error}"
        if said and said != self._said:
            self._log.error("confirmations failed", says=f"Confirmations wait: {said}")
        self._said = said

    def _tidy(self, app: App) -> None:
        """Once a day: who never confirmed, and where visits came from, is forgotten."""
        now = app.clock()
        if self._tidied is None or now - self._tidied > DAY:
            Subscribers(app.database(), app.secrets, app.clock).purge()
            Signups(app.database(), app.keys(), app.clock).purge()
            self._tidied = now


@contextmanager
def served(
    app: Callable[[], App], log: Log, host: str, port: int, registry: CollectorRegistry | None = None
) -> Iterator[str]:
    """Shows the pages at `host:port` (0: any port that is free) until the block ends; their address on this machine.

    `app` gives the one that is in force, from any thread. What is under way is answered before this returns.
    Raises `UsageError` where that place cannot be had, or must not be.
    """

    check_place(host, app().settings)
    postman = Postman(app, log)
    with answering(app, log, host, port, postman.wake, registry) as address:
        postman.start()
        try:
            yield address
        finally:
            postman.stop()


@contextmanager
def answering(
    app: Callable[[], App],
    log: Log,
    host: str,
    port: int,
    wake: Callable[[], object],
    registry: CollectorRegistry | None = None,
) -> Iterator[str]:
    """The same without a postman: `wake` is called when there is something for him to send."""
    from uvicorn import Server

    office = Office(app)
    routes = application(office, log, wake, registry)
    guarded = Guard(routes, lambda: office().hosts, lambda error: tell(log, error))
    listener = listen(host, port)
    server = Server(configuration(guarded, office().serve.proxies))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="pages", daemon=True)
    thread.start()
    Thread(target=office().directory.catch_up, name="directory", daemon=True).start()
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}{office().prefix}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def configuration(app: Guard, proxies: tuple[str, ...]) -> Config:
    """uvicorn as it is run here: strict about HTTP (h11), silent, and without a word about itself."""
    from uvicorn import Config

    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=MOST,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=10,
    )


def tell(log: Log, error: Exception) -> None:
    """What nobody foresaw, without the request that led to it."""
    log.debug("traceback", says="".join(format_exc()))
    log.error(
        "page failed", says=f"A page failed: {type(error).__name__}. This is a fault of Syndicate: please report it."
    )


def check_place(host: str, settings: Settings) -> None:
    """Raises `UsageError` where strangers could reach pages whose tokens would travel in the open."""
    links = settings.publication.links
    if is_loopback(host) or urlsplit(links).scheme == "https":
        return
    raise UsageError(
        f"the pages would be open to the network at {host}, and the links of letters start with {links}",
        hint="Set publication.links to the https address of the pages, or leave out --host.",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket at this place. Raises `UsageError`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        hint = "Choose another --port, or stop the program that uses it."
        raise UsageError(f"the pages cannot be served at {host}:{port}: {error.strerror}", hint=hint) from error
    # asyncio sets it only where the socket names its protocol. Without it the body of an answer, which goes out after
    # its head, waits 40 ms for the client to acknowledge that (RFC 1122 §4.2.3.2).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
