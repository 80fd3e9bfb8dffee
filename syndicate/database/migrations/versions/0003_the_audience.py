"""The audience: subscribers, lists, consent, suppression; and which list and which reader a delivery is for."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TRACED = sa.text("ip != '' OR agent != ''")

#: Whoever is erased, or never confirmed, goes first; only then his consents may.
KEPT = """
CREATE TRIGGER consent_kept BEFORE DELETE ON consent WHEN EXISTS (SELECT 1 FROM subscriber WHERE id = old.subscriber)
BEGIN
    SELECT RAISE(ABORT, 'consent only grows');
END
"""
#: Address and program of a visit may be forgotten, and nothing else changed.
UNCHANGED = """
CREATE TRIGGER consent_unchanged BEFORE UPDATE ON consent
WHEN (old.id, old.subscriber, old.list, old.what, old.at, old.given)
  IS NOT (new.id, new.subscriber, new.list, new.what, new.at, new.given)
  OR (old.wording, old.source, old.evidence, old.actor) IS NOT (new.wording, new.source, new.evidence, new.actor)
  OR new.ip != '' OR new.agent != ''
BEGIN
    SELECT RAISE(ABORT, 'consent only grows');
END
"""
#: Whoever is erased is taken out of the reasons too, where servers have quoted the address; nothing else may change.
HISTORY = """
CREATE TRIGGER event_update BEFORE UPDATE ON event
WHEN (old.id, old.at, old.edition, old.delivery, old.what, old.actor)
  IS NOT (new.id, new.at, new.edition, new.delivery, new.what, new.actor) OR new.reason != 'erased'
BEGIN
    SELECT RAISE(ABORT, 'the history only grows');
END
"""
BASIS = """
CREATE TRIGGER member_{verb}_basis BEFORE {event} ON member WHEN new.state = 'active' AND NOT EXISTS (
    SELECT 1 FROM consent
    WHERE subscriber = new.subscriber AND list = new.list AND what IN ('confirmed', 'imported')
)
BEGIN
    SELECT RAISE(ABORT, 'nobody is active without consent');
END
"""


def text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="", **options)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def required(name: str, kind: type = sa.Text, **options: Any) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False, **options)


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def subscriber(**options: Any) -> sa.Column[int]:
    return sa.Column("subscriber", sa.Integer, sa.ForeignKey("subscriber.id"), nullable=False, **options)


def upgrade() -> None:
    op.add_column("edition", text("list"))
    op.add_column("delivery", number("reader"))
    people()
    consents()
    for statement in (
        "DROP TRIGGER event_update",
        HISTORY,
        KEPT,
        UNCHANGED,
        BASIS.format(verb="added", event="INSERT"),
        BASIS.format(verb="moved", event="UPDATE OF state"),
    ):
        op.execute(sa.text(statement))


def people() -> None:
    op.create_table(
        "subscriber",
        identity(),
        required("person", unique=True),
        required("address"),
        text("name"),
        sa.Column("fields", sa.Text),
        required("created", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table("list", identity(), required("name", unique=True), number("version"))
    op.create_table(
        "member",
        sa.Column("list", sa.Text, sa.ForeignKey("list.name"), primary_key=True, nullable=False),
        subscriber(primary_key=True),
        required("state"),
        required("joined", sa.BigInteger),
        required("moved", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("member_of", "member", ["subscriber"])
    op.create_index("member_state", "member", ["list", "state"])
    op.create_table("tag", subscriber(primary_key=True), required("name", primary_key=True), sqlite_with_rowid=False)
    op.create_index("tag_name", "tag", ["name"])


def consents() -> None:
    op.create_table("wording", required("sha256", primary_key=True), required("text"))
    op.create_table(
        "consent",
        identity(),
        sa.Column(
            "subscriber",
            sa.Integer,
            sa.ForeignKey("subscriber.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
        ),
        *(required(name) for name in ("list", "what")),
        *(required(name, sa.BigInteger) for name in ("at", "given")),
        *map(text, ("wording", "source", "evidence", "ip", "agent", "actor")),
    )
    op.create_index("consent_of", "consent", ["subscriber", "list"])
    op.create_index("consent_traced", "consent", ["at"], sqlite_where=TRACED, postgresql_where=TRACED)
    op.create_table(
        "suppression",
        *(required(name, primary_key=True) for name in ("person", "list")),
        required("reason"),
        text("source"),
        required("at", sa.BigInteger),
        text("actor"),
        sqlite_with_rowid=False,
    )
