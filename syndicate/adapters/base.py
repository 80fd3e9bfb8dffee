"""The contract between the courier and a network, on one screen.

An adapter classifies and never decides: it does not retry, sleep, log, read settings, open the ledger or ask
whether this is a dry run. `README.md` in this folder is the recipe for a new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from syndicate.errors import Unsupported
from syndicate.model import Dedupe, Message, Outcome, Payload, PictureRules, Receipt, TextRules

if TYPE_CHECKING:
    from syndicate.adapters.signin import SignIn


class Options(BaseModel):
    """What an account of this adapter may say in the configuration; a secret is a `SecretStr`."""

    # An error that quotes its input would quote a token.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)

    connections: int = Field(default=1, ge=1, le=200, description="how many conversations at once")


class Adapter(ABC):
    """One network or provider."""

    #: as in `accounts: {…: {adapter: NAME}}`
    name: str
    Options: ClassVar[type[Options]] = Options
    #: what the network counts
    rules: TextRules = TextRules()
    #: what it takes as a picture, where it `supports` one
    pictures: PictureRules = PictureRules()
    #: what may be done about silence
    dedupe: Dedupe = Dedupe()
    #: of `email`, `post`, `image`, `thread`; what is not declared is refused by `compose`
    supports: frozenset[str] = frozenset()
    #: whether it only writes to this disk: such an account also works in `mode: rehearsal`
    local: bool = False
    #: whether the text of what is out can be put right
    corrects: ClassVar[bool] = False
    #: options that `syndicate connect` finds out, `token` among them; empty: nobody can sign in
    granted: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def compose(self, message: Message) -> Payload:
        """The exact bytes for the wire. Pure: same message, same payload; no credential in it.

        Raises `Unsupported` where the network cannot express the message.
        """

    def open(self) -> AbstractContextManager[Any]:
        """A session for many calls of one thread: a connection, or nothing. Opening it may fail; so may each call."""
        return nullcontext()

    def prepare(self, session: Any, payload: Payload) -> Payload | Outcome:
        """Uploads, with no public effect; may happen twice. The payload with its holes filled, or what went wrong.

        The ids stand in `fills` of what is returned, and are handed in with the next attempt: a hole whose id is there
        is filled with it and nothing is uploaded, so that a repeat has the same bytes.
        """
        return payload

    @abstractmethod
    def send(self, session: Any, payload: Payload, key: str) -> Outcome:
        """The one call that counts; never raises for a fault of the network. `key` goes to those that know a repeat."""

    def warnings(self, today: date) -> tuple[str, ...]:
        """What will stop working soon, such as a token or a version of the API, each with what to do. Asks nobody."""
        return ()

    def find(self, session: Any, payload: Payload, key: str) -> Receipt | None:
        """Asks the network whether it has the message; only if `dedupe.lookup`. None: it certainly has not."""
        raise Unsupported(f"{self.name} cannot be asked what it has")

    def correct(self, session: Any, number: str, message: Message) -> Outcome:
        """Gives what the network has under this id the text of `message`; only if it `corrects`.

        Doing it twice is doing it once. What else differs stays as it is.
        """
        raise Unsupported(f"{self.name} cannot change what it has")

    def signin(self) -> SignIn | None:
        """How somebody signs in with these options, as data; only if there is something `granted`."""
        return None
