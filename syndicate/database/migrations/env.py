"""Run by Alembic, over the connection and in the transaction of whoever opens the ledger."""

from alembic import context

from syndicate.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
