"""Opening, upgrading and backing up: every database that does not fit is told apart, in one sentence."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import OperationalError

from controller.errors import BadInput, ControllerError, Fatal, Unreachable, Unsynced
from controller.ports.agents import AgentRecord
from controller.storage import database, schema
from controller.storage.database import backup, check, open_storage, upgrade
from controller.storage.tables import Row

AGENT = AgentRecord("fra-1", "fra", "box", 1, b"k", b"s", "0a", None, 2)


def execute(url: str, *statements: str) -> None:
    engine = database.engine_for(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_migrations_make_the_tables_that_the_models_say(url: str) -> None:
    engine = database.engine_for(url)
    schema.upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []
    engine.dispose()


def test_migrations_can_be_taken_back(kept_url: str) -> None:
    open_storage(kept_url).close()
    engine = database.engine_for(kept_url)
    schema.downgrade(engine, "base")
    assert schema.state_of(engine) is schema.State.EMPTY
    engine.dispose()


def test_an_empty_database_gets_its_tables_when_it_is_opened(kept_url: str) -> None:
    assert check(kept_url) is schema.State.EMPTY
    with open_storage(kept_url).transaction() as tx:
        tx.put_agent(AGENT)
    assert check(kept_url) is schema.State.CURRENT
    with open_storage(kept_url).transaction() as tx:
        assert tx.agents() == [AGENT]
    assert upgrade(kept_url) == (schema.newest_revision(), schema.newest_revision())


def test_a_newer_database_is_refused_and_not_touched(kept_url: str) -> None:
    open_storage(kept_url).close()
    execute(kept_url, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (open_storage, upgrade):
        with pytest.raises(
            Fatal, match="of a newer version than this software; it was not touched"
        ):
            attempt(kept_url)
    assert check(kept_url) is schema.State.NEWER


def test_an_older_database_is_upgraded_by_a_person_only(
    kept_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage(kept_url).close()
    monkeypatch.setattr(schema, "newest_revision", lambda: "9998")
    with pytest.raises(Fatal, match="run `vedette db upgrade`"):
        open_storage(kept_url)
    assert check(kept_url) is schema.State.OLDER


def test_a_strangers_database_is_refused_and_not_touched(kept_url: str) -> None:
    execute(kept_url, "CREATE TABLE theirs (id INTEGER)")
    for attempt in (open_storage, upgrade):
        with pytest.raises(Fatal, match="is not Vedette's; it was not touched"):
            attempt(kept_url)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("vedette.db", BadInput, "'vedette.db' is not a database: expected a database as sqlite"),
        ("mysql://root@localhost/x", BadInput, "'mysql' is not a known database: expected"),
        ("sqlite:////no/such/folder/x.db", Unreachable, "unable to open database file"),
        ("postgresql://nobody@127.0.0.1:1/x", Unreachable, "cannot be used now"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(
    url: str, kind: type[ControllerError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        open_storage(url)
    assert "\n" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(Unreachable) as caught:
        open_storage("postgresql://nobody:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)
    assert "postgresql://nobody:***@127.0.0.1:1/x" in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be looked at as one\n" * 100)
    with pytest.raises(Fatal, match="file is not a database"):
        open_storage(f"sqlite:///{file}")


def test_a_locked_database_may_be_free_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.0)
    file = tmp_path / "v.db"
    storage = open_storage(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable, match="database is locked"), storage.transaction():
        pass
    other.execute("ROLLBACK")
    other.close()
    with storage.transaction() as tx:
        tx.put_agent(AGENT)
    storage.close()


def test_a_full_database_keeps_what_it_has_and_goes_on_with_room(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path / 'v.db'}")

    def set_page_limit(pages: int) -> None:
        with storage._engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def fill(agent: str) -> None:
        with storage.transaction() as tx:
            tx.put_agent(AgentRecord(agent, "fra", "x" * 1_000_000, 1, b"", b"", "", None, 2))

    fill("small-1")
    set_page_limit(1)
    with pytest.raises(Unreachable, match="database or disk is full"):
        fill("small-2")
    set_page_limit(1_000_000)
    fill("small-3")
    with storage.transaction() as tx:
        assert [agent.id for agent in tx.agents()] == ["small-1", "small-3"]
    storage.close()


def test_sqlite_is_durable_at_every_commit(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path / 'v.db'}")
    with storage._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    storage.close()


def test_postgres_is_durable_at_every_commit_whatever_the_server_says(postgres: str) -> None:
    with psycopg.connect(postgres.format(database="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE careless")
        connection.execute("ALTER DATABASE careless SET synchronous_commit TO off")
    storage = open_storage(postgres.format(database="careless"))
    with storage._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    storage.close()


def test_nothing_is_written_after_a_commit_that_the_disk_did_not_confirm() -> None:
    storage = open_storage("sqlite://")
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    with pytest.raises(Unsynced, match="did not confirm"), storage.transaction():
        raise OperationalError("COMMIT", {}, failed)
    with pytest.raises(Unsynced, match="start again"), storage.transaction() as tx:
        tx.put_agent(AGENT)
    storage.close()


def test_postgres_goes_on_after_its_connection_was_cut(postgres: str) -> None:
    main = postgres.format(database="postgres")
    with psycopg.connect(main, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cut")
    storage = open_storage(postgres.format(database="cut"))

    def cut_in_the_middle() -> None:
        with storage.transaction() as tx:
            tx.put_agent(AGENT)
            with psycopg.connect(main, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'"
                )

    with pytest.raises(Unreachable, match="cannot be used now"):
        cut_in_the_middle()
    with storage.transaction() as tx:
        assert tx.agents() == []
        tx.put_agent(AGENT)
    storage.close()


def test_a_backup_is_a_whole_database(tmp_path: Path, storage_with_an_agent: str) -> None:
    copy = tmp_path / "copy.db"
    backup(storage_with_an_agent, copy)
    with open_storage(f"sqlite:///{copy}").transaction() as tx:
        assert tx.agents() == [AGENT]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://a@b/c", "use pg_dump for PostgreSQL"),
        ("sqlite:///nothing-here.db", "There is no database file nothing-here.db"),
    ],
)
def test_what_cannot_be_backed_up(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        backup(url, tmp_path / "copy.db")


def test_a_backup_overwrites_nothing(tmp_path: Path, storage_with_an_agent: str) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    with pytest.raises(BadInput, match="a backup overwrites nothing"):
        backup(storage_with_an_agent, copy)
    assert copy.read_text() == "precious"
    with pytest.raises(Unreachable, match="Could not back up"):
        backup(storage_with_an_agent, tmp_path / "no" / "folder.db")


@pytest.fixture
def storage_with_an_agent(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'v.db'}"
    storage = open_storage(url)
    with storage.transaction() as tx:
        tx.put_agent(AGENT)
    storage.close()
    return url
