"""Arithmetic of half-open intervals."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from controller.core.intervals import clip, difference, intersection, length, union, window

pairs = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


def _instants(intervals: list[tuple[int, int]]) -> set[int]:
    return {t for start, end in intervals for t in range(start, end)}


@given(pairs)
def test_a_union_is_sorted_disjoint_and_loses_nothing(raw: list[tuple[int, int]]) -> None:
    found = union(raw)
    assert _instants(list(found)) == _instants(raw)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))
    assert length(found) == len(_instants(raw))


@given(pairs, pairs)
def test_sets_of_instants_are_what_they_compute(
    left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    a, b = union(left), union(right)
    assert _instants(list(intersection(a, b))) == _instants(left) & _instants(right)
    assert _instants(list(difference(a, b))) == _instants(left) - _instants(right)
    assert union(difference(a, b)) == difference(a, b)


@given(pairs, st.integers(0, 30), st.integers(0, 30))
def test_a_clip_is_an_intersection_with_one_interval(
    raw: list[tuple[int, int]], start: int, end: int
) -> None:
    expected = intersection(union(raw), union([(start, end)]))
    assert clip(union(raw), start, end) == expected
    assert window(union(raw), start, end) == expected
