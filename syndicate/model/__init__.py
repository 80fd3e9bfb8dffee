"""The nouns: frozen values that travel along the belt. They hold, they do not act.

`content` (Article, Problem), `plan` (Channel, Edition, Plan, History), `cron` and `occasions` (when a channel may
speak), `publication` (Publication, Recipient), `message` (Letter, Email, Post, and the payloads that go over the
wire), `delivery` (states and their moves, deliveries, outcomes), `people` (subscribers, consent, suppression),
`segments` (the notation that picks a part of a list).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syndicate.model.content import Article, Body, Overrides, Problem, Severity
    from syndicate.model.cron import Cron
    from syndicate.model.delivery import (
        EVERY_ACCOUNT,
        MOVES,
        Dedupe,
        Deferred,
        Delivery,
        Outcome,
        Paused,
        Receipt,
        Refused,
        Settlement,
        State,
        Unknown,
    )
    from syndicate.model.message import (
        Email,
        Image,
        Letter,
        Mail,
        Mention,
        Message,
        Payload,
        PictureRules,
        Post,
        Request,
        TextRules,
        Upload,
        digest,
    )
    from syndicate.model.plan import (
        Channel,
        ChannelPlan,
        Edition,
        History,
        Kind,
        Late,
        Plan,
        Schedule,
        Select,
        Skipped,
        Used,
    )
    from syndicate.model.publication import Mailbox, Publication, Recipient

__all__ = [
    "EVERY_ACCOUNT",
    "MOVES",
    "Article",
    "Body",
    "Channel",
    "ChannelPlan",
    "Cron",
    "Dedupe",
    "Deferred",
    "Delivery",
    "Edition",
    "Email",
    "History",
    "Image",
    "Kind",
    "Late",
    "Letter",
    "Mail",
    "Mailbox",
    "Mention",
    "Message",
    "Outcome",
    "Overrides",
    "Paused",
    "Payload",
    "PictureRules",
    "Plan",
    "Post",
    "Problem",
    "Publication",
    "Receipt",
    "Recipient",
    "Refused",
    "Request",
    "Schedule",
    "Select",
    "Settlement",
    "Severity",
    "Skipped",
    "State",
    "TextRules",
    "Unknown",
    "Upload",
    "Used",
    "digest",
]

#: In the order in which they are asked for a name: what `plan` needs comes first.
_HOMES = ("content", "plan", "publication", "cron", "delivery", "message")


def __getattr__(name: str) -> Any:
    """A noun, from its module: a dataclass takes a millisecond to make, and most commands need few of them."""
    for home in _HOMES if name in __all__ else ():
        found = vars(import_module(f"{__name__}.{home}"))
        if name in found:
            return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
