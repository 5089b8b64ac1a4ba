"""Labels of one agent, and how the agents of a region merge (S-6 to S-10)."""

import pytest

from controller.core.intervals import FOREVER_US
from controller.core.labels import Label, Vote, bad_intervals, confirmed, holds, merged_label
from tests.unit.core.scenes import SECOND, anchors, policy, sample

LETTERS = {Label.NONE: "?", Label.UP: "U", Label.DEGRADED: "G", Label.DOWN: "D"}


def _labels(letters: str, fail: int, recover: int) -> str:
    """Labels of samples a minute apart; a dot is a minute without one."""
    rules = policy("a", fail_after=fail, recover_after=recover)
    evidence = [sample("a", 60 * i, c) for i, c in enumerate(letters) if c != "."]
    return "".join(LETTERS[one.label] for one in confirmed(evidence, rules))


@pytest.mark.parametrize(
    ("letters", "fail", "recover", "expected"),
    [
        pytest.param("UUDDUU", 1, 1, "UUDDUU", id="at once"),
        pytest.param("UDDU", 2, 1, "UDDU", id="confirmed from its first"),
        pytest.param("UDUDU", 2, 1, "UUUUU", id="a lone failure keeps the state"),
        pytest.param("UDDDUDUUU", 3, 2, "UDDDDDUUU", id="a lone success keeps it too"),
        pytest.param("DDUU", 3, 2, "??UU", id="nothing is known until one is confirmed"),
        pytest.param("DU", 1, 3, "DD", id="a recovery must be confirmed"),
        pytest.param("U", 2, 2, "U", id="the first success counts at once"),
        pytest.param("UDD", 3, 1, "UUU", id="a run at the end waits"),
        pytest.param("UGGU", 2, 2, "UGGU", id="degraded counts as up, under its own name"),
        pytest.param("GDGDD", 2, 2, "GUGDD", id="an unconfirmed failure after degraded is up"),
        pytest.param("DDGG", 2, 2, "DDGG", id="degraded confirms a recovery"),
        pytest.param("DDG", 2, 2, "DDD", id="and one is not enough"),
        pytest.param("UD...DU", 2, 2, "UU?U", id="a gap forgets the run and the state"),
    ],
)
def test_s06_confirmation(letters: str, fail: int, recover: int, expected: str) -> None:
    assert _labels(letters, fail, recover) == expected


@pytest.mark.parametrize(
    ("gap", "until", "is_reset"),
    [
        pytest.param(149, 149, False, id="less than F"),
        pytest.param(150, 150, True, id="exactly F leaves no gap, yet forgets"),
        pytest.param(151, 150, True, id="more than F leaves a gap"),
    ],
)
def test_x67_the_edge_of_freshness(gap: int, until: int, is_reset: bool) -> None:
    rules = policy("a", fail_after=2, recover_after=2)
    said = confirmed([sample("a", 0), sample("a", gap, "D")], rules)
    assert said[1].label is (Label.NONE if is_reset else Label.UP)
    assert holds(said, rules, [])[0].to_us == until * SECOND


def test_s08_the_bounds_of_a_hold_look_at_the_next_sample() -> None:
    rules = policy("a")
    said = confirmed([sample("a", 60 * i, c) for i, c in enumerate("UDDU")], rules)
    votes = [hold.vote for hold in holds(said, rules, [])]
    assert votes == [
        Vote(Label.UP, Label.UP, Label.DOWN),
        Vote(Label.DOWN, Label.DOWN, Label.DOWN),
        Vote(Label.DOWN, Label.UP, Label.DOWN),
        Vote(Label.UP, Label.UP, Label.UP),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("DD", "D"),
        ("D?", "D"),
        ("DU", "U"),
        ("DG", "G"),
        ("GG", "G"),
        ("GU", "U"),
        ("DGU", "U"),
        ("??", "?"),
        ("", "?"),
    ],
)
def test_s09_agents_of_one_region_merge(said: str, expected: str) -> None:
    named = {letter: label for label, letter in LETTERS.items()}
    assert merged_label([named[letter] for letter in said]) is named[expected]


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        pytest.param({0: (3, 3), 10: (1, 3), 20: (3, 3)}, [(0, 20)], id="from good to good"),
        pytest.param({10: (1, 3), 20: (3, 3)}, [(10, 20)], id="no good one before"),
        pytest.param({0: (3, 3), 10: (1, 3)}, [(0, None)], id="no good one yet"),
        pytest.param({0: (3, 3), 10: (2, 4), 20: (4, 4)}, [], id="half is not bad"),
        pytest.param(
            {0: (3, 3), 10: (0, 3), 20: (3, 3), 30: (0, 3), 40: (3, 3)},
            [(0, 20), (20, 40)],
            id="again",
        ),
    ],
)
def test_s10_bad_intervals(
    rounds: dict[int, tuple[int, int]], expected: list[tuple[int, int | None]]
) -> None:
    found = bad_intervals(anchors("a0", rounds))
    assert found == [
        (start * SECOND, FOREVER_US if end is None else end * SECOND) for start, end in expected
    ]


def test_s10_no_hold_crosses_the_start_of_trouble() -> None:
    rules = policy("a")
    bad = bad_intervals(anchors("a0", {30: (3, 3), 40: (0, 3), 50: (3, 3)}))
    said = confirmed([sample("a", 0), sample("a", 60)], rules)
    assert [(h.from_us // SECOND, h.to_us // SECOND) for h in holds(said, rules, bad)] == [
        (0, 30),
        (60, 210),
    ]
