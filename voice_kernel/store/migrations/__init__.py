"""The versions of the schema, for Alembic. Each is a step that keeps what is there."""
