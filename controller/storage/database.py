"""Opening a database by URL, and transactions in it. SQLite and PostgreSQL."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from controller.errors import BadInput, ControllerError, Fatal, Unreachable, Unstorable, Unsynced
from controller.ports.leaves import Notary
from controller.storage import schema
from controller.storage.claim_ledger import ClaimRows
from controller.storage.custody import CustodyRows
from controller.storage.deliveries import DeliveryRows
from controller.storage.events import EventRows
from controller.storage.evidence import EvidenceRows
from controller.storage.exclusions import ExclusionRows
from controller.storage.fleet import FleetRows
from controller.storage.holds import HoldRows
from controller.storage.incidents import IncidentRows
from controller.storage.issued import IssuedRows
from controller.storage.names import Names
from controller.storage.outcomes import OutcomeRows
from controller.storage.postings import PostingRows
from controller.storage.pruned import PrunedRows
from controller.storage.recorded import RecordedRows
from controller.storage.registry import RegistryRows
from controller.storage.remarks import RemarkRows
from controller.storage.sampled import SampledRows
from controller.storage.seals import SealRows
from controller.storage.sla_events import SlaEventRows
from controller.storage.told import ToldRows
from controller.storage.witnesses import WitnessRows

_BUSY_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 10
_SQLITE: Final = "sqlite"
_POSTGRES: Final = "postgresql"
_UNSYNCED: Final = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")
_EXPECTED: Final = "expected a database as sqlite:///PATH or postgresql://USER@HOST/NAME"


class SqlTransaction(
    EvidenceRows,
    SampledRows,
    SealRows,
    RegistryRows,
    CustodyRows,
    PostingRows,
    FleetRows,
    OutcomeRows,
    IncidentRows,
    EventRows,
    DeliveryRows,
    RemarkRows,
    IssuedRows,
    RecordedRows,
    SlaEventRows,
    ExclusionRows,
    ClaimRows,
    ToldRows,
    PrunedRows,
    HoldRows,
    WitnessRows,
):
    """controller.ports.Transaction over SQL."""


class SqlStorage:
    """controller.ports.Storage over SQL. Used by one thread at a time."""

    def __init__(self, engine: Engine, notary: Notary | None = None) -> None:
        self._engine = engine
        self._names = Names()
        self._notary = notary
        self._unsynced: Unsynced | None = None

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """A transaction: committed durably at the end of the block, rolled back on an exception.

        Unreachable if the database cannot be used now (locked, full, gone): later it may work.
        Fatal if it is damaged, or if the disk did not confirm a commit: then nothing is written any more, because
        a second try may seem to succeed although the first one's pages are lost.
        """
        if self._unsynced is not None:
            raise self._unsynced
        is_committed = False
        try:
            with _translated(self._engine.url), self._engine.begin() as connection:
                yield SqlTransaction(connection, self._names, self._notary)
            is_committed = True
        except Unsynced as error:
            self._unsynced = error
            raise
        finally:
            if not is_committed:
                self._names.forget()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def open_storage(url: str, *, is_new: bool = True, notary: Notary | None = None) -> SqlStorage:
    """The storage behind `url`; an empty database gets its tables, unless it should not be empty.

    With a notary, what is written is entered in the log as well.

    A database of another version is not touched: a newer one is Fatal, and for an older one the person
    is told to run `vedette db upgrade`. It is not upgraded by starting the server, because going back
    needs the backup that a person makes before.
    """
    engine = engine_for(url)
    try:
        with _translated(engine.url):
            state = schema.state_of(engine)
            if state is schema.State.EMPTY and is_new:
                schema.upgrade(engine)
            elif state is not schema.State.CURRENT:
                raise Fatal(schema.advice(state, shown(engine.url)))
    except ControllerError:
        engine.dispose()
        raise
    return SqlStorage(engine, notary)


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring a database to this version. Gives the revisions before and after; equal: nothing to do."""
    engine = engine_for(url)
    try:
        with _translated(engine.url):
            state = schema.state_of(engine)
            if state in (schema.State.NEWER, schema.State.FOREIGN):
                raise Fatal(schema.advice(state, shown(engine.url)))
            before = schema.revision_of(engine)
            schema.upgrade(engine)
            return before, schema.newest_revision()
    finally:
        engine.dispose()


def check(url: str) -> schema.State:
    """How the database stands to this software. Changes nothing."""
    engine = engine_for(url)
    try:
        with _translated(engine.url):
            return schema.state_of(engine)
    finally:
        engine.dispose()


def backup(url: str, path: Path) -> None:
    """Copy a SQLite database to a new file, consistently, while it may be in use."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != _SQLITE:
        raise BadInput("Only a SQLite database is backed up here; use pg_dump for PostgreSQL.")
    source = Path(parsed.database or "")
    if not source.is_file():
        raise BadInput(f"There is no database file {source} to back up.")
    if path.exists():
        raise BadInput(f"{path} exists already; a backup overwrites nothing. Name another file.")
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(path)) as new:
            old.backup(new)
    except (sqlite3.Error, OSError) as error:
        path.unlink(missing_ok=True)
        raise Unreachable(f"Could not back up {source} to {path}: {error}.") from error


def shown(url: URL) -> str:
    """The URL for people: without a password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def engine_for(url: str) -> Engine:
    """An engine with one connection, which is how SQLite is used and all that one writer needs."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == _POSTGRES:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _CONNECT_SECONDS},
        )
        event.listen(engine, "connect", _prepare_postgres)
        return engine
    engine = create_engine(
        parsed.set(drivername="sqlite+pysqlite"),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(f"{url!r} is not a database: {_EXPECTED}.") from error
    if parsed.get_backend_name() not in (_SQLITE, _POSTGRES):
        raise BadInput(f"{parsed.get_backend_name()!r} is not a known database: {_EXPECTED}.")
    return parsed


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """WAL and full sync: a commit is on the disk. Transactions are begun by us, not guessed."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-65536",
        "wal_autocheckpoint=4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgres(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """A commit is on the disk, whatever the server was told: what is acknowledged or signed must outlive a crash."""
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if cursor.fetchone() == ("off",):
        cursor.execute("SET synchronous_commit TO on")
    cursor.close()
    connection.commit()


@contextmanager
def _translated(url: URL) -> Iterator[None]:
    """The driver's errors as ours: what may pass is Unreachable, what will not is Fatal.

    Unstorable is what only this transaction asked for and no database would take.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if getattr(error.orig, "sqlite_errorname", "") in _UNSYNCED:
            raise Unsynced(
                f"The disk under the database {shown(url)} did not confirm what was written to it"
                f" ({_reason(error)}). Check the disk, then start again: whatever was acknowledged is there."
            ) from error
        raise Unreachable(
            f"The database {shown(url)} cannot be used now: {_reason(error)}."
        ) from error
    except (IntegrityError, DataError) as error:
        raise Unstorable(
            f"The database {shown(url)} does not take this: {_reason(error)}."
        ) from error
    except zlib.error as error:
        raise Fatal(
            f"The database {shown(url)} is damaged: what was packed in it cannot be unpacked ({error})."
            " `vedette db check` says where; restore the last good backup."
        ) from error
    except DBAPIError as error:
        raise Fatal(f"The database {shown(url)} is not usable: {_reason(error)}.") from error


def _reason(error: DBAPIError) -> str:
    text = str(error.orig).strip().splitlines()
    return text[0].rstrip(".") if text else type(error.orig).__name__
