"""Bounces: delivery status notifications (RFC 3464), in the forms that servers really send."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message

from syndicate.feedback.codes import bounce_kind, status_in
from syndicate.feedback.events import words
from syndicate.model.feedback import Report, ReportKind


def reports(message: Message) -> Iterator[Report]:
    """One report for each recipient that a notification speaks of; `relayed` and `expanded` say nothing."""
    for part in message.get_payload():
        if isinstance(part, Message) and part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            # The first block is about the whole message, each other one about a recipient (RFC 3464 §2.1).
            for block in blocks if isinstance(blocks, list) else []:
                if isinstance(block, Message) and "Action" in block and (report := of_recipient(block)):
                    yield report


def of_recipient(block: Message) -> Report | None:
    """What became of one recipient; None where nothing is known yet, or a list took it over."""
    diagnosis = words(typed(block, "Diagnostic-Code"))
    status = status_in(str(block.get("Status", ""))) or status_in(diagnosis)
    kind = action_kind(str(block.get("Action", "")), status, diagnosis)
    if kind is None:
        return None
    # Where a server has rewritten the address, the original one is the one that we know.
    recipient = words(typed(block, "Original-Recipient") or typed(block, "Final-Recipient"))
    return Report(id="", kind=kind, recipient=recipient, status=status, text=diagnosis)


def action_kind(action: str, status: str, diagnosis: str) -> ReportKind | None:
    """What an `Action` (RFC 3464 §2.3.3) means; comments behind it do not count."""
    match action.split("(")[0].strip().lower():
        case "failed":
            return bounce_kind(status, diagnosis)
        case "delayed":
            return ReportKind.DEFERRED
        case "delivered":
            return ReportKind.DELIVERED
    return None


def typed(block: Message, name: str) -> str:
    """The value of a field that names its type first: `rfc822; ada@example.org`, `smtp; 550 5.1.1 …`."""
    value = str(block.get(name, ""))
    before, semicolon, after = value.partition(";")
    return (after if semicolon else before).strip().strip("<>")
