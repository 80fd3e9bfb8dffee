"""What the e-mail providers have in common: one call may carry many recipients, and each of them has an outcome.

If a call gets no answer, all that it carried is in doubt. A provider that recognises a repeat settles that by itself
(`Dedupe.repeat`), and a repeat has the same recipients in the same order; for any other the account says how many it
accepts (`batch`, 1 unless it says more). What is hashed says `items.py`.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from syndicate.adapters import base, http
from syndicate.adapters.batch_lane import BatchLane
from syndicate.adapters.items import Item, batch_key, checked, together
from syndicate.errors import Unsupported
from syndicate.model import Email, Message, Outcome, Paused, Payload, Receipt, Request, Unknown, digest

if TYPE_CHECKING:
    import requests

#: The name under which providers keep `Email.mark` and hand it back with their events.
MARK = "syndicate_mark"
#: How the size of a batch is described where the provider recognises no repeat.
DOUBT = "recipients of one call; all of a call that gets no answer are in doubt and wait for evidence or a person"


def batch_field(most: int, default: int = 1, description: str = DOUBT) -> Any:
    """The option `batch` of a provider that takes `most` recipients in one call."""
    return Field(default=default, ge=1, le=most, description=description)


class Provider(base.Adapter):
    """An e-mail provider behind an HTTP API."""

    supports = frozenset({"email"})
    #: bytes that one call may have, and one mail in it
    max_bytes: int
    max_mail: int
    #: what of our own message a reader does not get, because the provider makes or refuses it
    lost: str = ""
    #: where its calls differ from what HTTP says
    table: http.Table
    #: seconds to wait for each piece of an answer
    read_timeout: float = http.READ_TIMEOUT
    #: recipients of one call: what the account says, where the provider takes more than one
    batch: int

    def __init__(self, options: Any, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self.now = now
        self.batch = getattr(options, "batch", 1)

    def compose(self, message: Message) -> Item:
        """The request that would carry this recipient alone."""
        if not isinstance(message, Email):
            raise Unsupported(f"{self.name} sends e-mail, not posts")
        if not message.recipient.address.isascii():
            raise Unsupported(f"{self.name} takes no address with letters beyond ASCII")
        found = self.item(message)
        if len(found.body) > self.max_mail:
            raise Unsupported(f"{self.name} takes {self.max_mail:,} bytes, and this mail has {len(found.body):,}")
        return found

    @abstractmethod
    def item(self, email: Email) -> Item:
        """The same, for an e-mail to an address that any provider takes. Raises `Unsupported`."""

    @abstractmethod
    def credentials(self, request: Request) -> Mapping[str, str]:
        """Headers that travel with a request and are no part of its content."""

    @abstractmethod
    def each(self, answer: http.Answer, count: int) -> Sequence[Outcome]:
        """What a 2xx says of each of the recipients, in their order."""

    def keyed(self, request: Request, key: str) -> Request:
        """The request as it is sent under an idempotency key (64 hex digits), for providers that know one."""
        return request

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session; nothing in it retries."""
        return http.session()

    def lane(self) -> BatchLane:
        """Takes many, yields many."""
        return BatchLane(self)

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """A call for one recipient."""
        (outcome,) = self.call(session, [payload], batch_key([(key, digest(payload))]))
        return outcome

    def call(self, session: requests.Session, payloads: Sequence[Payload], key: str) -> Sequence[Outcome]:
        """One call. What became of each recipient, in their order."""
        items = [checked(self.name, payload) for payload in payloads]
        request = self.keyed(together(items), key)
        result = http.exchange(session, request, self.credentials(request), self.read_timeout)
        if isinstance(result, http.Broken) or not 200 <= result.status < 300:  # of the call, not of each in it
            return [http.sort(result, self.table, self.now)] * len(items)
        outcomes = self.each(result, len(items))
        if len(outcomes) != len(items):
            return [Unknown(f"{result.status}, and {len(outcomes)} results for {len(items)} recipients")] * len(items)
        return outcomes


def table(
    special: Mapping[int, http.Verdict], explain: Callable[[http.Answer], str], credentials: str, reset: str = ""
) -> http.Table:
    """How a provider's answers are sorted. What says that we are at the wrong door speaks of no recipient."""

    def paused(hint: str) -> http.Verdict:
        return lambda answer: Paused(f"{answer.status} {explain(answer)}".strip(), hint)

    doors = dict.fromkeys((404, 405, 406, 410, 415), paused("Check `base_url` of the account."))
    known = {**doors, 402: paused(credentials), **special}
    return http.Table(special=known, explain=explain, credentials=credentials, reset=reset)


def accepted_or_unknown(answer: http.Answer, identifier: object) -> Outcome:
    """A receipt, if the answer names the message; a 2xx that does not may come from anybody."""
    if isinstance(identifier, str) and identifier:
        return Receipt(identifier, status=str(answer.status))
    return Unknown(f"{answer.status}, but no id: this may not be the API")


def parsed(answer: http.Answer) -> Any:
    """The JSON of an answer, whatever it is; None if it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def tomorrow(answer: http.Answer, now: http.Clock) -> timedelta:
    """Until midnight UTC, when limits of a day begin anew."""
    today = http.server_time(answer, now).astimezone(UTC)
    return datetime.combine(today.date() + timedelta(days=1), time(), UTC) - today
