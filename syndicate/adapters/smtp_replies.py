"""What an SMTP server says: the strict reader of its replies (RFC 5321 §4.2), and what each of them means.

Half a reply is no reply: a client that takes `250 2.0` before a reset as a success loses mail.
"""

from __future__ import annotations

import re
import ssl
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown

# RFC 5321 §4.5.3.1.5 ends a line at 512 octets; real servers write longer ones. One without end is cut off.
MAX_LINE = 4096
MAX_LINES = 128

_CODES = {str(code).encode(): code for code in range(200, 600)}
_MARKS = {b"", b" ", b"-"}
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
_QUEUE_ID = re.compile(r"queued as ([\w.-]+)", re.IGNORECASE)


class Phase(StrEnum):
    """How far a conversation, or one message in it, has come: what was said last and not yet answered."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "EHLO"
    TLS = "STARTTLS"
    AUTH = "AUTH"
    WAITING = "waiting"  #: for its turn; nothing of the message was said
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    DOT = "final dot"  #: the only phase whose silence leaves a doubt
    RSET = "RSET"
    QUIT = "QUIT"


class Reply(NamedTuple):
    """One whole reply. A tuple, because four of them come with each mail."""

    #: 200 to 599
    code: int
    #: without codes and line ends; more than one for a multi-line reply
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join([str(self.code), *filter(None, self.lines)])

    @property
    def enhanced(self) -> str:
        """RFC 3463 status, such as `5.7.26`; empty where the server gives none."""
        found = _ENHANCED.match(self.lines[-1])
        return found.group() if found else ""


class Malformed(ValueError):
    """The server did not speak SMTP."""


class ReplyReader:
    """Bytes in, replies out; any chunking of the bytes gives the same replies."""

    def __init__(self) -> None:
        #: what was no reply; nothing behind it means anything
        self.fault: Malformed | None = None
        self._buffer = b""
        self._code = 0
        self._lines: list[str] = []

    @property
    def halfway(self) -> bool:
        """Whether something has begun and is no complete reply."""
        return bool(self._buffer or self._lines or self.fault)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that these bytes complete, up to the first `fault`."""
        replies: list[Reply] = []
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        try:
            for line in lines:
                reply, last = _parsed(line)
                if last and not self._lines:
                    replies.append(reply)
                elif whole := self._gathered(reply, last=last):
                    replies.append(whole)
        except Malformed as fault:
            self.fault = fault
        else:
            if len(self._buffer) > MAX_LINE:
                self.fault = Malformed("a reply line without end")
        return replies

    def _gathered(self, part: Reply, *, last: bool) -> Reply | None:
        """The reply of many lines, once its last is there."""
        if self._lines and part.code != self._code:
            raise Malformed(f"a reply that changes its code from {self._code} to {part.code}")
        self._code = part.code
        self._lines += part.lines
        if not last:
            if len(self._lines) >= MAX_LINES:
                raise Malformed("a reply of too many lines")
            return None
        lines, self._lines = tuple(self._lines), []
        return Reply(self._code, lines)


@lru_cache(maxsize=64)  # a server says the same few lines to every mail
def _parsed(line: bytes) -> tuple[Reply, bool]:
    """The line as a reply, and whether it is the last of one. Raises `Malformed`."""
    # A line that ends in LF alone is taken: it is whole, and nothing can hide behind it.
    line = line.removesuffix(b"\r")
    code, mark = _CODES.get(line[:3]), line[3:4]
    if code is None or mark not in _MARKS or len(line) > MAX_LINE:
        raise Malformed(f"not an SMTP reply: {printable(line[:60])}")
    return Reply(code, (printable(line[4:]),)), mark != b"-"


def printable(line: bytes) -> str:
    """Text that is safe on a terminal: control characters and broken UTF-8 as escapes."""
    text = line.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


# Verdicts of big receivers that speak of the sender's set-up and not of this message: Google's SMTP error reference,
# and Microsoft's 5.7.515 for high-volume senders. The last digits are the same for temporary and permanent ones.
_SETUP = {
    ".7.23": "Ask the operator of the sending host for a reverse DNS entry (PTR).",
    ".7.25": "Ask the operator of the sending host for a reverse DNS entry (PTR).",
    ".7.26": "Publish SPF, and sign with DKIM.",
    ".7.27": "Publish SPF for the envelope sender's domain.",
    ".7.29": "The relay must use TLS towards the receiver.",
    ".7.30": "Sign with DKIM, and publish the key.",
    ".7.31": "Publish a DMARC record for the From domain.",
    ".7.32": "Let the From domain match the domain of SPF or DKIM.",
    ".7.40": "Publish a DMARC record for the From domain.",
    ".7.515": "Publish SPF, DKIM and DMARC for the From domain.",
}
_SIGN_IN = "Check `username` and `password` of the account."
_RELAY = "Check host, port and credentials of the account, and whether this server relays for its envelope sender."
_RATE = timedelta(minutes=10)  # Google: after 4.7.28 nothing for ten minutes


@lru_cache(maxsize=64)  # spares 1 us where the server says the same to all; costs 0.2 where each has its queue id
def judge(phase: Phase, reply: Reply) -> Outcome:
    """What a reply means for the message it answers; `phase` is what was said."""
    reason = str(reply)
    if phase is Phase.DOT and 200 <= reply.code < 300:
        return Receipt(id=_queue_id(reason), status=reason)
    if reply.code == 421 or (reply.code < 500 and reply.enhanced.endswith(".7.28")):
        return Deferred(reason, _RATE if reply.enhanced.endswith(".7.28") else None)
    if reply.code < 400:
        silence = f"unexpected answer to {phase}: {reason}"
        return Unknown(silence) if phase is Phase.DOT else Deferred(silence)
    hint = _account_fault(phase, reply)
    if hint:
        return Paused(reason, hint)
    return Deferred(reason) if reply.code < 500 else Refused(reason)


def judge_fault(phase: Phase, error: OSError | ValueError, host: str) -> Deferred | Paused:
    """What a broken connection means. Trouble with TLS needs a person: trying again without it is no choice.

    ValueError: a host name that IDNA or the certificate check refuses.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return Paused(f"the certificate of {host} is not trusted: {error.verify_message}", _CERTIFICATE)
    if phase is Phase.TLS and isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return Paused(f"no TLS with {host}: {error.reason}", "Check `port` and `tls` of the account.")
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return Deferred(f"{phase}: {detail}")


_CERTIFICATE = (
    "Check `host` (the name in the certificate counts); set `ca_file` if the server has a certificate of its own."
)


def _account_fault(phase: Phase, reply: Reply) -> str:
    """What to do about a reply that blames the account; empty if it does not."""
    if reply.enhanced[1:] in _SETUP:
        return _SETUP[reply.enhanced[1:]]
    if reply.code in {530, 534, 535, 538}:
        return _SIGN_IN
    if phase is Phase.TLS:
        return "The server refused TLS. Nothing is sent in the clear: check `port` and `tls` of the account."
    if reply.code < 500:
        return ""
    if phase is Phase.AUTH:
        return _SIGN_IN
    if phase is Phase.RCPT and "relay" in str(reply).lower():
        return _RELAY  # "Relay access denied", "Unable to relay", …: no reader is at fault, and all would be refused
    # To MAIL, 552 speaks of this message's size and 5.6.x of its form; all else speaks of the sender.
    about_message = reply.code == 552 or reply.enhanced.startswith("5.6.") or reply.enhanced == "5.3.4"
    if phase in {Phase.GREETING, Phase.EHLO} or (phase is Phase.MAIL and not about_message):
        return _RELAY
    return ""


def _queue_id(text: str) -> str:
    found = _QUEUE_ID.search(text)
    return found[1] if found else ""
