"""One controller at a time: claims that end with the process that holds them, in whatever way it ends.

Two on one state directory or one database would each believe to be the only writer.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from controller.errors import Fatal, Unreachable
from controller.storage.database import shown

LOCK: Final = "serve.lock"
# Any number that nobody else uses for advisory locks in this database.
_ADVISORY: Final = 0x76656465747465
_CONNECT_SECONDS: Final = 10
_KEEPALIVE_SECONDS: Final = 30


@contextmanager
def claimed(state: Path, url: str) -> Iterator[None]:
    """Inside, the state directory and the database are this process's. Fatal if another one has them."""
    database = make_url(url)
    with ExitStack() as held:
        advice = "give this one a state directory of its own with --state"
        held.enter_context(_file(state / LOCK, str(state), advice))
        advice = "name another database with --db"
        if database.get_backend_name() == "postgresql":
            held.enter_context(_advisory(database, advice))
        elif database.database and Path(database.database).parent.absolute() != state.absolute():
            path = Path(database.database)
            held.enter_context(_file(path.with_name(f"{path.name}.lock"), str(path), advice))
        yield


@contextmanager
def _file(path: Path, what: str, advice: str) -> Iterator[None]:
    """A lock on a file beside what it protects; its text is the number of the process that holds it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Fatal(f"Cannot write {path}: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise Fatal(_taken(f" (process {holder})", what, advice)) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise Fatal(f"Cannot write {path}: {error.strerror}.") from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory(url: URL, advice: str) -> Iterator[None]:
    """A lock in PostgreSQL, on a connection of its own: the server frees it when this process is gone."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": _CONNECT_SECONDS, "keepalives_idle": _KEEPALIVE_SECONDS},
    )
    with ExitStack() as held:
        held.callback(engine.dispose)
        try:
            connection = held.enter_context(engine.connect())
            query = text("SELECT pg_try_advisory_lock(:number)")
            is_ours = connection.execute(query, {"number": _ADVISORY}).scalar()
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0].rstrip(".")
            raise Unreachable(f"The database {shown(url)} cannot be used now: {reason}.") from error
        if not is_ours:
            raise Fatal(_taken("", f"the database {shown(url)}", advice))
        yield


def _taken(who: str, what: str, advice: str) -> str:
    return f"Another vedette serve{who} is using {what}: stop it first, or {advice}."
