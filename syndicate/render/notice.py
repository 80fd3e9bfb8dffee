"""A plain letter that is no edition: it asks somebody whether it was they who signed up."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256

from syndicate.model import Letter, Publication, Recipient
from syndicate.render import mime, slots, views
from syndicate.render.fill import fill
from syndicate.render.headers import address, encode, header_text, mailbox
from syndicate.render.templates import Templates

TEMPLATE = "confirmation"


def notice(key: str, at: datetime, publication: Publication, templates: Templates) -> Letter:
    """The letter of the template `confirmation.txt.j2`, with the slots `lists` and `confirm`. `at` is aware.

    It has no header of a list, since it is to nobody's list, and says that no person wrote it (RFC 3834 §5).
    Raises `RenderError`.
    """
    nonce = sha256(f"{key}\0{publication!r}".encode()).hexdigest()[:12]
    said = templates.render(
        f"{TEMPLATE}.txt.j2", {"publication": views.publication_view(publication), "slot": slots.writer(nonce)}
    )
    subject = header_text(said.line("subject"), f"the subject of {TEMPLATE}.txt.j2")
    text = said.text.strip() + "\n"
    headers = _headers(publication, at, subject, nonce)
    segments, holes = mime.plain_skeleton(headers, text, nonce=nonce)
    made = Letter(
        edition=key,
        channel=TEMPLATE,
        date=at,
        subject=subject,
        preheader="",
        sender=publication.sender,
        reply_to=publication.reply_to,
        html="",
        text=text,
        headers=headers,
        segments=segments,
        slots=holes,
    )
    sample = Recipient("reader@example.com", fields={"lists": "Weekly"})
    mime.verify(fill(made, sample, secret=b"", confirm="https://example.com/c"))
    return made


def _headers(publication: Publication, at: datetime, subject: str, nonce: str) -> tuple[tuple[str, str], ...]:
    sender = publication.sender
    name = header_text(sender.name, "publication.sender.name") if sender.name else ""
    headers = {
        "From": mailbox(name, sender.address, "From"),
        "To": slots.marker(nonce, "to"),
        "Reply-To": address(publication.reply_to) if publication.reply_to else "",
        "Subject": encode(subject, "Subject"),
        "Date": format_datetime(at),
        "Message-ID": slots.marker(nonce, "message_id"),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    return tuple((name, value) for name, value in headers.items() if value)
