"""Objectives that are counted in samples (S-35, S-37, S-38, S-48), each sample looked at by itself."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tests.property.sla_oracle.calendar import day_of, days, midnight
from tests.property.sla_oracle.painting import members
from tests.property.sla_oracle.sums import Sums
from tests.property.sla_oracle.terms import Plain, micros, share


@dataclass(frozen=True)
class Sampled:
    """What is asked of the samples of a scope: in these sums, of a period that is cut or not."""

    sums: Sums
    document: Plain
    scope: Plain
    period: tuple[int, int]
    tz: str
    known_until: int | None


def is_sampled(objective: Plain) -> bool:
    """It is counted in samples."""
    sampled = ("request", "interval", "timeslices", "ratio_timeslices", "heartbeat")
    return objective.get("metric") == "latency" or objective.get("formula") in sampled


def good_share(asked: Sampled) -> Fraction | None:
    """The share that is good; None where there is nothing to take a share of."""
    objective = asked.sums.objective
    formula = objective.get("formula")
    if objective.get("metric") == "latency" or formula == "request":
        judged = [is_good for _, _, is_good in _judged(asked)]
        return Fraction(sum(judged), len(judged)) if judged else None
    if formula == "heartbeat":
        return _days(asked)
    return _slices(asked)


def _judged(asked: Sampled) -> Iterator[tuple[str, int, bool]]:
    """(check, instant, good) of every sample that counts."""
    objective = asked.sums.objective
    within = micros(objective["threshold"]) if objective.get("metric") == "latency" else None
    for name in members(asked.scope)[0]:
        for at, outcome, took in asked.document["checks"][name]["samples"]:
            bits = [b for b in asked.sums.bits if b.from_us <= at < b.to_us]
            if not bits or not bits[0].is_in_hours or asked.sums.is_wholly_dropped(bits[0]):
                continue
            is_good = outcome != "down"
            if within is not None and is_good:
                if took is None:
                    continue
                is_good = took <= within
            rule = asked.sums.rule(bits[0])
            if rule is not None and not is_good:
                if rule[0] == "drop":
                    continue
                is_good = True
            yield name, at, is_good


def _slices(asked: Sampled) -> Fraction | None:
    objective = asked.sums.objective
    length = micros(objective.get("slice", "5m"))
    told: dict[int, list[bool]] = defaultdict(list)
    for _, at, is_good in _judged(asked):
        told[(at - asked.period[0]) // length].append(is_good)
    touched = set(told)
    for bit in asked.sums.bits:
        if bit.is_in_hours and not asked.sums.is_wholly_dropped(bit):
            first = (bit.from_us - asked.period[0]) // length
            touched |= set(range(first, (bit.to_us - 1 - asked.period[0]) // length + 1))
    values: list[Fraction] = []
    for number in touched:
        own = told.get(number)
        if own is None:
            values += [Fraction(1)] if objective.get("empty", "skip") == "zero" else []
        elif objective["formula"] == "timeslices":
            ratio = Fraction(sum(own), len(own))
            values.append(Fraction(int(ratio >= share(objective["slice_target"]))))
        else:
            values.append(Fraction(sum(own), len(own)))
    return sum(values, Fraction(0)) / len(values) if values else None


def _days(asked: Sampled) -> Fraction | None:
    """Days with enough good samples of each check; one on which facts end counts once it is good."""
    least = asked.sums.objective.get("at_least", 1)
    names = members(asked.scope)[0]
    found = [(name, day_of(at, asked.tz)) for name, at, is_good in _judged(asked) if is_good]
    good = counted = 0
    counting = [b for b in asked.sums.bits if b.is_in_hours and not asked.sums.is_wholly_dropped(b)]
    until = asked.period[1] if asked.known_until is None else asked.known_until
    for day in days(*asked.period, asked.tz):
        if not any(day_of(bit.from_us, asked.tz) == day for bit in counting):
            continue
        is_good = all(found.count((name, day)) >= least for name in names)
        good += is_good
        counted += is_good or midnight(day + timedelta(days=1), asked.tz) <= until
    return Fraction(good, counted) if counted else None
