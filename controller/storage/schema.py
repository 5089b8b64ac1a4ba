"""The version of a database's tables, by Alembic migrations that are part of the package."""

from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_VERSION_TABLE: Final = "alembic_version"


class State(StrEnum):
    """How a database stands to this software."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"


def newest_revision() -> str:
    """The revision that this software works with."""
    revision = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    assert revision is not None
    return revision


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at, or None if it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def state_of(engine: Engine) -> State:
    """How the database stands to this software. Changes nothing."""
    revision = revision_of(engine)
    if revision is None:
        tables = set(inspect(engine).get_table_names()) - {_VERSION_TABLE}
        return State.FOREIGN if tables else State.EMPTY
    known = {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
    if revision not in known:
        return State.NEWER
    return State.CURRENT if revision == newest_revision() else State.OLDER


def advice(state: State, database: str) -> str:
    """What a person should know and do about a database in that state."""
    match state:
        case State.NEWER:
            return (
                f"The database {database} is of a newer version than this software; it was not "
                "touched. Run the newer version, or restore the backup made before its upgrade."
            )
        case State.OLDER:
            return (
                f"The database {database} is of an older version. Make a backup (vedette db backup), "
                "then run `vedette db upgrade`."
            )
        case State.FOREIGN:
            return (
                f"The database {database} holds tables but is not Vedette's; it was not touched. "
                "Name an empty database."
            )
        case State.EMPTY:
            return (
                f"The database {database} is empty. If it held results before, restore its backup; "
                "for a new one, `vedette db upgrade` makes the tables."
            )
        case State.CURRENT:
            return f"The database {database} is of this software's version."
        case _:
            assert_never(state)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the migrations after `revision` back, in one transaction; what only they know is lost."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
