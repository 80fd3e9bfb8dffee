"""The motion. `run` is `proofs` plus the courier, so what a preview shows is what is entered and sent.

Four callers: the scheduler, `run --once` and `send` by hand, any dry run (the same motion over `rehearsal(app)`), and
`preview`, which ends at the proofs.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from syndicate import plan as planning
from syndicate.errors import EditionExists, SyndicateError, Unsupported
from syndicate.ledger.base import Entry, LeftOut
from syndicate.model import (
    Article,
    Channel,
    ChannelPlan,
    Delivery,
    Edition,
    Kind,
    Letter,
    Payload,
    Plan,
    Post,
    Problem,
    Recipient,
    Severity,
    TextRules,
    Used,
)

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App
    from syndicate.audience.csv import Readers
    from syndicate.audience.named import Named
    from syndicate.deliver.courier import Tally

Progress = Callable[[str, "Tally"], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """An edition in words, as it would be entered."""

    edition: Edition
    message: Letter | Post
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An edition that could not be put into words, or not be sent at all; the others go on."""

    key: str
    channel: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one edition."""

    key: str
    channel: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    #: what was put into words for this run
    proofs: tuple[Proof, ...] = field(default=(), repr=False)
    done: tuple[Done, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: found while the editions were put into words and their audiences read
    problems: tuple[Problem, ...] = ()


def make_plan(app: App, at: datetime) -> Plan:
    """What is due at `at` by the schedules."""
    return planning.make_plan(app.library().load().articles, app.channels(), app.history(), at)


def plan_hash(app: App, plan: Plan) -> str:
    """Hex SHA-256 over all that decides the bytes: articles, channels, templates, audiences, publication."""
    digest = sha256(repr(app.settings.publication).encode())
    for edition in plan.editions:
        digest.update(f"{edition.key} {edition.channel!r}".encode())
        digest.update(repr(app.settings.accounts[edition.channel.account]).encode())
        digest.update(" ".join(article.sha256 for article in edition.articles).encode())
        digest.update(template_fingerprint(app, edition.channel.template).encode())
        if edition.channel.audience:
            digest.update(app.readers(edition.channel.audience).fingerprint().encode())
    return digest.hexdigest()


def template_fingerprint(app: App, name: str) -> str:
    """Hex SHA-256 over every template that an edition of this name may use: its own files, and what they include."""
    digest = sha256(name.encode())
    for folder in app.templates().folders:
        for path in sorted(folder.rglob("*.j2")):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def proofs(app: App, editions: Iterable[Edition]) -> Iterator[Proof | Failure]:
    """Puts editions into words; touches nothing. A faulty template or article stops its own edition only."""
    for edition in editions:
        try:
            check_support(app, edition.channel)
            yield proof(app, edition)
        except SyndicateError as error:
            yield failure(edition.key, edition.channel, error)


def check_support(app: App, channel: Channel) -> None:
    """Raises `Unsupported` where the account's network takes no such message: better before it is entered."""
    from syndicate.adapters import load as load_adapter

    adapter = app.settings.accounts[channel.account].adapter
    needed = "email" if channel.kind is Kind.DIGEST else "post"
    if needed not in load_adapter(adapter).supports:
        what = "digests" if channel.kind is Kind.DIGEST else "posts"
        hint = f"Name another account under channels.{channel.name}.account."
        raise Unsupported(f"account {channel.account} ({adapter}) takes no {what}", hint=hint)


def proof(app: App, edition: Edition) -> Proof:
    """One edition in words. Raises `RenderError`."""
    problems: list[Problem] = []
    articles = tuple(with_body(app, article, problems) for article in edition.articles)
    edition = replace(edition, articles=articles)
    if edition.channel.kind is Kind.DIGEST:
        from syndicate.render.email import letter

        message, found = letter(edition, app.settings.publication, app.templates())
        return Proof(edition, message, (*problems, *found))
    return Proof(edition, *write_post(app, edition, problems))


def write_post(app: App, edition: Edition, problems: list[Problem]) -> tuple[Post, tuple[Problem, ...]]:
    """A post in the words and within the limits of its account's network."""
    from syndicate.render.post import post

    adapter = app.adapter(edition.channel.account)
    picture = app.library().picture(edition.articles[0]) if "image" in adapter.supports else None
    if isinstance(picture, Problem):
        problems.append(picture)
        picture = None
    rules = network_rules(app, edition.channel)
    network = edition.channel.template or adapter.name
    message, found = post(edition, app.settings.publication, app.templates(), rules, network, picture)
    return message, (*problems, *found)


def network_rules(app: App, channel: Channel) -> TextRules:
    """What the channel's network counts; an account on this disk writes for the network its template is named after."""
    from syndicate.adapters import BUILTIN
    from syndicate.adapters import load as load_adapter

    adapter = app.adapter(channel.account)
    if adapter.local and channel.template in BUILTIN:
        return load_adapter(channel.template).rules
    return adapter.rules


def with_body(app: App, article: Article, problems: list[Problem]) -> Article:
    """The article with its text; where that cannot be read any more, the edition goes without and says so."""
    found = app.library().with_body(article)
    if isinstance(found, Problem):
        problems.append(found)
        return article
    return replace(found, overrides=article.overrides)  # `post --text` stands in no file


def failure(key: str, channel: Channel, error: SyndicateError) -> Failure:
    """An exception of one edition as a value."""
    problem = error.problems[0] if error.problems else Problem(key, error.message, Severity.ERROR, hint=error.hint)
    return Failure(key, channel.name, problem)


def run(
    app: App,
    parts: Iterable[ChannelPlan],
    *,
    actor: str,
    progress: Progress,
    again: bool = False,
    others: bool = True,
) -> Report:
    """Enters what is due and delivers it; with `others`, also what earlier runs of these channels left unfinished."""
    parts = tuple(parts)
    recognise(app, parts)
    found = list(proofs(app, (edition for part in parts for edition in part.editions)))
    entered = [enter(app, one, parts, actor, again) for one in found if isinstance(one, Proof)]
    keys = {one.edition.key for one in found if isinstance(one, Proof)}
    channels = {part.channel.name for part in parts} if others else set()
    ended = list(deliver_unfinished(app, keys, channels, progress))
    return Report(
        proofs=tuple(one for one in found if isinstance(one, Proof)),
        done=tuple(one for one in ended if isinstance(one, Done)),
        failures=tuple(one for one in (*found, *entered, *ended) if isinstance(one, Failure)),
        problems=tuple(
            problem for one in (*found, *entered) if not isinstance(one, Failure) for problem in one.problems
        ),
    )


def recognise(app: App, parts: Iterable[ChannelPlan]) -> None:
    """Notes articles that were used and have another slug or file now, so that they are known under both."""
    history = app.history()
    for part in parts:
        used = [skipped.article for skipped in part.skipped if skipped.code == "used"]
        if others := list(planning.other_names(used, part.channel.name, history)):
            app.ledger().recognise(others)


def deliver_unfinished(
    app: App, keys: Container[str], channels: Container[str], progress: Progress
) -> Iterator[Done | Failure]:
    """The editions of these keys or channels that the ledger has open, whoever entered them."""
    ledger = app.ledger()
    for key in dict.fromkeys((*ledger.unfinished(), *ledger.doubtful())):
        row = ledger.edition(key)
        if row is None or app.stop.is_set() or (key not in keys and row.channel not in channels):
            continue
        try:
            yield Done(key, row.channel, deliver(app, key, progress))
        except SyndicateError as error:
            yield failure(key, app.channel(row.channel), error)


@dataclass(frozen=True, slots=True)
class Entered:
    """An edition that stands in the ledger now."""

    #: of its audience
    problems: tuple[Problem, ...] = ()


def enter(app: App, found: Proof, parts: Iterable[ChannelPlan], actor: str, again: bool) -> Entered | Failure:
    """Freezes an edition in the ledger, unless another caller did so first: then it is theirs, and not sent twice."""
    from syndicate.render.freeze import freeze

    edition = found.edition
    part = next(part for part in parts if part.channel == edition.channel)
    who = audience(app, edition.channel)
    entry = Entry(
        key=edition.key,
        channel=edition.channel.name,
        kind=edition.channel.kind,
        account=edition.channel.account,
        occasion=edition.occasion,
        title=found.message.subject if isinstance(found.message, Letter) else edition.articles[0].title,
        frozen=freeze(found.message),
        articles=tuple(use_of(edition, article) for article in edition.articles),
        recipients=who.recipients,
        left_out=left_out(part, who),
        actor=actor,
        again=again,
    )
    try:
        app.ledger().enter(entry, app.clock())
    except SyndicateError as error:
        if isinstance(error, EditionExists) and app.ledger().edition(edition.key):
            return Entered()
        return failure(edition.key, edition.channel, error)
    return Entered(tuple(who.problems))


def use_of(edition: Edition, article: Article) -> Used:
    """An article's place in an edition, for the ledger."""
    return Used(
        edition=edition.key,
        channel=edition.channel.name,
        occasion=edition.occasion,
        slug=article.slug,
        path=article.path,
        sha256=article.sha256,
        slug_given=article.slug_given,
    )


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets an edition, streamed once; who does not and which rows are faulty is known afterwards."""

    recipients: Iterable[Recipient]
    left_out: Iterable[LeftOut] = ()
    problems: Sequence[Problem] = ()


def audience(app: App, channel: Channel) -> Audience:
    """The subscribers of a digest; for a post, the account itself."""
    if channel.kind is Kind.POST:
        return Audience((Recipient(channel.account),))
    people = app.readers(channel.audience)
    recipients = somebody(people, channel.audience)
    left_out = (LeftOut("recipient", who, reason) for who, reason in people.left_out)
    return Audience(recipients, left_out, people.problems)


def somebody(people: Readers | Named, audience: str) -> Iterator[Recipient]:
    """The readers. Raises `SyndicateError` at the end, so that nothing is entered, if the file could not be read to its
    end or held nobody: an edition that nobody got would have used up its articles.
    """
    count = 0
    for count, recipient in enumerate(people, start=1):  # noqa: B007  counted to the end
        yield recipient
    if unread := [problem for problem in people.problems if not problem.line and problem.severity is Severity.ERROR]:
        raise SyndicateError(f"the audience {audience} cannot be read", problems=unread)
    if not count:
        raise SyndicateError(f"the audience {audience} has no reader", problems=people.problems)


def left_out(part: ChannelPlan, who: Audience) -> Iterator[LeftOut]:
    """Articles that the plan left out, then the rows that the audience left out while it was read."""
    for skipped in part.skipped:
        if skipped.code not in {"used", "too-old", "late-skip"}:  # ledger and date of the article tell these for ever
            yield LeftOut("article", skipped.article.slug, skipped.reason)
    yield from who.left_out


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
    courier = Courier(app.ledger(), app.clock, policy, attempts=attempts, stop=app.stop)
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
