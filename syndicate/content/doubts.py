"""Signs that a file is not what it claims to be: a generator's refusal, an error page, an empty shell."""

from __future__ import annotations

import re

#: a real article of the corpus is longer; 80 of its 105 refusals are not
_SHORT = 200
#: words with which nobody has said anything
_STUB = 30
#: characters in which a text says what it is
_OPENING = 1000
_ASKED = r"(?:topic|input|subject|prompt|parameters|information|content|text|article|specification|details|material)s?"
_TITLE = re.compile(
    rf"\b(?:declined|denied|filtered|invalid|error|rejected|unavailable|unable|cannot|awaiting|awaited|placeholder|"
    rf"request|(?:not|un)[ -]?(?:available|generated|provided|specified|found)|please (?:provide|specify)|notice|"
    rf"(?:missing|pending|no|need|needs) (?:\w+ ){{0,2}}{_ASKED}|"
    rf"{_ASKED} (?:\w+ )?(?:required|requires?|needed|missing|pending|policy|clarification|interrupted))\b",
    re.IGNORECASE,
)
_BODY = re.compile(
    rf"\b(?:i(?:['’]m| am) (?:sorry|unable)|(?:i|we) (?:can(?:no|['’])t|cannot|apologi[sz]e|are unable)|as an ai\b|"
    rf"(?:cannot|can['’]t|unable to) (?:be )?(?:assist|fulfil|generate|create|produce|provide|write|process|comply)|"
    rf"please (?:provide|specify|submit|supply)|declined|inappropriate|invalid (?:input|topic|request)|"
    rf"(?:await(?:s|ing)|pending|requires?|needs?)\b[^.]{{0,60}}\b{_ASKED}|"
    rf"{_ASKED}\b[^.]{{0,60}}\b(?:is|are|was|be|must be|needs? to be)\b[^.]{{0,20}}\b(?:required|needed|"
    rf"requested|provided|defined|unavailable|initiated)|technical error)",
    re.IGNORECASE,
)
#: said in place of a text, whatever the title
_INSTEAD = re.compile(
    rf"\b(?:{_ASKED} (?:is|was|were|could|can|does)(?:not|n['’]t| not)\b[^.]{{0,40}}\b"
    rf"(?:provided|available|generated|contain)|"
    rf"awaiting (?:a |the )?(?:specific|clear|valid)\b[^.]{{0,40}}\b{_ASKED}|content coming soon|lorem ipsum|"
    rf"sample of some basic markdown syntax|meta-comment about)",
    re.IGNORECASE,
)


def not_an_article(title: str, summary: str, body: str, words: int) -> str:
    """Why it should not be sent before a person has looked, as a clause; empty if nothing speaks against it.

    `summary` is what else there is to show of it: subtitle and description.
    """
    if not body.strip() and not summary.strip():
        return "it has neither text nor description"
    if words >= _SHORT:
        return ""
    opening = body[:_OPENING]
    refuses = _TITLE.search(title) and (words < _STUB or _BODY.search(opening) or _BODY.search(summary))
    if refuses or _INSTEAD.search(opening):
        return "it looks like a generator's refusal or error page, not an article"
    return ""
