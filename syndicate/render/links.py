"""Links as they leave the house: absolute, and marked so that a web analytics tool knows where a reader came from."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from syndicate.model import Article, Channel, Publication

_WEB = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


def is_web(url: str) -> bool:
    """Whether `url` is an absolute http(s) URL: what can stand in a mail or a post."""
    return bool(_WEB.fullmatch(url))


def tracked(url: str, *, source: str, medium: str, campaign: str) -> str:
    """`url` with `utm_*` parameters before its fragment; its own query stays as it is, and its own `utm_*` win."""
    parts = urlsplit(url)
    wanted = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode({name: value for name, value in wanted.items() if value and name not in present})
    query = "&".join(part for part in (parts.query, added) if part)
    # A space or a letter beyond ASCII in a path is what people write and what breaks a link in a text.
    path, fragment = (quote(part, safe="/%:@!$&'()*+,;=~-._?") for part in (parts.path, parts.fragment))
    return SplitResult(parts.scheme, parts.netloc, path, query, fragment).geturl()


def link_to(article: Article, publication: Publication, channel: Channel, *, source: str, medium: str) -> str:
    """Where `article` can be read, marked; the publication's front page where the article has no usable URL."""
    url = article.url if is_web(article.url) else publication.url
    return tracked(url, source=source, medium=medium, campaign=article.overrides.campaign or channel.name)


def slug(name: str) -> str:
    """`Magick AI Dispatch` as `magick-ai-dispatch`; empty if nothing of it is ASCII."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
