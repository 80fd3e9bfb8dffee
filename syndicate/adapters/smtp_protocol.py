"""One SMTP conversation as the client sees it, without a socket: bytes in, bytes and events out (RFC 5321).

Whoever drives it writes what `output` gives, feeds what arrives to `receive`, and learns from `events` what became of
mails. They may be submitted at any time. Where the server offers PIPELINING the envelope travels in one write, and that
of a mail submitted in time rides behind the final dot of the one before it (RFC 2920 §3.1). Some servers lose what is
pipelined (RFC 2920 §1), so `pipelining` may say `envelope` (nothing rides) or `off` (every command waits for its
answer).

The phase of every mail is exact: it is in doubt from the moment its final dot was handed out until a whole reply came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from syndicate.adapters.smtp_login import Login, in_base64
from syndicate.adapters.smtp_mail import SpeakableMail, speakable
from syndicate.adapters.smtp_replies import Phase, Reply, ReplyReader, judge
from syndicate.model import Deferred, Outcome, Paused, Payload, Refused, Unknown


class Settled(NamedTuple):
    """What became of one mail."""

    mail: Payload
    outcome: Outcome
    #: False: the server did not answer a word of it, so it may go over another connection
    answered: bool
    #: what the mail was submitted with
    ticket: Any = None


@dataclass(slots=True, eq=False)
class _Exchange:
    """A mail on its way."""

    mail: SpeakableMail
    ticket: Any = field(repr=False)
    phase: Phase = Phase.WAITING
    #: of its envelope, where that failed
    outcome: Outcome | None = None
    answered: bool = False


class Conversation:
    """Speaks to one server over one connection."""

    def __init__(self, *, helo: str, starttls: bool, login: Login | None = None, pipelining: str = "ride") -> None:
        #: how we greet; may be set until the server has greeted
        self.helo = helo
        #: whether the server waits for the TLS handshake
        self.shaking_hands = False
        #: whether the server knows us, and has not gone
        self.ready = False
        #: why nothing can be said any more
        self.ended: Deferred | Paused | None = None
        #: whether the next `output` is a final dot: from then on the mail is in doubt until the server answers
        self.at_dot = False
        #: what became of mails, until `events` takes it
        self.settled: list[Settled] = []
        self._starttls = starttls
        self._login = login
        self._secrets: deque[str] = deque()  # what LOGIN will be asked for
        self._wanted = pipelining
        self._pipelining = False
        self._rides = False
        self._reader = ReplyReader()
        self._offers: dict[str, str] = {}
        self._most = 0  # bytes that a message may have; 0: any number
        #: the message to be written next, and whose final dot comes behind it
        self._body = b""
        self._dot_of: _Exchange | None = None
        #: commands to be written then, and the replies that are owed once they are
        self._said = b""
        self._owed_then: list[tuple[Phase, _Exchange | None]] = []
        self._owed: deque[tuple[Phase, _Exchange | None]] = deque([(Phase.GREETING, None)])
        self._waiting: deque[_Exchange] = deque()
        self._begun: deque[_Exchange] = deque()

    @property
    def idle(self) -> bool:
        """Signed in, and no mail under way."""
        return self.ready and not (self._begun or self._waiting)

    @property
    def hungry(self) -> bool:
        """Whether a mail that is submitted now is spoken at once: it is the turn of another, and none waits for it."""
        if not self.ready:
            return False
        if self._begun:
            return self._rides and self._begun[-1].phase in _RIDDEN
        return self._pipelining or not (self._said or self._owed)

    @property
    def in_doubt(self) -> bool:
        """Whether a final dot is out that was not answered."""
        return bool(self._begun) and self._begun[0].phase is Phase.DOT

    @property
    def awaited(self) -> Phase | None:
        """What the next reply answers; None if the server owes none."""
        return self._owed[0][0] if self._owed else None

    @property
    def phase(self) -> Phase:
        """What the next reply answers; with nothing owed, what is being written."""
        if self._owed:
            return self._owed[0][0]
        if self.shaking_hands:
            return Phase.TLS
        return self._begun[0].phase if self._begun else Phase.WAITING

    @property
    def next_ticket(self) -> Any:
        """Of the mail whose final dot comes next."""
        return self._dot_of.ticket if self._dot_of else None

    def submit(self, mail: Payload, ticket: Any = None) -> None:
        """Puts a mail in the queue; one that cannot be spoken exactly (see `smtp_mail`) is refused at once."""
        try:
            self._waiting.append(_Exchange(speakable(mail), ticket))
        except ValueError as error:
            self.settled.append(Settled(mail, Refused(str(error)), False, ticket))
            return
        if self.ended:
            self._close(self.ended)
        self._start_next()

    def output(self) -> bytes:
        """What to write now, up to the next final dot; that one comes by itself, with what rides behind it."""
        if self._body:
            body, self._body, self.at_dot = self._body, b"", True
            return body
        said, self._said = self._said, b""
        if self._dot_of:
            said = b".\r\n" + said
            self._dot_of.phase = Phase.DOT
            self._owed.append((Phase.DOT, self._dot_of))
            self._dot_of, self.at_dot = None, False
        self._owed += self._owed_then
        self._owed_then = []
        return said

    def receive(self, data: bytes) -> bool:
        """Takes what arrived, in any chunking; whether it made a reply whole."""
        replies = self._reader.feed(data)
        for reply in replies:
            if self.ended:
                break
            self._hear(reply)
        if self.shaking_hands and self._reader.halfway:
            self._close(_INJECTED)
        elif self._reader.fault and not self.ended:
            self._close(Deferred(f"{self.phase}: {self._reader.fault}"))
        return bool(replies)

    def lost(self, outcome: Deferred | Paused) -> None:
        """The connection is gone, or cannot be made; every mail is settled by how far it had come."""
        self._close(outcome)

    def tls_started(self) -> None:
        """The handshake is done. What the server said before it counts for nothing (RFC 3207 §4.2)."""
        self._starttls = self.shaking_hands = False
        self._greet()

    def quit(self) -> None:
        """Says good-bye; from then on no mail is begun."""
        self.ready = False
        self._say("QUIT", Phase.QUIT)

    def events(self) -> list[Settled]:
        """What became of mails since the last call."""
        events, self.settled = self.settled, []
        return events

    def _hear(self, reply: Reply) -> None:
        if not self._owed:
            return self._close(self._unasked(reply))
        phase, exchange = self._owed.popleft()
        if exchange is None:
            return self._hear_of_us(phase, reply)
        exchange.answered = True
        good = 200 <= reply.code < 300
        if good and phase in _STEPS:
            if not self._pipelining:
                self._say_step(exchange, Phase.RCPT if phase is Phase.MAIL else Phase.DATA)
        elif good and phase is Phase.DOT:
            self._settle(exchange, exchange.outcome or judge(phase, reply))
        elif phase is Phase.DATA and reply.code == 354:
            self._say_body(exchange)
        else:
            self._hear_no(exchange, phase, reply)
        return None

    def _unasked(self, reply: Reply) -> Deferred | Paused:
        """421 may come at any time. After anything else nobody knows any more which reply answers what."""
        if self.shaking_hands:
            return _INJECTED
        return Deferred(str(reply) if reply.code == 421 else f"a reply nobody asked for: {reply}")

    def _hear_of_us(self, phase: Phase, reply: Reply) -> None:
        """What is said of no mail."""
        if phase is Phase.QUIT:
            self._close(Deferred(str(reply)))
        else:
            self._hear_opening(phase, reply)
        if reply.code == 421:
            self._close(Deferred(str(reply)))

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
            self._take_offers(_offers(reply))
            self._sign_in()
        elif phase is Phase.TLS:
            self.shaking_hands = True
        elif phase is Phase.AUTH:
            self._begin()
        else:
            self._start_next()

    def _greet(self) -> None:
        self._say(f"EHLO {self.helo}", Phase.EHLO)

    def _take_offers(self, offers: dict[str, str]) -> None:
        self._offers = offers
        self._pipelining = self._wanted != "off" and "PIPELINING" in offers
        self._rides = self._wanted == "ride" and self._pipelining
        size = offers.get("SIZE", "")
        self._most = int(size) if size.isdecimal() else 0

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

    def _begin(self) -> None:
        self.ready = True
        self._start_next()

    def _start_next(self) -> None:
        """Says the envelope of the next mail, if it is its turn."""
        while self._waiting and self.hungry:
            exchange = self._waiting.popleft()
            refusal = self._refusal(exchange.mail)
            if refusal is None:
                return self._say_envelope(exchange)
            self.settled.append(Settled(exchange.mail, refusal, False, exchange.ticket))
        return None

    def _say_envelope(self, exchange: _Exchange) -> None:
        self._begun.append(exchange)
        if self._pipelining:
            exchange.phase = Phase.MAIL
            self._said += self._envelope(exchange.mail)
            self._owed_then += ((Phase.MAIL, exchange), (Phase.RCPT, exchange), (Phase.DATA, exchange))
        else:
            self._say_step(exchange, Phase.MAIL)

    def _say_step(self, exchange: _Exchange, phase: Phase) -> None:
        """One command of the envelope, in lock-step."""
        exchange.phase = phase
        self._said += self._envelope(exchange.mail).splitlines(keepends=True)[_ENVELOPE.index(phase)]
        self._owed_then.append((phase, exchange))

    def _envelope(self, mail: SpeakableMail) -> bytes:
        size = f" SIZE={len(mail.data)}" if "SIZE" in self._offers else ""
        form = "" if mail.seven_bit else " BODY=8BITMIME"
        names = " SMTPUTF8" if mail.international else ""
        return f"MAIL FROM:<{mail.sender}>{size}{form}{names}\r\nRCPT TO:<{mail.recipient}>\r\nDATA\r\n".encode()

    def _refusal(self, mail: SpeakableMail) -> Refused | None:
        """Why this server cannot take this mail, known before a word of it is said."""
        if 0 < self._most < len(mail.data):
            return Refused(f"the message has {len(mail.data)} bytes, the server takes {self._most}")
        if mail.international and "SMTPUTF8" not in self._offers:
            return Refused("the address needs SMTPUTF8, which the server does not offer")
        if not mail.seven_bit and "8BITMIME" not in self._offers:
            return Refused("the message holds 8-bit text, and the server takes 7 bits only (no 8BITMIME)")
        return None

    def _hear_no(self, exchange: _Exchange, phase: Phase, reply: Reply) -> None:
        """Not what was hoped for, of one mail."""
        # 421 to MAIL is said to the connection, often before MAIL was read: another may take the mail.
        exchange.answered = not (phase is Phase.MAIL and reply.code == 421)
        exchange.outcome = exchange.outcome or judge(phase, reply)
        if phase is Phase.DATA or not (self._pipelining or phase is Phase.DOT):
            self._say("RSET", Phase.RSET)  # what is left of the envelope still stands on the server
        if phase in _LAST or not self._pipelining:
            self._settle(exchange, exchange.outcome)
        if _out_of_step(phase, reply):
            # A reply too many came before. To go on would be to take the answer to one mail for that to another,
            # or to write commands into the message that the server is waiting for.
            self._close(Deferred(f"unexpected answer to {phase}: {reply}"))
        elif reply.code == 421:
            self._close(Deferred(str(reply)))

    def _say_body(self, exchange: _Exchange) -> None:
        """The message; or nothing, where DATA was answered although the envelope was refused (RFC 2920 §3.1)."""
        if exchange.outcome is None:
            exchange.phase = Phase.BODY
            self._body, self._dot_of = exchange.mail.body, exchange
        else:
            self._said += b".\r\n"
            self._owed_then.append((Phase.DOT, exchange))
        if self._waiting:
            self._start_next()

    def _settle(self, exchange: _Exchange, outcome: Outcome) -> None:
        self._begun.remove(exchange)
        self.settled.append(Settled(exchange.mail, outcome, exchange.answered, exchange.ticket))
        if self._waiting:
            self._start_next()

    def _close(self, outcome: Deferred | Paused) -> None:
        """Settles every mail by how far it had come. Only a dot without an answer leaves a doubt."""
        self.ended, self.ready, self.shaking_hands = outcome, False, False
        self._body, self._dot_of, self.at_dot = b"", None, False
        self._said, self._owed_then = b"", []
        for exchange in (*self._begun, *self._waiting):
            silent = exchange.phase is Phase.DOT and exchange.outcome is None
            fate = Unknown(f"after the final dot: {outcome.reason}") if silent else exchange.outcome or outcome
            self.settled.append(Settled(exchange.mail, fate, exchange.answered, exchange.ticket))
        self._begun.clear()
        self._waiting.clear()

    def _say(self, command: str, phase: Phase) -> None:
        self._said += f"{command}\r\n".encode()
        self._owed_then.append((phase, None))


_ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA)
#: Answered well, they ask for nothing where the whole envelope was said at once.
_STEPS = frozenset({Phase.MAIL, Phase.RCPT})
#: Answered badly, they end a mail, however its envelope was said.
_LAST = frozenset({Phase.DATA, Phase.DOT})
#: What the next envelope may ride behind.
_RIDDEN = frozenset({Phase.BODY, Phase.DOT})
_NO_AUTH = "Check `port` and `tls` of the account: many servers offer AUTH only over TLS."
# CVE-2011-0411: what was injected in the clear must not be read as if it had come through TLS.
_INJECTED = Paused(
    "the server spoke between STARTTLS and the handshake",
    "Somebody may be tampering with the connection. Use `tls: implicit` (port 465) if the server has it.",
)


def _out_of_step(phase: Phase, reply: Reply) -> bool:
    """Whether this cannot be the answer to what was said."""
    return reply.code < 400 and (reply.code != 354 if phase is Phase.DATA else reply.code >= 300)


def _offers(reply: Reply) -> dict[str, str]:
    """Extensions of an EHLO reply with their parameters; `AUTH=` is how Exchange 5.5 wrote it."""
    lines: Iterable[str] = (line.replace("AUTH=", "AUTH ", 1) for line in reply.lines[1:])
    return {keyword.upper(): rest for keyword, _, rest in (line.partition(" ") for line in lines)}
