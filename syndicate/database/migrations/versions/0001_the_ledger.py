"""Editions, their articles and deliveries, what was left out, and the history that only grows."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

STATES = ("planned", "sending", "sent", "refused", "deferred", "unknown", "skipped", "cancelled", "expired")
WAITING = sa.text("state IN ('planned', 'deferred')")
HELD = sa.text("state = 'sending'")
IN_DOUBT = sa.text("state = 'unknown'")
OPEN = sa.text("planned + sending + deferred > 0")
DOUBTFUL = sa.text("unknown > 0")

STORY = """
CREATE TRIGGER delivery_story AFTER UPDATE OF state ON delivery BEGIN
    INSERT INTO event (at, edition, delivery, what, reason, actor)
    VALUES (new.moved, new.edition, new.id, old.state || ' -> ' || new.state, new.reason, new.actor);
END
"""
TALLY = f"""
CREATE TRIGGER delivery_tally AFTER UPDATE OF state ON delivery BEGIN
    UPDATE tally SET {", ".join(f"{s} = {s} - (old.state = '{s}') + (new.state = '{s}')" for s in STATES)}
    WHERE edition = new.edition;
END
"""
APPEND_ONLY = """
CREATE TRIGGER event_{verb} BEFORE {verb} ON event BEGIN
    SELECT RAISE(ABORT, 'the history only grows');
END
"""


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def required(name: str, kind: type = sa.Text) -> sa.Column[object]:
    return sa.Column(name, kind, nullable=False)


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def edition(**options: Any) -> sa.Column[int]:
    return sa.Column("edition", sa.Integer, sa.ForeignKey("edition.id"), nullable=False, **options)


def upgrade() -> None:
    editions()
    deliveries()
    histories()


def editions() -> None:
    op.create_table(
        "edition",
        identity(),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        *(required(name) for name in ("channel", "kind", "account")),
        required("occasion", sa.BigInteger),
        text("title"),
        required("state"),
        text("reason"),
        required("entered", sa.BigInteger),
        number("since"),
        text("actor"),
        text("sha256"),
        text("plan"),
    )
    op.create_index("ix_edition_channel", "edition", ["channel"])
    op.create_table("frozen", edition(primary_key=True), required("data", sa.LargeBinary))
    op.create_table(
        "edition_article",
        edition(primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *(required(name) for name in ("channel", "slug", "path")),
        text("sha256"),
        number("slug_given"),
        number("alias"),
    )
    op.create_index("edition_article_slug", "edition_article", ["channel", "slug"])
    op.create_index("edition_article_path", "edition_article", ["channel", "path"])
    op.create_table("tally", edition(primary_key=True), *map(number, STATES))
    op.create_index("tally_open", "tally", ["edition"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("tally_doubtful", "tally", ["edition"], sqlite_where=DOUBTFUL, postgresql_where=DOUBTFUL)


def deliveries() -> None:
    op.create_table(
        "delivery",
        identity(),
        edition(),
        required("recipient"),
        text("name"),
        sa.Column("fields", sa.Text),
        required("state"),
        *map(number, ("attempt", "epoch", "due")),
        text("worker"),
        number("lease"),
        sa.Column("doubted", sa.BigInteger),
        text("sha256"),
        number("size"),
        *map(text, ("receipt", "permalink", "reason")),
        number("moved"),
        text("actor"),
        sa.UniqueConstraint("recipient", "edition"),
    )
    op.create_index("ix_delivery_edition", "delivery", ["edition"])
    op.create_index("delivery_waiting", "delivery", ["edition", "due"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index("delivery_held", "delivery", ["worker", "lease"], sqlite_where=HELD, postgresql_where=HELD)
    op.create_index("delivery_in_doubt", "delivery", ["edition"], sqlite_where=IN_DOUBT, postgresql_where=IN_DOUBT)
    op.create_table(
        "account_pause",
        sa.Column("name", sa.Text, primary_key=True),
        text("reason"),
        text("hint"),
        required("since", sa.BigInteger),
    )
    op.create_table(
        "reminder",
        sa.Column("fact", sa.Text, primary_key=True, nullable=False),
        required("at", sa.BigInteger),
    )


def histories() -> None:
    op.create_table("left_out", identity(), edition(), *(required(name) for name in ("kind", "who", "reason")))
    op.create_index("ix_left_out_edition", "left_out", ["edition"])
    op.create_table(
        "event",
        identity(),
        required("at", sa.BigInteger),
        edition(),
        sa.Column("delivery", sa.Integer),
        required("what"),
        text("reason"),
        text("actor"),
    )
    op.create_index("event_story", "event", ["edition", "delivery"])
    for statement in (STORY, TALLY, *(APPEND_ONLY.format(verb=verb) for verb in ("update", "delete"))):
        op.execute(sa.text(statement))
