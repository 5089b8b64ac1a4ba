"""Counts of samples that are remembered, so that whoever counts them every minute need not read a year again.

What was counted of a whole day that is over is kept for some hours. Evidence that comes late for such a day is
seen when it is counted again: who acts upon a count forgets first, and counts what is stored.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from controller.core.intervals import Interval
from controller.core.sla.figures.sampling import Count, Samples, Slicing
from controller.core.sla.figures.sketch import Sketch

_HOUR_US: Final = 3600 * 1_000_000
_DAY_US: Final = 24 * _HOUR_US
# Results of a day come within this time, but for those that are late.
_QUIET_US: Final = _HOUR_US
# Days are not all counted again at once.
_KEPT_US_MIN: Final = 6 * _HOUR_US
_SPREAD: Final = 12
_SIZE_MAX: Final = 200_000

_T = TypeVar("_T", Count, Mapping[int, Count], Sketch)


class _Kept(NamedTuple):
    """A count, when it was made, and how much room it takes."""

    value: object
    at_us: int
    size: int


class Remembered:
    """What was counted, by check, day and question. Synchronous: lives in the storage thread."""

    def __init__(self, size_max: int = _SIZE_MAX) -> None:
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self._size = 0
        self._size_max = size_max

    def of(self, check: str, samples: Samples, now_us: int) -> Samples:
        """The samples of a check, which are counted with what is remembered of them."""
        return _RememberingSamples(self, check, samples, now_us)

    def forget(self, checks: Collection[str]) -> None:
        """Count the samples of these checks anew."""
        for key in [key for key in self._kept if key[0] in checks]:
            self._size -= self._kept.pop(key).size

    def get(self, key: tuple[object, ...], now_us: int, spread_us: int) -> object | None:
        """What is kept under a key, if it is fresh enough."""
        kept = self._kept.get(key)
        if kept is None or not 0 <= now_us - kept.at_us < _KEPT_US_MIN + spread_us:
            return None
        self._kept.move_to_end(key)
        return kept.value

    def put(self, key: tuple[object, ...], value: object, now_us: int, size: int) -> None:
        """Keep it; what was used longest ago goes when there is too much."""
        old = self._kept.pop(key, None)
        self._size += size - (old.size if old else 0)
        self._kept[key] = _Kept(value, now_us, size)
        while self._size > self._size_max:
            _, gone = self._kept.popitem(last=False)
            self._size -= gone.size


class _RememberingSamples:
    """`Samples` of which whole days are remembered."""

    def __init__(self, remembered: Remembered, check: str, samples: Samples, now_us: int) -> None:
        self._remembered = remembered
        self._check = check
        self._samples = samples
        self._now_us = now_us

    def counted(self, spans: Sequence[Interval], within_us: int | None = None) -> Count:
        """See `Samples.counted`."""
        found = Count()
        for one in self._parts(
            ("counted", within_us), spans, lambda part: self._samples.counted(part, within_us)
        ):
            found = found.plus(one)
        return found

    def sliced(self, spans: Sequence[Interval], slicing: Slicing) -> Mapping[int, Count]:
        """See `Samples.sliced`."""
        found: dict[int, Count] = {}
        for one in self._parts(
            ("sliced", slicing), spans, lambda part: self._samples.sliced(part, slicing)
        ):
            for number, count in one.items():
                known = found.get(number)
                found[number] = count if known is None else known.plus(count)
        return found

    def latencies(self, spans: Sequence[Interval]) -> Sketch:
        """See `Samples.latencies`."""
        buckets: dict[int, int] = {}
        unanswered = 0
        for one in self._parts(("latencies",), spans, self._samples.latencies):
            unanswered += one.unanswered
            for start_us, count in one.buckets.items():
                buckets[start_us] = buckets.get(start_us, 0) + count
        return Sketch(buckets, unanswered)

    def _parts(
        self,
        question: tuple[object, ...],
        spans: Sequence[Interval],
        ask: Callable[[Sequence[Interval]], _T],
    ) -> Iterator[_T]:
        """What is counted of each whole day that is over, and of the rest together."""
        rest: list[Interval] = []
        for span in spans:
            first, last = -(-span.from_us // _DAY_US), span.to_us // _DAY_US
            last = min(last, (self._now_us - _QUIET_US) // _DAY_US)
            if first >= last:
                rest.append(span)
                continue
            edges = [
                Interval(span.from_us, first * _DAY_US), Interval(last * _DAY_US, span.to_us)
            ]  # fmt: skip
            rest += [edge for edge in edges if edge.from_us < edge.to_us]
            yield from (self._of_day(question, day, ask) for day in range(first, last))
        if rest:
            yield ask(rest)

    def _of_day(
        self,
        question: tuple[object, ...],
        day: int,
        ask: Callable[[Sequence[Interval]], _T],
    ) -> _T:
        key = (self._check, day, *question)
        spread_us = day % _SPREAD * _KEPT_US_MIN // _SPREAD
        known: _T | None = self._remembered.get(key, self._now_us, spread_us)  # type: ignore[assignment]  # as it was put
        if known is None:
            known = ask([Interval(day * _DAY_US, (day + 1) * _DAY_US)])
            self._remembered.put(key, known, self._now_us, _size_of(known))
        return known


def _size_of(value: object) -> int:
    match value:
        case Sketch():
            return len(value.buckets) + 1
        case Mapping():
            return len(value) + 1
        case _:
            return 1
