"""The composition: which concrete parts make a controller, and how it starts and stops."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

from controller.clock import utc_now, wall_us
from controller.config import Address, ServeConfig
from controller.errors import ControllerError
from controller.identity.authority import Authority
from controller.identity.files import Settings, StateDirectory
from controller.local import private_files, refuse_bad_names
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
from controller.rpc.sla import SlaServicer
from controller.rpc.tls import ServerCertificate
from controller.services.access import Access
from controller.services.agents import Agents
from controller.services.apply import Fleets
from controller.services.checks import Checks
from controller.services.enrol import Enrolment
from controller.services.evaluate import Evaluator
from controller.services.ingest import Ingest
from controller.services.outages import Outages
from controller.services.report import Reports
from controller.services.worker import StorageWorker
from controller.storage import database

DRAIN_SECONDS_MAX: Final = 5.0
CALLS_SECONDS_MAX: Final = 2.0
RENEW_SECONDS: Final = 3600.0
SETTLE_SECONDS: Final = 600.0

log = logging.getLogger(__name__)


async def serve(
    config: ServeConfig, announce: Callable[[str], None], stop: asyncio.Event | None = None
) -> None:
    """Run a controller until `stop`, or SIGTERM or SIGINT. ControllerError in one sentence if it cannot.

    `announce` gets one line for each listener once it takes connections.
    """
    directory = StateDirectory(config.state)
    settings = directory.settings()
    if config.public_host is not None:
        refuse_bad_names([config.public_host], settings.organisation)
    worker = StorageWorker()
    try:
        with private_files():
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
        self._certificate = ServerCertificate(authority, directory, names, utc_now)
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
            SlaServicer(worker, Reports(storage, self._evaluator, wall_us)),
        )

    async def run(self, announce: Callable[[str], None], stop: asyncio.Event) -> None:
        """Start, serve until told to stop, drain."""
        await self._worker.run(self._evaluator.rebuild)
        listeners = {"agents": self._agents_listener, "people": self._people_listener}
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._ingest.run(),
                    self._confirmation.run(),
                    self._every(RENEW_SECONDS, self._certificate.refresh, "tls.unrenewed"),
                    self._every(SETTLE_SECONDS, self._evaluator.settle, "timeline.unsettled"),
                )
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

    async def _every(self, seconds: float, work: Callable[[], object], failed: str) -> None:
        """Do this now and then. A failure is logged: the next time may be better."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._worker.run(work)
            except ControllerError as error:
                log.error(failed, extra={"reason": str(error)})
