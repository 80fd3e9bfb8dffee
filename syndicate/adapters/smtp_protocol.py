"""One SMTP conversation as the client sees it, without a socket: bytes in, bytes and events out (RFC 5321).

Whoever drives it writes what `output` gives, feeds what arrives to `receive`, and reads `events`. Mails may be
submitted at any time. Where the server offers PIPELINING the envelope travels in one write, and the envelope of a mail
submitted in time rides behind the final dot of the one before it (RFC 2920 §3.1).

The phase of every mail is exact: it is in doubt from the moment its final dot was handed out until a whole reply came.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from syndicate.adapters.smtp_mail import check, international, stuffed
from syndicate.adapters.smtp_replies import Malformed, Phase, Reply, ReplyReader, judge
from syndicate.model import Deferred, Mail, Outcome, Paused, Refused, Unknown


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password for AUTH (RFC 4954)."""

    username: str
    password: str = field(repr=False)

    @property
    def plain(self) -> str:
        """The answer of the PLAIN mechanism (RFC 4616)."""
        return _base64(f"\0{self.username}\0{self.password}")

    def hidden(self, reply: Reply) -> Reply:
        """The reply, should the server repeat the password in it, with stars in its place."""
        lines = reply.lines
        for secret in (self.password, self.plain, _base64(self.password)):
            lines = tuple(line.replace(secret, "***") for line in lines)
        return Reply(reply.code, lines)


@dataclass(frozen=True, slots=True)
class StartTls:
    """The server waits for the TLS handshake; call `tls_started` when it is done."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one mail."""

    mail: Mail
    outcome: Outcome
    #: False: the server did not answer a word of it, so it may go over another connection
    answered: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be said any more; every mail was settled before this event."""

    outcome: Deferred | Paused


Event = StartTls | Settled | Closed


@dataclass(slots=True)
class _Exchange:
    """A mail on its way."""

    mail: Mail
    #: dot-stuffed
    body: bytes = field(repr=False)
    phase: Phase = Phase.WAITING
    #: of its envelope, where that failed
    outcome: Outcome | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Bytes to write, and the replies that are owed once they are written."""

    data: bytes = field(repr=False)
    owed: tuple[tuple[Phase, _Exchange | None], ...] = ()
    dot: bool = False


class Conversation:
    """Speaks to one server over one connection."""

    def __init__(self, *, helo: str, starttls: bool, login: Login | None = None) -> None:
        self._helo = helo
        self._starttls = starttls
        self._login = login
        self._reader = ReplyReader()
        self._offers: dict[str, str] = {}
        self._out: deque[_Chunk] = deque()
        self._owed: deque[tuple[Phase, _Exchange | None]] = deque([(Phase.GREETING, None)])
        self._exchanges: deque[_Exchange] = deque()
        self._secrets: deque[str] = deque()  # what LOGIN will be asked for
        self._events: list[Event] = []
        self._ready = False
        self._shaking_hands = False
        #: whole replies so far
        self.heard = 0
        self._end: Deferred | Paused | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing can be said any more."""
        return self._end is not None

    @property
    def idle(self) -> bool:
        """Signed in, and no mail under way."""
        return self._ready and not self.closed and not self._exchanges

    @property
    def phase(self) -> Phase:
        """What the next reply answers; with nothing owed, what is being written."""
        if self._owed:
            return self._owed[0][0]
        if self._shaking_hands:
            return Phase.TLS
        return self._exchanges[0].phase if self._exchanges else Phase.WAITING

    @property
    def at_dot(self) -> bool:
        """Whether the next `output` is a final dot: from then on the mail is in doubt until the server answers."""
        return bool(self._out) and self._out[0].dot

    def submit(self, mail: Mail) -> None:
        """Puts a mail in the queue; one that cannot be spoken exactly (see `smtp_mail.check`) is refused at once."""
        try:
            check(mail)
        except ValueError as error:
            self._events.append(Settled(mail, Refused(str(error)), answered=False))
            return
        self._exchanges.append(_Exchange(mail, stuffed(mail.data)))
        if self._end:
            self._close(self._end)
        self._start_next()

    def output(self) -> bytes:
        """What to write now, up to the next final dot; that one comes by itself, with what rides behind it."""
        taken: list[bytes] = []
        while self._out and not (taken and self._out[0].dot):
            chunk = self._out.popleft()
            taken.append(chunk.data)
            for phase, exchange in chunk.owed:
                self._owed.append((phase, exchange))
                if exchange and phase is Phase.DOT:
                    exchange.phase = Phase.DOT
        return b"".join(taken)

    def receive(self, data: bytes) -> None:
        """Takes what arrived, in any chunking."""
        try:
            for reply in self._reader.feed(data):
                if self.closed:
                    return
                self._hear(reply)
        except Malformed as error:
            self._close(Deferred(f"{self.phase}: {error}"))

    def lost(self, outcome: Deferred | Paused) -> None:
        """The connection is gone, or cannot be made; every mail is settled by how far it had come."""
        self._close(outcome)

    def tls_started(self) -> None:
        """The handshake is done. What the server said before it counts for nothing (RFC 3207 §4.2)."""
        self._starttls = self._shaking_hands = False
        self._greet()

    def quit(self) -> None:
        """Says good-bye."""
        self._say("QUIT", Phase.QUIT)

    def events(self) -> list[Event]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def _hear(self, reply: Reply) -> None:
        self.heard += 1
        if not self._owed:
            # 421 may come at any time. After anything else unasked, nobody knows any more which reply answers what.
            return self._close(Deferred(str(reply) if reply.code == 421 else f"a reply nobody asked for: {reply}"))
        phase, exchange = self._owed.popleft()
        if exchange is not None:
            # 421 to MAIL is said to the connection, often before MAIL was read: another may take the mail.
            exchange.answered = not (phase is Phase.MAIL and reply.code == 421)
            self._hear_of(exchange, phase, reply)
        elif phase is Phase.QUIT:
            self._close(Deferred(str(reply)))
        else:
            self._hear_opening(phase, reply)
        if reply.code == 421:
            self._close(Deferred(str(reply)))
        return None

    def _hear_opening(self, phase: Phase, reply: Reply) -> None:
        """Greeting, EHLO, STARTTLS, AUTH, and RSET."""
        if phase is Phase.AUTH and self._login:
            reply = self._login.hidden(reply)
        if phase is Phase.AUTH and reply.code == 334 and self._secrets:
            self._say(_base64(self._secrets.popleft()), Phase.AUTH)
        elif phase is Phase.EHLO and reply.code in {500, 502, 504} and not (self._starttls or self._login):
            self._say(f"HELO {self._helo}", Phase.EHLO)  # RFC 5321 §3.2: a server of before 1995
        elif not 200 <= reply.code < 300:
            fault = judge(phase, reply)
            # A no to RSET is about the connection; no mail is refused by it.
            self._close(fault if isinstance(fault, Paused | Deferred) else Deferred(str(reply)))
        elif phase is Phase.GREETING:
            self._greet()
        elif phase is Phase.EHLO:
            self._offers = _offers(reply)
            self._sign_in()
        elif phase is Phase.TLS:
            self._start_tls()
        elif phase is Phase.AUTH:
            self._begin()
        else:
            self._start_next()

    def _greet(self) -> None:
        self._say(f"EHLO {self._helo}", Phase.EHLO)

    def _sign_in(self) -> None:
        mechanisms = self._offers.get("AUTH", "").upper().split()
        if self._starttls:
            if "STARTTLS" not in self._offers:
                return self._close(Paused("the server offers no STARTTLS", "Check `port` and `tls` of the account."))
            self._say("STARTTLS", Phase.TLS)
        elif self._login is None:
            self._begin()
        elif "PLAIN" in mechanisms:
            self._say(f"AUTH PLAIN {self._login.plain}", Phase.AUTH)
        elif "LOGIN" in mechanisms:
            self._secrets.extend((self._login.username, self._login.password))
            self._say("AUTH LOGIN", Phase.AUTH)
        else:
            offered = ", ".join(mechanisms) or "none"
            return self._close(Paused(f"the server knows neither AUTH PLAIN nor LOGIN, but {offered}", _NO_AUTH))
        return None

    def _start_tls(self) -> None:
        if self._reader.halfway:
            # CVE-2011-0411: what was injected in the clear must not be read as if it had come through TLS.
            return self._close(Paused("the server spoke between STARTTLS and the handshake", _INJECTED))
        self._shaking_hands = True
        self._events.append(StartTls())
        return None

    def _begin(self) -> None:
        self._ready = True
        self._start_next()

    def _start_next(self) -> None:
        """Says the envelope of the next mail, if it is its turn."""
        pipelining = "PIPELINING" in self._offers
        while self._ready and not self.closed and (pipelining or not (self._out or self._owed)):
            begun = [exchange for exchange in self._exchanges if exchange.phase is not Phase.WAITING]
            waiting = next((exchange for exchange in self._exchanges if exchange.phase is Phase.WAITING), None)
            may_ride = pipelining and begun and begun[-1].phase in {Phase.BODY, Phase.DOT}
            if waiting is None or (begun and not may_ride):
                break
            refusal = self._refusal(waiting.mail)
            if refusal is None:
                self._say_envelope(waiting)
                break
            self._settle(waiting, refusal)

    def _say_envelope(self, exchange: _Exchange) -> None:
        exchange.phase = Phase.MAIL
        commands = self._envelope(exchange.mail)
        if "PIPELINING" in self._offers:
            owed = tuple((phase, exchange) for phase in commands)
            self._out.append(_Chunk("".join(commands.values()).encode(), owed))
        else:
            self._out.append(_Chunk(commands[Phase.MAIL].encode(), ((Phase.MAIL, exchange),)))

    def _envelope(self, mail: Mail) -> dict[Phase, str]:
        parameters = ""
        if "SIZE" in self._offers:
            parameters += f" SIZE={len(mail.data)}"
        if not mail.data.isascii():
            parameters += " BODY=8BITMIME"
        if international(mail):
            parameters += " SMTPUTF8"
        return {
            Phase.MAIL: f"MAIL FROM:<{mail.sender}>{parameters}\r\n",
            Phase.RCPT: f"RCPT TO:<{mail.recipient}>\r\n",
            Phase.DATA: "DATA\r\n",
        }

    def _refusal(self, mail: Mail) -> Refused | None:
        """Why this server cannot take this mail, known before a word of it is said."""
        limit = self._offers.get("SIZE", "")
        if limit.isdecimal() and 0 < int(limit) < len(mail.data):
            return Refused(f"the message has {len(mail.data)} bytes, the server takes {limit}")
        if international(mail) and "SMTPUTF8" not in self._offers:
            return Refused("the address needs SMTPUTF8, which the server does not offer")
        if not mail.data.isascii() and "8BITMIME" not in self._offers:
            return Refused("the message holds 8-bit text, and the server takes 7 bits only (no 8BITMIME)")
        return None

    def _hear_of(self, exchange: _Exchange, phase: Phase, reply: Reply) -> None:
        """A reply to a command of one mail."""
        if phase is Phase.DOT:
            return self._settle(exchange, exchange.outcome or judge(phase, reply))
        good = reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300
        if not good and exchange.outcome is None:
            exchange.outcome = judge(phase, reply)
        if phase is Phase.DATA and reply.code == 354:
            return self._say_body(exchange)
        if phase is Phase.DATA or (exchange.outcome is not None and "PIPELINING" not in self._offers):
            self._say("RSET", Phase.RSET)  # what is left of the envelope still stands on the server
            return self._settle(exchange, exchange.outcome or Deferred(str(reply)))
        if "PIPELINING" not in self._offers:
            exchange.phase = Phase.RCPT if phase is Phase.MAIL else Phase.DATA
            command = self._envelope(exchange.mail)[exchange.phase]
            self._out.append(_Chunk(command.encode(), ((exchange.phase, exchange),)))
        return None

    def _say_body(self, exchange: _Exchange) -> None:
        """The message; or nothing, where DATA was answered although the envelope was refused (RFC 2920 §3.1)."""
        if exchange.outcome is None:
            exchange.phase = Phase.BODY
            self._out.append(_Chunk(exchange.body))
        self._out.append(_Chunk(b".\r\n", ((Phase.DOT, exchange),), dot=True))
        self._start_next()

    def _settle(self, exchange: _Exchange, outcome: Outcome) -> None:
        self._exchanges.remove(exchange)
        self._events.append(Settled(exchange.mail, outcome, exchange.answered))
        self._start_next()

    def _close(self, outcome: Deferred | Paused) -> None:
        """Settles every mail by how far it had come. Only a dot without an answer leaves a doubt."""
        first, self._end = self._end is None, outcome
        self._out.clear()
        while self._exchanges:
            exchange = self._exchanges[0]
            silent = exchange.phase is Phase.DOT and exchange.outcome is None
            fate = Unknown(f"after the final dot: {outcome.reason}") if silent else exchange.outcome or outcome
            self._settle(exchange, fate)
        if first:
            self._events.append(Closed(outcome))

    def _say(self, command: str, phase: Phase) -> None:
        self._out.append(_Chunk(f"{command}\r\n".encode(), ((phase, None),)))


_NO_AUTH = "Check `port` and `tls` of the account: many servers offer AUTH only over TLS."
_INJECTED = "Somebody may be tampering with the connection. Use `tls: implicit` (port 465) if the server has it."


def _offers(reply: Reply) -> dict[str, str]:
    """Extensions of an EHLO reply with their parameters; `AUTH=` is how Exchange 5.5 wrote it."""
    lines: Iterable[str] = (line.replace("AUTH=", "AUTH ", 1) for line in reply.lines[1:])
    return {keyword.upper(): rest for keyword, _, rest in (line.partition(" ") for line in lines)}


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
