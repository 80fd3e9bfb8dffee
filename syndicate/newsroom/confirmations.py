"""Those who signed up are asked by mail whether it was they: a delivery like any other, so nobody is asked twice.

The public form only notes who asked. Here they come into the store as `pending`, a batch of them becomes an edition of
one plain letter, and a courier sends it. Every step may be repeated after a crash: a batch has its number before
anything else is done for it, and the ledger takes an edition once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from syndicate.audience.signups import Signup, Signups
from syndicate.audience.store import Subscribers
from syndicate.errors import EditionExists, SyndicateError
from syndicate.ledger.base import Entry
from syndicate.model import Kind, Recipient
from syndicate.model.people import Grounds, Standing
from syndicate.pipeline import carry, links_of

if TYPE_CHECKING:
    from syndicate.app import App

#: Stands where an edition names its channel; no configured channel can have this name.
CHANNEL = "confirmation+"


def settle(app: App) -> int:
    """Asks everybody who waits for it, and goes on with what earlier rounds could not send; how many batches were new.

    Raises `SyndicateError`.
    """
    signups = Signups(app.database(), app.keys(), app.clock)
    batches = signups.batch(lambda lists: account_of(app, lists))
    for number, account in batches:
        enter(app, signups, number, account)
    deliver_unfinished(app)
    return len(batches)


def account_of(app: App, lists: Sequence[str]) -> str:
    """The account of the first channel that serves one of the lists; empty where there is none that may send."""
    from syndicate.app import is_local

    for channel in app.settings.channels.values():
        audience = app.settings.audiences.get(channel.audience)
        serves = audience is not None and audience.csv is None and audience.list in lists
        if serves and (app.settings.mode == "live" or is_local(app, channel)):
            return channel.account
    return ""


def enter(app: App, signups: Signups, number: str, account: str) -> None:
    """A batch as an edition of the ledger, unless it is one already."""
    from syndicate.render.freeze import freeze
    from syndicate.render.notice import notice

    those = signups.of_batch(number, account)
    readers = known(app, signups, those)
    if readers:
        key, now = f"{CHANNEL}/{number}", app.clock()
        letter = notice(key, those[0].asked, app.settings.publication, app.templates())
        entry = Entry(
            key=key,
            channel=CHANNEL,
            kind=Kind.CONFIRMATION,
            account=account,
            occasion=those[0].asked,
            title=letter.subject,
            frozen=freeze(letter),
            recipients=readers,
            actor="web",
        )
        with suppress(EditionExists):  # a process entered it and ended before it could note that
            app.ledger().enter(entry, now)
    signups.done(those)


def known(app: App, signups: Signups, those: Iterable[Signup]) -> Sequence[Recipient]:
    """Whom to ask: each address once. Who is a member already, or must not be mailed, is not asked."""
    store = Subscribers(app.database(), app.secrets, app.clock)
    asked: dict[int, tuple[str, set[str]]] = {}
    for one in those:
        for name in one.lists:
            grounds = Grounds("form", one.wording, ip=one.ip, agent=one.agent, given=one.asked)
            found = store.subscribe(one.address, name, grounds)
            if found and found.state is Standing.PENDING:
                asked.setdefault(found.reader, (one.address, set()))[1].add(name)
    return [Recipient(address, "", fields_of(lists), reader) for reader, (address, lists) in asked.items()]


def fields_of(lists: Iterable[str]) -> Mapping[str, str]:
    """What the letter may show of a sign-up."""
    return {"lists": ", ".join(map(title, sorted(lists)))}


def title(name: str) -> str:
    """The name of a list as people read it: `weekly-digest` -> `Weekly digest`."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def deliver_unfinished(app: App) -> None:
    """Sends what is due of all these editions. One that fails does not stop the others; the last failure is raised."""
    from syndicate.deliver.policy import Policy

    ledger, fault = app.ledger(), None
    for key in dict.fromkeys((*ledger.unfinished(), *ledger.doubtful())):
        row = ledger.edition(key) if key.startswith(f"{CHANNEL}/") else None
        if row is None or app.stop.is_set():
            continue
        try:
            carry(app, row, Policy(), links_of(app, row), lambda key, tally: None)
        except SyndicateError as error:
            fault = error
    if fault:
        raise fault
