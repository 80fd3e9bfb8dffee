"""An edition as a letter: subject, parts and headers, made once; `fill.py` makes of it one e-mail for each reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any

from syndicate.errors import RenderError
from syndicate.model import Edition, Letter, Problem, Publication, Recipient, Severity
from syndicate.render import links, mime, mjml, slots, views
from syndicate.render.fill import fill
from syndicate.render.fit import shorten
from syndicate.render.headers import address, encode, header_text, mailbox
from syndicate.render.templates import Templates

#: Bytes of HTML. Gmail clips at about 102 KB and hides the unsubscribe link with the rest.
ROOMY = 90_000
CLIPPED = 102_400
PREHEADER = 140
#: What the further articles lose, one after the other, when the HTML is too large.
LEANER: Mapping[str, Mapping[str, Any]] = {"thumbnails": {"image": ""}, "summaries": {"summary": "", "description": ""}}


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered letter before it is encoded."""

    subject: str
    preheader: str
    #: both with slot markers
    text: str
    html: str


def letter(edition: Edition, publication: Publication, templates: Templates) -> tuple[Letter, list[Problem]]:
    """The edition as a letter, and what was wrong or left out.

    Raises `RenderError` if a template fails, a header would be unsafe, or the HTML is larger than Gmail shows.
    """
    nonce = slots.nonce(edition)
    words, problems = _within_size(edition, publication, templates, nonce)
    headers = _headers(edition, publication, words.subject, nonce)
    segments, holes = mime.skeleton(headers, words.text, words.html, nonce=nonce, edition=edition.key)
    made = Letter(
        edition=edition.key,
        channel=edition.channel.name,
        date=edition.occasion,
        subject=words.subject,
        preheader=words.preheader,
        sender=publication.sender,
        reply_to=publication.reply_to,
        html=words.html,
        text=words.text,
        headers=headers,
        segments=segments,
        slots=holes,
    )
    links = dict.fromkeys(("unsubscribe", "preferences", "view"), "https://example.com/u")
    mime.verify(fill(made, Recipient("reader@example.com", "A. Reader"), secret=b"", **links))
    return made, [*_pictures(edition), *_footer(made, publication), *problems]


def _within_size(
    edition: Edition, publication: Publication, templates: Templates, nonce: str
) -> tuple[Words, list[Problem]]:
    """The first rendering that Gmail shows whole: with everything, without thumbnails, without summaries too."""
    problems: list[Problem] = []
    values = _values(edition, publication, nonce)
    words = _words(edition, templates, values)
    for lost, without in LEANER.items():
        if _size(words, nonce) > ROOMY:
            problems.append(_dropped(edition, lost, _size(words, nonce)))
            values["articles"] = tuple(replace(each, **without) for each in values["articles"])
            words = _words(edition, templates, values)
    if _size(words, nonce) >= CLIPPED:
        raise RenderError(
            f"edition {edition.key}: the HTML has {_size(words, nonce):,} bytes, and Gmail clips at {CLIPPED:,}",
            hint=f"Set a smaller channels.{edition.channel.name}.select.max.",
        )
    return words, problems


def _size(words: Words, nonce: str) -> int:
    return mime.size(words.html, words.html.count(f"slot-{nonce}-"))


def _dropped(edition: Edition, what: str, size: int) -> Problem:
    return Problem(
        path=edition.key,
        message=f"the HTML had {size:,} bytes, and Gmail clips near {CLIPPED:,}: {what} were left out",
        severity=Severity.WARNING,
        hint=f"Set a smaller channels.{edition.channel.name}.select.max to keep them.",
        code="render.size",
    )


def _values(edition: Edition, publication: Publication, nonce: str) -> dict[str, Any]:
    lead, *others = (views.article_view(article, publication, edition, medium="email") for article in edition.articles)
    return {
        "publication": views.publication_view(publication),
        "edition": views.edition_view(edition),
        "lead": lead,
        "articles": tuple(others),
        "slot": slots.writer(nonce),
    }


def _words(edition: Edition, templates: Templates, values: Mapping[str, object]) -> Words:
    """The text template speaks first: it sets the subject and the preheader for both."""
    name = edition.channel.template
    plain = templates.render(f"{name}.txt.j2", values)
    subject = header_text(plain.line("subject"), f"the subject of edition {edition.key}")
    preheader = shorten(plain.line("preheader"), PREHEADER)
    shown = {**plain.variables, **values, "subject": subject, "preheader": preheader}
    html = mjml.to_html(templates.render(f"{name}.mjml.j2", shown).text, f"{name}.mjml.j2")
    return Words(subject, preheader, plain.text.strip() + "\n", html)


def _headers(edition: Edition, publication: Publication, subject: str, nonce: str) -> tuple[tuple[str, str], ...]:
    """RFC 5322 for the message, RFC 2369, 2919 and 8058 for the list, Google's Feedback-ID; in this order."""
    sender, channel = publication.sender, edition.channel.name
    domain = address(sender.address).rpartition("@")[2]
    name = header_text(sender.name, "publication.sender.name") if sender.name else ""
    title = header_text(f"{publication.name}: {channel}", "publication.name")
    contact = address(publication.reply_to or sender.address)
    headers = {
        "From": mailbox(name, sender.address, "From"),
        "To": slots.marker(nonce, "to"),
        "Reply-To": contact if publication.reply_to else "",
        "Subject": encode(subject, "Subject"),
        "Date": format_datetime(edition.occasion),
        "Message-ID": slots.marker(nonce, "message_id"),
        "List-Id": mailbox(title, f"{links.slug(channel) or 'list'}.{domain}", "List-Id"),
        "List-Unsubscribe": f"<{slots.marker(nonce, 'unsubscribe')}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        # The sign-up page says what lists there are and how to leave them; there is none without `syndicate serve`.
        "List-Help": f"<{publication.links}/subscribe>" if publication.pages else "",
        "List-Subscribe": f"<{publication.links}/subscribe>" if publication.pages else "",
        "List-Owner": f"<mailto:{contact}>",
        "List-Post": "NO",
        "Feedback-ID": feedback_id(edition, publication),
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    return tuple((name, value) for name, value in headers.items() if value)


def feedback_id(edition: Edition, publication: Publication) -> str:
    """`occasion:channel:kind:sender`, as Gmail sorts complaints; the sender has 5 to 15 characters."""
    sender = (links.slug(publication.name) or links.slug(publication.sender.address))[:15].strip("-").ljust(5, "0")
    occasion = edition.occasion.strftime("%Y%m%dT%H%M")
    return f"{occasion}:{links.slug(edition.channel.name) or 'list'}:{edition.channel.kind}:{sender}"


def _pictures(edition: Edition) -> list[Problem]:
    """Pictures that no reader of a mail could load."""
    return [
        Problem(
            path=article.path,
            message=f"the picture {article.hero_image} is left out of the mail: it is no absolute URL",
            severity=Severity.WARNING,
            hint="Put the picture on the web and give its https URL.",
            code="render.picture",
        )
        for article in edition.articles
        if article.hero_image and not links.is_web(article.hero_image)
    ]


def _footer(made: Letter, publication: Publication) -> list[Problem]:
    """What the law and the mailbox providers want in every list mail."""
    faults = []
    if not {"text:unsubscribe", "html:unsubscribe"} <= set(made.slots):
        faults.append(
            ("the mail has no unsubscribe link in its text", 'Write {{ slot("unsubscribe") }} in both parts.')
        )
    if not publication.postal_address:
        faults.append(("the mail shows no postal address", "Set publication.sender.postal_address."))
    if publication.links.startswith("http:"):
        faults.append(("one-click unsubscribe needs https (RFC 8058)", "Set publication.links to an https address."))
    return [
        Problem(path=made.edition, message=message, severity=Severity.WARNING, hint=hint, code="render.footer")
        for message, hint in faults
    ]
