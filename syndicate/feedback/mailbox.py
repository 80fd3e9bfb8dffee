"""Mailboxes that bounces and complaints come to: a Maildir on this disk, or a folder on an IMAP server.

A mail is marked as read only after what it says is in the inbox; one that is fetched twice is known by its bytes.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from syndicate.errors import SyndicateError
from syndicate.feedback.mail import LARGEST

#: Seconds for any answer of a server.
PATIENCE = 60.0
#: Mails that one look takes; the next look takes the next.
MOST = 1000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,12})")


class Options(BaseModel):
    """What a mailbox may say in the configuration: a `maildir`, or an `imap` server with an account."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    maildir: Path | None = Field(
        default=None, description="folder with new, cur and tmp, where the mail server delivers"
    )
    imap: str = Field(default="", description="name of the IMAP server, as in its certificate")
    port: int = Field(default=0, ge=0, le=65535, description="993 for `tls: implicit`, else 143, if nothing is said")
    tls: Literal["implicit", "required", "none"] = Field(
        default="implicit", description="implicit: TLS from the first byte | required: STARTTLS | none: in the clear"
    )
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the system's (PEM)")
    username: str = Field(default="", description="for LOGIN")
    password: SecretStr = Field(default=SecretStr(""), description="for LOGIN")
    folder: str = Field(default="INBOX", description="the folder to read")
    done: str = Field(default="", description="folder to which what was read is moved; empty: it stays, marked as read")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.imap) == bool(self.maildir):
            raise ValueError("name either a `maildir` or an `imap` server")
        if self.tls == "none" and self.imap and self.imap not in _LOOPBACK:
            raise ValueError("`tls: none` would send the password in the clear; use `implicit` or `required`")
        return self


class Box(Protocol):
    """A mailbox that is open."""

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """(name, bytes) of what was not read yet; empty bytes for a mail that is too large. Raises `SyndicateError`."""

    def read(self, names: list[str]) -> None:
        """These need not be looked at again."""


@contextmanager
def opened(options: Options) -> Iterator[Box]:
    """The mailbox. Raises `SyndicateError` with what to do where it cannot be opened or read."""
    if options.maildir is not None:
        yield Maildir(options.maildir)
        return
    with _advised(options):
        server = _connected(options)
        try:
            yield Imap(server, options.done)
        finally:
            _say_goodbye(server)


@dataclass(frozen=True, slots=True)
class Maildir:
    """A mail is a file: in `new`, then in `cur` with an `S` for `seen` behind `:2,`."""

    folder: Path

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Oldest first, by the names that servers give."""
        if not (self.folder / "new").is_dir():
            raise SyndicateError(f"{self.folder} is no Maildir", hint="It needs the folders new, cur and tmp.")
        for path in sorted((self.folder / "new").iterdir())[:MOST]:
            # A link could name any file of this machine, and a pipe would be waited for.
            if path.is_file() and not path.is_symlink():
                yield path.name, path.read_bytes() if path.stat().st_size <= LARGEST else b""

    def read(self, names: list[str]) -> None:
        """Moves them from `new` to `cur`, as mail programs do."""
        for name in names:
            (self.folder / "cur").mkdir(exist_ok=True)
            (self.folder / "new" / name).replace(self.folder / "cur" / f"{name.partition(':')[0]}:2,S")


@dataclass(frozen=True, slots=True)
class Imap:
    """A folder that is selected. Mails are named by UID, which stays while others come and go (RFC 3501 §2.3.1.1)."""

    server: imaplib.IMAP4
    #: folder to which what was read is moved
    done: str

    def unread(self) -> Iterator[tuple[str, bytes]]:
        """Asks for the size first: a mail that is too large is not fetched."""
        [found] = _ok(self.server.uid("SEARCH", "UNSEEN", "UNDELETED"))
        for uid in (found or b"").decode("ascii").split()[:MOST]:
            size = _size(_ok(self.server.uid("FETCH", uid, "(RFC822.SIZE)")))
            # PEEK leaves it unread: that is said after it was kept.
            yield uid, _literal(_ok(self.server.uid("FETCH", uid, "(BODY.PEEK[])"))) if size <= LARGEST else b""

    def read(self, names: list[str]) -> None:
        """Marks them, and moves them where there is a folder for it (RFC 6851, or by copy where a server is older)."""
        for uid in names:
            _ok(self.server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"))
            if self.done and "MOVE" in self.server.capabilities:
                _ok(self.server.uid("MOVE", uid, _quoted(self.done)))
            elif self.done:
                _ok(self.server.uid("COPY", uid, _quoted(self.done)))
                _ok(self.server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"))


def _connected(options: Options) -> imaplib.IMAP4:
    """Signed in, with the folder selected; the password goes over TLS unless `tls: none` says otherwise."""
    context = ssl.create_default_context(cafile=options.ca_file)
    port = options.port or (993 if options.tls == "implicit" else 143)
    server: imaplib.IMAP4
    if options.tls == "implicit":
        server = imaplib.IMAP4_SSL(options.imap, port, ssl_context=context, timeout=PATIENCE)
    else:
        server = imaplib.IMAP4(options.imap, port, timeout=PATIENCE)
    try:
        if options.tls == "required":
            server.starttls(context)
        server.login(options.username, options.password.get_secret_value())
        _ok(server.select(_quoted(options.folder)))
    except BaseException:
        with suppress(OSError):  # a handshake that failed has closed it
            server.shutdown()
        raise
    return server


def _say_goodbye(server: imaplib.IMAP4) -> None:
    with suppress(OSError, imaplib.IMAP4.error):
        server.logout()
    with suppress(OSError):
        server.shutdown()


@contextmanager
def _advised(options: Options) -> Iterator[None]:
    """What a server or a line does wrong, as advice. The words of a server are shown, the password never is."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        hint = "Check `imap` (the name in the certificate counts); set `ca_file` if it has a certificate of its own."
        raise SyndicateError(
            f"the certificate of {options.imap} is not trusted: {error.verify_message}", hint=hint
        ) from None
    except (OSError, EOFError) as error:
        hint = "Check `imap`, `port` and `tls` of the mailbox. It is tried again at the next tick."
        raise SyndicateError(f"{options.imap} cannot be read: {error or type(error).__name__}", hint=hint) from None
    except imaplib.IMAP4.error as error:
        text = str(error).replace(options.password.get_secret_value() or "\0", "***")
        hint = "Check `username`, `password` and `folder` of the mailbox."
        raise SyndicateError(f"{options.imap} refused: {text[:200]}", hint=hint) from None


def _ok(answer: tuple[str, Any]) -> list[Any]:
    """What came back: bytes, or pairs of bytes where there was a literal."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(" ".join(str(each) for each in data)[:200])
    return list(data)


def _literal(data: list[Any]) -> bytes:
    """What a FETCH brought; empty if another client has removed the mail meanwhile."""
    found: bytes = next((part[1] for part in data if isinstance(part, tuple)), b"")
    return found


def _size(data: list[Any]) -> int:
    """Of one mail; where the server says none, it is taken for too large."""
    found = _SIZE.search(b" ".join(part for part in data if isinstance(part, bytes)))
    return int(found[1]) if found else LARGEST + 1


def _quoted(folder: str) -> str:
    """A name as IMAP wants it: modified UTF-7 is the user's to write, quotes are ours (RFC 3501 §9)."""
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
