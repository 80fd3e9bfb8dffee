"""What is to come: the next moments of every channel, for people and for their calendars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syndicate import plan as planning
from syndicate.model import Article, Channel, Kind
from syndicate.render import ics

if TYPE_CHECKING:
    from syndicate.app import App

#: A channel that speaks every minute would fill a calendar.
MOST = 500


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A moment at which a channel will speak."""

    channel: Channel
    #: aware, in the channel's zone
    moment: datetime
    #: the one article of it, where it is known already
    article: Article | None = None


def next_of_each(app: App, at: datetime) -> Iterator[tuple[Channel, Upcoming | None]]:
    """The next moment of every channel; None where there is none."""
    for channel in app.channels():
        yield channel, next(coming(app, channel, at), None)


def coming(app: App, channel: Channel, at: datetime) -> Iterator[Upcoming]:
    """The moments of a channel after `at`, soonest first."""
    articles = app.library().load().articles if channel.schedule.on_publish else ()
    for moment, article in planning.coming(articles, channel, app.history(), at):
        yield Upcoming(channel, moment, article)


def calendar(app: App, at: datetime, length: timedelta) -> tuple[bytes, int]:
    """The feed of all channels for so long, and how many moments it holds: at most `MOST` of each channel."""
    events = [event for channel in app.channels() for event in events_of(app, channel, at, at + length)]
    events.sort(key=lambda event: (event.start, event.uid))
    return ics.calendar(app.settings.publication.name, events, app.clock()), len(events)


def events_of(app: App, channel: Channel, at: datetime, until: datetime) -> Iterator[ics.Event]:
    """A channel's moments as events of a calendar."""
    host = urlsplit(app.settings.publication.url).hostname or "syndicate"
    adapter = app.settings.accounts[channel.account].adapter
    what = f"to {channel.audience} " if channel.kind is Kind.DIGEST else ""
    approval = ", after approval" if channel.approval == "required" else ""
    for one in islice(coming(app, channel, at), MOST):
        if one.moment.astimezone(until.tzinfo) > until:
            return
        name = one.article.slug if one.article else f"{one.moment:%Y-%m-%dT%H:%M}"
        title = f"{channel.name}: {one.article.title}" if one.article else channel.name
        description = f"{channel.kind} {what}by {channel.account} ({adapter}){approval}"
        yield ics.Event(f"{channel.name}/{name}@{host}", one.moment, title, description)
