"""The flapping score (S-18)."""

from fractions import Fraction

import pytest

from controller.core.flapping import flap_score, is_flapping


def _states(changed: set[int]) -> list[int]:
    states = [0]
    for position in range(1, 21):
        states.append(states[-1] ^ (position in changed))
    return states


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(set(range(1, 21)), Fraction(100), id="every position"),
        pytest.param({20}, Fraction("6.25"), id="the newest"),
        pytest.param({1}, Fraction("3.75"), id="the oldest"),
        pytest.param(set(range(14, 21)), Fraction(3115, 76), id="the last seven"),
        pytest.param(set(range(1, 7)), Fraction(465, 19), id="the first six"),
        pytest.param(set(), Fraction(0), id="none"),
    ],
)
def test_x19_newer_changes_weigh_more(changed: set[int], expected: Fraction) -> None:
    assert flap_score(_states(changed)) * 100 == expected


def test_s18_a_short_history_is_the_newest_part() -> None:
    assert flap_score([0, 1]) * 100 == Fraction("6.25")


@pytest.mark.parametrize(
    ("score", "was", "expected"),
    [("0.30", False, True), ("0.29", False, False), ("0.20", True, True), ("0.19", True, False)],
)
def test_s18_hysteresis(score: str, was: bool, expected: bool) -> None:
    assert is_flapping(Fraction(score), was_flapping=was) is expected
