"""Weeks in seconds: the configured channels against fake networks, with a fast clock, and what would have happened.

Nothing of the project is changed and no socket leads further than this machine: the ledger is a copy in memory, every
account leads to the fake of its network, and pictures are those that are here already. Approval is taken for given.
The clock jumps from one moment at which something can happen to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syndicate.accounts import pretended
from syndicate.app import App, rehearsal
from syndicate.config.secrets import file_reference
from syndicate.config.settings import Mode
from syndicate.desks import in_turn
from syndicate.editions.upcoming import next_of_each
from syndicate.errors import ConfigError
from syndicate.model import Kind, Plan, Schedule, State, occasions
from syndicate.newsroom.tick import carry_out
from syndicate.pipeline import Report, make_plan
from syndicate.testing.clock import Clock
from syndicate.testing.networks import Fake, fake_of

if TYPE_CHECKING:
    from syndicate.deliver.tally import Tally
    from syndicate.ledger.base import EditionRow

MINUTE = timedelta(minutes=1)
#: Signs where the project has no key yet: a rehearsal makes none.
KEY = b"a rehearsal signs with this"
#: Codes of articles that are left out because of the time, and not of what they are.
UNTIMELY = {"late-skip", "late-ask", "blackout", "quiet"}
#: States of a delivery whose reason tells most about its edition, the most telling first.
TELLING = (State.REFUSED, State.UNKNOWN, State.DEFERRED, State.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that would have happened."""

    #: aware, in the publication's zone
    at: datetime
    channel: str
    #: of deliveries, the worst that is true: `refused`, `unknown`, `stopped` (a person has to act), `later`, `sent`,
    #: `skipped` | of occasions: `failed`, `late-skip`, `late-ask`, `blackout`, `quiet`, or `nothing` without an article
    #: | of drafts from before the rehearsal: `awaiting` approval
    what: str
    #: of the edition; empty where there is none
    key: str = ""
    title: str = ""
    articles: int = 0
    #: readers of a digest, 0 for a post; and how many of the deliveries stand how
    readers: int = 0
    sent: int = 0
    later: int = 0
    unknown: int = 0
    refused: int = 0
    #: a person would have had to approve it before
    approval: bool = False
    #: why; for what did not go well at first, also how it ended
    says: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A newsroom whose networks are fakes."""

    app: App
    clock: Clock
    #: account -> whether a fake stands behind it; where none does, a message is taken for sent
    faked: dict[str, bool]


@contextmanager
def staged(app: App, at: datetime, seed: int | None = None) -> Iterator[Stage]:
    """The same channels at `at`; with a `seed` the networks fail at times, and each time in the same way.

    Secrets need not be set.
    """
    clock = Clock(at.astimezone(UTC))
    with ExitStack() as stack:
        fakes = {}
        for name, account in app.settings.accounts.items():
            if fake := fake_of(account.adapter, clock):
                fakes[name] = stack.enter_context(fake)
                if seed is not None:
                    fakes[name].storm(Random(f"{seed} {name}"))
        made = on_stage(app, clock, fakes)
        stack.callback(made.close)
        yield Stage(made, clock, {name: name in fakes for name in app.settings.accounts})


def on_stage(app: App, clock: Clock, fakes: dict[str, Fake]) -> App:
    """The app of a dry run, with adapters that do send: to the fakes."""
    accounts = {
        name: replace(account, options=fakes[name].lead(account.options)) if name in fakes else account
        for name, account in app.settings.accounts.items()
    }
    settings = replace(app.settings, mode=Mode.LIVE, accounts=accounts)
    keys = known_keys(app)
    dry = rehearsal(replace(app, settings=settings, clock=clock, secret=lambda: keys[0], secrets=lambda: keys))
    return replace(
        dry,
        adapter=cache(
            lambda name: pretended(app.loaded, settings, name, app.vault) if name in fakes else dry.adapter(name)
        ),
        limits=app.limits,
        history=lambda: dry.ledger().history(),
        sleep=lambda seconds: clock.advance(timedelta(seconds=seconds)),
    )


def known_keys(app: App) -> tuple[bytes, ...]:
    """The project's keys if it has them; they are needed to know those again who were erased."""
    try:
        path = file_reference(app.settings.secret, app.settings.root)
        return (KEY,) if path and not path.exists() else app.secrets()
    except ConfigError:
        return (KEY,)


class Days:
    """What happens on a stage, from its beginning on."""

    def __init__(self, stage: Stage) -> None:
        self.app, self._clock = stage.app, stage.clock
        #: of all ticks
        self.reports: list[Report] = []
        self._zone = ZoneInfo(self.app.settings.publication.timezone)
        #: edition -> how it stood last
        self._stood: dict[str, Tally] = {}
        self._told: set[object] = set()

    def until(self, end: datetime) -> Iterator[Line]:
        """Everything up to `end`, in order. Raises `KeyboardInterrupt` where a courier was told to stop."""
        leave_doubts(self.app)
        at: datetime | None = self._clock()
        while at is not None and at < end:
            self._clock.now = max(self._clock.now, at)
            plan = make_plan(self.app, at)
            reports = carry_out(self.app, plan, lambda key, tally: None, in_turn)
            if self.app.stop.is_set():
                raise KeyboardInterrupt
            self.reports += reports
            yield from self._of_plan(plan, at)
            changed = [line for report in reports for line in self._of_report(report, at)]
            yield from changed
            at = self._next(at, reports, any(line.unknown for line in changed))

    def _next(self, at: datetime, reports: Sequence[Report], doubts: bool) -> datetime | None:
        """The next full minute at which anything can happen; the scheduler ticks once in each."""
        ledger = self.app.ledger()
        moments = [one.moment for _, one in next_of_each(self.app, at) if one]
        moments += [due for key in ledger.unfinished() if (due := ledger.next_due(key))]
        moments += [one.tally.until for report in reports for one in report.done if one.tally.until]
        moments += [at + MINUTE] if doubts else []  # a network is asked what it has with the next tick
        moments += [end for channel in self.app.channels() if (end := silent_until(channel.schedule, at))]
        later = [moment for one in moments if (moment := full_minute(one)) > at]
        return min(later, default=None)

    def _of_plan(self, plan: Plan, at: datetime) -> Iterator[Line]:
        for part in plan.channels:
            name = part.channel.name
            if untimely := [one for one in part.skipped if one.code in UNTIMELY]:
                found = Line(
                    at=at.astimezone(self._zone),
                    channel=name,
                    what=untimely[0].code,
                    title=", ".join(one.article.title for one in untimely),
                    articles=len(untimely),
                    says=untimely[0].reason,
                )
                yield from self._once((name, found.what, *(one.article.slug for one in untimely)), found)
            elif not part.editions and part.code == "below-min":
                found = Line(at=at.astimezone(self._zone), channel=name, what="nothing", says=part.note)
                yield from self._once((name, part.occasion), found)

    def _of_report(self, report: Report, at: datetime) -> Iterator[Line]:
        local = at.astimezone(self._zone)
        for one in report.failures:
            says = f"{one.problem.message}. {one.problem.hint}".strip()
            yield from self._once(
                (one.key, says), Line(at=local, channel=one.channel, what="failed", key=one.key, says=says)
            )
        for waits in report.waiting:  # drafts from before the rehearsal
            found = Line(at=local, channel=waits.channel, what="awaiting", key=waits.key, says=waits.answer)
            yield from self._once((waits.key, "awaiting"), found)
        for done in report.done:
            tally = replace(done.tally, rate=0.0)  # which is that of this machine
            before, self._stood[done.key] = self._stood.get(done.key), tally
            if before != tally and (row := self.app.ledger().edition(done.key)):
                yield self._of_edition(row, tally, at, anew=before is not None)

    def _once(self, mark: object, line: Line) -> Iterator[Line]:
        """What stays as it is is said when it begins."""
        if mark not in self._told:
            self._told.add(mark)
            yield line

    def _of_edition(self, row: EditionRow, tally: Tally, at: datetime, *, anew: bool) -> Line:
        return Line(
            at=at.astimezone(self._zone),
            channel=row.channel,
            what=standing(tally),
            key=row.key,
            title=row.title,
            articles=len(row.articles),
            readers=tally.total if row.kind == Kind.DIGEST else 0,
            sent=tally.sent,
            later=tally.deferred + tally.planned,
            unknown=tally.unknown,
            refused=tally.refused,
            approval=self.app.channel(row.channel).approval == "required",
            says=tally.note or tally.waits + self._again(tally.until, at) or self._reason(row.key, at, anew=anew),
        )

    def _again(self, moment: datetime | None, at: datetime) -> str:
        """When it goes on; nothing where nobody knows."""
        if moment is None:
            return ""
        local = full_minute(moment).astimezone(self._zone)
        return (
            f"; again {local:%H:%M}"
            if local.date() == at.astimezone(self._zone).date()
            else f"; again {local:%-d %B %H:%M}"
        )

    def _reason(self, key: str, at: datetime, *, anew: bool) -> str:
        """The network's words about the first that did not go well; else how what was open was settled."""
        ledger = self.app.ledger()
        for state in TELLING:
            if one := next(iter(ledger.deliveries(key, [state])), None):
                return one.reason + self._again(one.due if state is State.DEFERRED else None, at)
        return "went through in the end" if anew else ""


def leave_doubts(app: App) -> None:
    """What was in doubt before a rehearsal stays so: a fake cannot know what the network itself has."""
    ledger, now = app.ledger(), app.clock()
    ledger.recover(now + timedelta(days=1))  # whatever another process has on the wire this minute
    for one in list(ledger.deliveries(states=[State.UNKNOWN])):
        ledger.resolve(one, State.CANCELLED, "in doubt since before the rehearsal", now, "rehearsal")


def standing(tally: Tally) -> str:
    """The one word for where an edition stands: the worst that is true of it."""
    if tally.refused:
        return "refused"
    if tally.unknown:
        return "unknown"
    if tally.deferred or tally.planned:
        return "stopped" if tally.note else "later"
    return "sent" if tally.sent else "skipped"


def silent_until(schedule: Schedule, at: datetime) -> datetime | None:
    """When a silence of the channel ends that holds back what is due; None if it is not silent."""
    local = at.astimezone(ZoneInfo(schedule.zone))
    if occasions.blackout(schedule, local.date()):
        return datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo)
    return occasions.quiet_until(schedule, local)


def full_minute(moment: datetime) -> datetime:
    """The moment of the tick that is the first to see it, in UTC."""
    moment = moment.astimezone(UTC)
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + MINUTE
