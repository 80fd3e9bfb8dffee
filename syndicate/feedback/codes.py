"""What kind of bounce a status code means (RFC 3463, and the codes that Google, Microsoft and Yahoo publish)."""

from __future__ import annotations

import re

from syndicate.model.feedback import ReportKind

#: No such mailbox, and there will be none: the address is dead. By subject and detail of the enhanced status code.
DEAD = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.1"})
#: Said of us and our authentication, never of one reader: the account stops at the first.
#: Google: 7.25 PTR, 7.26 unauthenticated, 7.27 SPF, 7.29 TLS, 7.30 DKIM, 7.31/7.40 DMARC, 7.32 alignment;
#: Microsoft: 7.515 authentication of bulk senders, 7.509 DMARC; 7.606, 7.511 blocked address of ours.
OURS = frozenset(
    f"7.{detail}" for detail in (20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 31, 32, 40, 509, 511, 515, 606, 708, 750)
)
#: All of 6.x (content) and 7.x (security, policy) is said of the message or its sender, and some more:
#: sender address refused, message too large.
_OF_MESSAGE = ("6.", "7.")
_MESSAGE = frozenset({"1.7", "1.8", "2.3", "3.4"})
#: Words of servers that send a bare 550.
_DEAD_WORDS = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|mailbox|address|person)|(?:user|recipient|mailbox|address"
    r"|account)[^.;]{0,40}(?:does not|doesn't|not) exist|(?:mailbox|account)[^.;]{0,20}(?:disabled|inactive|closed"
    r"|deactivated|unavailable - not found)|recipient not found|invalid recipient|unrouteable address|no mailbox here",
    re.IGNORECASE,
)
_POLICY_WORDS = re.compile(
    r"spam|blocked|black ?list|block ?list|blocklist|denylist|reputation|spamhaus|barracuda|spamcop|policy"
    r"|not authori[sz]ed|unauthenticated|dmarc|rate limit|throttl",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<!\d)([45]\d\d)(?:[ -]|$)")


def status_in(text: str) -> str:
    """The first enhanced status code in a text, such as `5.1.1`, without leading zeros; empty if there is none."""
    found = _STATUS.search(text)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def is_ours(status: str) -> bool:
    """Whether the code speaks of our set-up, so that no other reader could be reached either."""
    return status.partition(".")[2] in OURS


def bounce_kind(status: str, text: str = "") -> ReportKind:
    """`hard`, `soft` or `policy`: by the code where it says something, else by the receiver's words, else `soft`.

    A code that ends in .0 and a bare `5xx` say nothing; what nobody understands never costs a reader at the first time.
    """
    for code in (status_in(status), status_in(text)):
        kind, _, detail = code.partition(".")
        if detail and (detail.startswith(_OF_MESSAGE) or not detail.endswith(".0")):
            return _by_code(kind, detail)
    return by_words(text)


def _by_code(kind: str, detail: str) -> ReportKind:
    if detail in _MESSAGE or detail.startswith(_OF_MESSAGE):
        return ReportKind.POLICY
    return ReportKind.HARD if kind == "5" and detail in DEAD else ReportKind.SOFT


def by_words(text: str) -> ReportKind:
    """What a server means that sends no code."""
    reply = _REPLY.search(text)
    if _POLICY_WORDS.search(text):
        return ReportKind.POLICY
    if _DEAD_WORDS.search(text) and not (reply and reply[1].startswith("4")):
        return ReportKind.HARD
    return ReportKind.SOFT


def has_code(text: str) -> bool:
    """Whether a server said this: it holds a status code, or begins with the code of a reply."""
    return bool(status_in(text) or _REPLY.search(text))
