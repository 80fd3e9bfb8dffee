"""The table of what comes back: each report is kept before anybody acts on it. Same `metadata` as the ledger's."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, literal_column

from syndicate.database.columns import number, text
from syndicate.database.schema import metadata

report = Table(
    "report",
    metadata,
    Column("id", Integer, primary_key=True),
    # key of the mailbox or webhook in the configuration; `session`: the ledger's own refusals
    Column("source", Text, nullable=False),
    # the source's name of the event: together they are one event, however often it comes
    Column("event", Text, nullable=False),
    # `model.feedback.ReportKind`
    Column("kind", Text, nullable=False),
    text("recipient"),
    text("mark"),
    text("receipt"),
    text("status"),
    text("text"),
    # when it happened, as the source says; 0: it does not say
    number("at"),
    Column("received", BigInteger, nullable=False),
    # SHA-256 of the body it came in, where no signature covers that
    text("sha256"),
    # as it came; emptied after a while
    Column("raw", LargeBinary, nullable=False, server_default=""),
    # `new` until it was acted on, then `done`; `parked`: nothing to act on
    Column("state", Text, nullable=False),
    # when to look again for the delivery of a `new` one
    number("due"),
    # what was done, or why nothing
    text("note"),
    # row of the ledger and the person behind it, once that is known beyond doubt; 0 and empty until then
    number("delivery"),
    number("edition"),
    text("person"),
    UniqueConstraint("source", "event"),
)

# SQLite uses a partial index only for a query that holds its condition word for word.
TO_DO = report.c.state == literal_column("'new'")
KEPT = report.c.raw != literal_column("''")
NAMED = report.c.person != literal_column("''")
COMPLAINED = report.c.kind == literal_column("'complaint'")

Index("report_to_do", report.c.due, sqlite_where=TO_DO, postgresql_where=TO_DO)
Index("report_kept", report.c.received, sqlite_where=KEPT, postgresql_where=KEPT)
Index("report_person", report.c.person, sqlite_where=NAMED, postgresql_where=NAMED)
Index("report_complained", report.c.edition, sqlite_where=COMPLAINED, postgresql_where=COMPLAINED)
