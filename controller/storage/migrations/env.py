"""What Alembic runs: the migrations, over the connection that the caller opened."""

from alembic import context

from controller.storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
