"""A letter opened again, by the standard library's parser: what a mail program makes of the bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True, slots=True)
class Opened:
    """The readable parts of a message."""

    #: all headers in order, decoded
    headers: tuple[tuple[str, str], ...]
    html: str = field(repr=False)
    text: str = field(repr=False)


def open_letter(data: bytes) -> Opened:
    """Parses a whole message."""
    from email.message import EmailMessage
    from email.parser import BytesParser
    from email.policy import default

    message = BytesParser(EmailMessage, policy=default).parsebytes(data)
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    headers = tuple((name, str(value)) for name, value in message.items())
    return Opened(headers, parts.get("text/html", ""), parts.get("text/plain", ""))


def links_of(html: str) -> tuple[tuple[str, str], ...]:
    """(visible text, URL) of each link in reading order; a picture's text is its alt."""
    reader = _Links()
    reader.feed(html)
    return tuple((" ".join(text.split()), url) for text, url in reader.links)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._url: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self._url, self._text = given["href"], ""
        elif tag == "img" and self._url:
            self._text += f" {given.get('alt') or ''} "

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._url:
            self.links.append((self._text, self._url))
            self._url = None
