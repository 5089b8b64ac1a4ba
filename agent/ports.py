"""What the agent's parts ask of each other. app.py alone knows the concrete classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from vedette.shared.definitions import Check
from vedette.shared.result import ClockReading, Trigger


class Observation(msgspec.Struct, frozen=True):
    """What a prober saw: facts, without a judgement except that the probe could not be completed.

    `kind` and `detail` are set when it was not completed (a failure kind, and a sentence for people);
    expectations are then not evaluated. `variables` are the expectation variables (DESIGN of checks:
    docs/checks.md); a name that was not reached is absent. `facts` is the probe's own part of the line.
    """

    took_us: int
    kind: str | None = None
    detail: str | None = None
    is_agent_fault: bool = False
    addr: str | None = None
    phases: dict[str, int] | None = None
    variables: dict[str, Any] = {}
    facts: dict[str, Any] = {}


class Prober(Protocol):
    """Runs one kind of probe. Never raises for what a target does; asyncio.CancelledError passes."""

    async def probe(self, check: Check) -> Observation:
        """What the target of `check` does now, within the check's timeout."""
        ...


class Capture(Protocol):
    """Looks around at the moment of a failure. Never raises for what it finds; asyncio.CancelledError passes."""

    async def of(self, check: Check, addr: str | None, *, has_answer: bool) -> dict[str, Any]:
        """What can be seen around the failure of `check` at `addr`, redacted, within the bounds of a capture.

        `has_answer` says that the failing line holds the head of an answer already.
        """
        ...


class Clock(Protocol):
    """Time, as a seam: tests bring their own."""

    def wall_us(self) -> int:
        """The machine's wall clock, microseconds since the Unix epoch."""
        ...

    def monotonic_us(self) -> int:
        """A clock that never steps."""
        ...

    async def sleep_until_us(self, wall_us: int) -> None:
        """Return when the wall clock has reached `wall_us`, or was set back meanwhile."""
        ...


class ClockOffset(Protocol):
    """How this clock stands to the controller's."""

    def mark(self) -> int:
        """Where the clock stands now: what `reading` is given to see whether it was set since."""
        ...

    def reading(self, since: int | None = None) -> ClockReading:
        """The present offset; None where it was never measured, or the clock was set since that mark."""
        ...


@dataclass(frozen=True, slots=True)
class AnchorAnswer:
    """Whether an anchor answered, by which family; what failed, if it did not.

    `says_nothing` where the agent itself, or its site's policy, is the reason.
    """

    name: str
    family: str
    kind: str | None = None
    says_nothing: bool = False


class Anchors(Protocol):
    """Asks anchors. Never raises for what they do; asyncio.CancelledError passes."""

    async def ask(self, targets: Sequence[bytes]) -> Sequence[AnchorAnswer]:
        """What each of these definitions answers now, and the controller, all at the same time."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive durable lines of one stream, exact bytes, and how many right before them were lost."""

    epoch: str
    stream: str
    first_seq: int
    lines: Sequence[bytes]
    lost: int = 0


@dataclass(frozen=True, slots=True)
class SpoolDepth:
    """What the spool holds, and what it had to let go since it was opened."""

    lines: int
    bytes: int
    dropped: int
    damaged: int


# Seals travel beside the lines, in a stream of this name after the lines' own: numbered, kept and
# acknowledged as lines are.
SEALS_SUFFIX: Final = "#seals"


class Side(StrEnum):
    """What a reader of the spool asks for: new lines, those of former epochs, or all that is not sealed."""

    LIVE = "live"
    BACKLOG = "backlog"
    UNSEALED = "unsealed"


@dataclass(frozen=True, slots=True)
class SealTip:
    """The last seal of a stream that the controller holds: its number and its hash. Number 0: none."""

    number: int
    sha256: str


class Seals(Protocol):
    """Who knows the seals that were made."""

    def difference(self, tips: Mapping[tuple[str, str], SealTip]) -> str | None:
        """Why the present epoch cannot go on from what the controller holds; None if it can."""
        ...

    def ask(self) -> None:
        """Seal now rather than when it is time."""
        ...


class Spool(Protocol):
    """The durable queue. One writer; lines leave only when they are acknowledged."""

    @property
    def epoch(self) -> str:
        """The epoch that new lines belong to."""
        ...

    def next_seq(self, stream: str) -> int:
        """The number that the next line of `stream` gets, counted from 1."""
        ...

    def append(self, stream: str, seq: int, line: bytes) -> None:
        """Take a line (ending in a newline). It is durable, and can be sent, after the next sync."""
        ...

    async def sync(self) -> None:
        """Make everything appended so far durable (fsync)."""
        ...

    def read(
        self, after: dict[tuple[str, str], int], limit_bytes: int, side: Side | None = None
    ) -> Sequence[Batch]:
        """Durable lines of each (epoch, stream) after the given sequence number, oldest first.

        Of one `side`, or of all. A reader of a side goes on where it was without searching.
        """
        ...

    def acknowledge(self, durable: dict[tuple[str, str], int]) -> None:
        """The controller holds every line up to these sequence numbers; they may be forgotten."""
        ...

    async def wait(self) -> None:
        """Return when there is something durable that was not there at the last read."""
        ...

    def open_epoch(self, reason: str) -> str:
        """Start numbering again under a new epoch, because the old one cannot be continued safely."""
        ...

    def waiting(self) -> int:
        """Lines of the present epoch that are durable and not acknowledged."""
        ...

    def depth(self) -> SpoolDepth:
        """How much is held."""
        ...


@dataclass(frozen=True, slots=True)
class AssignedCheck:
    """One check revision as it came: canonical bytes and their SHA-256."""

    definition: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret that checks of the assignment name, sealed for this agent."""

    name: str
    version: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Everything that this agent has to probe, and the secrets that it takes.

    With a `base`, `checks` are those that come or change against that revision, and `removed` the digests
    of those that go; the rest stands whole. `place` is the agent's among those of its region.
    """

    revision: str
    checks: tuple[AssignedCheck, ...] = ()
    secrets: tuple[SealedSecret, ...] = ()
    anchors: tuple[bytes, ...] = ()
    anchor_interval_us: int = 0
    place: int = 0
    base: str = ""
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unrunnable:
    """An assigned check that this agent will not run, and why."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What the site's policy does to the assignment, for whoever reads the controller's lists."""

    policy: str = ""
    is_paused: bool = False
    refused: Mapping[str, int] = field(default_factory=dict)
    refused_orders: int = 0
    unrunnable: Sequence[Unrunnable] = ()


class Duties(Protocol):
    """What the controller asks of the probing side."""

    @property
    def revision(self) -> str:
        """Revision of the assignment that is being run; empty if there is none."""
        ...

    @property
    def missed_slots(self) -> int:
        """Slots that were due since start and not probed."""
        ...

    async def adopt(self, assignment: Assignment) -> Sequence[Unrunnable]:
        """Store `assignment` durably and run it from now on; what of it will not be run.

        UnknownBase if it changes another revision than the one that is being run.
        """
        ...

    def report(self) -> SiteReport:
        """What the site's policy does to the assignment."""
        ...

    def probe_now(self, checks: Sequence[str], trigger: Trigger) -> None:
        """Run these checks once, besides their slots."""
        ...
