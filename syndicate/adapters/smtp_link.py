"""One connection to a mail server that never waits: a socket, TLS over it, and the conversation over both."""

from __future__ import annotations

import os
import selectors
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf

from syndicate.adapters.smtp_login import Login
from syndicate.adapters.smtp_options import SmtpOptions
from syndicate.adapters.smtp_peer import Peer
from syndicate.adapters.smtp_protocol import Conversation, Settled
from syndicate.adapters.smtp_replies import Phase, judge_fault
from syndicate.model import Deferred, Paused

#: Holds back the last piece of a message until its final dot, which would else travel alone. Not everywhere.
_MORE = getattr(socket, "MSG_MORE", 0)
# Replies are short; more than this comes with the next turn.
_READ = 16384


class Link:
    """One connection. Whoever turns the loop calls `hear` when it can be read or written, then `speak`."""

    def __init__(
        self,
        options: SmtpOptions,
        peer: Peer | Deferred | Paused,
        selector: selectors.BaseSelector,
        pulse: Callable[[], float],
    ) -> None:
        """Begins to connect, or is closed at once if `peer` says why nobody can. `pulse` counts seconds."""
        self.talk = Conversation(
            helo=options.helo,
            starttls=options.tls == "required",
            login=Login(options.username, options.password.get_secret_value()) if options.username else None,
            pipelining=options.pipelining,
        )
        #: whether the server has answered a mail, and whether it has accepted one
        self.answered = self.worked = False
        self._options = options
        self._context = peer.context if isinstance(peer, Peer) else None
        self._addresses = deque(peer.addresses if isinstance(peer, Peer) else ())
        self._selector = selector
        self._pulse = pulse
        self._socket: socket.socket | None = None
        self._fd = -1
        self._interest = 0
        #: CONNECT, TLS, or None: the conversation has the word
        self._stage: Phase | None = Phase.CONNECT
        self._unsent: bytes | memoryview = b""
        self._more = 0
        self._patience = self._deadline = inf
        if isinstance(peer, Peer):
            self._guarded(self._connect)
        else:
            self.talk.lost(peer)

    def events(self) -> list[Settled]:
        """What became of mails since the last call."""
        events = self.talk.events()
        return [event for event in events if isinstance(event, Settled)] if events else []

    def hear(self) -> None:
        """Goes on with connecting, with the handshake, or takes the replies that have come."""
        self._guarded(self._advance if self._stage else self._receive)

    def speak(self) -> None:
        """Writes what there is to say up to the next final dot, as far as the socket takes it."""
        if self._stage is None:
            self._guarded(self._write)

    @property
    def poised(self) -> bool:
        """Whether a message is written to its end: its final dot waits for `finish`."""
        return self.talk.at_dot and not self._unsent and self._stage is None

    def finish(self) -> None:
        """Writes the final dot, and what rides behind it. From now on the mail is in doubt until it is answered."""
        self._load()
        self._guarded(self._write)

    def check(self, now: float) -> None:
        """Gives up what the server keeps us waiting for too long."""
        if now >= self._deadline:
            self._fail(TimeoutError(f"no answer for {self._patience:g} s"))

    def quit(self) -> None:
        """Says good-bye, if the conversation stands; hangs up if it does not."""
        if self.talk.idle:
            self.talk.quit()
            self.speak()
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """Closes the socket; mails without a reply are settled by how far they had come."""
        self._drop()
        self.talk.lost(Deferred("the connection was closed"))

    def _guarded(self, step: Callable[[], None]) -> None:
        """A fault ends the conversation, and its phase says what that means."""
        if not self.talk.ended:
            try:
                step()
            except (OSError, ValueError) as error:
                self._fail(error)
        if self.talk.ended:
            self._drop()

    def _fail(self, error: OSError | ValueError) -> None:
        self._drop()
        if self._stage is Phase.CONNECT and self._addresses:
            return self._guarded(self._connect)
        return self.talk.lost(judge_fault(self._stage or self.talk.phase, error, self._options.host))

    def _drop(self) -> None:
        if self._socket:
            self._watch(0)
            self._socket.close()
            self._socket = None
        self._deadline = inf

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionAbortedError("not connected")
        return self._socket

    def _watch(self, interest: int) -> None:
        """Tells the loop what we wait for."""
        if interest == self._interest:
            return
        if self._interest == 0:
            self._selector.register(self._fd, interest, self)
        elif interest == 0:
            self._selector.unregister(self._fd)
        else:
            self._selector.modify(self._fd, interest, self)
        self._interest = interest

    def _arm(self, seconds: float) -> None:
        self._patience = seconds
        self._deadline = self._pulse() + seconds

    def _connect(self) -> None:
        """Tries the next address."""
        family, kind, protocol, _, address = self._addresses.popleft()
        self._socket = socket.socket(family, kind, protocol)
        self._fd = self._socket.fileno()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for a delayed ACK
        self._arm(self._options.connect_timeout)
        with suppress(BlockingIOError):
            self._socket.connect(address)
        self._watch(selectors.EVENT_WRITE)

    def _advance(self) -> None:
        if self._stage is Phase.CONNECT:
            self._connected()
        else:
            self._shake_hands()

    def _connected(self) -> None:
        link = self._open()
        number = link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))
        self.talk.helo = self.talk.helo or _own_name(link)
        if self._options.tls == "implicit":
            self._secure()
        else:
            self._converse()

    def _secure(self) -> None:
        """Begins the TLS handshake; certificate and host name are verified."""
        self._stage = Phase.TLS
        self._arm(self._options.connect_timeout)
        self._watch(0)
        context = self._context or ssl.create_default_context()
        self._socket = context.wrap_socket(
            self._open(), server_hostname=self._options.host, do_handshake_on_connect=False
        )
        self._shake_hands()

    def _shake_hands(self) -> None:
        link = self._open()
        if isinstance(link, ssl.SSLSocket):
            try:
                link.do_handshake()
            except ssl.SSLWantReadError:
                return self._watch(selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                return self._watch(selectors.EVENT_WRITE)
        self._converse()
        if self._options.tls == "required":
            self.talk.tls_started()
        return None

    def _converse(self) -> None:
        self._stage = None
        self._watch(selectors.EVENT_READ)
        self._arm(self._options.timeout)

    def _receive(self) -> None:
        heard = self.talk.heard
        try:
            data = self._open().recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if not data:
            raise ConnectionAbortedError("the server hung up")
        self.talk.receive(data)
        if self.talk.heard != heard:
            self._await_reply()
        if self.talk.shaking_hands:
            self._secure()

    def _await_reply(self) -> None:
        """The deadline is that of a whole reply, however slowly its bytes come; who is idle waits for nothing."""
        if not self.talk.waits:
            self._deadline = inf
        else:
            final = self.talk.phase is Phase.DOT
            self._arm(self._options.final_timeout if final else self._options.timeout)

    def _write(self) -> None:
        link = self._open()
        while self._unsent or (not self.talk.at_dot and self._load()):
            try:
                sent = link.send(self._unsent, self._more)
            except (BlockingIOError, ssl.SSLWantWriteError):
                return self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE)
            except ssl.SSLWantReadError:
                break
            if sent < len(self._unsent):
                self._unsent = memoryview(self._unsent)[sent:]
                continue
            self._unsent = b""
            self._await_reply()
        return self._watch(selectors.EVENT_READ)

    def _load(self) -> bool:
        """Takes the next piece to write; False if there is none."""
        self._unsent = self.talk.output()
        if not self._unsent:
            return False
        # TLS makes records of what it is given, and has no use for the hint.
        self._more = _MORE if self._context is None and self.talk.at_dot else 0
        self._arm(self._options.timeout)
        return True


def _own_name(link: socket.socket) -> str:
    """What we call ourselves in EHLO: a full host name, or else our address (RFC 5321 §4.1.4)."""
    name = socket.gethostname()
    if "." in name:
        return name
    address = link.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
