"""An edition that was drafted and not sent, as it would be drafted now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from syndicate.model import Article, Channel, ChannelPlan, Edition, History, Kind, Used
from syndicate.plan.sieve import ordered, sift


def anew(
    articles: Sequence[Article],
    channel: Channel,
    history: History,
    key: str,
    occasion: datetime,
    uses: Iterable[Used],
) -> ChannelPlan:
    """The edition `key` of the articles that it has (`uses`), as far as they may still be in it. No other is taken."""
    names = [*uses, *(use for use in history.used if use.edition == key)]
    mine = [one for one in articles if any(use.names(one.slug, one.path, one.slug_given) for use in names)]
    others = replace(history, used=tuple(use for use in history.used if use.edition != key))
    eligible, skipped = sift(mine, channel, others, occasion)
    if not eligible:
        reasons = "; ".join(f"{one.article.path}: {one.reason}" for one in skipped)
        note = f"none of its articles can be used any more ({reasons or 'they are gone'})"
        return ChannelPlan(channel=channel, occasion=occasion, skipped=tuple(skipped), note=note, code="gone")
    taken = ordered(eligible, channel.select.order)[: 1 if channel.kind is Kind.POST else None]
    edition = Edition(key=key, channel=channel, occasion=occasion, articles=tuple(taken))
    return ChannelPlan(channel=channel, occasion=occasion, editions=(edition,), skipped=tuple(skipped))
