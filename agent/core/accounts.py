"""Slot accounting: of every slot that came due, whether it was run, is running, or was missed.

Absence is stated, not left to be guessed: a seal says how many slots came to an end since the one before
it. A slot is settled once: by the run that was started for it, or by its having passed without one. What
the process did not live to see is settled by the next one, from where this one said it stood.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from agent.core.assignment import Assigned
from vedette.shared.slots import Cadence, slot_at


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """A check's place: its stream and cadence, and the last slot of it that is settled or running."""

    stream: str
    interval_us: int
    phase_us: int
    last: int

    @property
    def cadence(self) -> Cadence:
        """When its slots are due."""
        return Cadence(self.interval_us, self.phase_us)


class Standing(msgspec.Struct, frozen=True):
    """Where an account stands: what has to outlive the process. `running` are runs by stream."""

    checks: dict[str, Counted] = {}
    running: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Statement:
    """Slots by stream that came to an end since the last statement, run or not, and where that leaves it."""

    settled: Mapping[str, int]
    standing: Standing


@dataclass(slots=True)
class SlotAccount:
    """Counts slots by stream. Time only enters as an argument; late is when a slot is not run any more."""

    late_us_max: int
    _checks: dict[str, Counted] = field(default_factory=dict)
    _due: dict[str, int] = field(default_factory=dict)
    _running: dict[str, int] = field(default_factory=dict)
    _ran_before: dict[str, int] = field(default_factory=dict)

    def restore(self, standing: Standing) -> None:
        """Go on from where a former process stood: what it was running has ended, somehow."""
        self._checks = dict(standing.checks)
        self._ran_before = dict(standing.running)

    def replace(
        self, checks: Mapping[str, Assigned], cadences: Mapping[str, Cadence], now_us: int
    ) -> None:
        """Count these checks from now on; the slots of those that go or change are counted until now."""
        found: dict[str, Counted] = {}
        for check, cadence in cadences.items():
            stream = checks[check].check.service
            known = self._checks.get(check)
            if known is not None and known.cadence == cadence:
                last = known.last
            else:
                last = slot_at(cadence, now_us - 1)
            found[check] = Counted(stream, cadence.interval_us, cadence.phase_us, last)
        for check, known in list(self._checks.items()):
            if check not in found or found[check].cadence != known.cadence:
                self._pass(check, known, now_us)
        self._checks = found

    def due(self, check: str, slot: int) -> None:
        """This slot is being taken; those that were passed over count too."""
        known = self._checks.get(check)
        if known is None:
            return
        # A clock that was set back gives a slot twice: it is a slot more that was due.
        self._count(known.stream, max(1, slot - known.last))
        if slot > known.last:
            self._move(check, known, slot)

    def started(self, stream: str) -> None:
        """A run for a slot began."""
        self._running[stream] = self._running.get(stream, 0) + 1

    def ended(self, stream: str) -> None:
        """It ended, with a line or without."""
        self._running[stream] -= 1

    def streams(self) -> frozenset[str]:
        """Every stream that a check belongs to."""
        return frozenset(one.stream for one in self._checks.values())

    def statement(self, now_us: int) -> Statement:
        """What came to an end since the last one; the next one goes on from here."""
        for check, known in list(self._checks.items()):
            self._pass(check, known, now_us - self.late_us_max)
        running = {stream: count for stream, count in self._running.items() if count}
        settled: dict[str, int] = {}
        for stream in {*self._due, *self._running, *self._ran_before}:
            before, present = self._ran_before.get(stream, 0), running.get(stream, 0)
            settled[stream] = self._due.get(stream, 0) + before - present
        self._due = {}
        self._ran_before = running
        return Statement(settled, Standing(dict(self._checks), running))

    def _pass(self, check: str, known: Counted, now_us: int) -> None:
        """Count what was due before `now_us` and was never taken."""
        current = slot_at(known.cadence, now_us)
        if current > known.last:
            self._count(known.stream, current - known.last)
            self._move(check, known, current)

    def _count(self, stream: str, slots: int) -> None:
        self._due[stream] = self._due.get(stream, 0) + slots

    def _move(self, check: str, known: Counted, slot: int) -> None:
        self._checks[check] = Counted(known.stream, known.interval_us, known.phase_us, slot)


def revisions_by_stream(checks: Iterable[Assigned]) -> dict[str, list[str]]:
    """Digests of the check revisions in force, by the stream that their lines go to."""
    found: dict[str, list[str]] = {}
    for one in checks:
        found.setdefault(one.check.service, []).append(one.digest)
    return found
