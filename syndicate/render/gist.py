"""The sentences of an article that a post can quote: those that carry a figure or name names, and stand on their own.

Nothing is made up: a sentence is taken whole, or ends at a comma behind which another clause begins.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from syndicate.model import Article
from syndicate.render.fit import shorten

#: Characters of a hook: what a phone shows above the fold.
HOOK = 140
#: Characters of a point, and how many make a list that is still read.
POINT = 180
MOST_POINTS = 4
ENOUGH_POINTS = 3
#: Characters of the paragraph that says what the article is about.
ABOUT = 220

_PARAGRAPH = regex.compile(r"\n\s*\n")
# Headings, lists, quotes, tables, code and the footnotes of a plain-text body are not running text.
_NOT_PROSE = regex.compile(r"(?:#|[-*+•–>|=]|\d+[.)] |\[\d+\]|    )")
_SENTENCE_END = regex.compile(
    r"(?<!\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Mrs|Ms|St|No|Inc|Ltd|U\.S|approx)\.)(?<=[.!?][\"”’)]?)\s+(?=[\p{Lu}\p{N}\p{Sc}\"“])"
    r"|(?<=[。！？])"
)
_NUMBER = (
    r"(?:\d[\d,.]*(?:\s?[-–]\s?\d[\d,.]*)?|two|three|four|five|six|seven|eight|nine|ten|twelve|half|double|triple)"
)
# A figure says how much: money, a share, or so many of something; years and version numbers do not.
_FIGURE = regex.compile(
    rf"\p{{Sc}}\s?\d|\d\s?(?:%|％|percent|per cent|million|billion|trillion|lakh|crore|times\b|x\b|k\b)"
    rf"|(?<![\p{{L}}\d.-]){_NUMBER}\s(?:more\s)?(?:people|\p{{Ll}}{{3,}}s)\b",
)
_STRONG = regex.compile(r"\p{Sc}\s?\d|\d\s?(?:%|％|percent|per cent)")
_NAME = regex.compile(r"(?<=[\p{Ll},] )\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)*")
_YEARS_ONLY = regex.compile(r"^\D*(?:(?:19|20)\d\d\D*)+$")
# Words that lean on the sentence before.
_LEANS = regex.compile(
    r"(?:This|That|It|They|He|She|Such|However|Additionally|Moreover|Furthermore|But|And|Or|So|Also|Despite|Then|Thus"
    r"|Therefore|As a result|For example|For instance)\b"
)
_THESE = regex.compile(r"These (?=\p{Ll}{3,}s\b)")
_CLAUSE = regex.compile(r", (?:while|whereas|and|but) (?=\p{L})")
_NOTE = regex.compile(r"\s?\[\d+\]")


def sentences(text: str) -> Iterator[str]:
    """The sentences of the running text, each on one line, without footnote marks."""
    for paragraph in _PARAGRAPH.split(text):
        if not _NOT_PROSE.match(paragraph):
            yield from in_sentences(paragraph)


def in_sentences(paragraph: str) -> Iterator[str]:
    """The sentences of one paragraph, each on one line, without footnote marks."""
    one_line = " ".join(_NOTE.sub("", paragraph).split())
    yield from filter(None, (part.strip() for part in _SENTENCE_END.split(one_line) if part))


def has_figure(text: str) -> bool:
    """Whether `text` says how much or how many."""
    return bool(_FIGURE.search(text)) and not _YEARS_ONLY.match(text)


def figures(text: str) -> list[str]:
    """Clauses with a figure that stand on their own, in the order of the text."""
    return [clause for sentence in sentences(text) for clause in _clauses(sentence) if has_figure(clause)]


def _clauses(sentence: str) -> list[str]:
    """The sentence, split where both halves carry a figure; nothing if it leans on what came before."""
    if _LEANS.match(sentence):
        return []
    sentence = _capital(_THESE.sub("", sentence))
    for comma in _CLAUSE.finditer(sentence):
        halves = sentence[: comma.start()] + ".", _capital(sentence[comma.end() :])
        if all(map(has_figure, halves)):
            return list(halves)
    return [_trimmed(sentence)]


def _trimmed(sentence: str) -> str:
    """A sentence that is too long for a post, up to the comma or example after its figure, if that ends in time."""
    if len(sentence) <= POINT:
        return sentence
    figure = _FIGURE.search(sentence)
    for stop in regex.finditer(r",? (?:and \p{Ll}+ |such as |including |which )|, |; ", sentence):
        if figure and figure.end() <= stop.start() <= POINT and stop.start() >= 30:
            return sentence[: stop.start()] + "."
    return sentence


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def hook_and_points(article: Article) -> tuple[str, tuple[str, ...]]:
    """A hook of at most 140 characters, and up to four points, in the order of the text.

    The hook is the first share or sum of money, else the first figure, that is short enough; without one the title, the
    subtitle or the description. Where figures make fewer than three points, sentences that name three names join them.
    """
    text = article.body.text if article.body else ""
    found = figures(text)
    short = [figure for figure in found if len(figure) <= HOOK]
    hook = next(filter(_STRONG.search, short), "") or next(iter(short), "") or _without_figures(article)
    points = [figure for figure in found if figure != hook and len(figure) <= POINT][:MOST_POINTS]
    named = [
        sentence
        for sentence in sentences(text)
        if _names_names(sentence, article.title) and sentence not in (hook, *points)
    ]
    points += named[: max(ENOUGH_POINTS - len(points), 0)]
    return hook, tuple(sorted(points, key=lambda point: _position(text, point)))


def _names_names(sentence: str, title: str) -> bool:
    """Whether a sentence that stands on its own names three names beside those of the title."""
    names = {name for name in _NAME.findall(sentence) if name not in title}
    return len(names) >= 3 and len(sentence) <= POINT and not _LEANS.match(sentence) and not _THESE.match(sentence)


def _position(text: str, point: str) -> int:
    """Where a point comes from; its first letter may have been a small one, its last character a comma."""
    return " ".join(text.split()).find(point[1:-1])


def _without_figures(article: Article) -> str:
    opening = next(sentences(article.description), "")
    fitting = (text for text in (article.title, article.subtitle, opening) if text and len(text) <= HOOK)
    return next(fitting, "") or shorten(article.title, HOOK)


def about(description: str) -> str:
    """As many whole sentences of the description as make a short paragraph; at least the first."""
    chosen = ""
    for sentence in sentences(description):
        if chosen and len(chosen) + 1 + len(sentence) > ABOUT:
            break
        chosen = f"{chosen} {sentence}".strip()
    return chosen or description
