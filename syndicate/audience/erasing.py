"""Forgetting: a person who asks for it (GDPR Art. 17), whoever never confirmed, and the traces of visits.

Functions over one transaction. The history of an edition stays whole: its lines, states and counts are what they were,
and only name nobody any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, Text, delete, exists, func, or_, select, update

from syndicate.audience import suppressing
from syndicate.audience.addresses import unique
from syndicate.database.feedback import report
from syndicate.database.people import TRACED, consent, member, subscriber, suppression, tag
from syndicate.database.plain import micros
from syndicate.database.schema import delivery, event, metadata
from syndicate.database.visits import signup
from syndicate.errors import NeedsPerson
from syndicate.model import State
from syndicate.model.people import EVERYWHERE, Erasure, Reason, Standing

GONE = Reason.ERASED.value
#: Where a delivery goes that has not ended: what waits is skipped, and what is in doubt can be asked about no more.
_ENDS = {State.PLANNED: State.SKIPPED, State.DEFERRED: State.SKIPPED, State.UNKNOWN: State.CANCELLED}
#: Rows that belong to one subscriber; nobody is a member who is no subscriber, so they go first.
_OWN = (member, tag)
#: Whose rows are about the person whom they name, and go whole.
_ABOUT = (suppression.c.person, report.c.person, report.c.recipient, signup.c.address)


def erase(connection: Connection, address: str, secrets: Sequence[bytes], now: datetime, actor: str) -> Erasure:
    """Removes a person; what was removed. Raises `NeedsPerson` while a mail to them is on the wire."""
    person = unique(address)
    name = suppressing.mark(secrets[0], person)
    deliveries, skipped = _leave_editions(connection, person, name, now, actor)
    reader = connection.scalar(select(subscriber.c.id).where(subscriber.c.person == person))
    gone = _forget(connection, [] if reader is None else [reader])
    gone += sum(connection.execute(delete(one.table).where(func.lower(one) == person)).rowcount for one in _ABOUT)
    lines = sum(_sweep(connection, table, person, name) for table in metadata.sorted_tables if table is not consent)
    suppressing.suppress(connection, name, [EVERYWHERE], GONE, "", now, actor)
    return Erasure(gone, deliveries, skipped, lines)


def _leave_editions(connection: Connection, person: str, name: str, now: datetime, actor: str) -> tuple[int, int]:
    """(deliveries, how many of them were skipped). Every one keeps its place in the counts and in the history."""
    row = delivery.c
    theirs = func.lower(row.recipient) == person
    states = [State(state) for state in connection.scalars(select(row.state).where(theirs))]
    if State.SENDING in states:
        raise NeedsPerson("a mail to this address is on its way right now", hint="Try again when the run is done.")
    for state, end in _ENDS.items():
        values = {"state": end.value, "due": 0, "reason": GONE, "moved": micros(now), "actor": actor}
        connection.execute(update(delivery).where(theirs, row.state == state.value).values(values))
    # Whatever a network has said of their own mails may name them, such as a file that is called by the address.
    said = event.c.delivery.in_(select(row.id).where(theirs)) & (func.instr(func.lower(event.c.reason), person) > 0)
    connection.execute(update(event).where(said).values(reason=GONE))
    nobody = {"recipient": name, "name": "", "fields": None, "reader": 0, "reason": GONE}
    connection.execute(update(delivery).where(theirs).values(nobody | {"receipt": "", "permalink": ""}))
    skipped = sum(_ENDS.get(state) is State.SKIPPED for state in states)
    return len(states), skipped


def _forget(connection: Connection, readers: Sequence[int]) -> int:
    """Removes subscribers with all that is theirs; how many rows. Their consents may go when they are gone."""
    count = sum(connection.execute(delete(table).where(table.c.subscriber.in_(readers))).rowcount for table in _OWN)
    count += connection.execute(delete(subscriber).where(subscriber.c.id.in_(readers))).rowcount
    return count + connection.execute(delete(consent).where(consent.c.subscriber.in_(readers))).rowcount


def _sweep(connection: Connection, table: Table, person: str, name: str) -> int:
    """Takes the address out of every text of a table: servers quote it in their answers, files in their rows."""
    texts = [column for column in table.columns if isinstance(column.type, Text)]
    if not texts:
        return 0
    keys = list(table.primary_key)
    quoted = or_(*(func.instr(func.lower(column), person) > 0 for column in texts))
    found = connection.execute(select(*keys, *texts).where(quoted)).all()
    count = 0
    for row in found:
        values = dict(_without(row[len(keys) :], [column.name for column in texts], person, name))
        if values:
            if table is event:  # of the history nothing but a reason may go, and that only whole
                values = {"reason": GONE}
            this: ColumnElement[bool] = _all(keys, row[: len(keys)])
            connection.execute(update(table).where(this).values(values))
            count += 1
    return count


def _all(keys: Sequence[ColumnElement[object]], values: Sequence[object]) -> ColumnElement[bool]:
    found, *rest = (key == value for key, value in zip(keys, values, strict=True))
    for one in rest:
        found = found & one
    return found


def _without(texts: Sequence[str | None], names: Sequence[str], person: str, name: str) -> Iterator[tuple[str, str]]:
    """(column, what is left of it). The address of somebody else may end like this one, or begin so."""
    whole = re.compile(rf"(?<![\w.+%-]){re.escape(person)}(?![\w-]|\.\w)", re.IGNORECASE)
    for column, text in zip(names, texts, strict=True):
        if text and whole.search(text):
            yield column, whole.sub(name, text)


def purge(connection: Connection, before: datetime) -> int:
    """Forgets who has not confirmed since then; how many memberships went. Who is on another list stays there."""
    row = member.c
    waiting = (row.state == Standing.PENDING.value, row.moved < micros(before))
    readers = connection.scalars(select(row.subscriber).where(*waiting)).all()
    connection.execute(delete(member).where(*waiting))
    elsewhere = exists(select(row.list).where(row.subscriber == subscriber.c.id))
    for start in range(0, len(readers), 500):  # SQLite takes no more than 32,766 parameters
        those = subscriber.c.id.in_(readers[start : start + 500])
        _forget(connection, connection.scalars(select(subscriber.c.id).where(those, ~elsewhere)).all())
    return len(readers)


def forget_visits(connection: Connection, before: datetime) -> int:
    """Forgets the IP address and the program of visits before then; how many lines of the record that were."""
    old = update(consent).where(TRACED, consent.c.at < micros(before)).values(ip="", agent="")
    return connection.execute(old).rowcount
