"""How many readers complain: the gauge that mailbox providers keep too, kept before they act on it.

Gmail and Yahoo want less than 0.1 % and act at 0.3 % (Google's sender guidelines; Yahoo's sender best practices).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from syndicate.database.feedback import COMPLAINED, report
from syndicate.database.plain import micros
from syndicate.database.schema import edition, tally

if TYPE_CHECKING:
    from syndicate.app import App

ALARM = 0.001
PAUSE = 0.003
#: The window slides over the editions that were entered within it.
WINDOW = timedelta(days=7)
#: From so many mails on a rate means something by itself.
ENOUGH = 1000
#: Below that it takes so many complaints: one of ten readers must not stop a team, five of a hundred should.
FEW_FOR_ALARM = 2
FEW_FOR_PAUSE = 5


@dataclass(frozen=True, slots=True)
class ComplaintRate:
    """Of one account within the window, or of one of its channels."""

    account: str
    #: empty: all of them
    channel: str
    #: mails that were accepted
    sent: int
    #: those that their readers reported as spam
    complaints: int

    @property
    def rate(self) -> float:
        """A part of one; 0 where nothing was sent."""
        return self.complaints / self.sent if self.sent else 0.0

    @property
    def level(self) -> str:
        """`pause`, `alarm`, or empty where all is well."""
        enough = self.sent >= ENOUGH
        if self.rate >= PAUSE and (enough or self.complaints >= FEW_FOR_PAUSE):
            return "pause"
        if self.rate >= ALARM and (enough or self.complaints >= FEW_FOR_ALARM):
            return "alarm"
        return ""

    @property
    def text(self) -> str:
        """`7 of 2,000 mails of the last 7 days (0.35 %)`."""
        return f"{self.complaints} of {self.sent:,} mails of the last {WINDOW.days} days ({self.rate:.2%})"


def complaint_rates(app: App) -> list[ComplaintRate]:
    """Of each account that has mailed within the window: all its channels together first, then each."""
    recent = edition.c.entered >= micros(app.clock() - WINDOW)
    mailed = (
        select(edition.c.account, edition.c.channel, func.sum(tally.c.sent))
        .join(tally, tally.c.edition == edition.c.id)
        .where(edition.c.kind == "digest", recent)
        .group_by(edition.c.account, edition.c.channel)
    )
    told = (
        select(edition.c.account, edition.c.channel, func.count(report.c.delivery.distinct()))
        .join(report, report.c.edition == edition.c.id)
        .where(COMPLAINED, recent)
        .group_by(edition.c.account, edition.c.channel)
    )
    sent: Counter[tuple[str, str]] = Counter()
    complaints: Counter[tuple[str, str]] = Counter()
    with app.database().reading() as connection:
        for counter, asked in ((sent, mailed), (complaints, told)):
            for account, channel, count in connection.execute(asked):
                counter[account, channel] += count
                counter[account, ""] += count
    return [ComplaintRate(*key, count, complaints[key]) for key, count in sorted(sent.items())]


def rate_of(app: App, account: str) -> ComplaintRate | None:
    """Of one account; None if it has not mailed within the window."""
    return next((each for each in complaint_rates(app) if each.account == account and not each.channel), None)
