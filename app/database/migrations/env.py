"""Alembic's entry point: migrations run on the connection that app.database.schema hands over."""

from __future__ import annotations

from alembic import context

from app.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
