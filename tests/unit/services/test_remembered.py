"""Remembered counts of samples say what the samples say, ask less, and are forgotten."""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.intervals import Interval, union
from controller.core.sla.figures.sampling import Count, Listed, ListedSamples, Slicing
from controller.core.sla.figures.sketch import Sketch
from controller.services.contracts.remembered import Remembered

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
NOW = 10 * DAY + 6 * HOUR


class Counting(ListedSamples):
    """Samples that note over which time they were asked."""

    def __init__(self, samples: Sequence[Listed]) -> None:
        super().__init__(samples)
        self.asked: list[Interval] = []

    def counted(self, spans: Sequence[Interval], within_us: int | None = None) -> Count:
        self.asked += spans
        return super().counted(spans, within_us)

    def sliced(self, spans: Sequence[Interval], slicing: Slicing) -> Mapping[int, Count]:
        self.asked += spans
        return super().sliced(spans, slicing)

    def latencies(self, spans: Sequence[Interval]) -> Sketch:
        self.asked += spans
        return super().latencies(spans)


def hourly(count: int = 11 * 24) -> Counting:
    return Counting([Listed(n * HOUR, n % 7 != 0, 1000 * n) for n in range(count)])


LISTED = st.builds(
    Listed, st.integers(0, NOW), st.booleans(), st.none() | st.integers(0, 10_000_000)
)
SPANS = st.lists(st.tuples(st.integers(0, NOW), st.integers(0, NOW)), max_size=4).map(union)


@settings(deadline=None)
@given(st.lists(LISTED, max_size=30), SPANS, st.integers(1, 3 * DAY), st.integers(0, DAY))
def test_what_is_remembered_says_what_the_samples_say(
    samples: list[Listed], spans: list[Interval], length_us: int, origin_us: int
) -> None:
    plain, remembered = ListedSamples(samples), Remembered()
    slicing = Slicing(origin_us, length_us)
    for _ in range(2):
        found = remembered.of("home", plain, NOW)
        assert found.counted(spans) == plain.counted(spans)
        assert found.counted(spans, 5_000_000) == plain.counted(spans, 5_000_000)
        assert dict(found.sliced(spans, slicing)) == dict(plain.sliced(spans, slicing))
        assert found.latencies(spans) == plain.latencies(spans)


def test_only_days_that_are_over_are_remembered() -> None:
    remembered, samples = Remembered(), hourly()
    month = [Interval(HOUR, NOW)]
    first = remembered.of("home", samples, NOW).counted(month)
    samples.asked.clear()
    assert remembered.of("home", samples, NOW + HOUR).counted(month) == first
    assert samples.asked == [Interval(HOUR, DAY), Interval(10 * DAY, NOW)]
    samples.asked.clear()
    remembered.of("home", samples, NOW).counted(month, 5)
    assert len(samples.asked) == 11, "another question is counted by itself"


def test_a_day_is_not_over_while_its_last_results_may_still_come() -> None:
    remembered, samples = Remembered(), hourly()
    for _ in range(2):
        samples.asked.clear()
        remembered.of("home", samples, DAY + HOUR - 1).counted([Interval(0, DAY)])
        assert samples.asked == [Interval(0, DAY)]


def test_what_was_counted_is_counted_again_after_some_hours_and_when_it_is_forgotten() -> None:
    remembered, samples = Remembered(), hourly()
    week = [Interval(0, 7 * DAY)]

    def asked_at(now_us: int, check: str = "home") -> int:
        samples.asked.clear()
        remembered.of(check, samples, now_us).counted(week)
        return len(samples.asked)

    assert asked_at(NOW) == 7
    assert asked_at(NOW + 6 * HOUR - 1) == 0
    assert 0 < asked_at(NOW + 7 * HOUR) < 7, "not all at once"
    assert asked_at(NOW - HOUR) > 0, "nor is what was counted later than now"
    assert asked_at(NOW, "name") == 7
    remembered.forget(["home"])
    assert asked_at(NOW) == 7
    assert asked_at(NOW, "name") == 0


def test_what_is_remembered_takes_a_bounded_room() -> None:
    remembered, samples = Remembered(size_max=5), hourly()
    remembered.of("home", samples, NOW).counted([Interval(0, 7 * DAY)])
    samples.asked.clear()
    remembered.of("home", samples, NOW).counted([Interval(2 * DAY, 7 * DAY)])
    assert samples.asked == [], "the five that were counted last"
    remembered.of("home", samples, NOW).sliced([Interval(0, DAY)], Slicing(0, HOUR))
    samples.asked.clear()
    remembered.of("home", samples, NOW).counted([Interval(6 * DAY, 7 * DAY)])
    assert samples.asked, "a day of 24 slices is more than there is room for"
