"""Which outages of two rules belong together, and what each comes to."""

from fractions import Fraction

import pytest

from controller.core.backtest import Difference, Timeline, paired
from controller.core.policy import Policy
from controller.core.quorum import Verdict
from controller.core.timeline import Segment

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN
POLICY = Policy("c", "r", ("fra",), 150, merge_gap_us=10)


def made(*parts: tuple[int, Verdict]) -> Timeline:
    """A timeline of (length, verdict), one after another from 0 on."""
    segments, at_us = [], 0
    for length_us, value in parts:
        segments.append(Segment(at_us, at_us + length_us, (value,) * 3, (), POLICY))
        at_us += length_us
    down_us = sum(length_us for length_us, value in parts if value is DOWN)
    return Timeline(segments, Fraction(down_us))


CALM = made((100, UP))
ONE = made((20, UP), (30, DOWN), (50, UP))


@pytest.mark.parametrize(
    ("actual", "other", "differences"),
    [
        pytest.param(CALM, CALM, [], id="nothing, both"),
        pytest.param(ONE, ONE, ["same"], id="the same outage"),
        pytest.param(CALM, ONE, ["new"], id="only the other has it"),
        pytest.param(ONE, CALM, ["missing"], id="only the actual has it"),
        pytest.param(ONE, made((20, UP), (31, DOWN), (49, UP)), ["longer"], id="longer"),
        pytest.param(ONE, made((21, UP), (29, DOWN), (50, UP)), ["shorter"], id="shorter"),
        pytest.param(ONE, made((21, UP), (30, DOWN), (49, UP)), ["moved"], id="as long, later"),
        pytest.param(ONE, made((60, UP), (30, DOWN), (10, UP)), ["missing", "new"], id="apart"),
        pytest.param(
            ONE,
            made((20, UP), (5, DOWN), (12, UP), (13, DOWN), (50, UP)),
            ["shorter", "new"],
            id="split in two, of which the longer part is it",
        ),
        pytest.param(
            made((20, UP), (5, DOWN), (12, UP), (13, DOWN), (50, UP)),
            ONE,
            ["missing", "longer"],
            id="two that become one",
        ),
    ],
)
def test_outages_belong_together_by_overlap(
    actual: Timeline, other: Timeline, differences: list[str]
) -> None:
    assert [pair.difference for pair in paired(actual, other)] == [
        Difference(name) for name in differences
    ]


def test_attainment_is_of_the_known_time() -> None:
    assert ONE.attained == Fraction(70, 100)
    assert made((50, UNKNOWN), (20, DOWN), (30, UP)).attained == Fraction(30, 50)
    assert made((50, UNKNOWN)).attained is None
