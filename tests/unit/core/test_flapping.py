"""The flapping score (S-18)."""

from fractions import Fraction

import pytest

from controller.core.flapping import Flapping, flap_score, flapping_at, is_flapping


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


def _verdicts(*lengths: int) -> list[tuple[int, int, str]]:
    """Verdicts of those lengths one after another, UP and DOWN in turns, from 6000 on."""
    found: list[tuple[int, int, str]] = []
    at = 6000
    for number, length in enumerate(lengths):
        found.append((at, at + length, "DOWN" if number % 2 else "UP"))
        at += length
    return found


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param([], False, id="nothing is known"),
        pytest.param(_verdicts(6000), False, id="it was always up"),
        pytest.param(_verdicts(3000, 300, 300), False, id="one outage"),
        pytest.param(_verdicts(3000, 60, 60, 60, 60, 60, 60, 60), True, id="four, one after another"),
        pytest.param(_verdicts(3000, 5, 60, 5, 60, 5, 60), True, id="short ones between two runs"),
        pytest.param(
            _verdicts(3000, 60, 60, 60, 60, 60, 60, 60, 900), True, id="it has not calmed down yet"
        ),
        pytest.param(
            _verdicts(3000, 60, 60, 60, 60, 60, 60, 60, 6000), False, id="it calmed down"
        ),
    ],
)  # fmt: skip
def test_s18_a_check_flaps_by_what_it_was_at_its_runs(
    verdicts: list[tuple[int, int, str]], expected: bool
) -> None:
    now = verdicts[-1][1] - 1 if verdicts else 6000
    assert flapping_at(verdicts, 60, now).is_flapping is expected


def test_s18_what_is_not_known_is_no_change() -> None:
    broken = [
        (6000, 9000, "UP"),
        (9000, 9060, "UNKNOWN"),
        (9060, 9120, "UP"),
        (9120, 9200, "PARTIAL"),
    ]
    assert flapping_at(broken, 60, 9199) == Flapping(Fraction(0), is_flapping=False)


def test_s18_what_comes_later_is_not_seen() -> None:
    flapping = _verdicts(3000, 60, 60, 60, 60, 60, 60, 60)
    assert not flapping_at(flapping, 60, 6000 + 3000).is_flapping


def test_s18_it_ends_later_than_it_begins() -> None:
    """About the same score means flapping only where it was higher before."""
    many = _verdicts(3000, *[60] * 5, 60 * 12)
    few = _verdicts(3000, *[60] * 4, 60 * 6)
    assert flapping_at(many, 60, many[-1][1] - 1).is_flapping
    found = flapping_at(few, 60, few[-1][1] - 1)
    assert Fraction(20, 100) <= found.score < Fraction(30, 100)
    assert not found.is_flapping
