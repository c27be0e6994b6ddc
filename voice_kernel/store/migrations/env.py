"""What Alembic runs a migration in: the connection, and the transaction, of whoever asked for it."""

from alembic import context

from voice_kernel.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
