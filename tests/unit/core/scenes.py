"""Scenes in the notation of the conformance vectors: times in seconds, regions at offsets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from controller.core.outages import Outage, outages
from controller.core.policy import Policy, PolicyRevision, always
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import (
    EvidenceSet,
    Segment,
    downtime,
    evidence_until,
    judged_samples,
    timeline,
    verdict_intervals,
)
from vedette.shared.result import Outcome

SECOND = 1_000_000
LETTERS = {"U": Outcome.UP, "D": Outcome.DOWN, "G": Outcome.DEGRADED, "E": Outcome.AGENT_ERROR}


def policy(regions: Iterable[str] = "abc", **changes: object) -> Policy:
    """The policy that the vectors assume: F=150, fail_after=recover_after=1, two regions, majority."""
    base = Policy(
        check="c",
        revision="r1",
        regions=tuple(regions),
        freshness_us=150 * SECOND,
        min_evidence=2,
        fail_after=1,
        recover_after=1,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a table of fields


def sample(region: str, at: float, outcome: str = "U", *, seq: int | None = None) -> Sample:
    """A sample of the one agent of `region` at `at` seconds."""
    number = int(at * 10) if seq is None else seq
    return Sample(f"{region}0", "e1", "s", number, "c", region, int(at * SECOND), LETTERS[outcome])


def every_minute(
    region: str,
    offset: int,
    down: Sequence[tuple[int, int]] = (),
    *,
    until: int = 900,
    start: int = 0,
) -> list[Sample]:
    """A sample each minute from `offset` on, failing inside the `down` times."""
    times = range(start + offset, until, 60)
    return [sample(region, t, "D" if any(a <= t < b for a, b in down) else "U") for t in times]


def anchors(agent: str, rounds: Mapping[int, tuple[int, int]]) -> list[AnchorRound]:
    """Anchor rounds at seconds: (ok, total)."""
    return [
        AnchorRound(agent, "e1", "s", 1_000_000 + t, t * SECOND, ok, total)
        for t, (ok, total) in rounds.items()
    ]


@dataclass(frozen=True)
class Scene:
    """Evidence, a policy, and the window and horizon to look at, in seconds."""

    samples: Sequence[Sample]
    policy: Policy = field(default_factory=policy)
    rounds: Sequence[AnchorRound] = ()
    window: tuple[int, int] = (60, 900)
    horizon: int | None = None

    @property
    def evidence(self) -> EvidenceSet:
        horizon = self.window[1] if self.horizon is None else self.horizon
        return evidence_until(self.samples, self.rounds, horizon * SECOND)

    @property
    def revisions(self) -> list[PolicyRevision]:
        return always(self.policy)

    @property
    def segments(self) -> list[Segment]:
        start, end = self.window
        return timeline(self.evidence, self.revisions, start * SECOND, end * SECOND)

    def verdicts(self, which: int = 0) -> str:
        """`PARTIAL 300-320, DOWN 320-620`: everything but UP."""
        return ", ".join(
            f"{one.verdict} {one.from_us // SECOND}-{one.to_us // SECOND}"
            for one in verdict_intervals(self.segments, which)
            if one.verdict != "UP"
        )

    def down(self, which: int = 0) -> float:
        return float(downtime(self.segments, which) / SECOND)

    def outages(self) -> list[Outage]:
        return outages(self.segments, partial(judged_samples, self.evidence))
