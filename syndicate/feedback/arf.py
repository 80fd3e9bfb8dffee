"""Complaints: feedback reports (RFC 5965), as the feedback loops of mailbox providers send them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.message import Message

from syndicate.feedback.events import words
from syndicate.model.feedback import Report, ReportKind

#: `Feedback-Type` -> what it says of the reader. `virus`, `other` and `auth-failure` (RFC 6591) say nothing of him.
_KINDS: Mapping[str, ReportKind] = {
    "abuse": ReportKind.COMPLAINT,
    "fraud": ReportKind.COMPLAINT,
    "opt-out": ReportKind.UNSUBSCRIBED,
    "opt-out-list": ReportKind.UNSUBSCRIBED,
    "not-spam": ReportKind.NOT_SPAM,
}


def reports(message: Message) -> Iterator[Report]:
    """The one report of a feedback report. Several recipients of one mail cannot be: each of ours has one."""
    for fields in feedback_parts(message):
        kind = _KINDS.get(str(fields.get("Feedback-Type", "")).strip().lower(), ReportKind.OTHER)
        text = f"{fields.get('Feedback-Type', '')} reported by {fields.get('User-Agent', '')}"
        yield Report(id="", kind=kind, recipient=recipient(fields), text=words(text))
        return


def feedback_parts(message: Message) -> Iterator[Message]:
    """The fields of a feedback report, which the parser takes for the headers of an inner message."""
    for part in message.get_payload() if message.is_multipart() else []:
        if isinstance(part, Message) and part.get_content_type() == "message/feedback-report":
            inner = part.get_payload()
            yield from (one for one in (inner if isinstance(inner, list) else []) if isinstance(one, Message))


def envelope_senders(message: Message) -> list[str]:
    """`Original-Mail-From`: the return address that the reported mail had (RFC 5965 §3.2)."""
    return [str(value) for one in feedback_parts(message) for value in one.get_all("Original-Mail-From", [])]


def recipient(fields: Message) -> str:
    """`Original-Rcpt-To`, which some providers leave out or redact."""
    return words(str(fields.get("Original-Rcpt-To", ""))).strip("<>").removeprefix("rfc822;").strip()
