"""An IMAP server on loopback with one account: enough of IMAP4rev1 (RFC 3501) and MOVE (RFC 6851) for a mail program.

It shares no code with the client: lines, literals and replies are read and written here anew.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from syndicate.testing.loopback import Lines, LoopbackServer, Over

_WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass(slots=True)
class Stored:
    """A mail in a folder."""

    uid: int
    data: bytes = field(repr=False)
    flags: set[str] = field(default_factory=set)


class ImapServer(LoopbackServer):
    """A server in threads of its own. Use as a context manager; `deliver` puts a mail into a folder."""

    def __init__(
        self,
        *,
        password: tuple[str, str] = ("bounces", "right"),
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        offers: Iterable[str] = ("MOVE",),
        folders: Iterable[str] = ("INBOX",),
    ) -> None:
        """`tls` offers STARTTLS, or TLS at once if `implicit`."""
        super().__init__()
        self.password = password
        self.tls = tls
        self.implicit = implicit
        self.offers = ("IMAP4rev1", *offers)
        self.folders: dict[str, list[Stored]] = {name: [] for name in folders}
        #: every command without its tag, as it came; of LOGIN only the word
        self.commands: list[str] = []
        #: a command at which the connection ends without an answer, once: `UID STORE`
        self.hang_up_at = ""
        self._next_uid = 1

    def deliver(self, data: bytes, folder: str = "INBOX") -> Stored:
        """A mail comes in."""
        stored = Stored(self._next_uid, data)
        self._next_uid += 1
        self.folders[folder].append(stored)
        return stored

    def talk(self, link: socket.socket) -> None:
        """One connection."""
        _Talk(self, link).run()


class _Talk(Lines):
    """One connection."""

    def __init__(self, server: ImapServer, link: socket.socket) -> None:
        super().__init__(link)
        self._server = server
        self._signed_in = False
        self._folder = ""

    def run(self) -> None:
        """Speaks until one of the two has enough."""
        with suppress(Over, OSError):
            if self._server.tls and self._server.implicit:
                self._encrypt(self._server.tls)
            self._say("* OK ready")
            while True:
                self._command()
        with suppress(OSError):
            self._link.close()

    def _say(self, line: str) -> None:
        self._link.sendall(line.encode() + b"\r\n")

    def _command(self) -> None:
        tag, _, rest = self._line().decode().partition(" ")
        words = [re.sub(r"\\(.)", r"\1", quoted) or bare for quoted, bare in _WORDS.findall(rest)]
        verb = " ".join(words[:2] if words[0].upper() == "UID" else words[:1]).upper()
        self._server.commands.append("LOGIN" if verb == "LOGIN" else rest)
        if self._server.hang_up_at == verb:
            self._server.hang_up_at = ""
            raise Over
        if verb not in _HANDLERS or not (self._signed_in or verb in _FOR_ALL):
            self._say(f"{tag} BAD not now")
            return
        _HANDLERS[verb](self, tag, words[len(verb.split()) :])

    def capability(self, tag: str, words: list[str]) -> None:
        starttls = ("STARTTLS",) if self._server.tls and not self._server.implicit else ()
        self._say("* CAPABILITY " + " ".join((*self._server.offers, *starttls)))
        self._say(f"{tag} OK done")

    def starttls(self, tag: str, words: list[str]) -> None:
        self._say(f"{tag} OK begin")
        self._encrypt(self._server.tls)

    def login(self, tag: str, words: list[str]) -> None:
        self._signed_in = tuple(words) == self._server.password
        # Some servers repeat what they were told.
        self._say(f"{tag} OK done" if self._signed_in else f"{tag} NO [AUTHENTICATIONFAILED] not {' '.join(words)}")

    def select(self, tag: str, words: list[str]) -> None:
        if words[0] not in self._server.folders:
            self._say(f"{tag} NO no such folder")
            return
        self._folder = words[0]
        self._say(f"* {len(self._mails)} EXISTS")
        self._say(f"{tag} OK [READ-WRITE]")

    def search(self, tag: str, words: list[str]) -> None:
        unwanted = {{"UNSEEN": "\\Seen", "UNDELETED": "\\Deleted"}[word.upper()] for word in words}
        found = [str(mail.uid) for mail in self._mails if not mail.flags & unwanted]
        self._say(" ".join(("* SEARCH", *found)))
        self._say(f"{tag} OK done")

    def fetch(self, tag: str, words: list[str]) -> None:
        what = " ".join(words[1:]).upper()
        for number, mail in self._named(words[0]):
            if "RFC822.SIZE" in what:
                self._say(f"* {number} FETCH (UID {mail.uid} RFC822.SIZE {len(mail.data)})")
                continue
            if "PEEK" not in what:
                mail.flags.add("\\Seen")
            self._say(f"* {number} FETCH (UID {mail.uid} BODY[] {{{len(mail.data)}}}")
            self._link.sendall(mail.data + b")\r\n")
        self._say(f"{tag} OK done")

    def store(self, tag: str, words: list[str]) -> None:
        for _, mail in self._named(words[0]):
            mail.flags.update(re.findall(r"\\\w+", " ".join(words[2:])))
        self._say(f"{tag} OK done")

    def copy(self, tag: str, words: list[str]) -> None:
        if words[1] not in self._server.folders:
            self._say(f"{tag} NO [TRYCREATE] no such folder")
            return
        for _, mail in self._named(words[0]):
            self._server.deliver(mail.data, words[1]).flags.update(mail.flags)
        self._say(f"{tag} OK done")

    def move(self, tag: str, words: list[str]) -> None:
        moved = self._named(words[0])
        if words[1] in self._server.folders:
            for number, _ in reversed(moved):
                self._say(f"* {number} EXPUNGE")
        self.copy(tag, words)
        if words[1] in self._server.folders:
            gone = {mail.uid for _, mail in moved}
            self._mails[:] = [mail for mail in self._mails if mail.uid not in gone]

    def logout(self, tag: str, words: list[str]) -> None:
        self._say("* BYE")
        self._say(f"{tag} OK done")
        raise Over

    @property
    def _mails(self) -> list[Stored]:
        return self._server.folders[self._folder]

    def _named(self, uids: str) -> list[tuple[int, Stored]]:
        wanted = set(map(int, uids.split(",")))
        return [(number, mail) for number, mail in enumerate(self._mails, start=1) if mail.uid in wanted]


#: What may be said before one has signed in.
_FOR_ALL = frozenset({"CAPABILITY", "LOGIN", "STARTTLS", "LOGOUT"})
_HANDLERS: dict[str, Callable[[_Talk, str, list[str]], None]] = {
    "CAPABILITY": _Talk.capability,
    "STARTTLS": _Talk.starttls,
    "LOGIN": _Talk.login,
    "SELECT": _Talk.select,
    "UID SEARCH": _Talk.search,
    "UID FETCH": _Talk.fetch,
    "UID STORE": _Talk.store,
    "UID COPY": _Talk.copy,
    "UID MOVE": _Talk.move,
    "LOGOUT": _Talk.logout,
}
