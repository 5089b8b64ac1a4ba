"""The composition: which concrete parts make a controller, and how it starts and stops."""

import asyncio
import contextlib
import logging
import secrets
import signal
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib.metadata import version
from typing import Final

from controller.clock import LedgerClock, monotonic_us, steady_wall, utc_now, wall_us
from controller.config import Address, ServeConfig
from controller.errors import ControllerError
from controller.identity.authorities import authorities, timestampers
from controller.identity.authority import Authority
from controller.identity.files import Settings, StateDirectory
from controller.identity.notary import LogNotary
from controller.identity.vault import Vault
from controller.local import private_files, refuse_bad_names
from controller.notify.transport import ChannelTransport
from controller.rpc.access import AccessServicer
from controller.rpc.agent import AgentServicer
from controller.rpc.agents_listener import SessionServicer
from controller.rpc.attesting import attesting
from controller.rpc.backtest import BacktestServicer
from controller.rpc.claim import ClaimServicer
from controller.rpc.confirm import Confirming
from controller.rpc.dispute import disputes
from controller.rpc.doctor import DoctorServicer
from controller.rpc.enrol import EnrolServicer, Whereabouts
from controller.rpc.evidence import EvidenceServicer
from controller.rpc.exclusion import ExclusionServicer
from controller.rpc.fleet import FleetServicer
from controller.rpc.gate import Gate
from controller.rpc.incident import IncidentServicer
from controller.rpc.listeners import agents_listener, people_listener
from controller.rpc.notify import NotifyServicer
from controller.rpc.outage import OutageServicer
from controller.rpc.secret import SecretServicer
from controller.rpc.session import SessionParts
from controller.rpc.sessions import Sessions
from controller.rpc.sla import SlaServicer
from controller.rpc.tls import ServerCertificate
from controller.services.agents.admission import Admission
from controller.services.agents.agents import Agents
from controller.services.agents.duties import Duties
from controller.services.agents.enrol import Enrolment
from controller.services.agents.postings import Postings
from controller.services.agents.recover import Recovery
from controller.services.agents.secrets import Secrets
from controller.services.agents.silence import Silence
from controller.services.agents.standings import Standings
from controller.services.bundling.bundle import Bundles
from controller.services.contracts.calendar_import import CalendarImport
from controller.services.contracts.claim_reminders import ClaimReminders, reminding
from controller.services.contracts.claims import Claims
from controller.services.contracts.documents import Documents
from controller.services.contracts.exclusions import Exclusions
from controller.services.contracts.issuing import Issuing, issuing
from controller.services.contracts.periods import Periods
from controller.services.contracts.report import Reports
from controller.services.contracts.rights import Rights
from controller.services.contracts.sla_watch import SlaWatch, watching
from controller.services.contracts.terms import Terms
from controller.services.evidence.pruning import Prunings, pruning
from controller.services.fleet.apply import Fleets
from controller.services.fleet.checks import Checks
from controller.services.notify.deliveries import Outbox
from controller.services.notify.notify import Router
from controller.services.notify.notify_insight import Insights
from controller.services.notify.notify_sending import Sender
from controller.services.outages.incident_views import IncidentPages
from controller.services.outages.incidents import Incidents
from controller.services.outages.outages import Outages
from controller.services.outages.remarks import Remarks
from controller.services.outages.situation import Situation
from controller.services.people.access import Access
from controller.services.people.examine import Examination
from controller.services.people.ledger import Ledger
from controller.services.results.behind import catching_up
from controller.services.results.ingest import Ingest
from controller.services.results.quotas import Quotas
from controller.services.results.turns import Turns
from controller.services.timeline.backtest import Backtests
from controller.services.timeline.evaluate import Evaluator
from controller.services.worker import StorageWorker
from controller.storage import database
from controller.storage.claim import claimed
from vedette.shared.limits import SILENCE_LOOK_SECONDS

DRAIN_SECONDS_MAX: Final = 5.0
CALLS_SECONDS_MAX: Final = 2.0
RENEW_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 600.0
CHECKPOINT_LOOK_SECONDS: Final = 2.0
# How late it may be noticed that nothing was heard any more.
ADVANCE_SECONDS: Final = 5.0

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
    url = config.database_url or directory.database_url
    worker = StorageWorker()
    try:
        with claimed(config.state, url):
            with private_files():
                # Init made the database. One that is empty now was lost; serving over it would hide that.
                notary = LogNotary(directory, settings.organisation, wall_us)
                storage = database.open_storage(url, is_new=False, notary=notary)
            try:
                controller = _Controller(config, directory, settings, storage, worker, notary)
                await controller.run(announce, stop or _told_to_stop(controller.reload))
            finally:
                worker.close()
                storage.close()
    except BaseExceptionGroup as group:
        raise _reason(group) from group
    finally:
        worker.close()


def _told_to_stop(reload: asyncio.Event) -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT. SIGHUP sets `reload`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    return stop


def _reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of what went wrong at once, the error that a person can read; otherwise everything."""
    error: BaseException = group.subgroup(ControllerError) or group
    while isinstance(error, BaseExceptionGroup) and error is not group:
        error = error.exceptions[0]
    return error


def _jitter() -> Fraction:
    return Fraction(secrets.randbelow(1001), 1000)


class _Controller:
    """Everything that runs, wired."""

    def __init__(
        self,
        config: ServeConfig,
        directory: StateDirectory,
        settings: Settings,
        storage: database.SqlStorage,
        worker: StorageWorker,
        notary: LogNotary,
    ) -> None:
        authority = directory.authority()
        # For what is recorded and may stand in a report. What people and machines wait for goes by the wall.
        self._now_us = LedgerClock()
        self.reload = asyncio.Event()
        self._worker = worker
        self._sessions = Sessions()
        self._attesting = attesting(
            worker, storage, self._sessions, notary, lambda: timestampers(directory), wall_us
        )
        self._evaluator = Evaluator(storage)
        self._fleets = Fleets(storage, self._evaluator, self._now_us)
        self._incidents = IncidentPages(
            storage, Incidents(self._now_us), self._evaluator, self._now_us
        )
        turns = Turns(self._evaluator.prompt_us)
        situation = Situation(storage, self._fleets, turns)
        self._confirming = Confirming(worker, situation, self._sessions, steady_wall(wall_us()))
        self._ingest = Ingest(
            worker, self._evaluator, self._now_us, turns=turns, on_news=self._confirming.hear
        )
        self._secrets = Secrets(storage, Vault(directory), wall_us)
        self._duties = Duties(storage, self._fleets)
        self._ledger = Ledger(storage, wall_us)
        self._access = Access(storage, wall_us)
        self._agents = Agents(storage, wall_us)
        self._silence = Silence(storage, wall_us)
        insights = Insights(self._fleets, self._evaluator)
        self._router = Router(storage, insights, wall_us, self._now_us)
        self._account(storage)
        self._outbox = Outbox(
            storage, self._fleets.channels, self._secrets, wall_us, _jitter, self._now_us
        )
        transport = ChannelTransport(wall_us)
        self._sender = Sender(worker, self._router, self._outbox, transport)
        admission = Admission(storage, authority, wall_us)
        names = [*([config.public_host] if config.public_host else []), *settings.names]
        self._certificate = ServerCertificate(authority, directory, names, utc_now)
        parts = SessionParts(
            worker,
            self._agents,
            self._duties,
            admission,
            self._ingest,
            self._attesting,
            Quotas(monotonic_us),
            wall_us,
        )
        self._agents_listener = agents_listener(
            config.agents_address,
            self._certificate,
            SessionServicer(parts, self._sessions, authority.organisation),
        )
        self._people_listener = people_listener(
            config.people_address,
            self._certificate,
            Gate(self._access, self._ledger, worker),
            self._people(directory, storage, authority, settings.organisation, names[0], notary),
        )

    def _account(self, storage: database.SqlStorage) -> None:
        """What contracts are computed and told by."""
        self._terms = Terms()
        documents = Documents(self._evaluator, self._terms, version("vedette"))
        self._periods = Periods(storage, self._evaluator, documents, self._now_us)
        self._issuing = Issuing(storage, self._periods, self._terms, self._now_us)
        self._prunings = Prunings(storage, self._evaluator, self._terms, self._now_us)
        self._claim_reminders = ClaimReminders(
            storage, self._evaluator, self._fleets, self._terms, wall_us
        )
        self._sla_watch = SlaWatch(
            storage, self._evaluator, self._fleets, self._terms, wall_us, monotonic_us
        )

    def _people(
        self,
        directory: StateDirectory,
        storage: database.SqlStorage,
        authority: Authority,
        organisation: str,
        host: str,
        notary: LogNotary,
    ) -> Sequence[object]:
        whereabouts = Whereabouts(
            ca_pem=authority.root_pem,
            version=version("vedette"),
            enrol_address=lambda: str(Address(host, self._people_listener.address.port)),
            session_address=lambda: str(Address(host, self._agents_listener.address.port)),
        )
        worker, fleets, sessions = self._worker, self._fleets, self._sessions
        enrolment = Enrolment(storage, authority, wall_us, self._secrets)
        recovery = Recovery(storage, authority, wall_us)
        standings = Standings(storage, self._secrets, wall_us)
        checks = Checks(storage, fleets, self._evaluator, self._now_us)
        outages = Outages(storage, self._evaluator, self._now_us)
        terms = self._terms
        return (
            EnrolServicer(worker, enrolment, recovery, whereabouts),
            AccessServicer(worker, self._access, self._ledger, whereabouts),
            AgentServicer(
                worker,
                self._agents,
                enrolment,
                standings,
                Postings(storage, wall_us),
                self._duties,
                sessions,
                whereabouts,
            ),
            SecretServicer(worker, self._secrets, sessions),
            FleetServicer(worker, fleets, checks, sessions, self._ledger),
            OutageServicer(worker, outages, Remarks(storage, self._now_us)),
            IncidentServicer(worker, self._incidents),
            NotifyServicer(worker, self._outbox, self._sender),
            EvidenceServicer(worker, self._attesting, self._bundles(directory, storage, notary)),
            DoctorServicer(worker, Examination(storage, self._ingest.tally, wall_us)),
            BacktestServicer(worker, Backtests(storage, fleets, self._evaluator, self._now_us)),
            SlaServicer(
                worker,
                Reports(storage, self._evaluator, self._now_us, terms),
                fleets,
                self._periods,
                Rights(storage, self._evaluator, terms, self._now_us),
            ),
            ExclusionServicer(
                worker,
                Exclusions(storage, terms, self._now_us),
                CalendarImport(storage, terms, self._now_us),
            ),
            ClaimServicer(
                worker, Claims(storage, self._evaluator, terms, organisation, self._now_us)
            ),
            disputes(worker, storage, terms, self._now_us),
        )

    def _bundles(
        self, directory: StateDirectory, storage: database.SqlStorage, notary: LogNotary
    ) -> Bundles:
        return Bundles(
            storage,
            self._evaluator,
            self._terms,
            self._attesting.logbook,
            notary,
            self._now_us,
            lambda: authorities(directory),
        )

    async def run(self, announce: Callable[[str], None], stop: asyncio.Event) -> None:
        """Start, serve until told to stop, drain."""
        self._now_us.go_on_after(await self._worker.run(self._issuing.last_us))
        await self._worker.run(self._fleets.enter_terms)
        await self._worker.run(self._router.begin)
        await self._worker.run(self._outbox.recover)
        await self._worker.run(lambda: self._evaluator.rebuild(self._now_us()))
        listeners = {"agents": self._agents_listener, "people": self._people_listener}
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._ingest.run(),
                    self._attesting.seals.run(),
                    self._attesting.stamping.run(),
                    self._sender.run(),
                    catching_up(self._worker, self._evaluator, self._now_us),
                    issuing(self._worker, self._issuing),
                    pruning(self._worker, self._prunings),
                    watching(self._worker, self._sla_watch),
                    reminding(self._worker, self._claim_reminders),
                    self._confirming.run(),
                    self._confirming.keep_informed(),
                    self._every(
                        RENEW_SECONDS, self._certificate.refresh, "tls.unrenewed", self.reload
                    ),
                    self._every(SILENCE_LOOK_SECONDS, self._silence.look, "silence.unseen"),
                    self._every(
                        ADVANCE_SECONDS,
                        lambda: self._evaluator.advance(self._now_us()),
                        "timeline.behind",
                    ),
                    self._every(ADVANCE_SECONDS, self._incidents.catch_up, "incidents.behind"),
                    self._every(
                        CHECKPOINT_LOOK_SECONDS,
                        self._attesting.logbook.checkpoint_if_due,
                        "log.unsigned",
                        then=self._sessions.tell_heads,
                    ),
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

    async def _every(
        self,
        seconds: float,
        work: Callable[[], object],
        failed: str,
        wake: asyncio.Event | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Do this now and then, and on `wake`; and `then`, where it gave something.

        A failure is logged: the next time may be better.
        """
        wake = wake or asyncio.Event()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await wake.wait()
            wake.clear()
            try:
                if await self._worker.run(work) is not None and then is not None:
                    then()
            except ControllerError as error:
                log.error(failed, extra={"reason": str(error)})
