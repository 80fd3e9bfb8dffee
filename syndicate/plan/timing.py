"""Whether it is the time: grace, quiet hours, blackouts, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from syndicate.model import Article, Channel, History, occasions
from syndicate.model.occasions import Occasion
from syndicate.plan.sieve import Fault, Sieve, hours, published


def last_occasion(channel: Channel, at: datetime) -> datetime | None:
    """The latest moment of the schedule at or before `at`, in the channel's zone."""
    due = occasions.last(channel.schedule, at)
    return due.moment if due else None


def untimely(channel: Channel, due: Occasion, at: datetime) -> Fault | None:
    """Why an occasion may not be used at `at`, although it was not used before; None if it may."""
    schedule, late, at = channel.schedule, channel.schedule.late, at.astimezone(UTC)
    when = f"{due.moment:%A, %-d %B %Y, %H:%M}"
    if due.barred:
        return "blackout", f"{when} falls into the {due.barred} and is skipped"
    if due.moment > at:
        return "quiet", f"its time falls into the quiet hours; it moves to {when}"
    if is_late(channel, due.moment, at) and late.then != "send":
        waits = "waits for a person" if late.then == "ask" else "is skipped"
        passed = f"passed {hours(at - due.moment)} ago, more than its grace of {hours(late.grace)}"
        return f"late-{late.then}", f"{when} {passed}, and {waits} (late.then: {late.then})"
    if reason := occasions.silence(schedule, at):
        return "quiet", f"{when} is due and waits: {reason}"
    return None


def is_late(channel: Channel, moment: datetime, at: datetime) -> bool:
    """Whether an occasion has passed its grace."""
    return at.astimezone(UTC) >= occasions.deadline(channel.schedule, moment)


def given_up(channel: Channel, moment: datetime, at: datetime) -> bool:
    """Whether an occasion is past what even a person would still call the same."""
    return channel.schedule.late.then == "skip" and is_late(channel, moment, at)


def coming(
    articles: Sequence[Article], channel: Channel, history: History, at: datetime
) -> Iterator[tuple[datetime, Article | None]]:
    """The channel's moments after `at`, soonest first; with the article where each has a moment of its own."""
    if not channel.schedule.on_publish:
        yield from ((moment, None) for moment in occasions.coming(channel.schedule, at))
        return
    at = at.astimezone(UTC)
    sieve = replace(Sieve.of(channel, history, at), until=datetime.max.replace(tzinfo=UTC))
    found = [(occasions.placed(channel.schedule, published(one)), one) for one in articles if not sieve.fault(one)]
    posts = [(due.moment, article) for due, article in found if due.moment > at and not due.barred]
    yield from sorted(posts, key=lambda post: (post[0], post[1].path))
