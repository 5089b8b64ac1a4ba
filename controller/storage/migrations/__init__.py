"""Alembic migrations: run by controller.storage.schema, packaged with it."""
