"""Who gets an edition: an audience as the ledger takes it, looked over before anything is entered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from syndicate.editions import compliance
from syndicate.errors import NeedsPerson, SyndicateError
from syndicate.ledger.base import LeftOut, Selection
from syndicate.model import Channel, Kind, Problem, Recipient, Severity

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.audience.csv import Readers
    from syndicate.audience.named import Named
    from syndicate.audience.selection import Stored
    from syndicate.ledger.base import EditionRow

#: Code of the problem that needs a person's eye and no repair.
TOO_MANY = "guard.recipients"
#: Why a row of a file is left out whose person asked to be forgotten.
ERASED = "asked to be forgotten"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who gets an edition, streamed once; who does not and which rows are faulty is known afterwards."""

    recipients: Iterable[Recipient]
    left_out: Iterable[LeftOut] = ()
    problems: Sequence[Problem] = ()
    #: the list they leave when they unsubscribe; empty for posts
    list: str = ""
    #: the same people for the ledger, where its own database holds them
    selection: Selection | None = None


def audience(app: App, channel: Channel) -> Audience:
    """The subscribers of a digest; for a post, the account itself."""
    if channel.kind is Kind.POST:
        return Audience((Recipient(channel.account),))
    from syndicate.audience.selection import Stored

    people, most = app.readers(channel.audience), guard(app, channel)
    if isinstance(people, Stored):
        return from_store(people, channel, most)
    return from_file(app, people, channel, most)


def from_store(people: Stored, channel: Channel, most: Guard) -> Audience:
    """Those of a list whom nothing bars. The others are counted by reason, and not named: there may be a million."""

    def check(count: int) -> None:
        if not count:
            raise nobody(channel.audience, hint="`syndicate audience list` counts who is on it and is not mailed.")
        most.check(count, channel)

    readers = within(somebody(people, channel.audience), channel, most)
    return Audience(readers, list=people.list, selection=Selection(people.recipients, people.groups, check))


def from_file(app: App, people: Readers | Named, channel: Channel, most: Guard) -> Audience:
    """The rows of a file. Whoever is suppressed has a delivery too, which the claim skips with the reason."""
    erased, out = app.subscribers().erased(), list[LeftOut]()
    readers: Iterable[Recipient] = not_erased(somebody(people, channel.audience), erased, out)
    if compliance.asks_for_grounds(app, channel):
        readers = with_grounds(app, channel, readers, out)
    rows = (LeftOut("recipient", erased(who) or who, reason) for who, reason in people.left_out)
    mailing = app.settings.audiences[channel.audience].list
    return Audience(within(readers, channel, most), chain(rows, out), people.problems, mailing)


def not_erased(readers: Iterable[Recipient], erased: Callable[[str], str], out: list[LeftOut]) -> Iterator[Recipient]:
    """Those who have not asked to be forgotten: no file brings them back, not even into the ledger's notes."""
    for reader in readers:
        if name := erased(reader.address):
            out.append(LeftOut("recipient", name, ERASED))
        else:
            yield reader


def with_grounds(app: App, channel: Channel, readers: Iterable[Recipient], out: list[LeftOut]) -> Iterator[Recipient]:
    """Those whose row says how they came to be in the file. Raises `SyndicateError` at the end if nobody's does."""
    found = False
    for reader in readers:
        if compliance.documented(reader):
            found = True
            yield reader
        else:
            out.append(LeftOut("recipient", reader.address, compliance.UNDOCUMENTED))
    if not found:
        problem = compliance.no_grounds(app, channel)
        raise SyndicateError(problem.message, hint=problem.hint, problems=[problem])


def somebody(people: Readers | Named | Stored, audience: str) -> Iterator[Recipient]:
    """The readers. Raises `SyndicateError` at the end, so that nothing is entered, if the file could not be read to its
    end or held nobody: an edition that nobody got would have used up its articles.
    """
    count = 0
    for count, recipient in enumerate(people, start=1):  # noqa: B007  counted to the end
        yield recipient
    if unread := [problem for problem in people.problems if not problem.line and problem.severity is Severity.ERROR]:
        raise SyndicateError(f"the audience {audience} cannot be read", problems=unread)
    if not count:
        raise nobody(audience, people.problems)


def nobody(audience: str, problems: Sequence[Problem] = (), hint: str = "") -> SyndicateError:
    """There is no edition for nobody."""
    return SyndicateError(f"the audience {audience} has no reader", problems=problems, hint=hint)


@dataclass(frozen=True, slots=True)
class Guard:
    """How many recipients an edition may have before a person has to look."""

    #: None: any number
    count: int | None
    why: str
    #: of the channel, in the configuration
    key: str

    def check(self, count: int, channel: Channel) -> None:
        """Raises `NeedsPerson`, so that nothing is entered, if they are more than anybody expects: a wrong file in the
        place of the right one is found out before it has its mail.
        """
        if self.count is not None and count > self.count:
            hint = f"Look at the audience {channel.audience}; if it is right, raise channels.{channel.name}.{self.key}."
            message = f"more than {self.count} recipients: {self.why}"
            problem = Problem(channel.name, message, hint=hint, code=TOO_MANY)
            raise NeedsPerson(problem.message, hint=hint, problems=[problem])


def within(recipients: Iterable[Recipient], channel: Channel, most: Guard) -> Iterator[Recipient]:
    """The readers, up to the first that is too many."""
    for count, recipient in enumerate(recipients, start=1):
        most.check(count, channel)
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


def spelled(app: App, recipient: str) -> str:
    """An address as the store has it, whatever its case; anything else as it is."""
    found = app.subscribers().find(recipient) if "@" in recipient and app.has_ledger() else None
    return found.address if found else recipient


def why_not(app: App, row: EditionRow, address: str) -> str:
    """Why an edition to a stored list has no delivery to an address, by what the store knows; empty for other editions.

    Those it left out are counted in the ledger and not named, so this is told from the store as it is now.
    """
    from syndicate.audience.selection import Stored

    channel = app.settings.channels.get(row.channel)
    people = app.readers(channel.audience) if channel and channel.audience else None
    if not isinstance(people, Stored):
        return ""
    if app.subscribers().erased()(address):
        return ERASED
    found = app.subscribers().find(address)
    stands = next((one for one in found.memberships if one.list == row.list), None) if found else None
    if stands and stands.moved > row.entered:
        return f"{stands.state} since {stands.moved:%Y-%m-%d %H:%M} UTC, after the edition was entered"
    return people.why(address) or "would be in it now, and was not when it was entered"
