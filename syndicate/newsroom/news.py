"""What a log hears of a tick: every event with its name, its sentence and its fields, from the values that travel."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from syndicate.errors import SyndicateError
from syndicate.model import ChannelPlan, Delivery, State
from syndicate.model.limits import domain_of

if TYPE_CHECKING:
    from syndicate.deliver.courier import Tally
    from syndicate.ledger.base import Ledger
    from syndicate.log import Log
    from syndicate.pipeline import Done, Report
    from syndicate.returns.intake import Heard

#: Notes of a plan that an operator wants to know of; the others say that all is as it should be.
TELLING = {"late-skip", "late-ask", "blackout"}
#: Deliveries that are named one by one.
SHOWN = 20
#: Seconds between two lines about a send that is under way.
PACE = 30.0


@dataclass(frozen=True, slots=True)
class News:
    """One event. What has the same subject as something of the last tick is not said again."""

    #: what kind of thing it is; never changes
    event: str
    #: for people; empty: only the fields are shown
    says: str
    level: int = logging.INFO
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: hashable; empty: the sentence
    about: object = ""

    @property
    def subject(self) -> object:
        """What it is about."""
        return self.event, self.about or self.says

    def tell(self, log: Log) -> None:
        """Writes it down."""
        says = {"says": self.says} if self.says else {}
        log.log(self.level, self.event, **says, **self.fields)


def of_plan(part: ChannelPlan) -> Iterator[News]:
    """Why a channel does not speak, and what waits for a person."""
    name = part.channel.name
    if part.code in TELLING:
        about = name, part.code, part.occasion
        yield News("occasion missed", f"{name}: {part.note}", fields={"channel": name}, about=about)
    for key in part.waiting:
        says = f"{key}: waits for a person; to send it: {part.answer}"
        yield News("edition waits", says, logging.WARNING, {"edition": key, "answer": part.answer}, key)


def of_report(report: Report, ledger: Callable[[], Ledger]) -> Iterator[News]:
    """What became of the editions of one run, and what it found."""
    for one in report.done:
        yield from of_edition(one, ledger, rehearsed=report.rehearsed)
    for waits in report.waiting:
        says = f"{waits.key}: waits for approval{f' ({waits.reason})' if waits.reason else ''}: {waits.answer}"
        yield News("edition awaits approval", says, logging.WARNING, {"edition": waits.key, "answer": waits.answer})
    for problem in (*(failure.problem for failure in report.failures), *report.problems):
        says = f"{problem.where}: {problem.message} {problem.hint}".rstrip()
        yield News("problem", says, logging.WARNING, {"where": problem.where})


def of_edition(one: Done, ledger: Callable[[], Ledger], *, rehearsed: bool) -> Iterator[News]:
    """Its counts, what it waits for, and what stays in doubt."""
    tally = one.tally
    if tally.recovered:
        says = f"{tally.recovered} deliveries that a dead worker left are settled, as far as its log tells"
        yield News("recovered", says, logging.WARNING, {"deliveries": tally.recovered})
    would = "would be " if rehearsed else ""
    says = "; ".join(filter(None, (f"{one.key}: {would}{counts(tally)}", tally.note, tally.waits)))
    level = logging.WARNING if tally.note or tally.waits else logging.INFO
    yield News("edition done", says, level, numbers(one.key, tally) | {"rehearsed": rehearsed})
    if (tally.refused or tally.unknown) and not rehearsed:
        yield from of_deliveries(one.key, list(ledger().deliveries(one.key, (State.REFUSED, State.UNKNOWN))))


def of_deliveries(key: str, found: list[Delivery]) -> Iterator[News]:
    """Those in doubt by number; who they are, only where an operator has asked for everything."""
    unknown = [one for one in found if one.state is State.UNKNOWN]
    if unknown:
        fields = {
            "edition": key,
            "deliveries": [one.id for one in unknown[:SHOWN]],
            "domains": len({domain_of(one.recipient) for one in unknown}),
        }
        says = f"{key}: {len(unknown)} unknown; syndicate status shows them by name"
        yield News("deliveries unknown", says, logging.WARNING, fields)
    for one in found[:SHOWN]:
        fields = {"delivery": one.id, "state": one.state.value, "recipient": one.recipient, "reason": one.reason}
        yield News("delivery", "", logging.DEBUG, {"edition": key, **fields}, (one.id, one.epoch, one.state))


def of_accounts(ledger: Ledger, accounts: Iterable[str], now: datetime) -> Iterator[News]:
    """Who waits for a person, and who is left alone for a while."""
    for pause in ledger.paused_accounts():
        says = f"account {pause.name} is paused: {pause.reason} {pause.hint}".rstrip()
        yield News("account paused", says, logging.WARNING, {"account": pause.name}, (pause.name, pause.since))
    for account in accounts:
        rests = [rest for rest in ledger.rests(account) if rest.until > now]
        if whole := next((rest for rest in rests if not rest.domain), None):
            says = f"account {account} rests until {whole.until.astimezone(UTC):%H:%M:%S} UTC: {whole.reason}"
            fields = {"account": account, "until": whole.until, "failures": whole.failures}
            yield News("account rests", says, logging.WARNING, fields, (account, whole.until))
        if domains := sum(1 for rest in rests if rest.domain):
            says = f"account {account}: {domains} domains of readers rest"
            yield News("domains rest", says, fields={"account": account, "domains": domains})


def of_feedback(heard: Heard) -> Iterator[News]:
    """What came back, in numbers (people stay out of logs), and which mailbox cannot be read."""
    for kind, count in Counter(one.report.kind.value for one in heard.done).items():
        yield News("feedback", f"feedback: {count} {kind}", fields={"kind": kind, "count": count})
    for one in heard.fetched:
        if one.fault:
            yield of_fault(one.fault, "mailbox unreadable")


def of_fault(error: SyndicateError, event: str) -> News:
    """What went wrong, where, and what to do."""
    problems = [f"{one.where}: {one.message} {one.hint}".rstrip() for one in error.problems]
    return News(event, error.message, logging.ERROR, {"hint": error.hint, "problems": problems})


def counts(tally: Tally) -> str:
    """`sent 3, refused 0, later 0, unknown 0`."""
    return f"sent {tally.sent}, refused {tally.refused}, later {tally.deferred}, unknown {tally.unknown}"


def numbers(key: str, tally: Tally) -> dict[str, Any]:
    """The same as fields."""
    shown = ("total", "sent", "refused", "deferred", "unknown", "skipped")
    return {"edition": key, "rate": round(tally.rate, 1)} | {name: getattr(tally, name) for name in shown}


class Milestones:
    """Says when a send begins, and every while how far it is."""

    def __init__(self, log: Log, pulse: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._pulse = pulse
        self._last: dict[str, float] = {}

    def __call__(self, key: str, tally: Tally) -> None:
        """What a courier calls."""
        last = self._last.get(key)
        if last is None or self._pulse() - last >= PACE:
            self._last[key] = self._pulse()
            left = f", {tally.left.total_seconds():,.0f} s to go" if tally.left else ""
            says = f"{key}: {tally.settled:,} of {tally.total:,}, {tally.rate:,.0f} a second{left}"
            if last is None:  # at every tick, also of an edition that only waits
                self._log.debug("edition begun", says=f"{key}: {tally.planned:,} to go", **numbers(key, tally))
            else:
                self._log.info("edition under way", says=says, **numbers(key, tally))
