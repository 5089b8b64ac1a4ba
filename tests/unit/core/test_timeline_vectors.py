"""The timeline vectors X-01 to X-18."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from controller.core.labels import Label, confirmed
from controller.core.outages import spans
from controller.core.policy import Policy
from controller.core.quorum import Verdict, verdict
from controller.core.timeline import HIGH, LOW, Segment
from tests.unit.core.scenes import SECOND, Scene, anchors, every_minute, policy, sample
from vedette.shared.definitions import Rule

DOWN = [(300, 600)]
ALL_DOWN = [
    *every_minute("a", 0, DOWN),
    *every_minute("b", 20, DOWN),
    *every_minute("c", 40, DOWN),
]
TWO_DOWN = [*every_minute("a", 0, DOWN), *every_minute("b", 20, DOWN)]
ONLY_A_DOWN = [*every_minute("a", 0, DOWN), *every_minute("b", 20), *every_minute("c", 40)]
PARTITIONED = [
    *every_minute("a", 0, DOWN, until=301),
    *every_minute("b", 20, DOWN, until=321),
    *every_minute("c", 40, DOWN, until=341),
]


def test_x01_three_regions_down_is_an_outage_between_bounds() -> None:
    scene = Scene(ALL_DOWN)
    assert scene.verdicts() == "PARTIAL 300-320, DOWN 320-620, PARTIAL 620-640"
    assert scene.verdicts(LOW).split(", ")[1] == "DOWN 320-560"
    assert "DOWN 260-620" in scene.verdicts(HIGH)
    assert (scene.down(LOW), scene.down(), scene.down(HIGH)) == (240, 300, 360)
    (outage,) = scene.outages()
    assert (outage.downtime_us_min, outage.downtime_us_max) == (240 * SECOND, 360 * SECOND)


def test_x02_confirmation_is_backdated_and_the_quorum_dates_the_outage() -> None:
    once = Scene(ALL_DOWN)
    twice = Scene(ALL_DOWN, policy(fail_after=2, recover_after=2))
    assert twice.verdicts() == once.verdicts()
    (outage,) = twice.outages()
    assert outage.span.started_us == 320 * SECOND
    assert outage.confirmed_us == 380 * SECOND
    assert outage.span.ended_us == 620 * SECOND
    assert [vote.confirmed_us for vote in outage.votes] == [360 * SECOND, 380 * SECOND, None]
    assert Scene(ALL_DOWN, twice.policy, horizon=380).verdicts() == "PARTIAL 300-320, DOWN 320-380"
    assert "DOWN" not in Scene(ALL_DOWN, twice.policy, horizon=379).verdicts()
    open_until = [spans(Scene(ALL_DOWN, twice.policy, horizon=h).segments) for h in (679, 681)]
    assert [found[0].ended_us for found in open_until] == [None, 620 * SECOND]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(Rule.ALL, "DOWN 340-600"), (Rule.ANY, "DOWN 300-640")],
)
def test_x03_the_rule_decides_how_many_regions_are_needed(rule: Rule, expected: str) -> None:
    assert expected in Scene(ALL_DOWN, policy(rule=rule)).verdicts()


def test_x04_one_region_down_is_partial_and_weighs_what_the_policy_says() -> None:
    assert Scene(ONLY_A_DOWN).verdicts() == "PARTIAL 300-600"
    assert Scene(ONLY_A_DOWN).down() == 0
    assert Scene(ONLY_A_DOWN, policy(partial_weight="regions")).down() == 100
    assert Scene(ONLY_A_DOWN, policy(partial_weight="1")).down() == 300
    weights = {"a": Fraction(1, 4), "b": Fraction(1, 2), "c": Fraction(1, 4)}
    assert Scene(ONLY_A_DOWN, policy(partial_weight="weights", weights=weights)).down() == 75


def test_x05_a_dead_agent_leaves_the_others_a_quorum() -> None:
    scene = Scene(TWO_DOWN)
    assert scene.verdicts() == "PARTIAL 300-320, DOWN 320-600, PARTIAL 600-620"
    assert scene.down() == 280


@pytest.mark.parametrize(
    ("rule", "expected", "down"),
    [
        pytest.param(Rule.MAJORITY, "PARTIAL 300-600", 0, id="a tie is no majority"),
        pytest.param(Rule.AT_LEAST_HALF, "DOWN 300-600", 300, id="a tie is half"),
    ],
)
def test_x06_a_tie(rule: Rule, expected: str, down: int) -> None:
    scene = Scene([*every_minute("a", 0, DOWN), *every_minute("b", 20)], policy(rule=rule))
    assert (scene.verdicts(), scene.down()) == (expected, down)


def test_x07_a_region_that_falls_silent_counts_until_its_evidence_is_stale() -> None:
    scene = Scene([*TWO_DOWN, *every_minute("c", 40, until=161)])
    assert scene.down() == 280
    votes = {s.from_us // SECOND: s.votes[2].label for s in scene.segments}
    assert Label.NONE in votes.values()
    assert next(at for at, label in votes.items() if label is Label.NONE) == 310


def test_x08_too_few_regions_are_unknown_and_never_up() -> None:
    scene = Scene(every_minute("a", 0, DOWN))
    assert scene.verdicts() == "UNKNOWN 60-900"
    assert scene.down() == 0


def test_x09_an_agent_in_trouble_voids_its_samples() -> None:
    rounds = dict.fromkeys(range(10, 900, 20), (4, 4)) | dict.fromkeys(range(310, 610, 20), (1, 4))
    scene = Scene(ONLY_A_DOWN, rounds=anchors("a0", rounds))
    assert scene.verdicts() == ""
    quiet = [s for s in scene.segments if s.votes[0].label is Label.NONE]
    assert (quiet[0].from_us, quiet[-1].to_us) == (290 * SECOND, 660 * SECOND)


def test_x10_two_of_four_are_half_but_no_majority() -> None:
    samples = [
        *every_minute("a", 0, DOWN),
        *every_minute("b", 15, DOWN),
        *every_minute("c", 30),
        *every_minute("d", 45),
    ]
    assert Scene(samples, policy("abcd")).verdicts() == "PARTIAL 300-615"
    half = Scene(samples, policy("abcd", rule=Rule.AT_LEAST_HALF))
    assert "DOWN 315-600" in half.verdicts()
    assert half.down() == 285


def test_x11_a_partition_leaves_the_outage_open_and_the_rest_unknown() -> None:
    scene = Scene(PARTITIONED)
    assert scene.verdicts() == "PARTIAL 300-320, DOWN 320-470, UNKNOWN 470-900"
    assert scene.down() == 150
    (outage,) = scene.outages()
    assert outage.span.ended_us is None
    assert outage.span.unknown_us == 0


def test_x12_late_results_close_the_outage_in_retrospect() -> None:
    late = [
        one
        for region, offset in (("a", 0), ("b", 20), ("c", 40))
        for one in every_minute(region, offset, start=360)
    ]
    scene = Scene([*PARTITIONED, *late])
    assert scene.verdicts() == "PARTIAL 300-320, DOWN 320-380, PARTIAL 380-400"
    assert (scene.down(LOW), scene.down(), scene.down(HIGH)) == (0, 60, 120)
    (outage,), (before,) = scene.outages(), Scene(PARTITIONED).outages()
    assert outage.span.ended_us == 380 * SECOND
    assert outage.id == before.id


def test_x13_order_and_repetition_change_nothing() -> None:
    shuffled = [*ALL_DOWN, *ALL_DOWN]
    random.Random(13).shuffle(shuffled)
    assert Scene(shuffled).segments == Scene(ALL_DOWN).segments
    assert Scene(shuffled).outages() == Scene(ALL_DOWN).outages()


def test_x14_single_blips_are_transients_and_do_not_interrupt() -> None:
    one_region = policy("a", min_evidence=1, fail_after=2, recover_after=2)
    letters = "UDUDUUDDUDUU"
    samples = [sample("a", 60 * i, letter) for i, letter in enumerate(letters)]
    scene = Scene(samples, one_region, window=(0, 720))
    assert scene.verdicts() == "DOWN 360-600"
    said = confirmed(samples, one_region)
    assert [s.sample.at_us // SECOND for s in said if s.is_blip] == [60, 180]
    assert scene.outages()[0].transients == 0


def test_x15_a_gap_forgets_an_unconfirmed_run() -> None:
    one_region = policy("a", min_evidence=1, fail_after=2, recover_after=2)
    samples = [sample("a", 0), sample("a", 60, "D"), sample("a", 600, "D"), sample("a", 660)]
    scene = Scene(samples, one_region, window=(0, 720))
    assert "DOWN" not in scene.verdicts()
    assert [s.label for s in confirmed(samples, one_region)] == [
        Label.UP,
        Label.UP,
        Label.NONE,
        Label.UP,
    ]


def _written(text: str, rules: Policy) -> list[Segment]:
    """`D 0-120, U 120-180` as segments."""
    names = {"D": Verdict.DOWN, "U": Verdict.UP, "?": Verdict.UNKNOWN, "P": Verdict.PARTIAL}
    found = []
    for part in text.split(", "):
        start, end = (int(one) * SECOND for one in part[2:].split("-"))
        found.append(Segment(start, end, (names[part[0]],) * 3, (), rules))
    return found


@pytest.mark.parametrize(
    ("text", "gap", "expected"),
    [
        ("D 0-120, U 120-180, D 180-300", 120, [(0, None, 240, 0)]),
        ("D 0-120, U 120-180, D 180-300", 0, [(0, 120, 120, 0), (180, None, 120, 0)]),
        ("D 0-120, U 120-240, D 240-300", 120, [(0, 120, 120, 0), (240, None, 60, 0)]),
        ("D 0-120, ? 120-240, D 240-300", 0, [(0, None, 180, 120)]),
        ("D 0-120, U 120-180, ? 180-900, P 900-960, D 960-999", 120, [(0, 120, 120, 0), (960, None, 39, 0)]),
        ("D 0-120, U 120-180, ? 180-900, P 900-959, D 960-999", 120, [(0, None, 159, 720)]),
    ],
)  # fmt: skip
def test_x16_known_time_between_outages_is_what_separates_them(
    text: str, gap: int, expected: list[tuple[int, int | None, int, int]]
) -> None:
    found = spans(_written(text, policy(merge_gap_us=gap * SECOND)))
    shown = [
        (
            s.started_us // SECOND,
            None if s.ended_us is None else s.ended_us // SECOND,
            s.downtime_us // SECOND,
            s.unknown_us // SECOND,
        )
        for s in found
    ]
    assert shown == expected


def test_x17_unknown_time_does_not_close_an_outage() -> None:
    (one,) = spans(_written("D 0-300, ? 300-900, D 900-1000, U 1000-3600", policy()))
    assert (one.started_us, one.ended_us) == (0, 1000 * SECOND)
    assert (one.downtime_us, one.unknown_us) == (400 * SECOND, 600 * SECOND)


def test_s15_a_day_of_silence_closes_an_outage() -> None:
    rules = policy(abandon_after_us=86_400 * SECOND)
    glued = spans(_written("D 0-300, ? 300-86699, D 86699-86710, U 86710-90000", rules))
    assert [one.ended_us for one in glued] == [86_710 * SECOND]
    broken = spans(_written("D 0-300, ? 300-86700, D 86700-86710, U 86710-90000", rules))
    assert [one.ended_us for one in broken] == [300 * SECOND, 86_710 * SECOND]
    assert spans(_written("D 0-300, ? 300-86699", rules))[0].ended_us is None
    assert spans(_written("D 0-300, ? 300-86700", rules))[0].ended_us == 300 * SECOND


@pytest.mark.parametrize(("healthy", "expected"), [(2, Verdict.DOWN), (3, Verdict.PARTIAL)])
def test_x18_a_fraction_of_healthy_checkers(healthy: int, expected: Verdict) -> None:
    rules = policy(
        [f"r{i}" for i in range(16)], rule=Rule.HEALTHY_FRACTION, fraction=Fraction(18, 100)
    )
    assert verdict(rules, [Label.UP] * healthy + [Label.DOWN] * (16 - healthy)) is expected


def test_s20_the_horizon_is_part_of_the_question() -> None:
    early = Scene(ALL_DOWN, horizon=470)
    assert early.segments[-1].to_us == 470 * SECOND
    truncated = [s for s in ALL_DOWN if s.at_us <= 470 * SECOND]
    assert early.segments == replace(early, samples=truncated).segments
