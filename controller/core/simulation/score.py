"""How good a rule was: its alarms against what truly happened.

An alarm is right if its outage, as it is known in the end (or was first told, if it was withdrawn), has an
instant in common with a true outage; a true outage is found if a right alarm has one in common with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from controller.core.intervals import Interval, length
from controller.core.simulation.alarms import Alarm


@dataclass(frozen=True, slots=True)
class Truth:
    """A true outage of a check: from its first instant to its last, and the time in it that was down."""

    check: str
    from_us: int
    to_us: int
    down_us: int


@dataclass(frozen=True, slots=True)
class Score:
    """What is known of a rule in a scenario. Delays and errors are sorted, in microseconds.

    `delays_us`: from the first instant of each true outage that was found until the controller knew of it.
    `errors_us`: by how much the downtime that is on record for it differs from the time that it was down.
    `false_us`: when each alarm that was not right was raised.
    """

    alarms: int
    right: int
    withdrawn: int
    truths: int
    found: int
    delays_us: tuple[int, ...]
    errors_us: tuple[int, ...]
    false_us: tuple[int, ...]

    @property
    def precision(self) -> Fraction | None:
        """The share of alarms that are right; None without an alarm."""
        return Fraction(self.right, self.alarms) if self.alarms else None

    @property
    def recall(self) -> Fraction | None:
        """The share of true outages that were found; None where there was none."""
        return Fraction(self.found, self.truths) if self.truths else None


def truths_of(down: Mapping[str, Sequence[Interval]], merge_gap_us: int) -> list[Truth]:
    """The true outages: times of being down, joined over gaps shorter than the merge gap, as records are."""
    found: list[Truth] = []
    for check, intervals in down.items():
        glued: list[list[Interval]] = []
        for one in intervals:
            if glued and one.from_us - glued[-1][-1].to_us < merge_gap_us:
                glued[-1].append(one)
            else:
                glued.append([one])
        found += [Truth(check, own[0].from_us, own[-1].to_us, length(own)) for own in glued]
    return found


def score(alarms: Iterable[Alarm], truths: Iterable[Truth]) -> Score:
    """The alarms of one rule against the true outages of the scenario."""
    by_check: dict[str, list[Truth]] = {}
    for truth in truths:
        by_check.setdefault(truth.check, []).append(truth)
    of_truth: dict[Truth, list[Alarm]] = {truth: [] for own in by_check.values() for truth in own}
    heard = list(alarms)
    wrong: list[Alarm] = []
    for alarm in heard:
        met = [truth for truth in by_check.get(alarm.check, ()) if _common_us(alarm, truth) > 0]
        for truth in met:
            of_truth[truth].append(alarm)
        if not met:
            wrong.append(alarm)
    found = {truth: own for truth, own in of_truth.items() if own}
    return Score(
        alarms=len(heard),
        right=len(heard) - len(wrong),
        withdrawn=sum(not alarm.stands for alarm in heard),
        truths=len(of_truth),
        found=len(found),
        delays_us=tuple(
            sorted(
                max(0, min(a.raised_us for a in own) - truth.from_us)
                for truth, own in found.items()
            )
        ),
        errors_us=tuple(sorted(_error_us(truth, own) for truth, own in found.items())),
        false_us=tuple(sorted(alarm.raised_us for alarm in wrong)),
    )


def _common_us(alarm: Alarm, truth: Truth) -> int:
    span = alarm.span
    return min(span.until_us, truth.to_us) - max(span.started_us, truth.from_us)


def _error_us(truth: Truth, alarms: Sequence[Alarm]) -> int:
    """Downtime on record for a true outage against the true one. What was withdrawn is not on record."""
    return abs(sum(a.span.downtime_us for a in alarms if a.stands) - truth.down_us)


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The least value that `percent` per cent of them do not exceed; `values` are sorted. None of none."""
    if not values:
        return None
    return values[max(-(-len(values) * percent // 100), 1) - 1]
