"""What templates may see: plain values made for them, and nothing that leads elsewhere."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from syndicate.model import Article, Edition, Publication
from syndicate.model.links import URL
from syndicate.render.links import is_web, link_to, slug

# A first part that reads as a title of its own: “Part 2” does not, nor does half a paragraph.
_HEADLINE = range(12, 81)
_SPLIT = re.compile(r"(?<=\S)(: +|： *| [–—] )(?=\S)")
_FOLLOW = re.compile(
    r"(?<![\w./@-])(?:(?:follow|join|find|connect with) (?:us )?on )?LinkedIn\b(?!\.\w)", re.IGNORECASE
)
_AT = re.compile(r"(?<![\w/@])@(?=\w)")
#: “Follow us on LinkedIn” is “Follow” and a name.
_PAGE = re.compile(r"\b(?:follow|join|find|connect with) ((?:us )?on LinkedIn)\b", re.IGNORECASE)
# “… in Hyderabad”, “… of the Rust Compiler”: what a title ends with is what it is about.
_ABOUT = re.compile(r"\b(?:in|at|to|with|of|for|about|on) (?:the )?((?:[A-Z0-9][\w.+#-]* ?){1,3})$")


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day; templates spell it in their own language."""

    year: int
    #: 1 to 12
    month: int
    day: int
    #: 0 is Monday
    weekday: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Cta:
    """A call to action, cut at the words that become a link to the publication's LinkedIn page."""

    #: the whole sentence, as the author wrote it
    text: str
    before: str
    #: such as “Follow us on LinkedIn”; empty where there is nothing to link
    phrase: str = ""
    after: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationView:
    """Who speaks."""

    name: str
    url: str
    language: str
    #: `ltr` or `rtl`
    direction: str
    postal_address: str
    #: URL of the company page; empty if there is none
    linkedin: str
    #: whether the slots `preferences` and `view` lead anywhere
    pages: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionView:
    """The occasion."""

    key: str
    #: name of the channel, such as `weekly-digest`
    channel: str
    #: the channel's name as words, such as “Weekly digest”
    label: str
    date: Day
    #: reading time of all articles together
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleView:
    """One article, plain text throughout."""

    path: str
    slug: str
    title: str
    #: the title up to its colon; the whole title if it has none
    headline: str
    #: the colon between the two lines, as it was written; empty if there is none
    colon: str
    #: the title after its colon; empty if it has none
    second_line: str
    subtitle: str
    description: str
    #: one line: the subtitle, or else the description
    summary: str
    authors: tuple[str, ...]
    #: all of them in one line
    author: str
    #: day of publication; None if it is not known
    date: Day | None
    minutes: int
    #: absolute URL of the picture; empty if there is none
    image: str
    image_alt: str
    cta: Cta
    #: with UTM parameters
    url: str
    #: what the title ends with, such as “Hyderabad”; empty if that is not clear
    about: str
    tags: tuple[str, ...]
    language: str
    #: `ltr` or `rtl`
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView:
    """The article's own words, chosen for a post."""

    #: stands alone above the fold, at most 140 characters
    hook: str
    #: whole sentences of the description, about 200 characters; the description if it is shorter
    about: str
    #: the article's sentences that carry a figure or name names, without the hook
    points: tuple[str, ...]
    #: the call to action in words that are true in this place; empty where it has none
    cta: str
    #: handles that the front matter names for this network, such as `@name@example.social`
    mentions: tuple[str, ...]
    #: without `#`
    hashtags: tuple[str, ...]


def publication_view(publication: Publication) -> PublicationView:
    """The publication without sender and reply addresses."""
    return PublicationView(
        name=publication.name,
        url=publication.url,
        language=publication.language,
        direction=direction(publication.name, publication.language),
        postal_address=publication.postal_address,
        linkedin=publication.linkedin,
        pages=publication.pages,
    )


def edition_view(edition: Edition) -> EditionView:
    """The occasion as templates see it."""
    return EditionView(
        key=edition.key,
        channel=edition.channel.name,
        label=edition.channel.name.replace("-", " ").replace("_", " ").capitalize(),
        date=day(edition.occasion),
        minutes=sum(article.read_minutes for article in edition.articles),
    )


def article_view(
    article: Article, publication: Publication, edition: Edition, *, medium: str, source: str = ""
) -> ArticleView:
    """One article; its link carries `medium` and `source` (default: the publication)."""
    headline, colon, second_line = headline_of(article.title)
    source = source or slug(publication.name) or "newsletter"
    return ArticleView(
        path=article.path,
        slug=article.slug,
        title=article.title,
        headline=headline,
        colon=colon,
        second_line=second_line,
        subtitle=plain(article.subtitle),
        description=plain(article.description),
        summary=plain(article.subtitle or article.description),
        authors=article.authors,
        author=article.author,
        date=day(article.published) if article.published else None,
        minutes=article.read_minutes,
        image=article.hero_image if is_web(article.hero_image) else "",
        image_alt=article.hero_alt,
        cta=cta(plain(article.cta), publication.linkedin),
        url=link_to(article, publication, edition.channel, source=source, medium=medium),
        about=about(headline) if article.language.startswith("en") else "",
        tags=article.tags,
        language=article.language,
        direction=direction(article.title, article.language),
    )


def day(moment: datetime) -> Day:
    """The calendar day of a moment, in the moment's own zone."""
    return Day(moment.year, moment.month, moment.day, moment.weekday())


def headline_of(title: str) -> tuple[str, str, str]:
    """(first line, colon, second line) of a title, split at its first colon or spaced dash.

    The second line is empty where the title reads better whole.
    """
    found = _SPLIT.search(title)
    if not found or found.start() not in _HEADLINE:
        return title, "", ""
    mark = found[0].strip()
    return title[: found.start()], mark if mark in ":：" else "", title[found.end() :]


def about(headline: str) -> str:
    """What an English headline is about, if it ends with it: “MLOps Training in Hyderabad” is about Hyderabad."""
    found = _ABOUT.search(headline)
    return found[1] if found else ""


def cta(text: str, linkedin: str) -> Cta:
    """A call to action, its “Follow us on LinkedIn” cut out where there is a page to link it to."""
    found = _FOLLOW.search(text) if linkedin else None
    if not found:
        return Cta(text, text)
    return Cta(text, text[: found.start()], found[0], text[found.end() :])


def cta_on(network: str, call: Cta, linkedin: str) -> str:
    """The call to action as a post on `network` may say it.

    LinkedIn is where its readers are, so there it stays as it is written. Anywhere else the words that lead there have
    the address of the page behind them, and without a page nobody is sent there.
    """
    if network == "linkedin" or URL.search(call.text) or not _FOLLOW.search(call.text):
        return call.text
    return f"{call.before}{call.phrase} ({linkedin}){call.after}" if call.phrase else ""


def own_page(text: str, call: Cta) -> tuple[int, int] | None:
    """(start, end) of the words in `text`, a post on LinkedIn, that its own page can stand for: “us on LinkedIn”."""
    at = text.find(call.text) if call.text else -1
    found = _PAGE.search(call.text) if at >= 0 else None
    return (at + found.start(1), at + found.end(1)) if found else None


def unnotified(text: str) -> str:
    """`text` whose `@names` stay names: an article that speaks of `@property` means nobody. An invisible joiner follows
    the sign, at which networks stop reading.
    """
    return _AT.sub("@\u2060", text)


def plain(text: str) -> str:
    """`text` in one line without the Markdown that people leave in front matter: links, emphasis, code, headings."""
    text = re.sub(r"!?\[([^\]\n]*)\]\([^)\s]+\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?![\w*])", r"\1", text)
    return " ".join(re.sub(r"^#{1,6} ", "", text).split())


def direction(text: str, language: str) -> str:
    """`rtl` or `ltr`, as the first letter with a direction says (UAX #9, rules P2 and P3), else the language."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"L", "R", "AL"}:
            return "ltr" if kind == "L" else "rtl"
    return "rtl" if language.partition("-")[0] in {"ar", "fa", "he", "ur"} else "ltr"
