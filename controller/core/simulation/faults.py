"""What goes wrong when and where: the faults of a scenario, put at their instants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from controller.core.intervals import Interval, union
from controller.core.simulation.chance import Chance, Gaps, Spread
from controller.core.simulation.definitions import Fault, FaultKind, Range, bounds_of, share_of
from controller.core.simulation.scenario import Scenario, agent_ids
from vedette.shared.definitions import micros
from vedette.shared.limits import CLOCK_OFFSET_US_MAX, FUTURE_US_MAX

# Bursts begin on ticks of a millisecond.
_TICK_US = 1_000


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent; `place` is its place among those of its region."""

    id: str
    region: str
    place: int


@dataclass(frozen=True, slots=True)
class Clock:
    """Over [from_us, to_us) an agent's clock is ahead by `offset_us`, and takes itself to be by `measured_us`."""

    from_us: int
    to_us: int
    offset_us: int
    measured_us: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Over [from_us, to_us) probes of `checks` (None: all) get no answer, or one `slower_us` later."""

    from_us: int
    to_us: int
    checks: frozenset[str] | None
    slower_us: int = 0

    def concerns(self, check: str) -> bool:
        """It befalls this check."""
        return self.checks is None or check in self.checks


@dataclass(slots=True)
class Conditions:
    """What befalls one agent. `troubled` is when more than half of its anchors are out of its reach."""

    dead: list[Interval] = field(default_factory=list)
    unlinked: list[Interval] = field(default_factory=list)
    troubled: list[Interval] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    slow: list[Cut] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    spells: list[tuple[Interval, "Bursts", int]] = field(default_factory=list)

    @property
    def unsettled(self) -> list[Interval]:
        """When the agent may be silent, late or ill-timed."""
        ill = [Interval(c.from_us, c.to_us) for c in self.clocks if c.offset_us or c.measured_us]
        return union([*self.dead, *self.unlinked, *self.troubled, *ill])

    @property
    def mute(self) -> list[Interval]:
        """When the controller hears nothing of now from the agent."""
        odd = [
            Interval(one.from_us, one.to_us)
            for one in self.clocks
            if abs(one.measured_us) > CLOCK_OFFSET_US_MAX
            or not -CLOCK_OFFSET_US_MAX < one.offset_us - one.measured_us <= FUTURE_US_MAX
        ]
        return union([*self.dead, *self.unlinked, *odd])


class Bursts:
    """Bursts of loss: they cover a share of the time, and begin as independently as raindrops."""

    def __init__(self, share: Fraction, lengths: Range) -> None:
        self.lengths = Spread(*bounds_of(lengths))
        # A share s of lost time in bursts of mean length m leaves gaps of mean m * (1 - s) / s.
        mean_gap = Fraction(self.lengths.mean) * (1 - share) / share
        self.gaps = Gaps(1 / (1 + Fraction(mean_gap) / _TICK_US))

    def within(self, chance: Chance, from_us: int, to_us: int) -> Iterator[Interval]:
        """The bursts of [from_us, to_us), cut at its end."""
        at_us, counter = from_us, 0
        while True:
            at_us += (self.gaps.drawn(chance, counter) + 1) * _TICK_US
            if at_us >= to_us:
                return
            end_us = at_us + self.lengths.drawn(chance, counter + 1)
            yield Interval(at_us, min(end_us, to_us))
            at_us, counter = end_us, counter + 2


@dataclass(frozen=True, slots=True)
class Fate:
    """Everything that goes wrong in a scenario: by agent, and by check when its target is truly down."""

    agents: Sequence[Agent]
    conditions: dict[str, Conditions]
    down: dict[str, list[Interval]]


def fate_of(scenario: Scenario) -> Fate:
    """All faults of a scenario at their instants."""
    terms = scenario.terms
    agents = [
        Agent(name, region, place)
        for region in scenario.regions
        for place, name in enumerate(agent_ids(terms, region))
    ]
    conditions = {agent.id: Conditions() for agent in agents}
    down: dict[str, list[Interval]] = {check: [] for check in scenario.checks}
    for index, fault in enumerate(terms.faults):
        if fault.kind in {FaultKind.OUTAGE, FaultKind.FLAPPING}:
            _befall_checks(scenario, index, fault, down)
            continue
        for group in _groups(scenario, fault, agents):
            for number, when in enumerate(_instants(scenario, index, fault, group[0])):
                for name in group:
                    befallen = conditions[name]
                    _befall_agent(scenario, fault, befallen, when, index * 1_000_000 + number)
    for one in conditions.values():
        one.dead, one.unlinked, one.troubled = (
            union(one.dead), union(one.unlinked), union(one.troubled),
        )  # fmt: skip
        one.clocks = _whole(one.clocks, scenario.start_us, scenario.end_us)
    return Fate(agents, conditions, {check: union(own) for check, own in down.items()})


def _groups(scenario: Scenario, fault: Fault, agents: Sequence[Agent]) -> list[list[str]]:
    """Who is befallen at the same time, group by group: each region alone, unless together."""
    providers = {r.id for r in scenario.terms.regions if r.provider in fault.providers}
    regions = {*fault.regions, *providers}
    is_open = not (regions or fault.agents)
    chosen = [a for a in agents if is_open or a.region in regions or a.id in fault.agents]
    if fault.together:
        return [[agent.id for agent in chosen]]
    groups: dict[str, list[str]] = {}
    for agent in chosen:
        key = agent.id if agent.id in fault.agents else agent.region
        groups.setdefault(key, []).append(agent.id)
    return list(groups.values())


def _instants(scenario: Scenario, index: int, fault: Fault, name: str) -> Iterator[Interval]:
    """When a fault befalls a group or a check, in no order."""
    chance = Chance(scenario.seed, "fault", index, name)
    lengths = Spread(*bounds_of(fault.lasting))
    for number in range(fault.times):
        length_us = lengths.drawn(chance, 2 * number)
        at_us = scenario.start_us + micros(fault.at) if fault.at is not None else chance.between(
            2 * number + 1, scenario.start_us, scenario.end_us - length_us
        )  # fmt: skip
        yield Interval(at_us, at_us + length_us)


def _befall_checks(
    scenario: Scenario, index: int, fault: Fault, down: dict[str, list[Interval]]
) -> None:
    for check in fault.checks or scenario.checks:
        name = "every check" if fault.together else check
        for number, when in enumerate(_instants(scenario, index, fault, name)):
            if fault.kind is FaultKind.OUTAGE:
                down[check].append(when)
            else:
                chance = Chance(scenario.seed, "flapping", index, name, number)
                down[check] += _alternating(fault, chance, when)


def _alternating(fault: Fault, chance: Chance, when: Interval) -> Iterator[Interval]:
    """The times of `when` at which a flapping target is down."""
    assert fault.down is not None
    assert fault.up is not None
    down, up = Spread(*bounds_of(fault.down)), Spread(*bounds_of(fault.up))
    at_us, counter = when.from_us, 0
    while at_us < when.to_us:
        end_us = at_us + down.drawn(chance, counter)
        yield Interval(at_us, min(end_us, when.to_us))
        at_us, counter = end_us + up.drawn(chance, counter + 1), counter + 2


def _befall_agent(
    scenario: Scenario, fault: Fault, own: Conditions, when: Interval, number: int
) -> None:
    checks = frozenset(fault.checks) or None
    match fault.kind:
        case FaultKind.PARTITION:
            own.cuts.append(Cut(*when, checks))
            if 2 * fault.anchors > scenario.terms.anchors.total:
                own.troubled.append(when)
        case FaultKind.SLOW:
            own.slow.append(Cut(*when, checks, micros(fault.by or "0s")))
        case FaultKind.DEATH:
            own.dead.append(when)
        case FaultKind.LATE:
            own.unlinked.append(when)
        case FaultKind.SKEW:
            offset_us = micros(fault.ahead) if fault.ahead else -micros(fault.behind or "0s")
            own.clocks.append(Clock(*when, offset_us, offset_us if fault.measured else 0))
        case FaultKind.LOSS:
            lengths = fault.bursts or scenario.terms.network.loss.bursts
            bursts = Bursts(share_of(fault.share or "0%"), lengths)
            own.spells.append((when, bursts, number))
        case FaultKind.OUTAGE | FaultKind.FLAPPING:
            raise AssertionError("these befall checks")


def _whole(clocks: Sequence[Clock], from_us: int, to_us: int) -> list[Clock]:
    """Clocks for all of the time: right where nothing else is said; of two that overlap the earlier one."""
    found: list[Clock] = []
    at_us = from_us
    for one in sorted(clocks, key=lambda clock: clock.from_us):
        start_us = max(one.from_us, at_us)
        if start_us >= one.to_us:
            continue
        if at_us < start_us:
            found.append(Clock(at_us, start_us, 0, 0))
        found.append(Clock(start_us, one.to_us, one.offset_us, one.measured_us))
        at_us = one.to_us
    if at_us < to_us:
        found.append(Clock(at_us, to_us, 0, 0))
    return found
