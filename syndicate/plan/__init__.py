"""What is due, and why the rest is not: articles x channels x history x a time. Pure; the same input, the same plan.

An occasion is the latest moment of a channel's schedule at or before the plan's time. An edition takes the articles
published up to it that no edition of the channel has had, back to the lookback or the channel's last edition, whichever
is earlier. So a late or repeated run comes to the same edition under the same key, and after three missed occasions one
edition has the articles of all three. With `on: publish` each article is an occasion of its own.

Keys hold the local time and no zone: a channel that moves to another zone does not say the same Monday twice.
"""

from syndicate.plan.anew import anew
from syndicate.plan.making import by_hand, make_plan, one_post, plan_channel, select
from syndicate.plan.sieve import changed_since, other_names
from syndicate.plan.timing import coming, last_occasion

__all__ = [
    "anew",
    "by_hand",
    "changed_since",
    "coming",
    "last_occasion",
    "make_plan",
    "one_post",
    "other_names",
    "plan_channel",
    "select",
]
