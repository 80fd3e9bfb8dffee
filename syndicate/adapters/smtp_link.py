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
from syndicate.adapters.smtp_protocol import Conversation
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
        #: of a piece that the socket did not take whole
        self._unsent: bytes | memoryview = b""
        #: when the last step was done, so that only who looks at the clock has to know what we wait for
        self._since = 0.0
        if isinstance(peer, Peer):
            self._guarded(self._connect)
        else:
            self.talk.lost(peer)

    def hear(self) -> None:
        """Goes on with connecting, with the handshake, or takes the replies that have come."""
        if self._stage:
            self._guarded(self._advance)
        else:
            self._receive()

    def speak(self) -> None:
        """Writes what there is to say up to the next final dot, as far as the socket takes it."""
        if self._unsent:
            self._write(self._unsent)
        if self._stage is None and not self._unsent and not self.talk.at_dot and (piece := self.talk.output()):
            self._write(piece)

    @property
    def poised(self) -> bool:
        """Whether a message is written to its end: its final dot waits for `finish`."""
        return self.talk.at_dot and not self._unsent

    def finish(self) -> None:
        """Writes the final dot, and what rides behind it. From now on the mail is in doubt until it is answered."""
        self._write(self.talk.output())

    def check(self, now: float) -> None:
        """Gives up what the server keeps us waiting for too long."""
        patience = self._patience()
        if self._socket and now >= self._since + patience:
            self._fail(TimeoutError(f"no answer for {patience:g} s"))

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

    def _patience(self) -> float:
        """Seconds for the step we wait for; a reply has to be whole by then, however slowly its bytes come."""
        if self._stage:
            return self._options.connect_timeout
        awaited = self.talk.awaited
        if self._unsent or (awaited and awaited is not Phase.DOT):
            return self._options.timeout
        return self._options.final_timeout if awaited else inf

    def _connect(self) -> None:
        """Tries the next address."""
        family, kind, protocol, _, address = self._addresses.popleft()
        self._socket = socket.socket(family, kind, protocol)
        self._fd = self._socket.fileno()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for a delayed ACK
        self._since = self._pulse()
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
        self._since = self._pulse()
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
        self._since = self._pulse()

    def _receive(self) -> None:
        if self._socket is None:
            return
        try:
            self._take(self._socket.recv(_READ))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except (OSError, ValueError) as error:
            self._fail(error)

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionAbortedError("the server hung up")
        if self.talk.receive(data):
            self._since = self._pulse()
        if self.talk.ended:
            self._drop()
        elif self.talk.shaking_hands:
            self._guarded(self._secure)

    def _write(self, piece: bytes | memoryview) -> None:
        if self._socket is None:
            return
        # TLS makes records of what it is given, and has no use for the hint.
        more = _MORE if self._context is None and self.talk.at_dot else 0
        try:
            while (sent := self._socket.send(piece, more)) < len(piece):
                piece = memoryview(piece)[sent:]
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._stall(piece, selectors.EVENT_READ | selectors.EVENT_WRITE)
        except ssl.SSLWantReadError:
            self._stall(piece, selectors.EVENT_READ)
        except (OSError, ValueError) as error:
            self._fail(error)
        else:
            self._since = self._pulse()
            if self._unsent:
                self._unsent = b""
                self._watch(selectors.EVENT_READ)

    def _stall(self, rest: bytes | memoryview, interest: int) -> None:
        """The socket takes no more for now. The deadline is that of the whole piece."""
        if not self._unsent:
            self._since = self._pulse()
        self._unsent = rest
        self._watch(interest)


def _own_name(link: socket.socket) -> str:
    """What we call ourselves in EHLO: a full host name, or else our address (RFC 5321 §4.1.4)."""
    name = socket.gethostname()
    if "." in name:
        return name
    address = link.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
