"""Admission of lines (S-1 to S-5)."""

import json
from itertools import permutations
from typing import Any

import pytest

from controller.core.admission import admitted_line, deduplicated, distinct_samples
from controller.core.samples import AnchorRound, Quarantined, Sample
from tests.unit.core.scenes import sample
from vedette.shared.result import Outcome

SECOND = 1_000_000


def _line(**changes: Any) -> bytes:
    line = {
        "agent": "a0", "epoch": "e1", "seq": 1, "check": "c", "region": "a", "at": 100 * SECOND,
        "outcome": "up",
    }  # fmt: skip
    return json.dumps(line | changes).encode() + b"\n"


def test_s03_the_event_time_is_corrected_by_the_measured_offset() -> None:
    one = admitted_line(_line(clock={"offset": 7 * SECOND}))
    assert isinstance(one, Sample)
    assert (one.at_us, one.outcome) == (93 * SECOND, Outcome.UP)


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        pytest.param(60 * SECOND, "down", id="a minute is still measured"),
        pytest.param(-60 * SECOND, "down", id="either way"),
        pytest.param(60 * SECOND + 1, "agent_error", id="more is a fault of the agent"),
        pytest.param(None, "agent_error", id="never measured"),
    ],
)
def test_s03_a_clock_that_is_off_is_no_evidence(offset: int | None, expected: str) -> None:
    one = admitted_line(_line(outcome="down", clock={"offset": offset}))
    assert isinstance(one, Sample)
    assert one.outcome == expected


def test_s03_a_line_without_a_clock_has_an_exact_one() -> None:
    one = admitted_line(_line())
    assert isinstance(one, Sample)
    assert one.at_us == 100 * SECOND


@pytest.mark.parametrize(("received", "is_set_aside"), [(95, False), (94.999999, True)])
def test_s03_a_line_from_the_future_is_set_aside(received: float, is_set_aside: bool) -> None:
    one = admitted_line(_line(), received_us=round(received * SECOND))
    assert isinstance(one, Quarantined) is is_set_aside


def test_an_anchor_round_needs_its_counts() -> None:
    one = admitted_line(_line(check="@anchors", ok=1, total=3))
    assert isinstance(one, AnchorRound)
    assert one.is_bad
    with pytest.raises(ValueError, match="needs `ok` and `total`"):
        admitted_line(_line(check="@anchors", ok=1))
    with pytest.raises(ValueError, match="0 <= ok <= total"):
        admitted_line(_line(check="@anchors", ok=4, total=3))


def test_an_anchor_round_without_a_clock_says_nothing() -> None:
    one = admitted_line(_line(check="@anchors", ok=1, total=3, clock={"offset": None}))
    assert isinstance(one, Quarantined)


@pytest.mark.parametrize(
    ("outcomes", "winner"),
    [
        (("up", "down"), "down"),
        (("degraded", "up"), "degraded"),
        (("down", "degraded"), "down"),
        (("agent_error", "up"), "up"),
    ],
)
def test_x59_the_worst_of_two_lines_of_one_identity_counts(
    outcomes: tuple[str, str], winner: str
) -> None:
    both = [admitted_line(_line(outcome=outcome)) for outcome in outcomes]
    for order in permutations(both):
        (one,) = distinct_samples([i for i in order if isinstance(i, Sample)])
        assert one.outcome == winner


def test_s02_of_equal_outcomes_the_smallest_digest_counts() -> None:
    items = [admitted_line(_line(at=t)) for t in range(5)]
    samples = [i for i in items if isinstance(i, Sample)]
    smallest = min(samples, key=lambda one: one.digest)
    for order in permutations(samples):
        assert deduplicated(order) == [smallest]


def test_s02_the_end_of_the_line_is_not_part_of_its_digest() -> None:
    assert (
        admitted_line(_line())
        == admitted_line(_line().rstrip())
        == admitted_line(_line().rstrip() + b"\r\n")
    )


def test_s06_samples_stand_by_time_then_epoch_then_number() -> None:
    late = sample("a", 60, seq=1)
    early = sample("a", 0, seq=9)
    twin = sample("a", 60, seq=0)
    other = sample("a", 60, seq=0)._replace(epoch="e0")
    assert distinct_samples([late, early, twin, other]) == [early, other, twin, late]
