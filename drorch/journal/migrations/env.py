"""Alembic's way in: the migrations run on the connection, and in the transaction, given to them."""

from alembic import context

from drorch.journal.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it, the revision included
)
context.run_migrations()
