"""The tables of the audience: who may be mailed, on which lists, by which consent, and who not. Same `metadata` as the
ledger's.

Three triggers (written by the migration) keep what no caller may forget: `consent` only grows, until the subscriber
himself is gone; and nobody becomes `active` on a list without a confirmed or documented consent to it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, literal_column, or_

from syndicate.database.columns import number, text
from syndicate.database.schema import metadata

#: What starts the `person` of a suppression whose subscriber was erased; no address has a colon before its @.
ERASED = "hmac:"


subscriber = Table(
    "subscriber",
    metadata,
    # `reader` in tokens and deliveries, which live for ever: a number is never given twice, hence AUTOINCREMENT.
    Column("id", Integer, primary_key=True),
    # `audience.addresses.unique(address)`
    Column("person", Text, nullable=False, unique=True),
    Column("address", Text, nullable=False),
    text("name"),
    # JSON object of texts, as `delivery.fields`
    Column("fields", Text),
    Column("created", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# A list gets its number with its first member; tokens name it by that.
lists = Table(
    "list",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # grows with every change that may bring somebody into an edition
    number("version"),
)

member = Table(
    "member",
    metadata,
    # The list first: its members lie together, in the order in which an edition takes them.
    Column("list", Text, ForeignKey("list.name"), primary_key=True, nullable=False),
    Column("subscriber", Integer, ForeignKey("subscriber.id"), primary_key=True, nullable=False),
    # `model.people.Standing`
    Column("state", Text, nullable=False),
    # since when somebody is active; before that, since when he has asked to be
    Column("joined", BigInteger, nullable=False),
    # last change of state
    Column("moved", BigInteger, nullable=False),
    Index("member_of", "subscriber"),
    Index("member_state", "list", "state"),
    sqlite_with_rowid=False,
)

tag = Table(
    "tag",
    metadata,
    Column("subscriber", Integer, ForeignKey("subscriber.id"), primary_key=True, nullable=False),
    # in lower case
    Column("name", Text, primary_key=True, nullable=False),
    Index("tag_name", "name"),
    sqlite_with_rowid=False,
)

# What people were shown when they said yes: a few texts, and a million who saw each.
wording = Table(
    "wording",
    metadata,
    Column("sha256", Text, primary_key=True, nullable=False),
    Column("text", Text, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("id", Integer, primary_key=True),
    # Deferred: whoever is erased goes first, which lets his consents go.
    Column("subscriber", Integer, ForeignKey("subscriber.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("list", Text, nullable=False),
    # `model.people.Said`
    Column("what", Text, nullable=False),
    # when it was written down
    Column("at", BigInteger, nullable=False),
    # when the person said it: earlier than `at` for an import
    Column("given", BigInteger, nullable=False),
    text("wording"),
    text("source"),
    text("evidence"),
    text("ip"),
    text("agent"),
    text("actor"),
    Index("consent_of", "subscriber", "list"),
)

suppression = Table(
    "suppression",
    metadata,
    # as `subscriber.person`, or `hmac:` and a keyed hash for the erased
    Column("person", Text, primary_key=True, nullable=False),
    # empty: every list
    Column("list", Text, primary_key=True, nullable=False),
    Column("reason", Text, nullable=False),
    text("source"),
    Column("at", BigInteger, nullable=False),
    text("actor"),
    sqlite_with_rowid=False,
)

# Traces of a visit have to go after a while: the index holds those that there are.
TRACED = or_(consent.c.ip != literal_column("''"), consent.c.agent != literal_column("''"))

Index("consent_traced", consent.c.at, sqlite_where=TRACED, postgresql_where=TRACED)
