"""Hashtags: the author's tags, or else the terms that the title and the text share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

import regex

from syndicate.model import Article

#: Fewer look careless, more look like a machine.
FEWEST = 3
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}+#]*")
#: As people write them, where the article does not tell.
_USUAL = {
    name.lower(): name
    for name in _WORD.findall(
        "AI API AWS CEO CPU CSS DevOps EU GPU HTML IoT LLM ML MLOps NLP PDF PHP SaaS SEO SQL UI UK USA UX"
    )
}
_STOP = frozenset(
    _WORD.findall(
        "a about after all an and are as at be been before between bridging but by can complete could do does for"
        " from gap get growing guide had has have how if in inside into is it its just more most need new no not of"
        " on or our over rise so than that the their them these they this those through to under up us use using"
        " was we were what when where which while who why will with within world you your"
    )
)


def hashtags(article: Article, most: int) -> tuple[str, ...]:
    """Up to `most` hashtags without `#`: as overridden, else from the tags, topped up from the article's terms."""
    cased = _spellings(article)
    own = article.overrides.hashtags or article.tags
    chosen = list(_distinct(camel(tag, cased) for tag in own))
    if not article.overrides.hashtags and len(chosen) < FEWEST:
        room = min(most, FEWEST if chosen else most)
        chosen = list(_distinct([*chosen, *(camel(term, cased) for term in terms(article))]))[:room]
    return tuple(chosen[:most])


def camel(term: str, spellings: dict[str, str]) -> str:
    """`machine learning` as `MachineLearning`; a word with capitals of its own, such as `MLOps`, stays as it is.

    `spellings` maps lower-case words to how the article writes them. Empty if nothing of `term` can be a hashtag.
    """
    words = (regex.sub(r"[+#]", "", word) for word in _WORD.findall(term.lstrip("#")))
    joined = "".join(_capital(word, spellings) for word in words)
    return "" if joined.isdecimal() else joined


def _capital(word: str, spellings: dict[str, str]) -> str:
    if any(letter.isupper() for letter in word[1:]):
        return word
    known = spellings.get(word.lower(), word)
    return known if any(letter.isupper() for letter in known[1:]) else word[:1].upper() + word[1:]


def _distinct(tags: Iterable[str]) -> Iterator[str]:
    seen = {""}
    for tag in tags:
        if tag.lower() not in seen:
            seen.add(tag.lower())
            yield tag


def _spellings(article: Article) -> dict[str, str]:
    """How the article writes words that have capitals inside: `mlops` -> `MLOps`."""
    words = _WORD.findall(_text(article))
    return _USUAL | {word.lower(): word for word in words if _has_capitals_of_its_own(word)}


def _has_capitals_of_its_own(word: str) -> bool:
    """`MLOps` and `AI` have; a word of a title in capitals has not."""
    if word.isupper():
        return len(word) <= 5
    return any(letter.isupper() for letter in word[1:])


def _text(article: Article) -> str:
    said = (article.title, article.subtitle, article.description, article.body.text if article.body else "")
    return "\n".join(said)


def terms(article: Article) -> list[str]:
    """Names, acronyms and fixed pairs of words, the most telling first.

    A pair counts if the text repeats it; a single word only if it is a name: it is never written in lower case, and
    stands in the title or the subtitle.
    """
    text = _text(article)
    names = _names(text, f"{article.title} {article.subtitle}")
    pairs = Counter(pair for clause in regex.split(r"[^\p{L}\p{M}\p{N}\s'’+#-]", text) for pair in _pairs(clause))
    # `ML` says nothing beside `machine learning`.
    initials = {"".join(word[0] for word in pair.split()) for pair, count in pairs.items() if count >= 3}
    headline = article.title.lower()
    score: dict[str, float] = {
        name: count + 3 * (name.lower() in headline) for name, count in names.items() if name.lower() not in initials
    }
    score |= {pair: 1.5 * count + 2 * (pair in headline) for pair, count in pairs.items() if count >= 3}
    return sorted(score, key=lambda term: (-score[term], term))


def _names(text: str, titles: str) -> dict[str, int]:
    """Words of the titles that the text writes with a capital wherever they stand, and how often."""
    words = Counter(_WORD.findall(text))
    inner = Counter(regex.findall(r"(?<=[\p{Ll},;] )\p{Lu}[\p{L}\p{M}\p{N}+#]*", text))
    return {
        word: words[word]
        for word in _WORD.findall(titles)
        if word.lower() not in _STOP
        and len(word) > 1
        and word[0].isupper()
        and not words[word.lower()]
        and inner[word]
        and words[word] > 1
    }


def _pairs(clause: str) -> Iterator[str]:
    words = clause.lower().split()
    for first, second in pairwise(words):
        if first.isalnum() and second.isalnum() and first not in _STOP and second not in _STOP:
            yield f"{first} {second}"
