"""One SMTP conversation as the client sees it, without a socket: bytes in, bytes and events out (RFC 5321).

Whoever drives it writes what `output` gives, feeds what arrives to `receive`, and reads `events`. Mails may be
submitted at any time. Where the server offers PIPELINING the envelope travels in one write, and the envelope of a mail
submitted in time rides behind the final dot of the one before it (RFC 2920 §3.1). Some servers lose what is pipelined
(RFC 2920 §1), so `pipelining` may say `envelope` (nothing rides) or `off` (every command waits for its answer).

The phase of every mail is exact: it is in doubt from the moment its final dot was handed out until a whole reply came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from syndicate.adapters.smtp_login import Login, in_base64
from syndicate.adapters.smtp_mail import SpeakableMail, speakable
from syndicate.adapters.smtp_replies import Malformed, Phase, Reply, ReplyReader, judge
from syndicate.model import Deferred, Outcome, Paused, Payload, Refused, Unknown


@dataclass(frozen=True, slots=True)
class StartTls:
    """The server waits for the TLS handshake; call `tls_started` when it is done."""


class Settled(NamedTuple):
    """What became of one mail."""

    mail: Payload
    outcome: Outcome
    #: False: the server did not answer a word of it, so it may go over another connection
    answered: bool
    #: what the mail was submitted with
    ticket: Any = None


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing can be said any more; every mail was settled before this event."""

    outcome: Deferred | Paused


Event = StartTls | Settled | Closed


@dataclass(slots=True)
class _Exchange:
    """A mail on its way."""

    mail: SpeakableMail
    ticket: Any = field(repr=False)
    phase: Phase = Phase.WAITING
    #: of its envelope, where that failed
    outcome: Outcome | None = None
    answered: bool = False


class _Chunk(NamedTuple):
    """Bytes to write, and the replies that are owed once they are written."""

    data: bytes
    owed: tuple[tuple[Phase, _Exchange | None], ...] = ()
    #: whose final dot it begins with: it may make the server accept
    dot_of: _Exchange | None = None


class Conversation:
    """Speaks to one server over one connection."""

    def __init__(self, *, helo: str, starttls: bool, login: Login | None = None, pipelining: str = "ride") -> None:
        #: how we greet; may be set until the server has greeted
        self.helo = helo
        #: whole replies so far
        self.heard = 0
        #: whether the server waits for the TLS handshake
        self.shaking_hands = False
        self._starttls = starttls
        self._login = login
        self._wanted = pipelining
        self._pipelining = False
        self._reader = ReplyReader()
        self._offers: dict[str, str] = {}
        self._out: deque[_Chunk] = deque()
        self._owed: deque[tuple[Phase, _Exchange | None]] = deque([(Phase.GREETING, None)])
        self._waiting: deque[_Exchange] = deque()
        self._begun: deque[_Exchange] = deque()
        self._secrets: deque[str] = deque()  # what LOGIN will be asked for
        self._events: list[Event] = []
        self._ready = False
        #: why nothing can be said any more
        self.ended: Deferred | Paused | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing can be said any more."""
        return self.ended is not None

    @property
    def ready(self) -> bool:
        """Whether the server knows us, and has not gone."""
        return self._ready and not self.closed

    @property
    def idle(self) -> bool:
        """Signed in, and no mail under way."""
        return self.ready and not (self._begun or self._waiting)

    @property
    def hungry(self) -> bool:
        """Whether a mail that is submitted now is spoken at once."""
        return not self._waiting and self._may_start()

    @property
    def in_doubt(self) -> bool:
        """Whether a final dot is out that was not answered."""
        return bool(self._begun) and self._begun[0].phase is Phase.DOT

    @property
    def waits(self) -> bool:
        """Whether the server owes a reply."""
        return bool(self._owed)

    @property
    def phase(self) -> Phase:
        """What the next reply answers; with nothing owed, what is being written."""
        if self._owed:
            return self._owed[0][0]
        if self.shaking_hands:
            return Phase.TLS
        return self._begun[0].phase if self._begun else Phase.WAITING

    @property
    def at_dot(self) -> bool:
        """Whether the next `output` is a final dot: from then on the mail is in doubt until the server answers."""
        return bool(self._out) and self._out[0].dot_of is not None

    @property
    def next_ticket(self) -> Any:
        """Of the mail whose final dot the next `output` is."""
        dot_of = self._out[0].dot_of if self._out else None
        return dot_of.ticket if dot_of else None

    def submit(self, mail: Payload, ticket: Any = None) -> None:
        """Puts a mail in the queue; one that cannot be spoken exactly (see `smtp_mail`) is refused at once."""
        try:
            self._waiting.append(_Exchange(speakable(mail), ticket))
        except ValueError as error:
            self._events.append(Settled(mail, Refused(str(error)), False, ticket))
            return
        if self.ended:
            self._close(self.ended)
        self._start_next()

    def output(self) -> bytes:
        """What to write now, up to the next final dot; that one comes by itself, with what rides behind it."""
        taken: list[bytes] = []
        while self._out and not (taken and self._out[0].dot_of):
            chunk = self._out.popleft()
            taken.append(chunk.data)
            self._owed.extend(chunk.owed)
            if chunk.dot_of:
                chunk.dot_of.phase = Phase.DOT
        return b"".join(taken)

    def receive(self, data: bytes) -> None:
        """Takes what arrived, in any chunking."""
        try:
            for reply in self._reader.feed(data):
                if self.ended:
                    return
                self._hear(reply)
        except Malformed as error:
            self._close(Deferred(f"{self.phase}: {error}"))

    def lost(self, outcome: Deferred | Paused) -> None:
        """The connection is gone, or cannot be made; every mail is settled by how far it had come."""
        self._close(outcome)

    def tls_started(self) -> None:
        """The handshake is done. What the server said before it counts for nothing (RFC 3207 §4.2)."""
        self._starttls = self.shaking_hands = False
        self._greet()

    def quit(self) -> None:
        """Says good-bye; from then on no mail is begun."""
        self._ready = False
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
        if exchange is not None and self._pipelining and phase in _STEPS and 200 <= reply.code < 300:
            exchange.answered = True  # so far so good, and the next step was said already
        elif exchange is not None:
            # 421 to MAIL is said to the connection, often before MAIL was read: another may take the mail.
            exchange.answered = not (phase is Phase.MAIL and reply.code == 421)
            self._hear_of(exchange, phase, reply)
            if _out_of_step(phase, reply):
                # A reply too many came before. To go on would be to take the answer to one mail for that to another,
                # or to write commands into the message that the server is waiting for.
                self._close(Deferred(f"unexpected answer to {phase}: {reply}"))
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
            self._say(in_base64(self._secrets.popleft()), Phase.AUTH)
        elif phase is Phase.EHLO and reply.code in {500, 502, 504} and not (self._starttls or self._login):
            self._say(f"HELO {self.helo}", Phase.EHLO)  # RFC 5321 §3.2: a server of before 1995
        elif not 200 <= reply.code < 300:
            fault = judge(phase, reply)
            # A no to RSET is about the connection; no mail is refused by it.
            self._close(fault if isinstance(fault, Paused | Deferred) else Deferred(str(reply)))
        elif phase is Phase.GREETING:
            self._greet()
        elif phase is Phase.EHLO:
            self._offers = _offers(reply)
            self._pipelining = self._wanted != "off" and "PIPELINING" in self._offers
            self._sign_in()
        elif phase is Phase.TLS:
            self._start_tls()
        elif phase is Phase.AUTH:
            self._begin()
        else:
            self._start_next()

    def _greet(self) -> None:
        self._say(f"EHLO {self.helo}", Phase.EHLO)

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
        self.shaking_hands = True
        self._events.append(StartTls())
        return None

    def _begin(self) -> None:
        self._ready = True
        self._start_next()

    def _may_start(self) -> bool:
        """Whether it is the turn of another mail."""
        if not self._ready or self.ended:
            return False
        if not self._begun:
            return self._pipelining or not (self._out or self._owed)
        return self._pipelining and self._wanted == "ride" and self._begun[-1].phase in _RIDDEN

    def _start_next(self) -> None:
        """Says the envelope of the next mail, if it is its turn."""
        while self._waiting and self._may_start():
            exchange = self._waiting.popleft()
            refusal = self._refusal(exchange.mail)
            if refusal is None:
                return self._say_envelope(exchange)
            self._events.append(Settled(exchange.mail, refusal, False, exchange.ticket))
        return None

    def _say_envelope(self, exchange: _Exchange) -> None:
        exchange.phase = Phase.MAIL
        self._begun.append(exchange)
        if self._pipelining:
            owed = tuple([(phase, exchange) for phase in _ENVELOPE])
            self._out.append(_Chunk(self._envelope(exchange.mail), owed))
        else:
            self._say_step(exchange)

    def _say_step(self, exchange: _Exchange) -> None:
        """One command of the envelope, in lock-step."""
        commands = self._envelope(exchange.mail).splitlines(keepends=True)
        self._out.append(_Chunk(commands[_ENVELOPE.index(exchange.phase)], ((exchange.phase, exchange),)))

    def _envelope(self, mail: SpeakableMail) -> bytes:
        size = f" SIZE={len(mail.data)}" if "SIZE" in self._offers else ""
        form = "" if mail.seven_bit else " BODY=8BITMIME"
        names = " SMTPUTF8" if mail.international else ""
        return f"MAIL FROM:<{mail.sender}>{size}{form}{names}\r\nRCPT TO:<{mail.recipient}>\r\nDATA\r\n".encode()

    def _refusal(self, mail: SpeakableMail) -> Refused | None:
        """Why this server cannot take this mail, known before a word of it is said."""
        limit = self._offers.get("SIZE", "")
        if limit and limit.isdecimal() and 0 < int(limit) < len(mail.data):
            return Refused(f"the message has {len(mail.data)} bytes, the server takes {limit}")
        if mail.international and "SMTPUTF8" not in self._offers:
            return Refused("the address needs SMTPUTF8, which the server does not offer")
        if not mail.seven_bit and "8BITMIME" not in self._offers:
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
        if phase is Phase.DATA or (exchange.outcome is not None and not self._pipelining):
            self._say("RSET", Phase.RSET)  # what is left of the envelope still stands on the server
            return self._settle(exchange, exchange.outcome or Deferred(str(reply)))
        if not self._pipelining:
            exchange.phase = Phase.RCPT if phase is Phase.MAIL else Phase.DATA
            self._say_step(exchange)
        return None

    def _say_body(self, exchange: _Exchange) -> None:
        """The message; or nothing, where DATA was answered although the envelope was refused (RFC 2920 §3.1)."""
        owed = ((Phase.DOT, exchange),)
        if exchange.outcome is None:
            exchange.phase = Phase.BODY
            self._out.append(_Chunk(exchange.mail.body))
            self._out.append(_Chunk(b".\r\n", owed, dot_of=exchange))
        else:
            self._out.append(_Chunk(b".\r\n", owed))
        self._start_next()

    def _settle(self, exchange: _Exchange, outcome: Outcome) -> None:
        self._begun.remove(exchange)
        self._events.append(Settled(exchange.mail, outcome, exchange.answered, exchange.ticket))
        self._start_next()

    def _close(self, outcome: Deferred | Paused) -> None:
        """Settles every mail by how far it had come. Only a dot without an answer leaves a doubt."""
        first, self.ended = self.ended is None, outcome
        self._out.clear()
        for exchange in (*self._begun, *self._waiting):
            silent = exchange.phase is Phase.DOT and exchange.outcome is None
            fate = Unknown(f"after the final dot: {outcome.reason}") if silent else exchange.outcome or outcome
            self._events.append(Settled(exchange.mail, fate, exchange.answered, exchange.ticket))
        self._begun.clear()
        self._waiting.clear()
        if first:
            self._events.append(Closed(outcome))

    def _say(self, command: str, phase: Phase) -> None:
        self._out.append(_Chunk(f"{command}\r\n".encode(), ((phase, None),)))


_ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA)
#: Answered well, they ask for nothing where the whole envelope was said at once.
_STEPS = frozenset({Phase.MAIL, Phase.RCPT})
#: What the next envelope may ride behind.
_RIDDEN = frozenset({Phase.BODY, Phase.DOT})
_NO_AUTH = "Check `port` and `tls` of the account: many servers offer AUTH only over TLS."
_INJECTED = "Somebody may be tampering with the connection. Use `tls: implicit` (port 465) if the server has it."


def _out_of_step(phase: Phase, reply: Reply) -> bool:
    """Whether this cannot be the answer to what was said."""
    return reply.code < 400 and (reply.code != 354 if phase is Phase.DATA else reply.code >= 300)


def _offers(reply: Reply) -> dict[str, str]:
    """Extensions of an EHLO reply with their parameters; `AUTH=` is how Exchange 5.5 wrote it."""
    lines: Iterable[str] = (line.replace("AUTH=", "AUTH ", 1) for line in reply.lines[1:])
    return {keyword.upper(): rest for keyword, _, rest in (line.partition(" ") for line in lines)}
