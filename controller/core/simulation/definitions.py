"""What a scenario file may say: structs, as for a fleet file, so that every problem is named with its line."""

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final, Literal

from msgspec import Meta, field

from controller.core.fleet import Region
from vedette.shared.definitions import Id, OutageRules, Quorum, micros
from vedette.shared.probes import DurationText, Part

AGENTS_PER_REGION_MAX: Final = 8
CHECKS_MAX: Final = 1000
TIMES_MAX: Final = 100_000
RULES_MAX: Final = 20

Share = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,6})?%$", description="a share below 100% such as 0.25%"),
]


def share_of(text: str) -> Fraction:
    """`0.25%` as a fraction of one."""
    return Fraction(text.removesuffix("%")) / 100


class Range(Part, frozen=True):
    """Lengths between two bounds."""

    least: DurationText
    most: DurationText


Lasting = DurationText | Range


def bounds_of(lasting: Lasting) -> tuple[int, int]:
    """The least and the most of a length, in microseconds."""
    if isinstance(lasting, str):
        return micros(lasting), micros(lasting)
    return micros(lasting.least), micros(lasting.most)


class Loss(Part, frozen=True):
    """The share of time in which a path from an agent to a target carries nothing, in bursts of these lengths."""

    share: Share = "0%"
    bursts: Range = Range(least="200ms", most="30s")


class Network(Part, frozen=True):
    """How long things take on the way, and what gets lost. `link` is one way between agent and controller."""

    link: Range = Range(least="20ms", most="120ms")
    target: Range = Range(least="20ms", most="400ms")
    loss: Loss = field(default_factory=Loss)


class AnchorTargets(Part, frozen=True):
    """How many anchors every agent has, and how often it asks them (S-10)."""

    total: Annotated[int, Meta(ge=3, le=16)] = 4
    every: DurationText = "20s"


class CheckTemplate(Part, frozen=True):
    """The checks: `count` alike, each with a phase of its own."""

    count: Annotated[int, Meta(ge=1, le=CHECKS_MAX)] = 1
    every: DurationText = "60s"
    timeout: DurationText | None = None
    degraded_over: DurationText | None = None
    outage: OutageRules = field(default_factory=OutageRules)


class FaultKind(StrEnum):
    """What goes wrong."""

    OUTAGE = "outage"
    FLAPPING = "flapping"
    PARTITION = "partition"
    LOSS = "loss"
    SLOW = "slow"
    DEATH = "death"
    LATE = "late"
    SKEW = "skew"


class Fault(Part, frozen=True):
    """Something that goes wrong `times` times, at an instant after the start or at random ones.

    It befalls the checks (of an outage, of flapping) or the agents that are named, all where none is; each
    check, or each region, at instants of its own unless `together`.
    """

    kind: FaultKind
    lasting: Lasting
    at: DurationText | None = None
    times: Annotated[int, Meta(ge=1, le=TIMES_MAX)] = 1
    together: bool = False
    checks: list[Id] = field(default_factory=list)
    regions: list[Id] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    agents: list[Id] = field(default_factory=list)
    down: Range | None = None
    up: Range | None = None
    anchors: Annotated[int, Meta(ge=0, le=16)] = 0
    share: Share | None = None
    bursts: Range | None = None
    by: DurationText | None = None
    ahead: DurationText | None = None
    behind: DurationText | None = None
    measured: bool = True


class Looks(Part, frozen=True):
    """Further looks after a failure.

    `controller` is confirm now, as every controller of ours does it: all regions look, and look more often
    while an outage is open. `site` tries again by itself, so many times and so far apart.
    """

    by: Literal["controller", "site"]
    every: DurationText | None = None
    times: Annotated[int, Meta(ge=1, le=100)] | None = None


class RuleTerms(Part, frozen=True):
    """A rule of deciding: how many regions take part, how they vote, and what is done at a failure."""

    id: Id
    title: str = ""
    regions: Annotated[int, Meta(ge=1)] | None = None
    quorum: Quorum = field(default_factory=Quorum)
    anchors: bool = False
    looks: Looks | None = None


class ScenarioTerms(Part, frozen=True):
    """A scenario file."""

    version: Literal[1]
    title: str
    regions: list[Region]
    length: DurationText
    seed: Annotated[int, Meta(ge=0)] = 1
    start: int | str = "2026-06-01T00:00:00Z"
    agents_per_region: Annotated[int, Meta(ge=1, le=AGENTS_PER_REGION_MAX)] = 1
    checks: CheckTemplate = field(default_factory=CheckTemplate)
    network: Network = field(default_factory=Network)
    anchors: AnchorTargets = field(default_factory=AnchorTargets)
    faults: list[Fault] = field(default_factory=list)
    rules: Annotated[list[RuleTerms], Meta(max_length=RULES_MAX)] = field(default_factory=list)
