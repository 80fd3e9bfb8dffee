"""Which delivery of ours a report is about, beyond doubt; and what the ledger knows of its reader."""

from __future__ import annotations

import hmac
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from syndicate.database.feedback import report
from syndicate.database.people import subscriber
from syndicate.database.plain import micros, moment
from syndicate.database.schema import FAILED, delivery, edition
from syndicate.feedback.codes import bounce_kind, has_code, status_in
from syndicate.feedback.inbox import Kept
from syndicate.model import State
from syndicate.model.feedback import Report, ReportKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from syndicate.database.transactions import Database

#: Source of what the ledger's own sessions were refused.
SESSION = "session"


@dataclass(frozen=True, slots=True)
class Traced:
    """A delivery, as far as it matters here."""

    #: row of the ledger
    delivery: int
    #: row of the edition, and its key
    edition: int
    key: str
    account: str
    channel: str
    #: list of the edition; empty for an old one, whose channel names it
    list: str
    recipient: str
    state: State


_TRACED = select(
    delivery.c.id,
    edition.c.id.label("number"),
    edition.c.key,
    edition.c.account,
    edition.c.list,
    edition.c.channel,
    delivery.c.recipient,
    delivery.c.state,
    delivery.c.receipt,
).join(edition, edition.c.id == delivery.c.edition)


def find(database: Database, reports: Iterable[Kept], secrets: Sequence[bytes]) -> list[Traced | None]:
    """For each report the delivery that it names; None where it names none of ours."""
    with database.reading() as connection:
        return [_find(connection, one.report, secrets) for one in reports]


def _find(connection: Connection, told: Report, secrets: Sequence[bytes]) -> Traced | None:
    """By a return address that was verified, by our Message-ID, or by a provider's own name for the message."""
    if told.delivery:
        row = connection.execute(_TRACED.where(delivery.c.id == told.delivery)).mappings().first()
        # The numbers of a database that was lost begin anew: the Message-ID, where it came along, has to fit too.
        fits = row and (not told.mark or is_mark(told.mark, row["key"], row["recipient"], secrets))
        return _traced(row) if fits else None
    for row in connection.execute(_of(connection, told.recipient)).mappings():
        if is_mark(told.mark, row["key"], row["recipient"], secrets) or same_receipt(told.receipt, row["receipt"]):
            return _traced(row)
    return None


def is_mark(mark: str, key: str, recipient: str, secrets: Sequence[bytes]) -> bool:
    """Whether a mark is that of the Message-ID of this edition to this recipient (`render.fill.message_id`)."""
    data = f"{key}\n{recipient}".encode()
    marks = [hmac.digest(secret, data, "sha256")[:16].hex() for secret in secrets] if mark else []
    return any(hmac.compare_digest(mark.encode(), each.encode()) for each in marks)


def same_receipt(told: str, known: str) -> bool:
    """Whether a provider's name for a message is the one it gave when it took it, with or without `<>`."""
    return bool(told) and told.strip("<>") == known.strip("<>")


def _of(connection: Connection, recipient: str) -> Select[Any]:
    """The deliveries of a recipient, in the spellings that a provider may make of the address; the latest first."""
    lower = recipient.lower()
    known = connection.scalar(select(subscriber.c.address).where(subscriber.c.person == lower))
    return _TRACED.where(delivery.c.recipient.in_({recipient, lower, known or lower})).order_by(delivery.c.id.desc())


def _traced(row: Mapping[str, Any] | Any) -> Traced:
    return Traced(
        delivery=row["id"],
        edition=row["number"],
        key=row["key"],
        account=row["account"],
        channel=row["channel"],
        list=row["list"],
        recipient=row["recipient"],
        state=State(row["state"]),
    )


def in_a_row(database: Database, recipient: str, bounced: Container[int]) -> list[int]:
    """The recipient's editions that bounced, from the last one back to the first that did not."""
    asked = (
        select(delivery.c.edition)
        .where(delivery.c.recipient == recipient, delivery.c.state.in_(("sent", "refused", "expired", "unknown")))
        .order_by(delivery.c.id.desc())
    )
    row: list[int] = []
    with database.reading() as connection:
        for number in connection.scalars(asked):
            if number in bounced:
                row.append(number)
            elif row:
                break
    return row


def blocks(database: Database, account: str, since: datetime) -> int:
    """Deliveries of an account that were blocked since then."""
    asked = (
        select(func.count(report.c.delivery.distinct()))
        .join(edition, edition.c.id == report.c.edition)
        .where(report.c.kind == ReportKind.POLICY.value, report.c.received >= micros(since), report.c.person != "")
        .where(edition.c.account == account)
    )
    with database.reading() as connection:
        return connection.scalar(asked) or 0


def refusals(database: Database) -> list[Report]:
    """What servers refused while we spoke to them, since the last time this was asked: bounces like any other.

    Only mail, and only what a server said in a code; our own reasons and broken lines say nothing of a reader.
    """
    with database.reading() as connection:
        last = select(func.max(report.c.at)).where(report.c.source == SESSION)
        # A worker may commit a little after another one that has looked at a later clock.
        since = (connection.scalar(last) or 0) - _OVERLAP
        asked = select(delivery.c.id, delivery.c.recipient, delivery.c.reason, delivery.c.moved)
        rows = connection.execute(asked.where(FAILED, delivery.c.moved >= since)).all()
    return [
        Report(
            id=str(row.id),
            kind=bounce_kind("", row.reason),
            recipient=row.recipient,
            delivery=row.id,
            at=moment(row.moved),
            status=status_in(row.reason),
            text=row.reason,
        )
        for row in rows
        if "@" in row.recipient and has_code(row.reason)
    ]


#: Microseconds: an hour.
_OVERLAP = 3_600_000_000
