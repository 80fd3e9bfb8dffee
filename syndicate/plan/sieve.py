"""Which articles an edition may have, and why it may not have the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import attrgetter
from zoneinfo import ZoneInfo

from syndicate.model import Article, Channel, History, Kind, Skipped, Used

#: (code, reason) of something that is left out
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one channel has used: by slug, and by path for the articles whose slug only comes from their title."""

    slugs: dict[str, Used]
    paths: dict[str, Used]

    @classmethod
    def of(cls, channel: str, history: History) -> Shelf:
        """The part of the history that belongs to one channel; the earliest use of an article stands."""
        used = [use for use in reversed(history.used) if use.channel == channel]
        return cls({use.slug: use for use in used}, {use.path: use for use in used})

    def used(self, article: Article) -> Used | None:
        """The use of this article: under its slug, or in its file unless both slugs were written and differ."""
        found = self.slugs.get(article.slug) or self.paths.get(article.path)
        return found if found and found.names(article.slug, article.path, article.slug_given) else None


def other_names(articles: Iterable[Article], channel: str, history: History) -> Iterator[Used]:
    """Articles that were used under another slug or in another file, by the names that they have now.

    Noted in the ledger, they are found again when the other one of the two changes as well.
    """
    shelf = Shelf.of(channel, history)
    known = {(use.slug, use.path) for use in history.used if use.channel == channel}
    for article in articles:
        use = shelf.used(article)
        if use and (article.slug, article.path) not in known:
            yield replace(use, slug=article.slug, path=article.path, slug_given=article.slug_given)


def changed_since(articles: Iterable[Article], channel: str, history: History) -> Iterator[tuple[Article, Used]]:
    """Articles whose files were edited after an edition took them. They are not said again for that."""
    shelf = Shelf.of(channel, history)
    for article in articles:
        use = shelf.used(article)
        if use and use.sha256 and use.sha256 != article.sha256:
            yield article, use


@dataclass(frozen=True, slots=True)
class Sieve:
    """What an article needs to be in an edition of one channel at one moment."""

    channel: Channel
    shelf: Shelf
    #: UTC, because moments of one zone would be compared by their wall clocks
    until: datetime
    #: UTC; an article published at or before it is too old; None: none is
    since: datetime | None
    #: how the channel says that
    too_old: str
    #: folded
    tags: frozenset[str]

    @classmethod
    def of(cls, channel: Channel, history: History, at: datetime) -> Sieve:
        """Articles published up to `at`; back to the lookback, or to the channel's last edition if that was earlier."""
        until, lookback = at.astimezone(UTC), channel.select.lookback
        tags = frozenset(map(str.casefold, channel.select.tags))
        shelf = Shelf.of(channel.name, history)
        if lookback is None:
            return cls(channel, shelf, until, None, "", tags)
        since = (at - lookback).astimezone(UTC)
        moments = (use.occasion for use in history.used if use.channel == channel.name)
        last = max((moment for moment in moments if moment < until), default=since)
        if last >= since:
            return cls(
                channel, shelf, until, since, f"older than the {hours(lookback)} that the channel looks back", tags
            )
        local = last.astimezone(ZoneInfo(channel.schedule.zone))
        return cls(channel, shelf, until, last, f"older than the channel's last edition, {local:%Y-%m-%d %H:%M}", tags)

    def fault(self, article: Article) -> Fault | None:
        """(code, reason) why an article cannot be in the edition; None if it can."""
        if self.shelf.slugs and (use := self.shelf.used(article)):
            return "used", f"already in {use.edition}"
        if article.draft:
            return "draft", "it is a draft"
        if article.published is None:
            return "undated", article.undated or "it has no publish date"
        if article.published > self.until:
            return "future", f"its publish date {article.published:%Y-%m-%d %H:%M} is still to come"
        skip = article.overrides.skip
        if skip and not skip.isdisjoint((self.channel.name, "*")):
            return "skip", "its front matter says so (syndicate.skip)"
        if self.since is not None and article.published <= self.since:
            return "too-old", self.too_old
        if self.tags and self.tags.isdisjoint(map(str.casefold, article.tags)):
            return "tags", f"it has none of the tags {', '.join(self.channel.select.tags)}"
        return None


def sift(
    articles: Sequence[Article], channel: Channel, history: History, at: datetime
) -> tuple[list[Article], list[Skipped]]:
    """The articles that an edition of this channel may have at `at`, and the others with their reasons."""
    sieve = Sieve.of(channel, history, at)
    eligible: list[Article] = []
    skipped: list[Skipped] = []
    for article in articles:
        if fault := sieve.fault(article):
            skipped.append(Skipped(article, *fault))
        else:
            eligible.append(article)
    return eligible, skipped


def ordered(articles: list[Article], order: str) -> list[Article]:
    """Newest or oldest first; articles of one moment stay in the order of their paths."""
    return sorted(articles, key=attrgetter("published"), reverse=order == "newest")


def published(article: Article) -> datetime:
    """The publish date of an article that is known to have one."""
    if article.published is None:
        raise ValueError(f"{article.path} has no publish date and cannot be ordered")
    return article.published


def cut(articles: list[Article], channel: Channel, used_up: int) -> tuple[list[Article], list[Skipped]]:
    """What fits into one occasion, and what has to wait for the next."""
    room = max(0, channel.select.max - (used_up if channel.kind is Kind.POST else 0))
    what = "articles an edition takes" if channel.kind is Kind.DIGEST else "posts of one occasion"
    reason = f"beyond the {channel.select.max} {what}; waits for the next"
    rest = zip(articles[room:], repeat("beyond-max"), repeat(reason))
    return articles[:room], list(map(tuple.__new__, repeat(Skipped), rest))  # a call of Python for each takes longer


def hours(span: timedelta) -> str:
    """A duration for people: `3 days`, `5 hours`, `20 minutes`."""
    minutes = int(span.total_seconds() // 60)
    count, unit = next(
        ((minutes // n, u) for n, u in ((1440, "day"), (60, "hour")) if minutes >= n), (minutes, "minute")
    )
    return f"{count} {unit}{'' if count == 1 else 's'}"
