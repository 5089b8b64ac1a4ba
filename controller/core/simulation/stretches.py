"""Which stretches of time have to be played: those in which an outage is possible at all.

In between, every result is a success, or so few of them fail that no rule could say DOWN; playing them would
change nothing. The bounds are proven from the scenario alone, and are generous:

- a probe fails only while its path is in trouble (`Path.troubles`), whoever asked for it and when;
- a region says DOWN only after `fail_after` failures of one agent, each of which is a slot or a look, and
  looks follow failures by a bounded time;
- DOWN takes `need(n)` votes at one instant, for some n that is not below `min_evidence`;
- what an agent says recovers after `recover_after` successes, unless it falls silent: then its word
  stands for at most F after each of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.core.intervals import Interval, union
from controller.core.quorum import need
from controller.core.simulation.paths import Path, Times
from controller.core.simulation.rules import ComparedRule
from vedette.shared.limits import CONFIRM_APART_US


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one failure reaches, in microseconds.

    `fresh_us`: until the next result replaces it, if the agent is in order; `calm_us`: until the agent has
    recovered and no gap is glued any more; `stale_us`: the same, if the agent may fall silent. `looks_us`: from the end of its probe until the last look that it can bring about. `lead_us`: how long before
    a stretch results are needed to know where every agent stands. `skew_us`: how far its event time may be off.
    """

    fresh_us: int
    calm_us: int
    stale_us: int
    looks_us: int
    lead_us: int
    skew_us: int


def reach_of(rule: ComparedRule, path: Path, link_us_max: int, skew_us_max: int) -> Reach:
    """The reach of a failure under a rule."""
    policy = rule.policy
    late_us = path.timeout_us + link_us_max + skew_us_max
    tries_us = rule.tries * (rule.tries_us + path.timeout_us)
    looks_us = 0
    if rule.confirms:
        # A turn that follows others closely is confirmed after the rest that they impose.
        rest_us = rule.definition.outage_interval_us
        looks_us = link_us_max + rest_us + policy.fail_after * CONFIRM_APART_US + link_us_max
    runs = max(policy.recover_after, policy.fail_after) + 1
    return Reach(
        fresh_us=path.cadence.interval_us + late_us + tries_us,
        calm_us=runs * path.cadence.interval_us + policy.merge_gap_us + late_us + tries_us,
        stale_us=runs * policy.freshness_us + policy.merge_gap_us + late_us + tries_us,
        looks_us=looks_us,
        lead_us=policy.freshness_us + path.cadence.interval_us + late_us,
        skew_us=skew_us_max,
    )


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A time over which failures of one agent are possible: `count` of them at the most."""

    when: Interval
    count: int


def votes_needed(rule: ComparedRule) -> int:
    """The fewest votes that can make the check DOWN; 0 where none are needed."""
    policy = rule.policy
    counts = [need(policy, n) for n in range(max(1, policy.min_evidence), policy.voters + 1)]
    return min((count for count in counts if count is not None), default=0)


def stretches(
    rule: ComparedRule, paths: Sequence[Path], reach: Reach, start_us: int, end_us: int
) -> list[Interval]:
    """The stretches that have to be played, lead and all; they do not touch one another."""
    needed = votes_needed(rule)
    if needed == 0:
        return [Interval(start_us, end_us)]
    troubles = [path.troubles for path in paths]
    slots = [path.slots_in_trouble for path in paths]
    windows = _look_windows(paths, reach) if rule.confirms else []
    doubts = [
        _doubts(own, counts, windows, rule) for own, counts in zip(troubles, slots, strict=True)
    ]
    dirty = [
        Interval(one.when.from_us, one.when.to_us + _tail_us(rule, path, one.when, reach))
        for path, own in zip(paths, doubts, strict=True)
        for one in own
    ]
    silent = _too_few(rule, paths, start_us, end_us)
    parts = union([*dirty, *silent])
    suspect = _suspect(rule, paths, doubts, reach, needed)
    played = [part for part in parts if any(_meets(part, one) for one in suspect)]
    whole = _absorbed(played, troubles, reach) if rule.confirms else played
    joined = union(Interval(one.from_us - reach.lead_us, one.to_us) for one in whole)
    return [Interval(max(a, start_us), min(b, end_us)) for a, b in joined if a < end_us]


def _look_windows(paths: Sequence[Path], reach: Reach) -> list[Interval]:
    """When looks are possible: after slots that fail, and after looks that fail."""
    windows = union(
        Interval(end_us, end_us + reach.looks_us) for path in paths for end_us in path.failures_us
    )
    while True:
        times = Times(windows)
        # A look of a window that fails ends by its timeout at the latest.
        more = [
            Interval(from_us, to_us + path.timeout_us + reach.looks_us)
            for path in paths
            for one in path.troubles
            for from_us, to_us in times.common(one)
        ]
        wider = union([*windows, *more])
        if wider == windows:
            return windows
        windows = wider


def _doubts(
    troubles: Sequence[Interval],
    slots: Sequence[list[int]],
    windows: Sequence[Interval],
    rule: ComparedRule,
) -> list[_Doubt]:
    """The times of trouble of one agent in which a probe can fail, and how many can."""
    times = Times(windows)
    found: list[_Doubt] = []
    for one, instants in zip(troubles, slots, strict=True):
        count = len(instants) * (rule.tries + 1)
        if rule.confirms:
            count += sum((b - a) // CONFIRM_APART_US + 1 for a, b in times.common(one))
        if count:
            found.append(_Doubt(one, count))
    return found


def _suspect(
    rule: ComparedRule,
    paths: Sequence[Path],
    doubts: Sequence[Sequence[_Doubt]],
    reach: Reach,
    needed: int,
) -> list[Interval]:
    """When as many regions as it takes may say DOWN at once."""
    by_region: dict[str, list[Interval]] = {}
    for path, own in zip(paths, doubts, strict=True):
        by_region.setdefault(path.region, []).extend(_maybe_down(rule, path, own, reach))
    edges: list[tuple[int, int]] = []
    for intervals in by_region.values():
        for start_us, end_us in union(intervals):
            edges += [(start_us, 1), (end_us, -1)]
    found: list[Interval] = []
    count, since_us = 0, 0
    for at_us, step in sorted(edges):
        if count >= needed and since_us < at_us:
            found.append(Interval(since_us, at_us))
        count, since_us = count + step, at_us
    return union(found)


def _maybe_down(
    rule: ComparedRule, path: Path, doubts: Sequence[_Doubt], reach: Reach
) -> Iterable[Interval]:
    """When one agent may say DOWN: where enough failures lie close together."""
    unsettled = path.link.conditions.unsettled
    chain: list[_Doubt] = []
    for one in [*doubts, None]:
        if chain and (one is None or one.when.from_us - chain[-1].when.to_us >= reach.stale_us):
            if sum(each.count for each in chain) >= rule.policy.fail_after:
                last_us = chain[-1].when.to_us
                whole = Interval(chain[0].when.from_us, last_us + reach.stale_us)
                is_settled = not any(_meets(whole, ill) for ill in unsettled)
                end_us = last_us + (reach.fresh_us if is_settled else reach.stale_us)
                yield Interval(whole.from_us - reach.skew_us, end_us)
            chain = []
        if one is not None:
            chain.append(one)


def _too_few(
    rule: ComparedRule, paths: Sequence[Path], start_us: int, end_us: int
) -> list[Interval]:
    """When so few regions may have evidence that the verdict may be UNKNOWN; an outage can lie across."""
    edges: list[tuple[int, int]] = []
    by_region: dict[str, list[Path]] = {}
    for path in paths:
        by_region.setdefault(path.region, []).append(path)
    for own in by_region.values():
        # A region is silent only where all of its agents are; where one may be is enough to look.
        ill = union(one for path in own for one in path.link.conditions.unsettled)
        edges += [edge for a, b in ill for edge in ((a, 1), (b, -1))]
    spare = len(by_region) - max(1, rule.policy.min_evidence)
    found: list[Interval] = []
    count, since_us = 0, start_us
    for at_us, step in sorted(edges):
        if count > spare and since_us < at_us:
            found.append(Interval(since_us, at_us))
        count, since_us = count + step, at_us
    margin_us = rule.policy.margin_us
    return union(Interval(a - margin_us, min(b + margin_us, end_us)) for a, b in found)


def _absorbed(
    played: list[Interval], troubles: Sequence[Sequence[Interval]], reach: Reach
) -> list[Interval]:
    """What is played, wide enough for every failure that a look inside of it may meet."""
    while True:
        times = Times(played)
        met = [
            Interval(one.from_us, one.to_us + reach.stale_us)
            for own in troubles
            for one in own
            if times.meets(one)
        ]
        wider = union([*played, *met])
        if wider == played:
            return played
        played = wider


def _tail_us(rule: ComparedRule, path: Path, when: Interval, reach: Reach) -> int:
    """For how long what failed then is felt.

    Who confirms remembers that an agent failed before it fell silent: its next failure is no news then.
    """
    whole = Interval(when.from_us - reach.skew_us, when.to_us + reach.stale_us)
    if not any(_meets(whole, ill) for ill in path.link.conditions.unsettled):
        return reach.calm_us
    if not rule.confirms:
        return reach.stale_us
    mute = (one.to_us for one in path.link.conditions.mute if _meets(whole, one))
    return max(when.to_us, *mute, when.to_us) - when.to_us + reach.stale_us


def _meets(left: Interval, right: Interval) -> bool:
    return left.from_us < right.to_us and right.from_us < left.to_us
