"""The motion. `run` is `proofs` plus the courier, so what a preview shows is what is entered and sent.

Four callers: the scheduler, `run --once` and `send` by hand, any dry run (the same motion over `rehearsal(app)`), and
`preview`, which ends at the proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from syndicate import plan as planning
from syndicate.approval import released
from syndicate.drafts import Failure, Proof, enter, failure, proofs
from syndicate.errors import SyndicateError
from syndicate.model import ChannelPlan, Delivery, Letter, Payload, Plan, Post, Problem, Recipient

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App
    from syndicate.deliver.courier import Tally

Progress = Callable[[str, "Tally"], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one edition."""

    key: str
    channel: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Waiting:
    """An edition that waits for a person's yes."""

    key: str
    channel: str
    #: why it waits once more; empty for a first draft
    reason: str = ""

    @property
    def answer(self) -> str:
        """The command with which a person says yes."""
        return f"syndicate editions approve {self.key}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    #: what was put into words for this run
    proofs: tuple[Proof, ...] = field(default=(), repr=False)
    done: tuple[Done, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: found while the editions were put into words and their audiences read
    problems: tuple[Problem, ...] = ()
    waiting: tuple[Waiting, ...] = ()


def make_plan(app: App, at: datetime) -> Plan:
    """What is due at `at` by the schedules."""
    return planning.make_plan(app.library().load().articles, app.channels(), app.history(), at)


def run(
    app: App,
    parts: Iterable[ChannelPlan],
    *,
    actor: str,
    progress: Progress,
    again: bool = False,
    others: bool = True,
    grant: str = "",
) -> Report:
    """Enters what is due and delivers it; with `others`, also what earlier runs of these channels left unfinished.

    `grant` says who has approved these editions; without it, those of a channel that asks for approval wait. What is
    only tried out waits for nobody.
    """
    grant = grant or ("" if app.durable else "it is only tried out")
    parts = tuple(parts)
    recognise(app, parts)
    found = list(proofs(app, (edition for part in parts for edition in part.editions)))
    entered = [enter(app, one, parts, actor, again, grant) for one in found if isinstance(one, Proof)]
    keys = {one.edition.key for one in found if isinstance(one, Proof)}
    channels = {part.channel.name for part in parts} if others else set()
    ended = list(deliver_unfinished(app, keys, channels, progress, actor))
    return Report(
        proofs=tuple(one for one in found if isinstance(one, Proof)),
        done=tuple(one for one in ended if isinstance(one, Done)),
        failures=tuple(one for one in (*found, *entered, *ended) if isinstance(one, Failure)),
        problems=tuple(
            problem for one in (*found, *entered) if not isinstance(one, Failure) for problem in one.problems
        ),
        waiting=tuple(one for one in waiting(app) if one.key in keys or one.channel in channels),
    )


def recognise(app: App, parts: Iterable[ChannelPlan]) -> None:
    """Notes articles that were used and have another slug or file now, so that they are known under both."""
    history = app.history()
    for part in parts:
        used = [skipped.article for skipped in part.skipped if skipped.code == "used"]
        if others := list(planning.other_names(used, part.channel.name, history)):
            app.ledger().recognise(others)


def waiting(app: App) -> Iterator[Waiting]:
    """The editions that wait for approval, oldest first."""
    ledger = app.ledger()
    for key in ledger.awaiting():
        if row := ledger.edition(key):
            yield Waiting(key, row.channel, row.reason)


def deliver_unfinished(
    app: App, keys: Container[str], channels: Container[str], progress: Progress, actor: str
) -> Iterator[Done | Failure]:
    """The editions of these keys or channels that the ledger has open, whoever entered them."""
    ledger = app.ledger()
    for key in dict.fromkeys((*ledger.unfinished(), *ledger.doubtful())):
        row = ledger.edition(key)
        if row is None or app.stop.is_set() or (key not in keys and row.channel not in channels):
            continue
        try:
            if released(app, row, actor):
                yield Done(key, row.channel, deliver(app, key, progress))
        except SyndicateError as error:
            yield failure(key, app.channel(row.channel), error)


def deliver(app: App, key: str, progress: Progress) -> Tally:
    """Hands an entered edition to the courier."""
    from syndicate.deliver.attempts import Attempts
    from syndicate.deliver.courier import Courier
    from syndicate.deliver.policy import Policy
    from syndicate.render.freeze import thaw

    row = app.ledger().edition(key)
    if row is None:
        raise SyndicateError(f"there is no edition {key}")
    channel = app.channel(row.channel)
    policy, attempts = Policy(unknown=channel.unknown), Attempts(app.attempts())
    courier = Courier(app.ledger(), app.clock, policy, attempts=attempts, limits=app.limits(row.account), stop=app.stop)
    adapter = app.adapter(row.account)
    compose = composer(app, thaw(app.ledger().frozen(key)), adapter, channel.audience)
    return courier.deliver(key, adapter, compose, lambda tally: progress(key, tally))


def composer(app: App, message: Letter | Post, adapter: Adapter, audience: str) -> Callable[[Delivery], Payload]:
    """Delivery -> payload, from the bytes that were frozen when the edition was entered."""
    from syndicate.audience.tokens import unsubscribe_token, unsubscribe_url
    from syndicate.render.fill import fill

    if isinstance(message, Post):
        payload = adapter.compose(message)
        return lambda delivery: payload
    secret, links = app.secret(), app.settings.publication.links

    def compose(delivery: Delivery) -> Payload:
        token = unsubscribe_token(secret, audience, delivery.recipient)
        to = Recipient(delivery.recipient, delivery.name, delivery.fields)
        return adapter.compose(fill(message, to, secret=secret, unsubscribe=unsubscribe_url(links, token)))

    return compose
