"""E-mail over SMTP: TLS checked by default, one connection kept open over many messages.

The protocol is `smtp_protocol`; here are the options and the socket that drives it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from syndicate.adapters import base
from syndicate.adapters.smtp_mail import check, speakable
from syndicate.adapters.smtp_protocol import Conversation, Login, Settled, StartTls
from syndicate.adapters.smtp_replies import Phase
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Email, Mail, Message, Outcome, Paused, Payload

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_GOODBYE = 2.0  # seconds for an answer to QUIT; nothing depends on it


class SmtpOptions(base.Options):
    """An account at a mail server that relays for us."""

    host: str = Field(description="name of the mail server, as in its certificate")
    port: int = Field(default=587, ge=1, le=65535, description="587 for `tls: required`, 465 for `tls: implicit`")
    tls: Literal["required", "implicit", "none"] = Field(
        default="required", description="required: STARTTLS | implicit: TLS from the first byte | none: in the clear"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's (PEM)")
    username: str = Field(default="", description="for AUTH; empty: no AUTH")
    password: SecretStr = Field(default=SecretStr(""), description="for AUTH")
    helo: str = Field(default="", pattern=r"^[A-Za-z0-9.:\[\]-]*$", description="how we greet; empty: our host name")
    bounce_address: str = Field(default="", description="envelope sender, where bounces go; empty: the From address")
    connect_timeout: float = Field(default=30, gt=0, description="seconds")
    timeout: float = Field(default=300, gt=0, description="seconds for any reply but the last (RFC 5321 §4.5.3.2)")
    final_timeout: float = Field(default=600, gt=0, description="seconds for the reply to the final dot")

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if self.tls == "none" and self.username and self.host not in _LOOPBACK:
            raise ValueError("`tls: none` would send the password in the clear; use `required` or `implicit`")
        return self


class Smtp(base.Adapter):
    """Hands mails to one server, one recipient to a transaction."""

    name = "smtp"
    Options = SmtpOptions
    supports = frozenset({"email"})
    options: SmtpOptions

    def compose(self, message: Message) -> Mail:
        """Envelope and bytes. The domain of an address goes out in ASCII (IDNA 2008), as every server knows it."""
        if not isinstance(message, Email):
            raise Unsupported("smtp sends e-mail, not posts")
        sender = self.options.bounce_address or message.letter.sender.address
        try:
            mail = Mail(speakable(sender), speakable(message.recipient.address), message.data)
            check(mail)
        except ValueError as error:
            raise Unsupported(f"smtp cannot send this message: {error}") from error
        return mail

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A session that connects at its first message, and again whenever the server has hung up."""
        session = Session(self.options)
        try:
            yield session
        finally:
            session.close()

    def send(self, session: Session, payload: Payload, key: str) -> Outcome:
        """One transaction. SMTP knows no idempotency key."""
        if not isinstance(payload, Mail):
            raise TypeError(f"smtp sends Mail, not {type(payload).__name__}")
        return session.deliver(payload)


class Session:
    """Conversations with one server, one after the other, as many as it takes."""

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._context: ssl.SSLContext | None = None
        self._connection: _Connection | None = None

    def deliver(self, mail: Mail) -> Outcome:
        """Speaks one mail over the open connection, or over a new one."""
        try:
            context = self._trust()
        except OSError as error:
            return Paused(f"the certificates in {self._options.ca_file} cannot be read: {error}", "Check `ca_file`.")
        if self._connection and self._connection.usable():
            settled = self._connection.deliver(mail)
            if settled.answered or not _may_go_again(settled.outcome):
                return settled.outcome
            # The server hung up between two messages, as Yahoo does after some; not a word of this one was answered.
        self.close()
        self._connection = _Connection(self._options, context)
        return self._connection.deliver(mail).outcome

    def close(self) -> None:
        """Says good-bye, if anybody is there."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _trust(self) -> ssl.SSLContext:
        """Certificate and host name are verified, TLS is 1.2 or newer (RFC 8996); loaded once a session."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._options.ca_file)
        return self._context


class _Connection:
    """One socket and the conversation over it."""

    def __init__(self, options: SmtpOptions, context: ssl.SSLContext) -> None:
        self._options = options
        self._context = context
        self._settled: list[Settled] = []
        self._socket: socket.socket | None = None
        fault = self._connect()
        self._talk = Conversation(
            helo=options.helo or _own_name(self._socket),
            starttls=options.tls == "required",
            login=Login(options.username, options.password.get_secret_value()) if options.username else None,
        )
        if fault:
            self._talk.lost(fault)

    def deliver(self, mail: Mail) -> Settled:
        """One mail, from its envelope to the reply to its final dot."""
        self._settled.clear()
        self._talk.submit(mail)
        self._pump()
        return self._settled[0]

    def usable(self) -> bool:
        """Whether the next mail may go this way: signed in, and the server has not spoken or hung up meanwhile."""
        self._guarded(self._hear_what_is_there)
        return self._talk.idle

    def close(self) -> None:
        """QUIT, if the conversation stands; then the socket."""
        if self._talk.idle:
            self._settled.clear()
            self._talk.quit()
            self._pump(patience=_GOODBYE)
        self._hang_up()

    def _connect(self) -> Deferred | Paused | None:
        """Opens the socket; what went wrong, if anything did."""
        options = self._options
        try:
            self._socket = socket.create_connection((options.host, options.port), options.connect_timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for a delayed ACK
            if options.tls == "implicit":
                self._secure()
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that IDNA refuses
            self._hang_up()
            return _fault(Phase.TLS if isinstance(error, ssl.SSLError) else Phase.CONNECT, error, options.host)
        return None

    def _secure(self) -> None:
        """The TLS handshake, certificate and host name verified."""
        plain = self._open_socket()
        plain.settimeout(self._options.connect_timeout)
        self._socket = self._context.wrap_socket(plain, server_hostname=self._options.host)

    def _pump(self, patience: float | None = None) -> None:
        """Writes and reads until a mail is settled, or the conversation is over."""
        self._take_events()
        while not (self._talk.closed or self._settled):
            self._guarded(self._write)
            self._guarded(lambda: self._read(patience))
            self._guarded(self._take_events)
        self._take_events()

    def _guarded(self, step: Callable[[], None]) -> None:
        """One step on the socket; a fault ends the conversation, and its phase says what that means."""
        if self._talk.closed:
            return
        try:
            step()
        except OSError as error:
            self._talk.lost(_fault(self._talk.phase, error, self._options.host))
            self._hang_up()

    def _write(self) -> None:
        """Everything there is to write. The final dot leaves in a write of its own, after a look at what came in.

        So a server that refused or hung up in the middle of a message is noticed before the mail is in doubt.
        """
        while not self._talk.closed:
            if self._talk.at_dot:
                self._hear_what_is_there()
            data = self._talk.output()
            if not data:
                return
            link = self._open_socket()
            link.settimeout(self._options.timeout)
            link.sendall(data)

    def _read(self, patience: float | None) -> None:
        """One reply at least. The deadline is that of the whole reply, however slowly its bytes come."""
        final = self._talk.phase is Phase.DOT
        seconds = patience or (self._options.final_timeout if final else self._options.timeout)
        deadline = monotonic() + seconds
        heard = self._talk.heard
        while self._talk.heard == heard and not self._talk.closed:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer for {seconds:g} s")
            link = self._open_socket()
            link.settimeout(left)
            self._receive(link.recv(65536))

    def _hear_what_is_there(self) -> None:
        """Takes what has arrived, without waiting."""
        link = self._open_socket()
        link.settimeout(0)
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            self._receive(link.recv(65536))

    def _receive(self, data: bytes) -> None:
        if not data:
            raise ConnectionAbortedError("the server hung up")
        self._talk.receive(data)

    def _take_events(self) -> None:
        for event in self._talk.events():
            if isinstance(event, StartTls):
                self._secure()
                self._talk.tls_started()
            elif isinstance(event, Settled):
                self._settled.append(event)

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionAbortedError("not connected")
        return self._socket

    def _hang_up(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None


def _may_go_again(outcome: Outcome) -> bool:
    """Whether the connection was the only trouble; a server that asks for a pause gets it."""
    return isinstance(outcome, Deferred) and outcome.after is None


def _fault(phase: Phase, error: OSError | UnicodeError, host: str) -> Deferred | Paused:
    """What a broken connection means. Trouble with TLS needs a person: trying again without it is no choice."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Paused(f"the certificate of {host} is not trusted: {error.verify_message}", _CERTIFICATE)
    if phase is Phase.TLS and isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return Paused(f"no TLS with {host}: {error.reason}", "Check `port` and `tls` of the account.")
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return Deferred(f"{phase}: {detail}")


_CERTIFICATE = (
    "Check `host` (the name in the certificate counts); set `ca_file` if the server has a certificate of its own."
)


def _own_name(link: socket.socket | None) -> str:
    """What we call ourselves in EHLO: a full host name, or else our address (RFC 5321 §4.1.4)."""
    name = socket.gethostname()
    if "." in name or link is None:
        return name
    address = link.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
