"""Who we say we are to a mail server (RFC 4954)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from syndicate.adapters.smtp_replies import Reply


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password for AUTH (RFC 4954)."""

    username: str
    password: str = field(repr=False)

    @property
    def plain(self) -> str:
        """The answer of the PLAIN mechanism (RFC 4616)."""
        return in_base64(f"\0{self.username}\0{self.password}")

    def hidden(self, reply: Reply) -> Reply:
        """The reply, should the server repeat the password in it, with stars in its place."""
        lines = reply.lines
        for secret in (self.password, self.plain, in_base64(self.password)):
            lines = tuple(line.replace(secret, "***") for line in lines)
        return Reply(reply.code, lines)


def in_base64(text: str) -> str:
    """As the mechanisms of AUTH want it."""
    return b64encode(text.encode()).decode()
