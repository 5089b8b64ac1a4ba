"""The databases that the suite runs on: SQLite in memory, SQLite on disk, PostgreSQL."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from controller.storage.database import SqlStorage, open_storage
from tests.fakes.postgres import postgres_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return _empty_database(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def kept_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database that outlives its connection."""
    return _empty_database(request, tmp_path)


def _empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "memory":
        return "sqlite://"
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'vedette.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.format(database="postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server.format(database=name)


@pytest.fixture
def storage(url: str) -> Iterator[SqlStorage]:
    opened = open_storage(url)
    yield opened
    opened.close()
