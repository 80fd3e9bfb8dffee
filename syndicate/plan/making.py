"""Plans: what is due by the schedules, a digest by hand, a post by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from syndicate.model import Article, Channel, ChannelPlan, Edition, History, Kind, Plan, Skipped, occasions
from syndicate.plan.sieve import Shelf, cut, ordered, published, sift
from syndicate.plan.timing import given_up, untimely


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
    if channel.schedule.on_publish:
        return as_published(articles, channel, history, at)
    due = occasions.last(channel.schedule, at)
    if due is None:
        if channel.schedule.cron:
            return ChannelPlan(channel=channel, note="its schedule has had no occasion yet", code="not-yet")
        return ChannelPlan(channel=channel, note="it has no schedule: only by hand", code="by-hand")
    entered = entered_for(channel, due.moment, history)
    fault = untimely(channel, due, at)
    if entered and (fault or channel.kind is Kind.DIGEST):
        return ChannelPlan(channel=channel, occasion=due.moment, entered=entered, note="entered before", code="entered")
    part = select(articles, channel, history, due.moment, entered)
    return held_back(part, *fault) if fault and part.editions else part


def held_back(part: ChannelPlan, code: str, why: str) -> ChannelPlan:
    """The same part with nothing to send, because it is not the time."""
    kept = [Skipped(article, code, why) for edition in part.editions for article in edition.articles]
    waiting = tuple(edition.key for edition in part.editions) if code == "late-ask" else ()
    return replace(part, editions=(), skipped=(*part.skipped, *kept), note=why, code=code, waiting=waiting)


def as_published(articles: Sequence[Article], channel: Channel, history: History, at: datetime) -> ChannelPlan:
    """Each article whose publish date and time have come is an edition of its own."""
    eligible, skipped = sift(articles, channel, history, at)
    editions: list[Edition] = []
    for article in ordered(eligible, "oldest"):
        due = occasions.placed(channel.schedule, published(article))
        if fault := untimely(channel, due, at):
            skipped.append(Skipped(article, *fault))
        else:
            editions.append(post_edition(channel, article, history, due.moment))
    waiting = tuple(post_key(channel, one.article) for one in skipped if one.code == "late-ask")
    code, note = "not-yet", "no article's publish date and time have come"
    if waiting:
        code, note = "late-ask", "what passed its grace waits for a person (late.then: ask)"
    return ChannelPlan(
        channel=channel,
        occasion=editions[-1].occasion if editions else None,
        editions=tuple(editions),
        skipped=tuple(skipped),
        note="" if editions else note,
        code="" if editions else code,
        waiting=waiting,
    )


def by_hand(
    articles: Sequence[Article], channel: Channel, history: History, at: datetime, *, again: bool = False
) -> ChannelPlan:
    """A digest now: the occasion that is due or waits for a person, else an extra edition under the key of `at`.

    Quiet hours and blackouts bind the scheduler, not a person. `again` takes the articles of rejected editions too.
    """
    if again:
        said = tuple(use for use in history.used if history.editions.get(use.edition) != "rejected")
        history = replace(history, used=said)
    due = occasions.last(channel.schedule, at)
    if (
        due
        and not due.barred
        and not entered_for(channel, due.moment, history)
        and not given_up(channel, due.moment, at)
    ):
        return select(articles, channel, history, due.moment)
    local = at.astimezone(ZoneInfo(channel.schedule.zone))
    return select(articles, channel, history, local.replace(second=0, microsecond=0))


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
    return ChannelPlan(channel=channel, occasion=at, editions=(post_edition(channel, article, history, at),))


def select(
    articles: Sequence[Article],
    channel: Channel,
    history: History,
    occasion: datetime,
    entered: tuple[str, ...] = (),
) -> ChannelPlan:
    """Sorts every article into taken or left out; `entered` posts of the occasion count against `max`."""
    eligible, skipped = sift(articles, channel, history, occasion)
    taken, beyond = cut(ordered(eligible, channel.select.order), channel, len(entered))
    if channel.kind is Kind.DIGEST and len(taken) < channel.select.min:
        note = (
            f"{len(taken)} of the at least {channel.select.min} articles that an edition needs"
            if taken
            else "no article is eligible"
        )
        skipped += [Skipped(article, "below-min", note) for article in taken]
        return ChannelPlan(
            channel=channel, occasion=occasion, skipped=tuple(skipped), entered=entered, note=note, code="below-min"
        )
    skipped += beyond
    editions = tuple(editions_of(taken, channel, history, occasion))
    code, note = ("entered", "entered before") if entered else ("below-min", "no article is eligible")
    return ChannelPlan(
        channel=channel,
        occasion=occasion,
        editions=editions,
        skipped=tuple(skipped),
        entered=entered,
        note="" if editions else note,
        code="" if editions else code,
    )


def editions_of(taken: Sequence[Article], channel: Channel, history: History, occasion: datetime) -> Iterable[Edition]:
    """One edition about all articles, or one for each."""
    if channel.kind is Kind.DIGEST:
        key = free_key(digest_key(channel, occasion), history)
        yield Edition(key=key, channel=channel, occasion=occasion, articles=tuple(taken))
        return
    for article in taken:
        yield post_edition(channel, article, history, occasion)


def entered_for(channel: Channel, occasion: datetime, history: History) -> tuple[str, ...]:
    """Keys of the channel's editions that stand in the ledger for this occasion."""
    if channel.kind is Kind.DIGEST:
        key = digest_key(channel, occasion)
        return (key,) if key in history.editions else ()
    moment = occasion.astimezone(UTC)  # in an hour that occurs twice, moments of two zones are never equal (PEP 495)
    same = (use for use in history.used if use.channel == channel.name and use.occasion.astimezone(UTC) == moment)
    return tuple(use.edition for use in same)


def digest_key(channel: Channel, occasion: datetime) -> str:
    """`weekly-digest/2025-03-10T09:00`: the local time of the occasion, which anyone can recompute."""
    return f"{channel.name}/{occasion:%Y-%m-%dT%H:%M}"


def post_key(channel: Channel, article: Article) -> str:
    """`linkedin/mlops-training-in-india`: an article is posted once, whenever that is."""
    return f"{channel.name}/{article.slug}"


def post_edition(channel: Channel, article: Article, history: History, occasion: datetime) -> Edition:
    """One article on a post channel."""
    key = free_key(post_key(channel, article), history)
    return Edition(key=key, channel=channel, occasion=occasion, articles=(article,))


def free_key(key: str, history: History) -> str:
    """The key itself, or with `#2`, `#3`, … if it is taken."""
    if key not in history.editions:
        return key
    return next(numbered for n in range(2, 10**6) if (numbered := f"{key}#{n}") not in history.editions)
