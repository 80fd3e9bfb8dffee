"""The public pages: sign-ups that wait for their confirmation, and what the limits count."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def required(name: str, kind: type = sa.Text) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "signup",
        sa.Column("id", sa.Integer, primary_key=True),
        required("address"),
        required("lists"),
        required("asked", sa.BigInteger),
        *map(text, ("wording", "ip", "agent", "batch")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signup_batch", "signup", ["batch"])
    op.create_table(
        "tried", sa.Column("id", sa.Integer, primary_key=True), required("what"), required("at", sa.BigInteger)
    )
    op.create_index("tried_lately", "tried", ["what", "at"])
    op.create_index("tried_at", "tried", ["at"])
