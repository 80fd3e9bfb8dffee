"""The contract between the inbox and a provider's webhook, on one screen.

A source verifies and reads, and never decides: it opens no socket (but for the certificates of SNS) and no database,
suppresses nobody, logs nothing. What it is handed was written by strangers until `verify` has returned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from syndicate.errors import SyndicateError
from syndicate.model.feedback import Report


class Forged(SyndicateError):
    """The signature is missing, wrong or too old."""


class Malformed(SyndicateError):
    """The body is not what the provider documents."""


class NotNow(SyndicateError):
    """Whether it is genuine cannot be found out now: what it takes to verify it is out of reach."""


class Options(BaseModel):
    """What a webhook of this provider may say in the configuration; a secret is a `SecretStr`."""

    # An error that quotes its input would quote a key.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)


class Source(ABC):
    """The event form of one provider."""

    #: as in `feedback: {webhooks: {…: {provider: NAME}}}`
    name: str
    Options: ClassVar[type[Options]] = Options
    #: whether its signature covers the body; where not, an id that comes back with another body is a forgery
    signs_body: bool = True
    #: HTTP status that makes it come again while our database cannot be written
    come_again: int = 503

    def __init__(self, options: Any) -> None:
        self.options = options

    @abstractmethod
    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """Raises `Forged` unless the provider wrote these very bytes, or `Malformed` where it must read them for that.

        Raises `NotNow` where its key cannot be had; then the provider is asked to come again.

        The names of headers are in lower case. Compares in constant time, accepts two keys while one is replaced.
        """

    @abstractmethod
    def reports(self, body: bytes) -> Sequence[Report]:
        """The events of a verified body. Raises `Malformed`.

        Events that say nothing of a delivery (accepted, opened, clicked) are left out: scanners and proxies cause them
        too, and there are many. An event of an unknown type, or with a field of the wrong type, is a report of kind
        `other`: it is parked, and the others of the body count.
        """
