"""An SMTP server on loopback that does as it is told: it keeps a journal, and misbehaves where a script says so.

It shares no code with the client: lines, dots and replies are read and written here anew.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from base64 import b64decode
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from syndicate.testing.loopback import Lines, LoopbackServer, Over

#: what a script may interrupt, in the order in which it happens
STEPS = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "dot", "rset", "quit", "idle")


@dataclass(frozen=True, slots=True)
class Fault:
    """What the server does at one step instead of what it should."""

    #: raw bytes instead of the reply; None: the right reply
    say: bytes | None = None
    #: then: `go on`, `close` (FIN), `reset` (RST) or `hang` until the server stops
    then: str = "go on"
    #: at `dot`: whether the mail is kept all the same
    keep: bool = False
    #: a pause after every byte of `say`, in seconds
    drip: float = 0.0


#: Not yet; not now; taken, and never answered.
GREYLISTED = Fault(b"450 4.2.0 greylisted, come again\r\n")
LATER = Fault(b"451 4.3.2 system not accepting messages\r\n")
LOST = Fault(b"", "close", keep=True)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mail that the server answers for."""

    sender: str
    recipient: str
    #: what came after DATA, un-stuffed
    data: bytes = field(repr=False)
    #: parameters of MAIL, upper case
    parameters: tuple[str, ...] = ()


class SmtpServer(LoopbackServer):
    """A server in threads of its own. Use as a context manager; `fault` scripts what goes wrong next."""

    def __init__(
        self,
        *,
        offers: Iterable[str] = ("PIPELINING", "SIZE 10485760", "8BITMIME"),
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        password: tuple[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        most: int = 1000,
    ) -> None:
        """`tls` offers STARTTLS (or TLS at once, if `implicit`); `password` is (user, password), and wanted then.

        Whoever is one more than `most` at the same time is sent away with 421.
        """
        super().__init__()
        self.offers = list(offers)
        self.tls = tls
        self.implicit = implicit
        self.password = password
        self.mechanisms = mechanisms
        #: as RFC 2920 §3.1 allows: DATA is answered 354 although every RCPT was refused
        self.take_data_without_recipients = False
        #: in the order of acceptance
        self.journal: list[Accepted] = []
        #: every command line, as it came
        self.commands: list[str] = []
        self.most = most
        #: connections that were let in and had not ended, at most
        self.most_at_once = 0
        self._open = 0
        self._door = threading.Lock()
        self._faults: dict[str, deque[Fault | None]] = defaultdict(deque)

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of an account, changed so that they lead here. What is not about this server stays."""
        place = {"host": "127.0.0.1", "port": self.port, "tls": "none", "ca_file": None}
        return {**options, **place, "username": "", "password": "", "dkim": None}

    def storm(self, random: Random) -> None:
        """Scripts bad weather: of a thousand mails one in eight is put off, refused for now or never answered."""
        self._faults["rcpt"].extend(random.choices((None, GREYLISTED), weights=(95, 5), k=1000))
        self._faults["dot"].extend(random.choices((None, LATER, LOST), weights=(93, 4, 3), k=1000))

    def fault(self, step: str, fault: Fault, *, after: int = 0) -> None:
        """Something goes wrong at `step`, the next time but `after`."""
        if step not in STEPS:
            raise ValueError(f"no such step: {step}")
        self._faults[step].extend([None] * after + [fault])

    def next_fault(self, step: str) -> Fault | None:
        """What the script has for this step, once."""
        queue = self._faults[step]
        return queue.popleft() if queue else None

    def accept(self, mail: Accepted) -> None:
        """Writes a mail into the journal."""
        self.journal.append(mail)

    def enter(self) -> bool:
        """Whether there is room for one more, who then has to `leave`."""
        with self._door:
            if self._open >= self.most:
                return False
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
            return True

    def leave(self) -> None:
        """A connection has ended."""
        with self._door:
            self._open -= 1

    def talk(self, link: socket.socket) -> None:
        """One connection."""
        _Talk(self, link).run()


class JournalingSmtp(SmtpServer):
    """Its journal is on the disk before it says yes, for tests in which processes die."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._turn = threading.Lock()

    def stop(self) -> None:
        super().stop()
        os.close(self._descriptor)

    def accept(self, mail: Accepted) -> None:
        with self._turn:
            os.write(self._descriptor, f"{mail.recipient} {sha256(mail.data).hexdigest()}\n".encode("ascii"))
            os.fsync(self._descriptor)

    def accepted(self) -> list[tuple[str, str]]:
        """(recipient, hex SHA-256 of the bytes) of everything that was accepted, in order."""
        return [(line.split()[0], line.split()[1]) for line in self._path.read_text("ascii").splitlines()]


class _Talk(Lines):
    """One connection."""

    def __init__(self, server: SmtpServer, link: socket.socket) -> None:
        super().__init__(link)
        self._server = server
        self._secure = False
        self._signed_in = False
        self._sender = ""
        self._recipients: list[str] = []
        self._parameters: tuple[str, ...] = ()

    def run(self) -> None:
        """Talks until one side has had enough."""
        if not self._server.enter():
            with suppress(OSError), self._link:
                self._link.sendall(b"421 4.7.0 too many connections\r\n")
            return
        try:
            if self._server.implicit:
                self._secured()
            self._reply("banner", "220 test ESMTP")
            while True:
                self._command(self._line().decode("utf-8", "replace"))
        except (Over, OSError):
            pass
        finally:
            self._server.leave()
            self._link.close()

    def _command(self, line: str) -> None:
        self._server.commands.append(line)
        verb, _, rest = line.partition(" ")
        handler = {
            "EHLO": self._ehlo,
            "HELO": lambda _: self._reply("ehlo", "250 test"),
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "QUIT": self._quit,
        }.get(verb.upper())
        if handler is None:
            self._say(b"500 5.5.2 what?\r\n")
        else:
            handler(rest)

    def _ehlo(self, _: str) -> None:
        offers = list(self._server.offers)
        if self._server.tls and not self._secure:
            offers.append("STARTTLS")
        if self._server.password:
            offers.append(f"AUTH {self._server.mechanisms}")
        lines = ["test", *offers]
        self._reply("ehlo", "\r\n".join(f"250{'-' if line is not lines[-1] else ' '}{line}" for line in lines))

    def _starttls(self, _: str) -> None:
        if self._reply("starttls", "220 2.0.0 ready"):
            self._secured()

    def _secured(self) -> None:
        self._encrypt(self._server.tls)
        self._secure = True

    def _auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, user, password = b64decode(first).decode().split("\0")
        else:
            user, password = self._asked("VXNlcm5hbWU6"), self._asked("UGFzc3dvcmQ6")
        self._signed_in = (user, password) == self._server.password
        self._reply("auth", "235 2.7.0 welcome" if self._signed_in else "535 5.7.8 bad credentials")

    def _asked(self, question: str) -> str:
        self._say(f"334 {question}\r\n".encode())
        return b64decode(self._line()).decode()

    def _mail(self, rest: str) -> None:
        if self._server.password and not self._signed_in:
            return self._say(b"530 5.7.0 sign in first\r\n")
        if self._sender:
            return self._say(b"503 5.5.1 nested MAIL\r\n")
        path, _, parameters = rest.removeprefix("FROM:").partition(" ")
        if self._reply("mail", "250 2.1.0 ok"):
            self._sender = path[1:-1]
            self._parameters = tuple(parameters.upper().split())
        return None

    def _rcpt(self, rest: str) -> None:
        if not self._sender:
            return self._say(b"503 5.5.1 MAIL first\r\n")
        if self._reply("rcpt", "250 2.1.5 ok"):
            self._recipients.append(rest.removeprefix("TO:")[1:-1])
        return None

    def _data(self, _: str) -> None:
        if not self._recipients and not self._server.take_data_without_recipients:
            return self._say(b"554 5.5.1 no valid recipients\r\n")
        if not self._reply("data", "354 go ahead", yes=b"3"):
            return None
        self._interrupt("body")
        lines = []
        while (line := self._line()) != b".":
            lines.append(line.removeprefix(b"."))
        self._end_of_data(b"".join(line + b"\r\n" for line in lines))
        return None

    def _end_of_data(self, data: bytes) -> None:
        mails = [Accepted(self._sender, one, data, self._parameters) for one in self._recipients]
        self._forget()
        fault = self._server.next_fault("dot")
        if fault is None or fault.keep:
            for mail in mails:
                self._server.accept(mail)
        number = len(self._server.journal)
        self._act(fault, f"250 2.0.0 queued as {number:04X}")
        self._interrupt("idle")

    def _rset(self, _: str) -> None:
        self._forget()
        self._reply("rset", "250 2.0.0 ok")

    def _quit(self, _: str) -> None:
        self._reply("quit", "221 2.0.0 bye")
        raise Over

    def _forget(self) -> None:
        self._sender, self._recipients = "", []

    def _interrupt(self, step: str) -> None:
        """A step that has no reply of its own."""
        fault = self._server.next_fault(step)
        if fault:
            self._act(fault, "")

    def _reply(self, step: str, right: str, yes: bytes = b"2") -> bool:
        """Answers; whether the answer was a yes."""
        return self._act(self._server.next_fault(step), right).startswith(yes)

    def _act(self, fault: Fault | None, right: str) -> bytes:
        said = f"{right}\r\n".encode() if right else b""
        if fault is None:
            self._say(said)
            return said
        said = said if fault.say is None else fault.say
        self._say(said, fault.drip)
        if fault.then == "reset":
            # SO_LINGER of zero: closing sends RST instead of FIN
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if fault.then == "hang":
            self._server.stopping.wait(30)
        if fault.then != "go on":
            raise Over
        return said

    def _say(self, data: bytes, drip: float = 0.0) -> None:
        if not drip:
            return self._link.sendall(data)
        for byte in data:
            self._link.sendall(bytes([byte]))
            if self._server.stopping.wait(drip):
                break
        return None
