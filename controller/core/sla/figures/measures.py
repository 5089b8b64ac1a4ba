"""Objectives that are measured in samples (S-35, S-37, S-38, S-48): by requests, slices, days, or how long they took."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple, assert_never

from controller.core.calendars import Period, day_at, midnight_us, zone
from controller.core.intervals import Interval, clip, length
from controller.core.sla.figures.accounting import Eligible
from controller.core.sla.figures.books import Book, Books
from controller.core.sla.figures.sampling import Count, Slicing, counted, sliced
from controller.core.sla.figures.sketch import Percentile, Sketch
from controller.core.sla.terms.objectives import Availability, Formula, Latency

_PERCENTILES: Final = ("50", "95", "99")


class Measured(NamedTuple):
    """The share that is good, None where there is nothing to take a share of; and what it was taken from."""

    share: Fraction | None
    detail: dict[str, Any]


class Asked(NamedTuple):
    """Over which instants something is measured. `is_cut`: they end before their time is over.

    `is_brief`: only the share is asked for.
    """

    span: Sequence[Interval]
    period: Period
    tz: str
    is_cut: bool
    is_brief: bool = False


def measured(objective: Availability | Latency, books: Books, asked: Asked) -> Measured:
    """What an objective of samples comes to; of a weighted composite the weighted sum (S-49)."""
    found = [
        (one, _of(objective, one, books.eligible(one, asked.span), asked)) for one in books.listed
    ]
    if len(found) == 1:
        return found[0][1]
    share: Fraction | None = Fraction(0)
    for book, one in found:
        share = None if share is None or one.share is None else share + book.weight * one.share
    return Measured(share, {"samples_of": {book.check: one.detail for book, one in found}})


def _of(objective: Availability | Latency, book: Book, parts: Eligible, asked: Asked) -> Measured:
    if isinstance(objective, Latency):
        return _latency(objective, book, parts, is_brief=asked.is_brief)
    match objective.formula:
        case Formula.REQUEST:
            return _requests(counted(book.samples, parts))
        case Formula.INTERVAL | Formula.RATIO_TIMESLICES | Formula.TIMESLICES:
            return _slices(objective, book, parts, asked)
        case Formula.HEARTBEAT:
            return _days(objective, book, parts, asked)
        case Formula.TIME | Formula.MINUTE:
            raise AssertionError("formulas of time are not measured in samples")
        case _:
            assert_never(objective.formula)


def _plain(count: Count) -> dict[str, int]:
    return {"good": count.good, "valid": count.valid}


def _requests(count: Count) -> Measured:
    share = Fraction(count.good, count.valid) if count.valid else None
    return Measured(share, {"samples": _plain(count)})


def _latency(objective: Latency, book: Book, parts: Eligible, *, is_brief: bool) -> Measured:
    found = _requests(counted(book.samples, parts, objective.threshold_us))
    if is_brief:
        return found
    sketch = _together([one.latencies(parts.rest) for one in book.samples])
    at_target = sketch.percentile(objective.target_share)
    return Measured(
        found.share,
        {
            **found.detail,
            "percentiles": {
                "display_only": True,
                "accuracy": "1%",
                **{f"p{text}": _value(sketch, Fraction(text) / 100) for text in _PERCENTILES},
                "at_target": _at_target(at_target, objective.threshold_us),
            },
        },
    )


def _together(sketches: Sequence[Sketch]) -> Sketch:
    buckets: dict[int, int] = {}
    for one in sketches:
        for start_us, count in one.buckets.items():
            buckets[start_us] = buckets.get(start_us, 0) + count
    return Sketch(buckets, sum(one.unanswered for one in sketches))


def _value(sketch: Sketch, share: Fraction) -> int | None:
    found = sketch.percentile(share)
    return None if found is None else found.value_us


def _at_target(found: Percentile | None, threshold_us: int) -> dict[str, Any] | None:
    """The percentile that the promise is about, and whether it lies within the threshold, as far as it can be told."""
    if found is None:
        return None
    return {
        "value": found.value_us, "least": found.least_us // 1, "most": -(-found.most_us // 1),
        "verdict": found.against(threshold_us),
    }  # fmt: skip


def _slices(objective: Availability, book: Book, parts: Eligible, asked: Asked) -> Measured:
    """Good slices of all, or the mean of their ratios; slices count from the begin of the period (S-37, S-38)."""
    slicing = Slicing(asked.period.from_us, objective.slice_us)
    counts = sliced(book.samples, parts, slicing)
    touched = slicing.touched(parts.rest)
    silent = sum(number not in counts or not counts[number].valid for number in touched)
    told = [one for one in counts.values() if one.valid]
    number = len(told) + (silent if objective.empty == "zero" else 0)
    good = Fraction(number - len(told))
    if objective.formula is Formula.TIMESLICES:
        assert objective.slice_target is not None, "timeslices without a target were refused"
        share = Fraction(objective.slice_target) / 100
        good += sum(one.good >= share * one.valid for one in told)
    else:
        good += _ratios(told)
    count = sum((one.good for one in told), 0), sum((one.valid for one in told), 0)
    detail = {
        "samples": _plain(Count(*count)),
        "slices": {"counted": number, "silent": silent, "good": {"num": good.numerator, "den": good.denominator}},
    }  # fmt: skip
    return Measured(Fraction(good) / number if number else None, detail)


def _ratios(counts: Iterable[Count]) -> Fraction:
    """The sum of good/valid; those of one number of samples first, so that denominators stay small."""
    good_of: dict[int, int] = {}
    for one in counts:
        good_of[one.valid] = good_of.get(one.valid, 0) + one.good
    return sum((Fraction(good, valid) for valid, good in good_of.items()), Fraction(0))


def _days(objective: Availability, book: Book, parts: Eligible, asked: Asked) -> Measured:
    """Local days with enough good samples of every check, of all of which something counts (X-66).

    The day on which the facts end counts once it is good: there is time left.
    """
    where = zone(asked.tz)
    good = number = 0
    day = day_at(asked.period.from_us, where)
    while (from_us := midnight_us(day, where)) < asked.period.to_us:
        day += timedelta(days=1)
        to_us = midnight_us(day, where)
        own = Eligible(*(clip(each, from_us, to_us) for each in parts))
        if not length(own.rest):
            continue
        is_good = all(counted([one], own).good >= objective.at_least for one in book.samples)
        is_over = not asked.is_cut or to_us <= asked.span[-1].to_us
        good, number = good + is_good, number + (is_good or is_over)
    share = Fraction(good, number) if number else None
    return Measured(share, {"days": {"good": good, "counted": number}})
