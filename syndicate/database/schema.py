"""The tables of the ledger. Times are integer microseconds since 1970 in UTC: exact, and ordered as numbers.

Triggers (written by the migrations) keep what no caller may forget: each move of a delivery is appended to `event`,
and `tally` counts the states of each edition, so that nothing ever counts a million rows to draw a progress bar.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from syndicate.database.columns import number, text
from syndicate.model import State

metadata = MetaData()


def _edition(**options: Any) -> Column[int]:
    return Column("edition", Integer, ForeignKey("edition.id"), nullable=False, **options)


edition = Table(
    "edition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("channel", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("occasion", BigInteger, nullable=False),
    text("title"),
    Column("state", Text, nullable=False),
    text("reason"),
    Column("entered", BigInteger, nullable=False),
    # since when it may be sent, by its entry or by a person's last word
    number("since"),
    text("actor"),
    text("sha256"),
    # what a person approves: fingerprints as JSON; empty where nobody has to
    text("plan"),
    # since a person last said `go on`
    number("retries"),
    # whose suppressions hold for its recipients; empty for posts
    text("list"),
)

# A table of its own: a change of state must not rewrite a picture, nor a list of editions read over one.
frozen = Table(
    "frozen",
    metadata,
    _edition(primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

edition_article = Table(
    "edition_article",
    metadata,
    _edition(primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("path", Text, nullable=False),
    text("sha256"),
    number("slug_given"),
    # another slug or path under which the article was seen later
    number("alias"),
    Index("edition_article_slug", "channel", "slug"),
    Index("edition_article_path", "channel", "path"),
)

tally = Table("tally", metadata, _edition(primary_key=True), *(number(state.value) for state in State))

delivery = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    _edition(index=True),
    Column("recipient", Text, nullable=False),
    text("name"),
    Column("fields", Text),
    Column("state", Text, nullable=False),
    number("attempt"),
    number("epoch"),
    number("due"),
    text("worker"),
    number("lease"),
    Column("doubted", BigInteger),
    text("sha256"),
    number("size"),
    text("receipt"),
    text("permalink"),
    text("reason"),
    number("moved"),
    text("actor"),
    Column("fills", Text),
    # `subscriber.id`; 0 for those of a file, and for posts
    number("reader"),
    # The recipient first: the same index answers "what did this reader ever get?".
    UniqueConstraint("recipient", "edition"),
)

left_out = Table(
    "left_out",
    metadata,
    Column("id", Integer, primary_key=True),
    _edition(index=True),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    _edition(),
    # Without a foreign key, which would be looked up for each of two moves of a million deliveries.
    Column("delivery", Integer),
    Column("what", Text, nullable=False),
    text("reason"),
    text("actor"),
    Index("event_story", "edition", "delivery"),
)

account_pause = Table(
    "account_pause",
    metadata,
    Column("name", Text, primary_key=True),
    text("reason"),
    text("hint"),
    Column("since", BigInteger, nullable=False),
)

# What the operator was told.
reminder = Table(
    "reminder",
    metadata,
    Column("fact", Text, primary_key=True, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What an account has begun lately: a row for each fiftieth of a span, which counts until it is out of the span.
quota = Table(
    "quota",
    metadata,
    Column("account", Text, primary_key=True, nullable=False),
    Column("domain", Text, primary_key=True, nullable=False, server_default=""),
    Column("span", BigInteger, primary_key=True, nullable=False),
    Column("expires", BigInteger, primary_key=True, nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("quota_expires", "expires"),
)

# An account, or one domain of its recipients, that is left alone for a while after failures.
rest = Table(
    "rest",
    metadata,
    Column("account", Text, primary_key=True, nullable=False),
    Column("domain", Text, primary_key=True, nullable=False, server_default=""),
    Column("until", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    text("reason"),
)


def _literal(state: State) -> object:
    return literal_column(f"'{state.value}'")


# SQLite uses a partial index only for a query that holds its condition word for word, so both are made from these.
WAITING = delivery.c.state.in_((_literal(State.PLANNED), _literal(State.DEFERRED)))
HELD = delivery.c.state == _literal(State.SENDING)
IN_DOUBT = delivery.c.state == _literal(State.UNKNOWN)
FAILED = delivery.c.state.in_((_literal(State.REFUSED), _literal(State.EXPIRED)))
OPEN = (tally.c.planned + tally.c.sending + tally.c.deferred) > literal_column("0")
DOUBTFUL = tally.c.unknown > literal_column("0")

Index("delivery_waiting", delivery.c.edition, delivery.c.due, sqlite_where=WAITING, postgresql_where=WAITING)
Index("delivery_held", delivery.c.worker, delivery.c.lease, sqlite_where=HELD, postgresql_where=HELD)
Index("delivery_failed", delivery.c.moved, sqlite_where=FAILED, postgresql_where=FAILED)
Index("delivery_in_doubt", delivery.c.edition, sqlite_where=IN_DOUBT, postgresql_where=IN_DOUBT)
Index("tally_open", tally.c.edition, sqlite_where=OPEN, postgresql_where=OPEN)
Index("tally_doubtful", tally.c.edition, sqlite_where=DOUBTFUL, postgresql_where=DOUBTFUL)
