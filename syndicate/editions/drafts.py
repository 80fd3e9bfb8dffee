"""An edition before it is sent: in words, with those who get it, entered in the ledger; and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syndicate.editions import compliance, fingerprints, recipients
from syndicate.errors import EditionExists, RenderError, SyndicateError, Unsupported
from syndicate.ledger.base import Entry, LeftOut
from syndicate.model import (
    Article,
    Channel,
    ChannelPlan,
    Edition,
    Image,
    Kind,
    Letter,
    Post,
    Problem,
    Severity,
    TextRules,
    Used,
)

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App


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
    network = network_of(app, channel)
    if channel.thread and not ("thread" in network.supports and network.rules.max_length):
        hint = f"Take out channels.{channel.name}.thread."
        raise Unsupported(f"{network.name} takes no threads that could be repeated without doubling a part", hint=hint)


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
    picture = picture_of(app, edition)
    if isinstance(picture, Problem):
        problems.append(picture)
        picture = None
    rules = network_rules(app, edition.channel)
    network = edition.channel.template or adapter.name
    message, found = post(edition, app.settings.publication, app.templates(), rules, network, picture)
    return message, (*problems, *found)


def picture_of(app: App, edition: Edition) -> Image | Problem | None:
    """The picture of a post as its network takes it; None where it takes none, or there is none."""
    account, network = app.adapter(edition.channel.account), network_of(app, edition.channel)
    if "image" not in account.supports & network.supports:
        return None
    article = edition.articles[0]
    picture = app.library().picture(article)
    if not isinstance(picture, Image):
        return picture
    from syndicate.render.picture import fitted

    try:
        return fitted(picture, network.pictures)
    except RenderError as error:
        message = f"hero image: {error.message}; the post goes without it"
        return Problem(article.path, message, Severity.WARNING, hint=error.hint, code="picture.unusable")


def network_rules(app: App, channel: Channel) -> TextRules:
    """What the channel's network counts."""
    return network_of(app, channel).rules


def network_of(app: App, channel: Channel) -> Adapter | type[Adapter]:
    """Whom a channel writes for; on an account on this disk it is the network that its template is named after."""
    from syndicate.adapters import BUILTIN
    from syndicate.adapters import load as load_adapter

    adapter = app.adapter(channel.account)
    return load_adapter(channel.template) if adapter.local and channel.template in BUILTIN else adapter


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
    if problem := unlawful(app, found):
        return Failure(edition.key, edition.channel.name, problem)
    part = next(part for part in parts if part.channel == edition.channel)
    who = recipients.audience(app, edition.channel)
    waits = edition.channel.approval == "required" and not grant
    entry = replace(entry_of(found, part, who), actor=actor, again=again, why=grant)
    try:
        app.ledger().enter(replace(entry, plan=fingerprints.written(app, edition) if waits else ""), app.clock())
    except SyndicateError as error:
        if isinstance(error, EditionExists) and app.ledger().edition(edition.key):
            return Entered()
        return failure(edition.key, edition.channel, error)
    return Entered(tuple(who.problems))


def unlawful(app: App, found: Proof) -> Problem | None:
    """What a mail lacks that is to leave this machine, all in one problem; None for any other edition."""
    if not isinstance(found.message, Letter):
        return None
    problems = list(compliance.faults(app, found.edition.channel, found.message))
    if not problems:
        return None
    message = "; ".join(problem.message for problem in problems)
    hint = " ".join(dict.fromkeys(problem.hint for problem in problems))
    return replace(problems[0], message=f"{found.edition.key} cannot be sent: {message}", hint=hint)


def entry_of(found: Proof, part: ChannelPlan, who: recipients.Audience) -> Entry:
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
        recipients=who.selection or who.recipients,
        left_out=left_out(part, who),
        list=who.list,
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


def left_out(part: ChannelPlan, who: recipients.Audience) -> Iterator[LeftOut]:
    """Articles that the plan left out, then the rows that the audience left out while it was read."""
    for skipped in part.skipped:
        if skipped.code not in {"used", "too-old", "late-skip"}:  # ledger and date of the article tell these for ever
            yield LeftOut("article", skipped.article.slug, skipped.reason)
    yield from who.left_out
