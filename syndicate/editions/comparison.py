"""What an edition that stands in the ledger says, against what it would say now, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from typing import TYPE_CHECKING

from syndicate.editions.approval import differences, drafted_now, proof_of
from syndicate.editions.recipients import audience
from syndicate.model import ChannelPlan, Letter, Post
from syndicate.render.slots import readable

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.ledger.base import EditionRow

#: Recipients that are named; the others are counted.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences; all empty where there are none."""

    #: articles, templates, readers and keys of the configuration that differ
    changed: tuple[str, ...] = ()
    #: the subject of a digest or the title of a post's card, frozen and now; None: the same
    title: tuple[str, str] | None = None
    added_articles: tuple[str, ...] = ()
    removed_articles: tuple[str, ...] = ()
    #: how many recipients there would be more, and the first of them
    added_recipients: int = 0
    first_added: tuple[str, ...] = ()
    removed_recipients: int = 0
    first_removed: tuple[str, ...] = ()
    #: unified diff of the text of a post or of a digest's text part; of its HTML where only that differs
    text: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Comparison()


def compare(app: App, row: EditionRow) -> Comparison:
    """Raises `SyndicateError` where the edition cannot be put into words any more."""
    from syndicate.render.freeze import thaw

    frozen, part = thaw(app.ledger().frozen(row.key)), drafted_now(app, row)
    now = proof_of(app, row, part).message
    paths = [article.path for edition in part.editions for article in edition.articles]
    before = [use.path for use in row.articles]
    added, removed = recipients(app, row, part)
    titles = title_of(frozen), title_of(now)
    return Comparison(
        changed=tuple(differences(app, row, part)),
        title=titles if titles[0] != titles[1] else None,
        added_articles=tuple(path for path in paths if path not in before),
        removed_articles=tuple(path for path in before if path not in paths),
        added_recipients=len(added),
        first_added=tuple(islice(added, NAMED)),
        removed_recipients=len(removed),
        first_removed=tuple(islice(removed, NAMED)),
        text=tuple(text_diff(frozen, now)),
    )


def recipients(app: App, row: EditionRow, part: ChannelPlan) -> tuple[list[str], list[str]]:
    """Who would get it now and has no delivery, and the other way round."""
    had = dict.fromkeys(one.recipient for one in app.ledger().deliveries(row.key))
    added = []
    for recipient in audience(app, part.channel).recipients:
        if recipient.address in had:
            del had[recipient.address]
        else:
            added.append(recipient.address)
    return added, list(had)


def title_of(message: Letter | Post) -> str:
    """What people read first."""
    return message.subject if isinstance(message, Letter) else message.title


def text_diff(frozen: Letter | Post, now: Letter | Post) -> Iterator[str]:
    """Lines of a unified diff; none where nothing differs."""
    lines = list(diff_of(said(frozen), said(now)))
    if not lines and isinstance(frozen, Letter) and isinstance(now, Letter):
        lines = list(diff_of(frozen.html, now.html))
    return iter(lines)


def said(message: Letter | Post) -> str:
    """All that it says as plain text."""
    return message.text if isinstance(message, Letter) else "\n\n".join(message.texts)


def diff_of(frozen: str, now: str) -> Iterable[str]:
    """`unified_diff` without line ends; each edition marks its slots in its own way, which is no difference."""
    before, after = readable(frozen).splitlines(), readable(now).splitlines()
    return unified_diff(before, after, "frozen", "now", n=1, lineterm="")
