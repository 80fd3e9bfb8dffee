"""What is due, and why the rest is not: articles x channels x history x a time. Pure; the same input, the same plan.

An occasion is the latest moment of a channel's schedule at or before the plan's time. A digest takes the articles
published in (occasion - lookback, occasion] that no edition of the channel has had, so a late or repeated run comes
to the same edition under the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicate.model import Article, Channel, ChannelPlan, Cron, Edition, History, Kind, Plan, Skipped, Used


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
        """The edition that had this article, under its slug, or in this file while its slug was not the author's."""
        found = self.slugs.get(article.slug)
        return found if found or article.slug_given else self.paths.get(article.path)


def make_plan(
    articles: Sequence[Article],
    channels: Iterable[Channel],
    history: History,
    at: datetime,
) -> Plan:
    """The editions due at `at` (aware) by the schedules, and every article they leave out, with its reason."""
    return Plan(at=at, channels=tuple(plan_channel(articles, channel, history, at) for channel in channels))


def plan_channel(articles: Sequence[Article], channel: Channel, history: History, at: datetime) -> ChannelPlan:
    """One channel's part: nothing without an occasion, nothing twice for one occasion."""
    occasion = last_occasion(channel, at)
    if occasion is None:
        why = "its schedule has had no occasion yet" if channel.schedule.cron else "it has no schedule: only by hand"
        return ChannelPlan(channel=channel, note=why)
    entered = entered_for(channel, occasion, history)
    if missed := lateness(channel, occasion, at) if not entered else "":
        return ChannelPlan(channel=channel, occasion=occasion, note=missed)
    if channel.kind is Kind.DIGEST and entered:
        return ChannelPlan(channel=channel, occasion=occasion, entered=entered, note="entered before")
    return select(articles, channel, history, occasion, entered)


def by_hand(articles: Sequence[Article], channel: Channel, history: History, at: datetime) -> ChannelPlan:
    """A digest now: the occasion that is due and not entered yet, else an extra edition under the key of `at`."""
    occasion = last_occasion(channel, at)
    if occasion and not entered_for(channel, occasion, history) and not lateness(channel, occasion, at):
        return select(articles, channel, history, occasion)
    return select(articles, channel, history, at.replace(second=0, microsecond=0))


def one_post(article: Article, channel: Channel, history: History, at: datetime, *, again: bool = False) -> ChannelPlan:
    """A manual one-off post of one article, whatever its date, tags or draft flag say; `again` gives it its own key."""
    used = Shelf.of(channel.name, history).used(article)
    if used and not again:
        reason = f"already in {used.edition}"
        return ChannelPlan(
            channel=channel,
            occasion=at,
            skipped=(Skipped(article, "used", reason),),
            entered=(used.edition,),
            note=f"{reason}; --again posts it once more",
        )
    edition = Edition(key=free_key(f"{channel.name}/{article.slug}", history), channel=channel, occasion=at,
                      articles=(article,))  # fmt: skip
    return ChannelPlan(channel=channel, occasion=at, editions=(edition,))


def free_key(key: str, history: History) -> str:
    """The key itself, or with `#2`, `#3`, … if it is taken."""
    if key not in history.editions:
        return key
    return next(numbered for n in range(2, 10**6) if (numbered := f"{key}#{n}") not in history.editions)


def last_occasion(channel: Channel, at: datetime) -> datetime | None:
    """The latest moment of the schedule at or before `at`, in the channel's zone."""
    if not channel.schedule.cron:
        return None
    return next(Cron.parse(channel.schedule.cron).before(at, channel.schedule.zone), None)


def entered_for(channel: Channel, occasion: datetime, history: History) -> tuple[str, ...]:
    """Keys of the channel's editions that stand in the ledger for this occasion."""
    if channel.kind is Kind.DIGEST:
        key = digest_key(channel, occasion)
        return (key,) if key in history.editions else ()
    return tuple(use.edition for use in history.used if use.channel == channel.name and use.occasion == occasion)


def digest_key(channel: Channel, occasion: datetime) -> str:
    """`weekly-digest/2025-03-10T09:00`: the local time of the occasion, which anyone can recompute."""
    return f"{channel.name}/{occasion:%Y-%m-%dT%H:%M}"


def lateness(channel: Channel, occasion: datetime, at: datetime) -> str:
    """Why an occasion that has passed is not made up for; empty if it is on time or the channel says `send`."""
    late = channel.schedule.late
    if at - occasion <= late.grace or late.then == "send":
        return ""
    waits = "waits for a person" if late.then == "ask" else "is skipped"
    return (
        f"{occasion:%A, %-d %B %Y, %H:%M} passed {hours(at - occasion)} ago, more than its grace of "
        f"{hours(late.grace)}, and {waits} (late.then: {late.then})"
    )


def hours(span: timedelta) -> str:
    """A duration for people: `3 days`, `5 hours`, `20 minutes`."""
    minutes = int(span.total_seconds() // 60)
    count, unit = next(
        ((minutes // n, u) for n, u in ((1440, "day"), (60, "hour")) if minutes >= n), (minutes, "minute")
    )
    return f"{count} {unit}{'' if count == 1 else 's'}"


def select(
    articles: Sequence[Article],
    channel: Channel,
    history: History,
    occasion: datetime,
    entered: tuple[str, ...] = (),
) -> ChannelPlan:
    """Sorts every article into taken or left out; `entered` posts of the occasion count against `max`."""
    shelf = Shelf.of(channel.name, history)
    skipped: list[Skipped] = []
    eligible: list[Article] = []
    for article in articles:
        if fault := ineligible(article, channel, shelf, occasion):
            skipped.append(Skipped(article, *fault))
        else:
            eligible.append(article)
    taken, beyond = cut(ordered(eligible, channel.select.order), channel, len(entered))
    if channel.kind is Kind.DIGEST and len(taken) < channel.select.min:
        note = (
            f"{len(taken)} of the at least {channel.select.min} articles that an edition needs"
            if taken
            else "no article is eligible"
        )
        skipped += [Skipped(article, "below-min", note) for article in taken]
        return ChannelPlan(channel=channel, occasion=occasion, skipped=tuple(skipped), entered=entered, note=note)
    skipped += beyond
    editions = tuple(editions_of(taken, channel, history, occasion))
    note = "" if editions else "entered before" if entered else "no article is eligible"
    return ChannelPlan(
        channel=channel,
        occasion=occasion,
        editions=editions,
        skipped=tuple(skipped),
        entered=entered,
        note=note,
    )


def editions_of(taken: Sequence[Article], channel: Channel, history: History, occasion: datetime) -> Iterable[Edition]:
    """One edition about all articles, or one for each."""
    if channel.kind is Kind.DIGEST:
        key = free_key(digest_key(channel, occasion), history)
        yield Edition(key=key, channel=channel, occasion=occasion, articles=tuple(taken))
        return
    for article in taken:
        key = free_key(f"{channel.name}/{article.slug}", history)
        yield Edition(key=key, channel=channel, occasion=occasion, articles=(article,))


def ordered(articles: list[Article], order: str) -> list[Article]:
    """Newest or oldest first; articles of one moment stay in the order of their paths."""
    return sorted(articles, key=published, reverse=order == "newest")


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
    return articles[:room], [Skipped(article, "beyond-max", reason) for article in articles[room:]]


def ineligible(article: Article, channel: Channel, shelf: Shelf, occasion: datetime) -> tuple[str, str] | None:
    """(code, reason) why an article cannot be in an edition of this channel at this moment; None if it can."""
    if use := shelf.used(article):
        return "used", f"already in {use.edition}"
    if article.draft:
        return "draft", "it is a draft"
    if article.published is None:
        return "undated", article.undated or "it has no publish date"
    if article.published > occasion:
        return "future", f"its publish date {article.published:%Y-%m-%d %H:%M} is still to come"
    if not article.overrides.skip.isdisjoint((channel.name, "*")):
        return "skip", "its front matter says so (syndicate.skip)"
    select = channel.select
    if select.lookback is not None and article.published <= occasion - select.lookback:
        return "too-old", f"older than the {hours(select.lookback)} that the channel looks back"
    if select.tags and not set(map(str.casefold, article.tags)) & set(map(str.casefold, select.tags)):
        return "tags", f"it has none of the tags {', '.join(select.tags)}"
    return None
