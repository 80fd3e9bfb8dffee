"""Where the mail server is, and what has to vouch for it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeAlias

from syndicate.adapters.smtp_options import SmtpOptions
from syndicate.adapters.smtp_replies import Phase, judge_fault
from syndicate.model import Deferred, Paused

#: As `socket.getaddrinfo` gives them.
Address: TypeAlias = (
    "tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str | int, ...] | tuple[int, bytes]]"
)


@dataclass(frozen=True, slots=True)
class Peer:
    """All that is needed to connect."""

    #: to be tried one after the other
    addresses: tuple[Address, ...]
    #: verifies certificate and host name, TLS 1.2 or newer (RFC 8996); None: nothing is encrypted
    context: ssl.SSLContext | None


class Directory:
    """Knows the server's addresses. They are looked up aside, so that a slow name server holds up no connection."""

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._context: ssl.SSLContext | None = None
        self._found: Peer | Deferred | Paused | None = None
        self._known = Event()
        self._searching: Thread | None = None

    def look_up(self) -> None:
        """Asks anew; until the answer is there, the old one holds."""
        if self._searching is None or not self._searching.is_alive():
            # A daemon, because nothing can hurry a name server.
            self._searching = Thread(target=self._search, name="look-up", daemon=True)
            self._searching.start()

    def wait(self, seconds: float) -> None:
        """Until the first answer is there, but no longer than that."""
        self._known.wait(seconds)

    def peer(self) -> Peer | Deferred | Paused | None:
        """The server, or why it cannot be reached; None: not known yet."""
        return self._found

    def _search(self) -> None:
        self._found = self._answer()
        self._known.set()

    def _answer(self) -> Peer | Deferred | Paused:
        options = self._options
        try:
            if self._context is None and options.tls != "none":
                self._context = ssl.create_default_context(cafile=options.ca_file)
        except OSError as error:
            return Paused(f"the certificates in {options.ca_file} cannot be read: {error}", "Check `ca_file`.")
        try:
            found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:  # ValueError: a host name that IDNA refuses
            return judge_fault(Phase.CONNECT, error, options.host)
        return Peer(tuple(found), self._context)
