"""The composition: which concrete parts make a controller, and how it starts and stops."""

import asyncio
import datetime as dt
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from controller.config import Address, ServeConfig
from controller.errors import BadInput, ControllerError
from controller.identity.authority import Authority, fingerprint, new_issuing, new_root
from controller.identity.files import ROOT_KEY, Settings, StateDirectory
from controller.identity.roles import Role
from controller.rpc.agents_listener import SessionServicer
from controller.rpc.confirm import Confirmation
from controller.rpc.fleet import FleetServicer
from controller.rpc.gate import Gate
from controller.rpc.listeners import agents_listener, people_listener
from controller.rpc.outage import OutageServicer
from controller.rpc.people_listener import (
    AccessServicer,
    AgentServicer,
    EnrolServicer,
    Whereabouts,
)
from controller.rpc.session import SessionParts
from controller.rpc.sessions import Sessions
from controller.rpc.tls import ServerCertificate
from controller.services.access import ADMIN_TOKEN_TTL_US, Access
from controller.services.agents import Agents
from controller.services.apply import Fleets
from controller.services.checks import Checks
from controller.services.enrol import Enrolment
from controller.services.evaluate import Evaluator
from controller.services.ingest import Ingest
from controller.services.outages import Outages
from controller.services.worker import StorageWorker
from controller.storage import database
from controller.storage.schema import State, advice
from vedette.shared.identity import agent_of_uri, agent_uri

DRAIN_SECONDS_MAX: Final = 5.0
CALLS_SECONDS_MAX: Final = 2.0
CERTIFICATE_CHECK_SECONDS: Final = 3600.0
_HOST_NAME: Final = re.compile(
    r"[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:.]{2,45}"
)
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")

log = logging.getLogger(__name__)


def wall_us() -> int:
    """The machine's wall clock, microseconds since the Unix epoch."""
    return time.time_ns() // 1000


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# --- on the controller's machine, without a server


@dataclass(frozen=True, slots=True)
class Initialised:
    """What init made. The token is not kept anywhere."""

    ca_sha256: str
    root_key: Path
    database: str
    names: Sequence[str]
    admin_token: str = field(repr=False)
    admin_token_expires_us: int


def initialise(
    *,
    state: Path,
    database_url: str | None,
    names: Sequence[str],
    organisation: str,
    root_key: Path | None,
) -> Initialised:
    """Make a controller's identity, its database and the first admin token. Overwrites nothing."""
    _refuse_bad_names(names, organisation)
    directory = StateDirectory(state)
    root_key = root_key or state / ROOT_KEY
    directory.prepare(root_key)
    settings = Settings(organisation, list(dict.fromkeys([*names, *_LOCAL_NAMES])))
    now = _now()
    root = new_root(organisation, now)
    issuing = new_issuing(root, organisation, now)
    url = database_url or directory.database_url
    with _private_files(), _storage(url) as storage:
        token, expires_us = Access(storage, wall_us).create_token(
            "admin", Role.ADMIN, ADMIN_TOKEN_TTL_US
        )
        directory.save_identity(settings, root, issuing, root_key)
    return Initialised(
        ca_sha256=fingerprint(root.certificate),
        root_key=root_key,
        database=database.shown(make_url(url)),
        names=settings.names,
        admin_token=token,
        admin_token_expires_us=expires_us,
    )


def create_person_token(
    *, state: Path, database_url: str | None, name: str, role: Role, ttl_us: int
) -> tuple[str, int]:
    """(token, expiry) of a new token for a person, made in the database of this machine."""
    with _storage(_database_of(state, database_url)) as storage:
        return Access(storage, wall_us).create_token(name, role, ttl_us)


def upgrade_database(state: Path, database_url: str | None) -> tuple[str | None, str]:
    """Bring the database to this version; the revisions before and after."""
    return database.upgrade(_database_of(state, database_url))


def check_database(state: Path, database_url: str | None) -> tuple[bool, str, str]:
    """(fits this version, its state in a word, what to know and do)."""
    url = _database_of(state, database_url)
    found = database.check(url)
    return (
        found is State.CURRENT,
        found.value,
        advice(found, database.shown(make_url(url))),
    )


def backup_database(state: Path, database_url: str | None, path: Path) -> None:
    """Copy a SQLite database to a new file."""
    with _private_files():
        database.backup(_database_of(state, database_url), path)


def _database_of(state: Path, database_url: str | None) -> str:
    directory = StateDirectory(state)
    if database_url is None:
        directory.settings()
    return database_url or directory.database_url


@contextmanager
def _private_files() -> Iterator[None]:
    """Files that others make for us (the database) are for their owner only, too."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _storage(url: str) -> Iterator[database.SqlStorage]:
    storage = database.open_storage(url)
    try:
        yield storage
    finally:
        storage.close()


def _refuse_bad_names(names: Sequence[str], organisation: str) -> None:
    if agent_of_uri(agent_uri(organisation, "a"), organisation) is None:
        raise BadInput(
            "Expected an organisation of lower-case letters, digits, '.' and '-', found"
            f" {organisation!r}."
        )
    for name in names:
        if _HOST_NAME.fullmatch(name) is None:
            raise BadInput(f"Expected a host name or an IP address, found {name!r}.")


# --- the server


async def serve(
    config: ServeConfig, announce: Callable[[str], None], stop: asyncio.Event | None = None
) -> None:
    """Run a controller until `stop`, or SIGTERM or SIGINT. ControllerError in one sentence if it cannot.

    `announce` gets one line for each listener once it takes connections.
    """
    directory = StateDirectory(config.state)
    settings = directory.settings()
    if config.public_host is not None:
        _refuse_bad_names([config.public_host], settings.organisation)
    worker = StorageWorker()
    try:
        with _private_files():
            storage = database.open_storage(config.database_url or directory.database_url)
        try:
            await _Controller(config, directory, settings, storage, worker).run(
                announce, stop or _told_to_stop()
            )
        finally:
            worker.close()
            storage.close()
    except BaseExceptionGroup as group:
        raise _reason(group) from group
    finally:
        worker.close()


def _told_to_stop() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of what went wrong at once, the error that a person can read; otherwise everything."""
    error: BaseException = group.subgroup(ControllerError) or group
    while isinstance(error, BaseExceptionGroup) and error is not group:
        error = error.exceptions[0]
    return error


class _Controller:
    """Everything that runs, wired."""

    def __init__(
        self,
        config: ServeConfig,
        directory: StateDirectory,
        settings: Settings,
        storage: database.SqlStorage,
        worker: StorageWorker,
    ) -> None:
        authority = directory.authority()
        self._worker = worker
        self._sessions = Sessions()
        self._evaluator = Evaluator(storage)
        self._fleets = Fleets(storage, self._evaluator, wall_us)
        self._confirmation = Confirmation(worker, self._fleets, self._sessions)
        self._ingest = Ingest(
            worker, self._evaluator, wall_us, on_first_failure=self._confirmation.ask
        )
        agents = Agents(storage, wall_us)
        enrolment = Enrolment(storage, authority, wall_us)
        names = [*([config.public_host] if config.public_host else []), *settings.names]
        self._certificate = ServerCertificate(authority, directory, names, _now)
        parts = SessionParts(worker, agents, self._fleets, enrolment, self._ingest, wall_us)
        self._agents_listener = agents_listener(
            config.agents_address,
            self._certificate,
            SessionServicer(parts, self._sessions, authority.organisation),
        )
        self._people_listener = people_listener(
            config.people_address,
            self._certificate,
            Gate(Access(storage, wall_us), worker),
            self._people(storage, agents, enrolment, authority, names[0]),
        )

    def _people(
        self,
        storage: database.SqlStorage,
        agents: Agents,
        enrolment: Enrolment,
        authority: Authority,
        host: str,
    ) -> Sequence[object]:
        whereabouts = Whereabouts(
            ca_pem=authority.root_pem,
            version=version("vedette"),
            enrol_address=lambda: str(Address(host, self._people_listener.address.port)),
            session_address=lambda: str(Address(host, self._agents_listener.address.port)),
        )
        worker, fleets, sessions = self._worker, self._fleets, self._sessions
        checks = Checks(storage, fleets, self._evaluator, wall_us)
        outages = Outages(storage, self._evaluator, wall_us)
        return (
            EnrolServicer(worker, enrolment, whereabouts),
            AccessServicer(whereabouts),
            AgentServicer(worker, agents, enrolment, fleets, sessions, whereabouts),
            FleetServicer(worker, fleets, checks, sessions),
            OutageServicer(worker, outages),
        )

    async def run(self, announce: Callable[[str], None], stop: asyncio.Event) -> None:
        """Start, serve until told to stop, drain."""
        await self._worker.run(self._evaluator.rebuild)
        listeners = {"agents": self._agents_listener, "people": self._people_listener}
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (self._ingest.run(), self._confirmation.run(), self._renew())
            ]
            try:
                for who, listener in listeners.items():
                    await listener.start()
                    announce(f"Listening for {who} on {listener.address}")
                log.info("controller.started", extra={"version": version("vedette")})
                await stop.wait()
                log.info("controller.stopping")
                await self._sessions.drain("The controller is stopping.", DRAIN_SECONDS_MAX)
            finally:
                for listener in listeners.values():
                    await listener.stop(CALLS_SECONDS_MAX)
                for task in tasks:
                    task.cancel()
        log.info("controller.stopped")

    async def _renew(self) -> None:
        """Exchange the server's certificate when it is time."""
        while True:
            await asyncio.sleep(CERTIFICATE_CHECK_SECONDS)
            await self._worker.run(self._certificate.refresh)
