"""The inbox of bounces, complaints and providers' events; and the refusals of the ledger by time."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TO_DO = sa.text("state = 'new'")
KEPT = sa.text("raw != ''")
NAMED = sa.text("person != ''")
COMPLAINED = sa.text("kind = 'complaint'")
FAILED = sa.text("state IN ('refused', 'expired')")


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def required(name: str, kind: type = sa.Text) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("id", sa.Integer, primary_key=True),
        *(required(name) for name in ("source", "event", "kind")),
        *map(text, ("recipient", "mark", "receipt", "status", "text")),
        number("at"),
        required("received", sa.BigInteger),
        text("sha256"),
        sa.Column("raw", sa.LargeBinary, nullable=False, server_default=""),
        required("state"),
        number("due"),
        text("note"),
        *map(number, ("delivery", "edition")),
        text("person"),
        sa.UniqueConstraint("source", "event"),
    )
    index("report_to_do", "report", "due", TO_DO)
    index("report_kept", "report", "received", KEPT)
    index("report_person", "report", "person", NAMED)
    index("report_complained", "report", "edition", COMPLAINED)
    index("delivery_failed", "delivery", "moved", FAILED)


def index(name: str, table: str, column: str, where: Any) -> None:
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
