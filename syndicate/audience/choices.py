"""What somebody may decide by a link that only they were sent. Nothing here asks for a password or sets a cookie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syndicate.audience.links import Directory, Holder
from syndicate.audience.tokens import Purpose
from syndicate.model.people import EVERYWHERE, Grounds, Membership, Reason, Standing, Subscriber

if TYPE_CHECKING:
    from syndicate.audience.store import Subscribers

#: How long a link may bring back whoever has left by it: a mail may be forwarded, and stays readable for years.
UNDO = timedelta(hours=1)
#: How long a request to be signed up may be confirmed.
FRESH = timedelta(days=7)


class Choices:
    """May be used from several threads. Every method may raise `LedgerError`."""

    def __init__(
        self,
        store: Subscribers,
        directory: Directory,
        clock: Callable[[], datetime],
        successors: Callable[[Holder], Iterable[str]],
    ) -> None:
        """`successors` names the lists that a reader's list goes by today, if it was renamed."""
        self._store = store
        self._directory = directory
        self._clock = clock
        self._successors = successors

    def holder(self, purpose: Purpose, token: str) -> Holder | None:
        """Whose token it is; None if it is none of ours for this purpose."""
        return self._directory.holder(purpose, token)

    def subscriber(self, holder: Holder) -> Subscriber | None:
        """What the store knows of them; None for a reader from a file, and for whoever was erased."""
        return self._store.find(holder.reader) if holder.reader else None

    def leave(self, holder: Holder, source: str, *, everywhere: bool = False) -> None:
        """Leaves the list of the mail, or all. Of whoever is not known any more there is nothing to change."""
        for name in self._meant(holder, everywhere):
            self._store.unsubscribe(holder.who, name, source=source)

    def _meant(self, holder: Holder, everywhere: bool) -> Sequence[str]:
        if not holder.known or not (holder.list or everywhere):
            return ()
        return (EVERYWHERE,) if everywhere else tuple(dict.fromkeys((holder.list, *self._successors(holder))))

    def back(self, holder: Holder, wording: str) -> bool:
        """Takes back what was left within the hour; whether there was anything."""
        since = self._clock() - UNDO
        if not holder.reader:
            return self._lifted(holder, since)
        found = self.subscriber(holder)
        memberships = found.memberships if found else ()
        left = [one for one in memberships if one.state is Standing.UNSUBSCRIBED and one.moved > since]
        for one in left:
            self._join(holder, one.list, wording)
        return bool(left)

    def _lifted(self, holder: Holder, since: datetime) -> bool:
        own = [
            one
            for one in (self._store.suppressions(holder.address) if holder.address else ())
            if one.reason == Reason.UNSUBSCRIBED and one.at > since
        ]
        for one in own:
            self._store.lift(holder.address, one.list)
        return bool(own)

    def _join(self, holder: Holder, name: str, wording: str) -> None:
        """Both halves of a double opt-in: whoever has the link has the mailbox, or had it an hour ago."""
        found = self.subscriber(holder)
        grounds = Grounds("undo", wording, evidence="link of a mail")
        if found and self._store.subscribe(found.address, name, grounds):
            self._store.confirm(holder.reader, name, grounds)

    def pending(self, holder: Holder) -> Sequence[Membership]:
        """What waits for confirmation, and was asked for within a week."""
        found = self.subscriber(holder)
        since = self._clock() - FRESH
        return [
            one for one in (found.memberships if found else ()) if one.state is Standing.PENDING and one.joined > since
        ]

    def confirm(self, holder: Holder, names: Iterable[str], grounds: Grounds) -> Sequence[str]:
        """Of these lists those that were asked for become active; the lists on which they are then. May be repeated."""
        wanted = frozenset(names)
        for one in self.pending(holder):
            if one.list in wanted:
                self._store.confirm(holder.reader, one.list, grounds)
        return [name for name in self.active(holder) if name in wanted]

    def active(self, holder: Holder) -> Sequence[str]:
        """The lists whose editions they get, as far as they may know of them."""
        if holder.reader:
            found = self.subscriber(holder)
            address = found.address if found else ""
            on = [one.list for one in found.memberships if one.state is Standing.ACTIVE] if found else []
        else:
            address, on = holder.address, [holder.list] if holder.known else []
        return [name for name in on if not self._store.refusals([address], name)]

    def rename(self, holder: Holder, name: str) -> None:
        """Changes the name that letters use."""
        if holder.reader:
            self._store.edit(holder.reader, name=name)
