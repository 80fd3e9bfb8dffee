"""Addresses in front matter: of the article, and of its picture."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urljoin, urlsplit

from syndicate.content.notes import Unreadable

_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_ILLEGAL = re.compile(r"[\x00-\x20\x7f-\x9f\"<>\\^`{}|\u2028\u2029]")
_ORDINARY = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/[\w./~+-]*")
_LIKE_A_HOST = re.compile(r"(?:[\w-]+\.)+(?:com|org|net|io|ai|dev|co|app|gov|edu|eu|uk|de|fr|in|test)/", re.IGNORECASE)


def web_address(value: str) -> str:
    """An absolute http(s) address. Raises `Unreadable` for anything else."""
    value = value.strip()
    if _ORDINARY.fullmatch(value):
        return value
    if _ILLEGAL.search(value):
        raise Unreadable("not an address: it holds blanks, quotes or control characters", hint="percent-encode them")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Unreadable(f"not an address: {error}") from None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        raise Unreadable("not an http(s) address", hint="begin it with https://")
    if parts.username or parts.password:
        raise Unreadable("an address with a user name in it", hint="remove what stands before the @")
    return value


def picture(value: str, article: str, base_url: str) -> str:
    """A picture's address, or its path relative to the project folder; `article` is the path of the article.

    A path from the root (`/img/x.jpg`) is one of the site, below `base_url`. Raises `Unreadable`.
    """
    value = value.strip()
    if value.lower().startswith(("http://", "https://")):
        return web_address(value)
    if _LIKE_A_HOST.match(value):
        raise Unreadable("an address without https://", hint=f"did you mean https://{value[:80]}?")
    if "{{" in value or "{%" in value:
        raise Unreadable("a template's placeholder was left in", hint="write the address itself")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", value) or _ILLEGAL.search(value.replace(" ", "")):
        raise Unreadable("neither an http(s) address nor a file of the project", hint="give an https:// address")
    if not _PICTURE.search(value.partition("?")[0]):
        raise Unreadable("not the name of a picture (jpg, png, gif, webp, avif)")
    if value.startswith("/"):
        if not base_url:
            raise Unreadable("a path of the site, whose address is not configured", hint="set publication.url")
        return urljoin(base_url, value.replace(" ", "%20"))
    path = posixpath.normpath(posixpath.join(posixpath.dirname(article), value))
    if path.startswith(("../", "/")):
        raise Unreadable("it lies outside the project folder", hint="copy the picture into the project")
    return path


def page(value: str, base_url: str) -> str:
    """Where the article can be read: an address, or a path of the site (`permalink: /news/x/`). Raises `Unreadable`."""
    if value.startswith("/") and not value.startswith("//") and base_url and not re.search(r"[:{]", value):
        return web_address(base_url.rstrip("/") + value)
    return web_address(value)


def resolve(value: str, base: str) -> str | None:
    """A link of a body as an absolute http(s) or mailto address; None where it may not, or cannot, be one.

    Browsers skip blanks and control characters inside a scheme, so what holds any is dropped.
    """
    value = value.strip()
    if not value or re.search(r"[\x00-\x20\x7f\\]", value) or value.startswith("//"):
        return None
    try:
        address = value if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) else urljoin(base, value)
        parts = urlsplit(address)
        if parts.scheme.lower() in {"http", "https"}:
            return address if parts.hostname and not parts.username else None
    except ValueError:
        return None
    return address if parts.scheme.lower() == "mailto" and "@" in parts.path else None
