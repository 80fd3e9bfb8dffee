"""E-mail over SMTP: TLS checked by default, connections kept open over many messages.

The protocol is `smtp_protocol`, what a reply means is `smtp_replies`, the sockets are `smtp_link`, and all of them are
turned by the loop of `smtp_lane`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from syndicate.adapters import base
from syndicate.adapters.smtp_allowance import Allowance
from syndicate.adapters.smtp_lane import SmtpLane, Wire
from syndicate.adapters.smtp_mail import filled, in_ascii, signed
from syndicate.adapters.smtp_options import SmtpOptions
from syndicate.errors import Unsupported
from syndicate.model import Delivery, Email, Mail, Message, Outcome, Payload
from syndicate.model.lane import Job, Tried

__all__ = ["Session", "Smtp", "SmtpOptions"]


class Smtp(base.Adapter):
    """Hands mails to one server, one recipient to a transaction."""

    name = "smtp"
    Options = SmtpOptions
    supports = frozenset({"email"})
    options: SmtpOptions

    def __init__(self, options: SmtpOptions) -> None:
        super().__init__(options)
        self._allowance = Allowance(options.connections)

    def compose(self, message: Message) -> Mail:
        """Envelope and bytes. The domain of an address goes out in ASCII (IDNA 2008), as every server knows it."""
        if not isinstance(message, Email):
            raise Unsupported("smtp sends e-mail, not posts")
        sender = message.envelope or self.options.bounce_address or message.letter.sender.address
        try:
            mail = filled(in_ascii(sender), in_ascii(message.recipient.address), message)
            return signed(mail, self.options.dkim.signer.header(mail.data)) if self.options.dkim else mail
        except ValueError as error:
            raise Unsupported(f"smtp cannot send this message: {error}") from error

    def lane(self) -> SmtpLane:
        """All connections in one loop."""
        return SmtpLane(self.options, self._allowance)

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
    """The loop with one connection, for one mail at a time."""

    def __init__(self, options: SmtpOptions) -> None:
        self._wire = Wire(options, Allowance(1), (), monotonic)

    def deliver(self, mail: Mail) -> Outcome:
        """Speaks one mail over the open connection, or over a new one."""
        delivery = Delivery(id=0, edition="", recipient=mail.recipient, account="")
        tried = [one for one in self._wire.run(iter([Job(delivery, mail, "", 0)]), _Unnoted()) if one]
        return tried[0].outcome

    def close(self) -> None:
        """Says good-bye, if anybody is there."""
        self._wire.close()


class _Unnoted:
    """Whoever calls `send` keeps the attempt log himself."""

    def started(self, *jobs: Job) -> None:
        """Nothing to note."""

    def done(self, delivery: Delivery, outcome: Outcome) -> None:
        """Nothing to note."""

    def all_done(self, tried: Sequence[Tried]) -> None:
        """Nothing to note."""
