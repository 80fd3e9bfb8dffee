"""Reports are kept here before anybody acts on them, each once; acting takes them from here.

What is written is durable when a call returns. Times are aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from syndicate.database.feedback import KEPT, TO_DO, report
from syndicate.database.plain import micros, moment
from syndicate.feedback.base import Forged
from syndicate.model.feedback import Report, ReportKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from syndicate.database.transactions import Database

#: There are as many as mails, and what they say fits into the columns.
_MANY = frozenset({ReportKind.DELIVERED, ReportKind.DEFERRED})
#: How long the bytes of a report are kept: people's addresses are in them.
RAW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A report as the inbox has it."""

    #: row number; grows with time
    id: int
    #: key of the mailbox or webhook in the configuration; `session`: the ledger's own refusals
    source: str
    report: Report
    #: aware
    received: datetime
    #: `new`, `done`, or `parked`: there is nothing to act on
    state: str
    #: what was done, or why nothing
    note: str = ""
    #: aware; when to look again for the delivery
    due: datetime
    #: row of the delivery, number of its edition and the person behind it, once they are known; 0 and empty until then
    delivery: int = 0
    edition: int = 0
    person: str = ""


class Inbox:
    """The table of reports. May be used from several threads; every method may raise `LedgerError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, source: str, reports: Sequence[Report], now: datetime, sha256: str = "") -> int:
        """Writes those that are not known yet, all or none; how many that were.

        `sha256` of the whole body, where no signature covers it: raises `Forged` for an id that was kept with another.
        """
        with self._database.writing() as connection:
            known = _known(connection, source, [one.id for one in reports])
            if sha256 and any(known[one.id] != sha256 for one in reports if one.id in known):
                raise Forged("this event was told before, in other words")
            fresh = {one.id: one for one in reports if one.id not in known}
            if fresh:
                connection.execute(insert(report), [_row(source, one, now, sha256) for one in fresh.values()])
        return len(fresh)

    def waiting(self, now: datetime, limit: int) -> Sequence[Kept]:
        """New ones whose turn has come, oldest first."""
        ready = select(report).where(TO_DO, report.c.due <= micros(now))
        wanted = ready.order_by(report.c.due, report.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(wanted).mappings()]

    def write(self, changed: Iterable[Kept]) -> None:
        """State, note, turn, and whom it is about."""
        rows = [
            {"key": one.id, "state": one.state, "note": one.note, "due": micros(one.due)}
            | {"delivery": one.delivery, "edition": one.edition, "person": one.person}
            for one in changed
        ]
        if rows:
            values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "key"}
            with self._database.writing() as connection:
                connection.execute(update(report).where(report.c.id == bindparam("key")).values(values), rows)

    def about(self, person: str, kind: ReportKind) -> Sequence[Kept]:
        """What was told of one person, oldest first."""
        wanted = select(report).where(report.c.person == person, report.c.kind == kind).order_by(report.c.id)
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(wanted.where(report.c.person != "")).mappings()]

    def latest(self, limit: int = 50, state: str = "") -> Sequence[Kept]:
        """Newest first."""
        wanted = select(report).order_by(report.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.where(report.c.state == state) if state else wanted).mappings()
            return [_kept(row) for row in rows]

    def find(self, number: int) -> Kept | None:
        """One of them."""
        with self._database.reading() as connection:
            row = connection.execute(select(report).where(report.c.id == number)).mappings().first()
        return _kept(row) if row else None

    def counts(self) -> Mapping[tuple[str, str], int]:
        """(source, kind) -> how many there are."""
        grouped = select(report.c.source, report.c.kind, func.count()).group_by(report.c.source, report.c.kind)
        with self._database.reading() as connection:
            return {(source, kind): count for source, kind, count in connection.execute(grouped)}

    def tidy(self, now: datetime) -> None:
        """Forgets the bytes of what is old; what they said stays."""
        old = KEPT & (report.c.received < micros(now - RAW))
        with self._database.reading() as connection:
            if connection.scalar(select(report.c.id).where(old).limit(1)) is None:
                return
        with self._database.writing() as connection:
            connection.execute(update(report).where(old).values(raw=b""))


def _known(connection: Connection, source: str, ids: Sequence[str]) -> Mapping[str, str]:
    """Those ids that are kept already -> SHA-256 of the body they came in."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):  # SQLite takes no more than 32,766 parameters
        part = select(report.c.event, report.c.sha256).where(
            report.c.source == source, report.c.event.in_(ids[start : start + 500])
        )
        found.update((event, sha256) for event, sha256 in connection.execute(part))
    return found


def _row(source: str, one: Report, now: datetime, sha256: str) -> Mapping[str, Any]:
    return {
        "source": source,
        "event": one.id,
        "kind": one.kind.value,
        "recipient": one.recipient,
        "mark": one.mark,
        "receipt": one.receipt,
        "status": one.status,
        "text": one.text,
        "at": micros(one.at) if one.at else 0,
        "received": micros(now),
        "sha256": sha256,
        "raw": b"" if one.kind in _MANY else one.raw,
        "state": "parked" if one.kind is ReportKind.OTHER else "new",
        "note": "nothing that is acted on" if one.kind is ReportKind.OTHER else "",
        "due": micros(now),
        "delivery": one.delivery,
    }


def _kept(row: Mapping[str, Any] | Any) -> Kept:
    told = Report(
        id=row["event"],
        kind=ReportKind(row["kind"]),
        recipient=row["recipient"],
        delivery=row["delivery"],
        mark=row["mark"],
        receipt=row["receipt"],
        at=moment(row["at"]) if row["at"] else None,
        status=row["status"],
        text=row["text"],
        raw=row["raw"],
    )
    return Kept(
        id=row["id"],
        source=row["source"],
        report=told,
        received=moment(row["received"]),
        state=row["state"],
        note=row["note"],
        due=moment(row["due"]),
        delivery=row["delivery"] if row["person"] else 0,
        edition=row["edition"],
        person=row["person"],
    )
