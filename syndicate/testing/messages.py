"""Small messages for tests: every field has a default, so a test names only what it is about."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from syndicate.model import Email, Image, Letter, Mail, Mailbox, Post, Recipient

#: one white pixel
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAG7buVgAAAABJRU5ErkJggg==")
OCCASION = datetime(2025, 3, 10, 9, tzinfo=UTC)


def letter(
    subject: str = "Two articles", text: str = "Hello.\r\n.dots\r\n", html: str = "<p>Hello.</p>\r\n", sender: str = ""
) -> Letter:
    """A letter whose only slot is the reader's address. `text` and `html` are ASCII with CRLF."""
    headers = (
        ("From", sender or "news@example.com"),
        ("Subject", subject),
        ("Date", "Mon, 10 Mar 2025 09:00:00 +0000"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'multipart/alternative; boundary="b"'),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    parts = f"\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}--b\r\nContent-Type: text/html\r\n\r\n{html}--b--\r\n"
    return Letter(
        edition="weekly-digest/2025-03-10T09:00",
        channel="weekly-digest",
        date=OCCASION,
        subject=subject,
        preheader="",
        sender=Mailbox(sender or "news@example.com", "News"),
        html=html,
        text=text,
        headers=(*headers, ("To", "\0header:to\0")),
        segments=(f"{head}To: ".encode(), f"\r\n{parts}".encode()),
        slots=("header:to",),
    )


def email(recipient: str = "ada@example.org", of: Letter | None = None) -> Email:
    """One letter to one reader."""
    of = of or letter()
    encoded = f"<{recipient}>".encode()
    mark = sha256(recipient.encode()).hexdigest()[:32]
    values = {"header:to": recipient, "message_id": f"<{mark}@example.com>"}
    return Email(letter=of, recipient=Recipient(recipient), values=values, encoded=(encoded,))


def mail(recipient: str = "ada@example.org", data: bytes = b"Subject: x\r\n\r\nHello.\r\n") -> Mail:
    """One SMTP transaction."""
    return Mail("news@example.com", recipient, data)


def post(
    text: str = "A hook.\n\nWhat it is about.\n\nhttps://example.com/a\n\n#AI",
    *,
    edition: str = "linkedin/an-article",
    url: str = "https://example.com/a?utm_source=linkedin",
    image: Image | None = None,
) -> Post:
    """One article in words."""
    return Post(
        edition=edition,
        date=OCCASION,
        text=text,
        url=url,
        title="An article (with brackets)",
        description="What it is about.",
        image=image,
        hashtags=("AI",),
    )


def thread() -> Post:
    """A post, what its article says, and the link once more."""
    return replace(post(), then=("What it says.", "All of it:\nhttps://example.com/a"))


def picture(alt: str = "A pixel") -> Image:
    """A picture that every network takes."""
    return Image(PNG, "image/png", alt)
