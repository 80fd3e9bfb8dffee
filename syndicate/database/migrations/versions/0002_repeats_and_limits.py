"""Ids of uploaded files, so that a repeat has the same bytes; and what makes couriers wait: quotas, rests, retries."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="", **options)


def required(name: str, kind: type = sa.BigInteger, **options: Any) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, **options)


def upgrade() -> None:
    op.add_column("delivery", sa.Column("fills", sa.Text))
    op.add_column("edition", sa.Column("retries", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "quota",
        required("account", sa.Text, primary_key=True),
        text("domain", primary_key=True),
        required("span", primary_key=True),
        required("expires", primary_key=True),
        required("count"),
    )
    op.create_index("quota_expires", "quota", ["expires"])
    op.create_table(
        "rest",
        required("account", sa.Text, primary_key=True),
        text("domain", primary_key=True),
        required("until"),
        required("failures"),
        text("reason"),
    )
