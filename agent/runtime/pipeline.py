"""From a due slot, or an order, to a line in the spool."""

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from agent.core.accounts import SlotAccount, revisions_by_stream
from agent.core.assignment import Program, difference, program_of, whole
from agent.core.gate import Gate
from agent.core.policy import Policy
from agent.core.schedule import Due, cadences_of, sparse
from agent.core.terms import Refusal
from agent.ports import (
    Assignment,
    Capture,
    Clock,
    ClockOffset,
    SiteReport,
    Spool,
    Unrunnable,
)
from agent.runtime.anchors import AnchorRounds
from agent.runtime.assignments import StoredAssignment
from agent.runtime.captures import Captures
from agent.runtime.executor import Executor
from agent.runtime.keyring import Keyring
from agent.runtime.line import Finding, Place, encoded_line
from agent.runtime.scheduler import Scheduler
from vedette.shared.definitions import Check
from vedette.shared.limits import LAUNCH_LAG_US_MAX, UNRUNNABLE_SHOWN_MAX
from vedette.shared.result import Outcome, Trigger

_FINISH_SECONDS_MAX: Final = 5.0
_COLLECT_AFTER: Final = (5_000, 20, 50)
_SWITCH_SECONDS: Final = 0.0002
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Who:
    """Whose results these are."""

    agent: str
    region: str


class _Run(NamedTuple):
    """One run to make: of which check, for which slot, and why."""

    check: Check
    digest: str
    due_us: int
    slot: int | None
    trigger: Trigger


class Pipeline:
    """Runs the assignment: Duties (agent.ports) towards the link, lines towards the spool.

    It begins with the assignment that was stored last, and needs no controller.
    """

    def __init__(
        self,
        who: Who,
        executor: Executor,
        spool: Spool,
        *,
        clock: Clock,
        offset: ClockOffset,
        stored: StoredAssignment,
        capture: Capture | None = None,
        keyring: Keyring | None = None,
        account: SlotAccount | None = None,
        gate: Gate | None = None,
        anchors: AnchorRounds | None = None,
    ) -> None:
        self._who = who
        self._executor = executor
        self._spool = spool
        self._clock = clock
        self._offset = offset
        self._stored = stored
        self._keyring = keyring
        self._gate = gate
        self._anchors = anchors
        self._account = account or SlotAccount(LAUNCH_LAG_US_MAX)
        self._captures = None if capture is None else Captures(capture)
        self._scheduler = Scheduler(clock, self._launch)
        self._assignment = Assignment("")
        self._program = Program()
        self._stored_revision = ""
        self._crowded_out = 0
        self._runs: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] | None = None

    @property
    def revision(self) -> str:
        """Revision of the assignment that is being run; empty if there is none."""
        return self._program.revision

    @property
    def missed_slots(self) -> int:
        """Slots that were due since start and not probed."""
        return self._scheduler.missed + self._crowded_out

    def in_force(self) -> Mapping[str, Sequence[str]]:
        """Digests of the check revisions that are being run, by the stream of their lines."""
        return revisions_by_stream(self._program.checks.values())

    async def adopt(self, assignment: Assignment) -> Sequence[Unrunnable]:
        """Run `assignment` from now on, and store it. Fatal if it could not be stored; it runs all the same.

        UnknownBase if it changes another assignment than the one that is being run.
        """
        assignment = whole(assignment, self._assignment)
        if assignment.revision != self.revision:
            self._begin(assignment)
        if assignment.revision != self._stored_revision:
            await asyncio.to_thread(self._stored.save, assignment)
            self._stored_revision = assignment.revision
        return self._unrunnable()

    def report(self) -> SiteReport:
        """What the site's policy does to the assignment."""
        gate = self._gate
        if gate is None:
            return SiteReport(unrunnable=self._unrunnable())
        return SiteReport(
            policy=str(gate.policy),
            is_paused=gate.policy.terms.is_paused,
            refused=dict(gate.refused),
            refused_orders=gate.refused_orders,
            unrunnable=self._unrunnable(),
        )

    def enforce(self, policy: Policy) -> None:
        """The site's policy is this one from now on."""
        if self._gate is not None:
            self._gate.enforce(policy, (a.check for a in self._program.checks.values()))
        if self._anchors is not None:
            self._anchors.pause(policy.terms.is_paused)
        self._schedule()

    def _unrunnable(self) -> Sequence[Unrunnable]:
        refusals = self._gate.refusals if self._gate is not None else {}
        refused = (Unrunnable(check, one.detail) for check, one in refusals.items())
        return (*self._program.unrunnable, *refused)

    def probe_now(self, checks: Sequence[str], trigger: Trigger) -> None:
        """Run these checks once, besides their slots; one that is running as often as it may is left.

        The site comes first: an order that its rates do not allow is counted and not followed, and so is one
        that would take the places of the schedule, half of which are its own.
        """
        now = self._clock.wall_us()
        for check in dict.fromkeys(checks):
            assigned = self._program.checks.get(check)
            if assigned is None or not self._executor.has_room_for(check):
                continue
            if 2 * len(self._runs) >= self._executor.places:
                if self._gate is not None:
                    self._gate.refused_orders += 1
            elif self._refusal(check, is_order=True) is None:
                self._start(_Run(assigned.check, assigned.digest, now, None, trigger))

    async def run(self) -> None:
        """Probe until cancelled; then what is under way may finish within a few seconds."""
        stored = self._stored.load()
        if stored is not None and not self.revision:
            self._stored_revision = stored.revision
            self._begin(stored)
        _settle()
        self._failed = asyncio.get_running_loop().create_future()
        scheduling = asyncio.create_task(self._scheduler.run())
        try:
            await asyncio.wait({scheduling, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            for ended in (scheduling, self._failed):
                if ended.done():
                    ended.result()
        finally:
            scheduling.cancel()
            await self._finish()
            if not self._failed.done():
                self._failed.cancel()

    def _begin(self, assignment: Assignment) -> None:
        held: Collection[str] = ()
        if self._keyring is not None:
            self._keyring.take(assignment.secrets)
            held = self._keyring.names
        program = program_of(assignment, self._who.region, self._executor.kinds, held)
        changes = difference(self._program, program)
        self._assignment, self._program = assignment, program
        if self._gate is not None:
            self._gate.enforce(self._gate.policy, (a.check for a in program.checks.values()))
        if self._anchors is not None:
            self._anchors.adopt(assignment)
        self._schedule()
        if self._captures is not None:
            for check in (*changes.changed, *changes.removed):
                self._captures.forget(check)
        fields = {
            "revision": program.revision[:12],
            "checks": len(program.checks),
            "added": len(changes.added),
            "changed": len(changes.changed),
            "removed": len(changes.removed),
            "unrunnable": len(self._unrunnable()),
        }
        _log.info("assignment.running", extra=fields)
        for refused in self._unrunnable()[:UNRUNNABLE_SHOWN_MAX]:
            fields = {"check": refused.check, "reason": refused.reason}
            _log.warning("assignment.unrunnable", extra=fields)

    def _schedule(self) -> None:
        """Have the program run; what the site refuses as it is only tells of it now and then."""
        checks = [a.check for a in self._program.checks.values()]
        cadences = cadences_of(checks, self._who.region, self._assignment.place)
        if self._gate is not None and self._gate.refusals:
            cadences = sparse(cadences, self._gate.refusals.keys())
        self._account.replace(self._program.checks, cadences, self._clock.wall_us())
        self._scheduler.replace(cadences)

    def _launch(self, due: Due) -> None:
        assigned = self._program.checks.get(due.check)
        if assigned is None:
            return
        self._account.due(due.check, due.slot)
        if not self._executor.has_room_for(due.check):
            self._crowded_out += 1
            return
        self._account.started(assigned.check.service)
        run = _Run(assigned.check, assigned.digest, due.due_us, due.slot, Trigger.SCHEDULE)
        refusal = self._refusal(due.check)
        if refusal is None:
            self._start(run)
        else:
            self._refuse(run, refusal)

    def _refusal(self, check: str, *, is_order: bool = False) -> Refusal | None:
        if self._gate is None:
            return None
        return self._gate.launch(check, self._clock.monotonic_us(), is_order=is_order)

    def _refuse(self, run: _Run, refusal: Refusal) -> None:
        """A run that the site does not agree to is a line like every other: it says so."""
        at_us = self._clock.wall_us()
        lag_us = max(at_us - run.due_us, 0)
        finding = Finding(at_us, 0, lag_us, Outcome.AGENT_ERROR, refusal.kind, refusal.detail)
        self._record(run, finding, self._offset.mark())
        self._account.ended(run.check.service)

    def _start(self, run: _Run) -> None:
        task = asyncio.create_task(self._make(run))
        self._runs.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A run that failed is a defect of ours: the process must not go on as if nothing was."""
        self._runs.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _make(self, run: _Run) -> None:
        try:
            # Before the run: a clock that is set while it lasts makes its time worthless.
            mark = self._offset.mark()
            finding = await self._executor.run(run.check, run.due_us)
            if self._gate is not None:
                self._gate.count(finding.kind)
            self._record(run, finding, mark)
        finally:
            # In one step with the line, so that a seal sees either both or none.
            if run.slot is not None:
                self._account.ended(run.check.service)

    def _record(self, run: _Run, finding: Finding, mark: int) -> None:
        """Number the line and hand it over: no await in between, so that numbers are never doubled."""
        spool, stream, captures = self._spool, run.check.service, self._captures
        seq = spool.next_seq(stream)
        place = Place(
            agent=self._who.agent,
            region=self._who.region,
            epoch=spool.epoch,
            stream=stream,
            seq=seq,
            rev=run.digest,
            slot=run.slot,
            trigger=run.trigger,
            clock=self._offset.reading(mark),
            capture=None if captures is None else captures.ready_for(run.check.id),
        )
        spool.append(stream, seq, encoded_line(finding, run.check, place))
        if captures is not None:
            captures.saw(run.check, finding, seq)
        if finding.outcome is Outcome.DOWN and self._anchors is not None:
            self._anchors.nudge()

    async def _finish(self) -> None:
        if self._captures is not None:
            await self._captures.stop()
        if not self._runs:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(self._runs, timeout=_FINISH_SECONDS_MAX)
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)


def _settle() -> None:
    """Make this process one whose loop is not kept waiting by the interpreter.

    The collector is spared what is there to stay and comes less often: going through every module takes it
    longer than most probes, and stops them all. And a thread that writes the spool gives way at once, because
    a phase that ended while it held the interpreter would seem as much longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    sys.setswitchinterval(_SWITCH_SECONDS)
