"""The motion. `run` is `proofs` plus the courier, so what a preview shows is what is entered and sent.

Four callers: the scheduler, `run --once` and `send` by hand, any dry run (the same motion over `rehearsal(app)`), and
`preview`, which ends at the proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from syndicate import plan as planning
from syndicate.crew import assisted, left_alone, sharing
from syndicate.deliver.signals import draining
from syndicate.desks import Hands, Job, in_turn, together
from syndicate.editions.approval import released
from syndicate.editions.drafts import Failure, Proof, enter, failure, proofs
from syndicate.errors import SyndicateError, UsageError
from syndicate.model import ChannelPlan, Delivery, Kind, Letter, Payload, Plan, Post, Problem, Recipient

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App
    from syndicate.deliver.base import LedgerLike, Sender
    from syndicate.deliver.courier import Tally
    from syndicate.deliver.policy import Policy
    from syndicate.ledger.base import EditionRow

Progress = Callable[[str, "Tally"], None]
#: Recipient -> slot -> URL
Links = Callable[[Recipient], Mapping[str, str]]


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
    #: nothing of it left this machine
    rehearsed: bool = False


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
    hands: Hands = together,
) -> Report:
    """Enters what is due and delivers it; with `others`, also what earlier runs of these channels left unfinished.

    `grant` says who has approved these editions; without it, those of a channel that asks for approval wait. What is
    only tried out waits for nobody. `hands` do the work of several accounts.
    """
    grant = grant or ("" if app.durable else "it is only tried out")
    parts = tuple(parts)
    recognise(app, parts)
    unfetched = fetch_pictures(app, parts)
    found = list(proofs(app, (edition for part in parts for edition in part.editions)))
    entered = [enter(app, one, parts, actor, again, grant) for one in found if isinstance(one, Proof)]
    keys = {one.edition.key for one in found if isinstance(one, Proof)}
    channels = {part.channel.name for part in parts} if others else set()
    with draining(app.stop.set):
        jobs = unfinished(app, keys, channels, progress, actor)
        ended = hands(jobs) if app.durable else in_turn(jobs)
    return Report(
        proofs=tuple(one for one in found if isinstance(one, Proof)),
        done=tuple(one for one in ended if isinstance(one, Done)),
        failures=tuple(one for one in (*found, *entered, *ended) if isinstance(one, Failure)),
        problems=(
            *unfetched,
            *(problem for one in (*found, *entered) if not isinstance(one, Failure) for problem in one.problems),
        ),
        waiting=tuple(one for one in waiting(app) if one.key in keys or one.channel in channels),
    )


def fetch_pictures(app: App, parts: Iterable[ChannelPlan]) -> list[Problem]:
    """Those that the posts of a live run want and that may be fetched; a dry run has only what is there already."""
    posts = [edition for part in parts if part.channel.kind is Kind.POST for edition in part.editions]
    return list(app.library().fetch_pictures(edition.articles[0] for edition in posts)) if app.durable else []


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


def unfinished(
    app: App, keys: Container[str], channels: Container[str], progress: Progress, actor: str
) -> dict[str, Job[Done | Failure]]:
    """Account -> its part of the editions of these keys or channels that the ledger has open, whoever entered them."""
    ledger = app.ledger()
    mine: dict[str, list[str]] = {}
    for key in dict.fromkeys((*ledger.unfinished(), *ledger.doubtful())):
        row = ledger.edition(key)
        if row and (key in keys or row.channel in channels):
            mine.setdefault(row.account, []).append(key)
    return {account: partial(deliver_all, app, mine[account], progress, actor) for account in mine}


def deliver_all(app: App, keys: Iterable[str], progress: Progress, actor: str) -> list[Done | Failure]:
    """One edition after the other; one that fails does not stop the others."""
    ended: list[Done | Failure] = []
    for key in keys:
        row = app.ledger().edition(key)
        if row is None or app.stop.is_set():
            continue
        try:
            if released(app, row, actor):
                ended.append(Done(key, row.channel, deliver(app, key, progress)))
        except SyndicateError as error:
            ended.append(failure(key, app.channel(row.channel), error))
    return ended


def deliver(app: App, key: str, progress: Progress) -> Tally:
    """Hands an entered edition to the courier, or to as many as its account wants."""
    row = edition_of(app, key)
    policy, links = policy_of(app, row), links_of(app, row)
    with assisted(app, row) as mine:
        done = carry(mine, row, policy, links, progress)
    if mine is app or app.stop.is_set():
        return done
    # The others had more in their hands when this one was at the end; and one may have died with it.
    last = carry(app, edition_of(app, key), policy, links, progress)
    return replace(last, rate=done.rate, recovered=done.recovered + last.recovered)


def assist(app: App, key: str, share: int, starter: int, progress: Progress) -> Tally:
    """One courier more for an edition that is being sent, with one of so many parts of the connections.

    Ends when nothing is left to begin, or the process `starter` has ended, if there is one. Raises `UsageError` where
    the edition is not being sent.
    """
    row = edition_of(app, key)
    if row.state != "sending":
        raise UsageError(f"{key} is {row.state}: there is nothing to help with", hint=f"syndicate editions show {key}")

    def told(key: str, so_far: Tally) -> None:
        if left_alone(starter):
            app.stop.set()
        progress(key, so_far)

    policy = replace(policy_of(app, row), patience=timedelta(0))  # who began the edition waits for what is put off
    return carry(sharing(app, share), row, policy, links_of(app, row), told)


def edition_of(app: App, key: str) -> EditionRow:
    """Raises `SyndicateError` where there is none."""
    row = app.ledger().edition(key)
    if row is None:
        raise SyndicateError(f"there is no edition {key}")
    return row


def policy_of(app: App, row: EditionRow) -> Policy:
    """What is done about silence, and how long is waited."""
    from syndicate.deliver.policy import Policy

    policy = Policy(unknown=app.channel(row.channel).unknown)
    if app.sleep:  # whoever owns the clock comes again when it is time, and sees to the other accounts meanwhile
        policy = replace(policy, patience=timedelta(0))
    return policy


def carry(app: App, row: EditionRow, policy: Policy, links: Links, progress: Progress) -> Tally:
    """One edition by a courier; `links` are those of each reader."""
    from syndicate.deliver.attempts import Attempts
    from syndicate.deliver.courier import Courier
    from syndicate.deliver.tally import tally
    from syndicate.render.freeze import thaw

    key, attempts = row.key, Attempts(app.attempts())
    progress(key, tally(row.counts))
    app.renew(row.account)
    ledger, sender = metered(app, row.account)
    limits = app.limits(row.account)
    courier = Courier(ledger, app.clock, policy, attempts=attempts, limits=limits, stop=app.stop, sleep=app.sleep)
    adapter = app.adapter(row.account)
    compose = composer(app, thaw(app.ledger().frozen(key)), adapter, links)
    return courier.deliver(key, sender, compose, lambda so_far: progress(key, so_far))


def metered(app: App, account: str) -> tuple[LedgerLike, Sender]:
    """What a courier works with, counted and timed where somebody asked for numbers."""
    if app.meter is None:
        return app.ledger(), app.adapter(account)
    return app.meter.around_ledger(app.ledger()), app.meter.around_sender(app.adapter(account), account)


def links_of(app: App, row: EditionRow) -> Links:
    """The links of each reader of an edition. An old one names no list: its channel does."""
    from syndicate.audience.links import Letterhead, confirming, list_number

    publication = app.settings.publication
    if row.kind == Kind.POST:
        return lambda to: {}
    if row.kind == Kind.CONFIRMATION:
        return confirming(app.keys(), publication.links)
    name = row.list or app.channel(row.channel).audience
    number = list_number(app.database(), name)
    return Letterhead(app.keys(), publication.links, name, number, row.key, publication.pages).links()


def composer(app: App, message: Letter | Post, adapter: Adapter, links: Links) -> Callable[[Delivery], Payload]:
    """Delivery -> payload, from the bytes that were frozen when the edition was entered."""
    from syndicate.feedback.verp import return_address
    from syndicate.render.fill import filler

    if isinstance(message, Post):
        payload = adapter.compose(message)
        return lambda delivery: payload
    # The numbers of a trial's deliveries are those of others in the ledger that lasts.
    secret, bounces = app.secret(), app.settings.publication.bounces if app.durable else ""
    fill = filler(message, secret)

    def compose(delivery: Delivery) -> Payload:
        to = Recipient(delivery.recipient, delivery.name, delivery.fields, delivery.reader)
        envelope = return_address(bounces, delivery.id, secret) if bounces else ""
        return adapter.compose(fill(to, links(to), envelope))

    return compose
