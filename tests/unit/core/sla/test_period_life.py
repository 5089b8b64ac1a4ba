"""How far a period is (S-22): by the clock, by who was heard, and by what was issued."""

import pytest

from controller.core.sla.reports.period_life import Heard, Lateness, Life

HOUR = 3600 * 1_000_000
ENDS = 1000 * HOUR
FINAL = ENDS + 72 * HOUR
BEFORE, AFTER = Heard("fra-1", ENDS - 1), Heard("nyc-1", ENDS)
NEVER = Heard("sin-1", None)


@pytest.mark.parametrize(
    ("now_us", "heard", "revisions", "state"),
    [
        pytest.param(ENDS - 1, [], 0, "open", id="the last microsecond is not over"),
        pytest.param(ENDS, [AFTER], 0, "provisional", id="late results may come"),
        pytest.param(FINAL - 1, [AFTER], 0, "provisional", id="until the last microsecond"),
        pytest.param(FINAL, [AFTER], 0, "final", id="72 hours after"),
        pytest.param(FINAL, [], 0, "final", id="nobody is waited for"),
        pytest.param(FINAL, [AFTER, BEFORE], 0, "provisional", id="one was not heard to the end"),
        pytest.param(FINAL, [AFTER, NEVER], 0, "provisional", id="one was never heard"),
        pytest.param(FINAL, [AFTER, BEFORE], 1, "sealed", id="sealed though one is missing"),
        pytest.param(ENDS, [], 1, "sealed", id="sealed early"),
        pytest.param(FINAL, [], 2, "revised", id="a second revision"),
        pytest.param(FINAL, [], 9, "revised", id="and more"),
    ],
)
def test_s22_how_far_a_period_is(
    now_us: int, heard: list[Heard], revisions: int, state: str
) -> None:
    assert Life(ENDS, Lateness(), now_us, heard, revisions).state == state


def test_s22_who_is_missing_is_named_the_longest_silent_first() -> None:
    life = Life(ENDS, Lateness(), FINAL, [BEFORE, AFTER, NEVER])
    assert life.unheard == [NEVER, BEFORE]
    assert life.watermark_us == 0
    assert Life(ENDS, Lateness(), FINAL, [BEFORE, AFTER]).watermark_us == ENDS - 1


def test_the_dates_of_a_period_follow_the_clause() -> None:
    life = Life(ENDS, Lateness(allowed="6h", seal_after="12h"), 0, [])
    assert (life.final_us, life.seal_us) == (ENDS + 6 * HOUR, ENDS + 12 * HOUR)
    usual = Life(ENDS, Lateness(), 0, [])
    assert (usual.final_us, usual.seal_us) == (FINAL, ENDS + 120 * HOUR)


@pytest.mark.parametrize(("allowed", "seal_after"), [("72h", "72h"), ("0s", "0s"), ("1m", "1d")])
def test_a_report_may_be_sealed_as_soon_as_no_more_is_waited_for(
    allowed: str, seal_after: str
) -> None:
    assert Lateness(allowed=allowed, seal_after=seal_after).findings() == []


def test_a_report_is_not_sealed_while_results_may_come() -> None:
    ((path, expected, found),) = Lateness(allowed="72h", seal_after="71h").findings()
    assert path == ("seal_after",)
    assert (expected, found) == ("at least as long as `allowed` (72h)", "71h")
