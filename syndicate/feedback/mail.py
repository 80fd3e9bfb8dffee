"""A mail from the bounce mailbox -> reports. What is no report, or not about a mail of ours, is nothing.

Autoreplies, vacation notes, receipts and forgeries come to the same mailbox. Only a delivery status notification
(RFC 3464) or a feedback report (RFC 5965) says anything, and only if it names a delivery by a return address with our
MAC, or carries the Message-ID of one, which is keyed as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr
from hashlib import sha256

from syndicate.feedback import arf, dsn
from syndicate.feedback.events import words
from syndicate.feedback.verp import delivery_of
from syndicate.model.feedback import Report

#: Bytes of a mail, and levels of parts in it.
LARGEST = 1_000_000
DEEPEST = 10
# Each level has a Content-Type of its own; the parser recurses, so they are counted before it is called.
_CONTAINER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
#: Where a receiving server leaves the address that a mail came to.
_ARRIVED_AT = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To")
_OUR_ID = re.compile(r"<([0-9a-f]{32})@[^<>@\s]+>")
#: `report-type` -> who reads it.
_READERS: Mapping[str, Callable[[Message], Iterator[Report]]] = {
    "delivery-status": dsn.reports,
    "feedback-report": arf.reports,
}


@dataclass(frozen=True, slots=True)
class Ours:
    """What tells our mails from others."""

    #: mailbox that takes the bounces, as in `publication.bounces`; empty: no return address names a delivery
    bounces: str
    #: key material, newest first; all of it verifies
    secrets: tuple[bytes, ...]


def reports(data: bytes, ours: Ours) -> list[Report]:
    """What a mail tells; nothing for any mail that is no report about a mail of ours. Never raises."""
    if len(data) > LARGEST or len(_CONTAINER.findall(data)) > 3 * DEEPEST:
        return []
    try:
        return told(data, ours)
    except (ValueError, LookupError, RecursionError, AttributeError, TypeError):
        return []  # the parser meets what nobody has thought of; a strange mail must not stop the others


def told(data: bytes, ours: Ours) -> list[Report]:
    """The same, but raises whatever the parser does."""
    message: Message = BytesParser(policy=compat32).parsebytes(data)
    read = _READERS.get(kind_of(message))
    if read is None or depth(message) > DEEPEST:
        return []
    originals = list(original_headers(message))
    delivery = named_delivery(message, originals, ours)
    mark = next((found[1] for one in originals if (found := _OUR_ID.search(str(one.get("Message-ID", ""))))), "")
    if not (delivery or mark):
        return []
    name, to = sha256(data).hexdigest(), addressee(originals)
    return [
        replace(one, id=f"{name}.{number}", delivery=delivery, mark=mark, recipient=one.recipient or to, raw=data)
        for number, one in enumerate(read(message))
    ]


def depth(message: Message) -> int:
    """Levels of parts."""
    parts = message.get_payload()
    if not isinstance(parts, list):
        return 1
    return 1 + max((depth(part) for part in parts if isinstance(part, Message)), default=0)


def kind_of(message: Message) -> str:
    """The `report-type` of a report, in lower case; empty for any other mail."""
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return ""
    return str(message.get_param("report-type", "")).lower()


def named_delivery(message: Message, originals: Sequence[Message], ours: Ours) -> int:
    """The delivery that the address of arrival names, or the return address of the mail that is reported; 0: none."""
    if not ours.bounces:
        return 0
    texts = [str(value) for name in _ARRIVED_AT for value in message.get_all(name, [])]
    texts += [str(value) for one in originals for value in one.get_all("Return-Path", [])]
    texts += arf.envelope_senders(message)
    return delivery_of(texts, ours.bounces, ours.secrets)


def original_headers(message: Message) -> Iterator[Message]:
    """The headers of the mail that a report is about: it comes whole, or as its headers alone."""
    for part in message.get_payload():
        if not isinstance(part, Message):
            continue
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            yield from (one for one in (inner if isinstance(inner, list) else [])[:1] if isinstance(one, Message))
        elif part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            yield headers_in(part)


def addressee(originals: Sequence[Message]) -> str:
    """Whom the mail was to, by its own header: some providers say it nowhere else."""
    return next((words(parseaddr(str(one.get("To", "")))[1]) for one in originals), "")


def headers_in(part: Message) -> Message:
    """A part that holds nothing but headers, as text."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return inner[0] if inner and isinstance(inner[0], Message) else Message()
    data = part.get_payload(decode=True)
    return BytesParser(policy=compat32).parsebytes(data if isinstance(data, bytes) else b"", headersonly=True)
