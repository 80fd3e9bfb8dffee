"""What comes out of the article folder: articles and problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem matters."""

    ERROR = "error"  #: the thing cannot be used as it is
    WARNING = "warning"  #: it is used, and looks wrong
    REPAIRED = "repaired"  #: it was read as its author meant it; the file still holds the slip


@dataclass(frozen=True, slots=True)
class Problem:
    """A user's mistake as a value: what, where, and what to do about it."""

    #: file as the user would type it, relative to the project folder
    path: str
    #: what is wrong, one sentence, with what was assumed where something was
    message: str
    severity: Severity = Severity.ERROR
    #: 1-based; 0 where the problem belongs to the whole file
    line: int = 0
    #: 1-based, in characters; 0 where it belongs to the whole line
    column: int = 0
    #: what to do, one sentence
    hint: str = ""
    #: stable name of the rule, for machines, such as `frontmatter.stray-apostrophe`
    code: str = ""

    @property
    def where(self) -> str:
        """`path:line:column`, as far as it is known."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The front-matter block `syndicate:`, with which one article differs from its channels."""

    #: channel name, adapter name or `post` -> the text to post instead of the template's
    text: Mapping[str, str] = field(default_factory=dict)
    #: channels that leave this article out; `*` for all
    skip: frozenset[str] = frozenset()
    #: hashtags without `#`, instead of those made from the tags
    hashtags: tuple[str, ...] = ()
    #: network -> handles to mention there, such as `@name@example.social`
    mentions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: `utm_campaign` of the article's links; empty: the channel's name
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """The text of an article, rendered. Made only for the articles that were picked."""

    #: safe HTML: only the tags and attributes of the allow list, absolute links
    html: str
    #: plain text made from the Markdown, links as numbered footnotes
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One parsed Markdown file.

    Its identity is `slug`; where no slug was written it comes from the title, and then `path` stands in as second
    witness (see `plan.py`), so that neither a mended title nor a renamed file is sent again.
    """

    #: POSIX path relative to the project folder
    path: str
    #: lower-case words with hyphens; unique in the library
    slug: str
    #: whether the author wrote the slug (or id); else it was made from the title
    slug_given: bool = False
    #: plain text, one line, never empty
    title: str
    subtitle: str = ""
    description: str = ""
    #: names in the order in which they were written
    authors: tuple[str, ...] = ()
    #: minutes, as written or else computed from `words`
    read_minutes: int = 1
    #: words of the body
    words: int = 0
    #: aware, in the publication's zone; None: not eligible, see `undated`
    published: datetime | None = None
    #: why `published` is None
    undated: str = ""
    #: aware
    created: datetime | None = None
    #: URL, or POSIX path relative to the project folder
    hero_image: str = ""
    hero_alt: str = ""
    #: the article's call to action, plain text
    cta: str = ""
    tags: tuple[str, ...] = ()
    #: where the article can be read, absolute
    url: str = ""
    draft: bool = False
    #: BCP 47, such as `en`
    language: str = "en"
    overrides: Overrides = field(default_factory=Overrides)
    #: hex SHA-256 of the file's bytes
    sha256: str = ""
    #: None until the article is picked
    body: Body | None = None

    @property
    def author(self) -> str:
        """All authors in one line."""
        return ", ".join(self.authors)
