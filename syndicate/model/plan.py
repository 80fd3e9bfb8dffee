"""What is to be said, where and when: channels, editions, plans, and the history they are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from syndicate.model.content import Article


class Kind(StrEnum):
    """What a channel makes of articles."""

    DIGEST = "digest"  #: one message about many articles, to an audience
    POST = "post"  #: one message per article
    CONFIRMATION = "confirmation"  #: asks somebody whether it was they who signed up; of no channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What to do with an occasion that passed while nobody was looking."""

    #: this late is still on time
    grace: timedelta = timedelta(hours=6)
    #: after that: `send`, `skip` or `ask`
    then: str = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a channel has an occasion to speak."""

    #: five fields, as crontab(5) reads them; empty: not by the clock
    cron: str = ""
    #: each article is an occasion of its own, when its publish date and time come
    on_publish: bool = False
    #: IANA zone in which the schedule is read
    zone: str = "UTC"
    late: Late = field(default_factory=Late)
    #: (first day, last day): an occasion on one of them does not happen
    blackout: tuple[tuple[date, date], ...] = ()
    #: (from, to): an occasion between them moves to the end; over midnight where the first is the later one
    quiet: tuple[time, time] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """Which articles an edition takes."""

    #: articles of a digest, or posts on one occasion
    max: int = 10
    #: a digest with fewer is not made
    min: int = 1
    #: `newest` or `oldest` first
    order: str = "newest"
    #: how far back an article may lie; None: any age
    lookback: timedelta | None = timedelta(days=30)
    #: an article needs one of these; empty: any
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A configured destination: what to select, which template, when, which account."""

    name: str
    kind: Kind
    #: key of `accounts:`
    account: str
    #: key of `audiences:`; empty for posts
    audience: str = ""
    #: stem of the template files, such as `digest`
    template: str = ""
    schedule: Schedule = field(default_factory=Schedule)
    select: Select = field(default_factory=Select)
    #: `none` or `required`
    approval: str = "none"
    #: what becomes of an unknown delivery that the network cannot settle: `hold` or `resend`
    unknown: str = "hold"
    #: posts of a thread at most; 0: one post
    thread: int = 0
    #: whether each post of a thread ends with its number, such as `2/5`
    numbered: bool = False
    #: an edition for more recipients is not entered without a person; None: any number
    max_recipients: int | None = None
    #: percent by which an edition may have more recipients than the channel's last one; None: any
    max_growth: int | None = None


class Skipped(NamedTuple):
    """An article that was left out, and why. A tuple, because a plan holds one for each article of a large library."""

    article: Article
    #: stable name, such as `draft`, `future`, `used`, `too-old`, `beyond-max`
    code: str
    #: one clause that completes "left out: …"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What one channel says on one occasion."""

    #: `weekly-digest/2025-03-10T09:00` or `linkedin/<slug>`; anyone can recompute it
    key: str
    channel: Channel
    #: the channel's moment, aware, in the channel's zone; dates the message
    occasion: datetime
    #: in the order in which they appear; exactly one for a post
    articles: tuple[Article, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPlan:
    """One channel's part of a plan."""

    channel: Channel
    #: the latest moment of the schedule at or before the plan's time; None: there was none, or it is done
    occasion: datetime | None = None
    editions: tuple[Edition, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    #: keys entered before for this occasion; what is unfinished in them goes on
    entered: tuple[str, ...] = ()
    #: why there is no edition, one clause; empty if there is one
    note: str = ""
    #: stable name of the note, such as `entered`, `late-skip`, `late-ask`, `blackout`, `quiet`, `below-min`
    code: str = ""
    #: keys of editions that passed their grace and wait for a person (`late.then: ask`)
    waiting: tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The command with which a person sends what waits."""
        name = self.channel.name
        return f"syndicate send {name}" if self.channel.kind is Kind.DIGEST else f"syndicate post ARTICLE --to {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The editions that are due at a time, what each holds, and what was left out and why."""

    at: datetime
    channels: tuple[ChannelPlan, ...] = ()

    @property
    def editions(self) -> tuple[Edition, ...]:
        """All editions that are due, in the order of the configuration."""
        return tuple(edition for part in self.channels for edition in part.editions)


@dataclass(frozen=True, slots=True)
class Used:
    """An article's place in an edition that was entered."""

    #: key of the edition
    edition: str
    channel: str
    #: aware, the edition's moment
    occasion: datetime
    slug: str
    path: str
    #: the article's file at that time
    sha256: str = ""
    #: whether its author wrote the slug; else it was made from the title
    slug_given: bool = False

    def names(self, slug: str, path: str, slug_given: bool) -> bool:
        """Whether this is that article: by slug, or by file unless both slugs were written and differ."""
        return self.slug == slug or (self.path == path and not (self.slug_given and slug_given))


@dataclass(frozen=True, slots=True)
class History:
    """What was already said, read once from the ledger before the belt starts."""

    used: tuple[Used, ...] = ()
    #: keys of all editions -> state (`sending`, `done`, …)
    editions: Mapping[str, str] = field(default_factory=dict)
