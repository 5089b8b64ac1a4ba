"""What the evidence leaves open of an outage (S-8), and the runs that decide it (S-6)."""

import pytest

from controller.core.doubt import Doubt, doubts, least_and_most
from controller.core.runs import Run, runs
from controller.core.timeline import tracks_of
from tests.unit.core.scenes import SECOND, Scene, every_minute, policy, sample

THREE = [
    *every_minute("a", 0, [(300, 600)]),
    *every_minute("b", 20, [(300, 600)]),
    *every_minute("c", 40, [(300, 600)]),
]


def test_x01_the_bounds_and_who_leaves_them_open() -> None:
    scene = Scene(THREE)
    found = doubts(scene.segments, 320 * SECOND, 620 * SECOND, 150 * SECOND)
    assert found == [
        Doubt(260 * SECOND, 320 * SECOND, False, ("a", "b", "c")),
        Doubt(560 * SECOND, 620 * SECOND, True, ("a", "b", "c")),
    ]
    assert least_and_most(300 * SECOND, found) == (240 * SECOND, 360 * SECOND)


def told(letters: str, every: int = 60, **changes: int) -> list[Run]:
    samples = [sample("a", every * n, letter) for n, letter in enumerate(letters)]
    rules = policy("a", **changes)
    (track,) = tracks_of(samples, [], rules)
    return runs(track.said, rules.freshness_us)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("UUU", [("U", 0, 120, 3, 0)], id="up from the first"),
        pytest.param("UDD", [("U", 0, 0, 1, 0), ("D", 60, 120, 2, 120)], id="two confirm"),
        pytest.param(
            "UDUU",
            [("U", 0, 0, 1, 0), ("D", 60, 60, 1, None), ("U", 120, 180, 2, 120)],
            id="a blip",
        ),
        pytest.param("DU", [("D", 0, 0, 1, None), ("U", 60, 60, 1, 60)], id="nothing was known"),
        pytest.param(
            "DDUDD",
            [("D", 0, 60, 2, 60), ("U", 120, 120, 1, None), ("D", 180, 240, 2, 180)],
            id="a lone success",
        ),
        pytest.param("UGU", [("U", 0, 120, 3, 0)], id="slow is not down"),
    ],
)
def test_s06_runs_and_what_made_them_certain(
    letters: str, expected: list[tuple[str, int, int, int, int | None]]
) -> None:
    found = [
        (
            "D" if run.is_down else "U",
            run.from_us // SECOND,
            run.to_us // SECOND,
            run.count,
            None if run.certain is None else run.certain.at_us // SECOND,
        )
        for run in told(letters, fail_after=2, recover_after=2)
    ]
    assert found == expected


def test_x15_a_silence_parts_runs() -> None:
    first, second = told("DD", every=150, fail_after=2)
    assert (first.certain, second.certain) == (None, None)
    assert (first.is_after_silence, second.is_after_silence) == (False, True)
