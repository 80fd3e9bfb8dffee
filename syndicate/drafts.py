"""An edition before it is sent: in words, with those who get it, entered in the ledger; and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syndicate import fingerprints
from syndicate.errors import EditionExists, NeedsPerson, SyndicateError, Unsupported
from syndicate.ledger.base import Entry, LeftOut
from syndicate.model import (
    Article,
    Channel,
    ChannelPlan,
    Edition,
    Kind,
    Letter,
    Post,
    Problem,
    Recipient,
    Severity,
    TextRules,
    Used,
)

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.audience.csv import Readers
    from syndicate.audience.named import Named

#: Code of the problem that needs a person's eye and no repair.
TOO_MANY = "guard.recipients"


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


@dataclass(frozen=True, slots=True)
class Entered:
    """An edition that stands in the ledger now."""

    #: of its audience
    problems: tuple[Problem, ...] = ()


def enter(
    app: App, found: Proof, parts: Iterable[ChannelPlan], actor: str, again: bool, grant: str
) -> Entered | Failure:
    """Freezes an edition in the ledger, unless another caller did so first: then it is theirs, and not sent twice.

    `grant` says who has approved it; empty where nobody has yet.
    """
    edition = found.edition
    part = next(part for part in parts if part.channel == edition.channel)
    who = audience(app, edition.channel)
    waits = edition.channel.approval == "required" and not grant
    entry = replace(entry_of(found, part, who), actor=actor, again=again, why=grant)
    try:
        app.ledger().enter(replace(entry, plan=fingerprints.written(app, edition) if waits else ""), app.clock())
    except SyndicateError as error:
        if isinstance(error, EditionExists) and app.ledger().edition(edition.key):
            return Entered()
        return failure(edition.key, edition.channel, error)
    return Entered(tuple(who.problems))


def entry_of(found: Proof, part: ChannelPlan, who: Audience) -> Entry:
    """An edition in words as the ledger takes it."""
    from syndicate.render.freeze import freeze

    edition = found.edition
    channel = edition.channel
    return Entry(
        key=edition.key,
        channel=channel.name,
        kind=channel.kind,
        account=channel.account,
        occasion=edition.occasion,
        title=found.message.subject if isinstance(found.message, Letter) else edition.articles[0].title,
        frozen=freeze(found.message),
        articles=tuple(use_of(edition, article) for article in edition.articles),
        recipients=who.recipients,
        left_out=left_out(part, who),
    )


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
    recipients = within(somebody(people, channel.audience), channel, guard(app, channel))
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


@dataclass(frozen=True, slots=True)
class Guard:
    """How many recipients an edition may have before a person has to look."""

    #: None: any number
    count: int | None
    why: str
    #: of the channel, in the configuration
    key: str


def within(recipients: Iterable[Recipient], channel: Channel, most: Guard) -> Iterator[Recipient]:
    """The readers. Raises `NeedsPerson`, so that nothing is entered, if they are more than anybody expects: a wrong
    file in the place of the right one is found out before it has its mail.
    """
    for count, recipient in enumerate(recipients, start=1):
        if most.count is not None and count > most.count:
            hint = f"Look at the audience {channel.audience}; if it is right, raise channels.{channel.name}.{most.key}."
            message = f"more than {most.count} recipients: {most.why}"
            problem = Problem(channel.name, message, hint=hint, code=TOO_MANY)
            raise NeedsPerson(problem.message, hint=hint, problems=[problem])
        yield recipient


def guard(app: App, channel: Channel) -> Guard:
    """The tighter of the channel's two guards."""
    fixed = Guard(channel.max_recipients, "`max_recipients` says that a person should know", "max_recipients")
    if channel.max_growth is None:
        return fixed
    last = next((sum(row.counts.values()) for row in app.ledger().editions(channel.name, limit=1)), 0)
    most = last + last * channel.max_growth // 100
    if not last or (fixed.count is not None and fixed.count <= most):
        return fixed
    return Guard(most, f"the last edition had {last}, and `max_growth` is {channel.max_growth} percent", "max_growth")


def left_out(part: ChannelPlan, who: Audience) -> Iterator[LeftOut]:
    """Articles that the plan left out, then the rows that the audience left out while it was read."""
    for skipped in part.skipped:
        if skipped.code not in {"used", "too-old", "late-skip"}:  # ledger and date of the article tell these for ever
            yield LeftOut("article", skipped.article.slug, skipped.reason)
    yield from who.left_out
