"""The tables of the public pages: who asked to be signed up and was not dealt with yet, and what was tried lately.

Same `metadata` as the ledger's. Both are forgotten soon.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from syndicate.database.columns import text
from syndicate.database.schema import metadata

# A row lives until the mail that asks for confirmation is in the ledger, or it is clear that there will be none.
signup = Table(
    "signup",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    # names with a blank between them
    Column("lists", Text, nullable=False),
    Column("asked", BigInteger, nullable=False),
    # what the visitor was shown
    text("wording"),
    text("ip"),
    text("agent"),
    # whose mail asks them: number of the batch, a blank, and the account; empty until that is decided
    Column("batch", Text, nullable=False, server_default="", index=True),
    # a batch is named by its first row, and the ledger knows all batches there ever were
    sqlite_autoincrement=True,
)

# For the limits: one row for each thing that counts, under a keyed hash.
tried = Table(
    "tried",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("what", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("tried_lately", "what", "at"),
    Index("tried_at", "at"),
)
