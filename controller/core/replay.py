"""The replay document: what result lines say of every check, recomputed from nothing but a fleet file.

The same evidence gives the same bytes, in whatever order, however often, and in however many files it
comes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import Meta

from controller.core.admission import (
    Admitted,
    admitted,
    deduplicated,
    digest_of_line,
    sample_order,
)
from controller.core.fleet import Fleet
from controller.core.labels import Said
from controller.core.outages import spans
from controller.core.policy import PolicyRevision, always, in_force, policy_of
from controller.core.quorum import Verdict
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.core.severity import Severity
from controller.core.timeline import (
    ATTRIBUTED,
    HIGH,
    LOW,
    Segment,
    downtime,
    evidence_until,
    judged_samples,
    segment_weights,
    timeline,
    verdict_intervals,
)
from vedette.shared.result import Outcome, decode_line

Weight = Annotated[str, Meta(pattern=r"^[0-9]{1,30}(/[1-9][0-9]{0,30})?$")]


class ReplayedInterval(msgspec.Struct, frozen=True):
    """A verdict over [from, to)."""

    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    verdict: Verdict


class ReplayedOutage(msgspec.Struct, frozen=True):
    """An outage; `ended_at` is None while nothing known has followed it."""

    started_at: int
    ended_at: int | None
    downtime: int
    unknown: int


class ReplayedClock(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What people are measured by in an outage (S-46, S-47), which no result line says.

    `region` is set if it is the outage of that region alone, `pauses` are when its clocks stand still.
    """

    started_at: int
    ended_at: int | None = None
    detected_at: int | None = None
    notified_at: int | None = None
    held_at: int | None = None
    acked_at: int | None = None
    confirmed_at: int | None = None
    outage: str = ""
    region: str = ""
    severity: Severity | None = None
    pauses: list[tuple[int, int]] = []


class ReplayedSample(msgspec.Struct, frozen=True, array_like=True):
    """A result that is evidence: its event time, what it says, and how long it took."""

    at: int
    outcome: Outcome
    took: int | None


class ReplayedWeight(msgspec.Struct, frozen=True):
    """How much of PARTIAL time is downtime: as attributed, at least and at most, as fractions such as 1/3."""

    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    weights: tuple[Weight, Weight, Weight]


class ReplayedCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened to one check. Downtime that is no whole number of microseconds is rounded up.

    `intervals_min` and `intervals_max` are the timelines with the least and the most downtime (S-8), so
    that the bounds can be taken over any part of the time; they stand in a document that was asked to
    have them. `clocks` stand in one that a controller made: lines alone do not tell of people. `samples` are
    what objectives of samples are counted from, by time (S-35, S-48), in a document that was asked for them.
    `partial` stands where PARTIAL time weighs something by its votes (S-14): elsewhere it then weighs nothing.
    """

    intervals: list[ReplayedInterval]
    downtime: int
    downtime_min: int
    downtime_max: int
    outages: list[ReplayedOutage]
    intervals_min: list[ReplayedInterval] | None = None
    intervals_max: list[ReplayedInterval] | None = None
    clocks: list[ReplayedClock] | None = None
    partial: list[ReplayedWeight] | None = None
    samples: list[ReplayedSample] | None = None


class Replay(msgspec.Struct, frozen=True):
    """The document that `vedette replay --json` prints (all times in microseconds)."""

    version: int
    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    horizon: int
    checks: dict[str, ReplayedCheck]


@dataclass(slots=True)
class Gathered:
    """Evidence read from lines, and what was left out of it.

    `ran` is when each revision of each check was run first and last, as far as lines name their revision.
    """

    items: list[Admitted] = field(default_factory=list)
    set_aside: list[Quarantined] = field(default_factory=list)
    ran: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def add(self, line: bytes) -> None:
        """Take a line. ValueError says what is wrong with one that cannot be read."""
        said = decode_line(line)
        item = admitted(said, digest=digest_of_line(line))
        if said.rev is not None and isinstance(item, Sample):
            key = (item.check, said.rev)
            first, last = self.ran.get(key, (item.at_us, item.at_us))
            self.ran[key] = (min(first, item.at_us), max(last, item.at_us))
        if isinstance(item, Quarantined):
            self.set_aside.append(item)
        else:
            self.items.append(self._slim(item))

    def _slim(self, item: Admitted) -> Admitted:
        """The same item, its names held once: a month of lines takes half the memory so."""
        once = self._texts.setdefault
        return type(item)._make(once(v, v) if type(v) is str else v for v in item)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Distinct evidence by check, and what no check of the fleet asks for."""

    samples: dict[str, list[Sample]]
    rounds: list[AnchorRound]
    unknown_checks: dict[str, int]
    unknown_regions: dict[tuple[str, str], int]


Revisions = Mapping[str, Sequence[PolicyRevision]]
"""The rules of each check, one revision after another."""


def revisions_of(fleet: Fleet) -> Revisions:
    """The rules that a fleet file says, as the only ones that there ever were."""
    return {name: always(policy_of(check)) for name, check in fleet.checks.items()}


def sorted_out(
    fleet: Fleet, items: Iterable[Admitted], revisions: Revisions | None = None
) -> Evidence:
    """The evidence by check; samples that no check or region of the fleet (or of `revisions`) claims are counted."""
    regions = {
        name: {region for one in own if one.policy is not None for region in one.policy.regions}
        for name, own in (revisions or revisions_of(fleet)).items()
    }
    found = Evidence({name: [] for name in fleet.checks}, [], {}, {})
    for item in deduplicated(items):
        if isinstance(item, AnchorRound):
            found.rounds.append(item)
        elif item.check not in regions:
            found.unknown_checks[item.check] = found.unknown_checks.get(item.check, 0) + 1
        elif item.region not in regions[item.check]:
            key = (item.check, item.region)
            found.unknown_regions[key] = found.unknown_regions.get(key, 0) + 1
        else:
            found.samples[item.check].append(item)
    return found


def replay(
    fleet: Fleet,
    evidence: Evidence,
    *,
    from_us: int,
    to_us: int,
    horizon_us: int,
    with_bounds: bool = False,
    with_samples: bool = False,
    revisions: Revisions | None = None,
) -> Replay:
    """The document for [from_us, to_us) as seen from the horizon, with the timelines of S-8 and samples if asked.

    Everything is cut to [from_us, min(to_us, horizon_us)), outages too: what lies outside is for the
    replay of another window to say. Judged by the fleet file, or by `revisions` of its checks.
    """
    by_check = revisions or revisions_of(fleet)
    checks: dict[str, ReplayedCheck] = {}
    rounds_of: dict[str, list[AnchorRound]] = {}
    for one in evidence.rounds:
        rounds_of.setdefault(one.agent, []).append(one)
    for name in sorted(fleet.checks):
        samples = evidence.samples[name]
        rounds = [r for agent in {s.agent for s in samples} for r in rounds_of.get(agent, [])]
        known = evidence_until(samples, rounds, horizon_us)
        segments = timeline(known, by_check[name], from_us, to_us)
        replayed = _replayed(segments, with_bounds=with_bounds)
        if with_samples:
            parts = in_force(by_check[name], from_us, min(to_us, horizon_us))
            said = [
                one
                for start, end, policy in parts
                if policy is not None
                for one in judged_samples(known, policy, start, end)
            ]
            replayed = msgspec.structs.replace(replayed, samples=_samples(said))
        checks[name] = replayed
    return Replay(1, from_us, to_us, horizon_us, checks)


def _replayed(segments: list[Segment], *, with_bounds: bool) -> ReplayedCheck:
    return ReplayedCheck(
        _intervals(segments, ATTRIBUTED),
        _ceiled(downtime(segments, ATTRIBUTED)),
        _ceiled(downtime(segments, LOW)),
        _ceiled(downtime(segments, HIGH)),
        [
            ReplayedOutage(span.started_us, span.ended_us, span.downtime_us, span.unknown_us)
            for span in spans(segments)
        ],
        _intervals(segments, LOW) if with_bounds else None,
        _intervals(segments, HIGH) if with_bounds else None,
        partial=_partial(segments) or None,
    )


def _samples(said: Iterable[Said]) -> list[ReplayedSample]:
    """Evidence by time."""
    samples = sorted((one.sample for one in said), key=sample_order)
    return [ReplayedSample(one.at_us, one.outcome, one.took_us) for one in samples]


def _partial(segments: Iterable[Segment]) -> list[ReplayedWeight]:
    """What PARTIAL time weighs where that hangs on the votes, in one of the timelines at least."""
    found: list[ReplayedWeight] = []
    for one in segments:
        weights = segment_weights(one)
        if one.policy is None or one.policy.partial_weight == "1" or not any(weights):
            continue
        figure, low, high = map(str, weights)
        texts = (figure, low, high)
        if found and found[-1].end == one.from_us and found[-1].weights == texts:
            found[-1] = ReplayedWeight(found[-1].start, one.to_us, texts)
        else:
            found.append(ReplayedWeight(one.from_us, one.to_us, texts))
    return found


def _intervals(segments: list[Segment], which: int) -> list[ReplayedInterval]:
    return [ReplayedInterval(*one) for one in verdict_intervals(segments, which)]


def _ceiled(value: Fraction) -> int:
    return math.ceil(value)


def replay_bytes(document: Replay) -> bytes:
    """The document as canonical JSON: compact, fixed order of keys, checks by id, one newline."""
    return msgspec.json.encode(document) + b"\n"


def decode_replay(data: bytes) -> Replay:
    """The document that `data` is. ValueError says what is wrong with it."""
    try:
        document = msgspec.json.decode(data, type=Replay)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ValueError("expected UTF-8") from error
    except RecursionError as error:
        raise ValueError("expected a document that is not nested without end") from error
    if document.version != 1:
        raise ValueError(f"expected version 1, found {document.version}")
    for name, check in document.checks.items():
        if not 0 <= check.downtime_min <= check.downtime <= check.downtime_max:
            raise ValueError(
                f"expected 0 <= downtime_min <= downtime <= downtime_max of check {name!r}"
            )
        if any(Fraction(text) > 1 for one in check.partial or () for text in one.weights):
            raise ValueError(f"expected weights of at most 1 of check {name!r}")
        _require_order(name, check.partial or [])
        for intervals in (check.intervals, check.intervals_min or [], check.intervals_max or []):
            _require_order(name, intervals)
    return document


def _require_order(check: str, intervals: Sequence[ReplayedInterval | ReplayedWeight]) -> None:
    """ValueError unless the intervals follow one another: time counted twice would change a figure."""
    before_us: int | None = None
    for one in intervals:
        if one.start >= one.end or (before_us is not None and one.start < before_us):
            raise ValueError(
                f"expected intervals of check {check!r} one after another, found [{one.start}, {one.end})"
            )
        before_us = one.end
