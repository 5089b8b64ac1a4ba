"""Where two accounts of a check differ, and for which of these times the claim itself says why."""

from dataclasses import replace

import msgspec
import pytest

from controller.core.bundle.claim_note import Unsealed
from controller.core.bundle.doubts import differing, doubts_of
from controller.core.bundle.layout import Stream
from controller.core.bundle.rules import Rules
from controller.core.policy import Policy, always
from controller.core.quorum import Verdict
from controller.core.replay import (
    ReplayedCheck,
    ReplayedInterval,
    ReplayedOutage,
    ReplayedSample,
)
from tests.unit.core.bundle.test_claim_note import WHOLE
from vedette.shared.result import Outcome

HOUR_US = 3600 * 1_000_000
UP = [ReplayedInterval(0, 100, Verdict.UP)]
DOWN = [
    ReplayedInterval(0, 40, Verdict.UP),
    ReplayedInterval(40, 60, Verdict.DOWN),
    ReplayedInterval(60, 100, Verdict.UP),
]
CALM = ReplayedCheck(UP, 0, 0, 0, [], UP, UP)


def but(**said: object) -> ReplayedCheck:
    return msgspec.structs.replace(CALM, **said)


@pytest.mark.parametrize(
    ("said", "found", "expected"),
    [
        pytest.param(CALM, CALM, [], id="nothing"),
        pytest.param(
            but(intervals=[ReplayedInterval(0, 30, Verdict.UP), ReplayedInterval(30, 100, Verdict.UP)]),
            CALM, [], id="a cut where nothing changes",
        ),
        pytest.param(but(intervals=DOWN), CALM, [(40, 60)], id="a verdict"),
        pytest.param(CALM, but(intervals_min=DOWN), [(40, 60)], id="the least"),
        pytest.param(CALM, but(intervals_max=DOWN), [(40, 60)], id="the most"),
        pytest.param(but(intervals_min=None), CALM, [], id="bounds that are not told"),
        pytest.param(but(intervals=UP[:0]), CALM, [(0, 100)], id="a time that is left out"),
        pytest.param(
            but(outages=[ReplayedOutage(40, 60, 20, 0)]), but(outages=[ReplayedOutage(40, 50, 10, 0)]),
            [(40, 60)], id="an outage",
        ),
        pytest.param(
            but(outages=[ReplayedOutage(0, 60, 60, 0)]), CALM, [], id="an outage that was cut at the start"
        ),
        pytest.param(
            but(samples=[ReplayedSample(7, Outcome.UP, 1)]), but(samples=[ReplayedSample(7, Outcome.DOWN, 1)]),
            [(7, 8)], id="a sample",
        ),
        pytest.param(
            but(samples=[ReplayedSample(7, Outcome.UP, 1)]),
            but(samples=[ReplayedSample(7, Outcome.DEGRADED, 1)]), [], id="a sample that counts alike",
        ),
        pytest.param(
            but(samples=[ReplayedSample(7, Outcome.UP, 1)] * 2), but(samples=[ReplayedSample(7, Outcome.UP, 1)]),
            [(7, 8)], id="a sample that counts twice",
        ),
    ],
)  # fmt: skip
def test_accounts_differ_in_whatever_a_figure_may_rest_on(
    said: ReplayedCheck, found: ReplayedCheck, expected: list[tuple[int, int]]
) -> None:
    assert differing(said, found, 0, 100) == expected


def test_lines_under_no_seal_are_recent_only_where_the_claim_was_made_soon_after_them() -> None:
    stream = Stream("fra-1", "e1", "shop")
    rules = Rules(always(Policy("home", "r", ("fra",), 180_000_000)), None)
    as_of_us = 100 * HOUR_US
    for to_us, from_us, is_recent in (
        (as_of_us, as_of_us - HOUR_US + 1, True),
        (as_of_us, as_of_us - HOUR_US, False),
        # What claims to be in doubt from the beginning is not what was about to be sealed.
        (as_of_us, 0, False),
        (as_of_us - HOUR_US, as_of_us - 1, False),
    ):
        claim = replace(
            WHOLE, as_of_us=as_of_us, to_us=to_us,
            unsealed=[Unsealed(stream, 7, 9, from_us, as_of_us)],
        )  # fmt: skip
        (doubt,) = doubts_of(claim, rules)
        assert doubt.is_recent is is_recent
        assert doubt.span.from_us < from_us < as_of_us < doubt.span.to_us
        assert doubt.why.startswith("3 lines that counted are under no seal here (fra-1 e1 shop")
    (doubt,) = doubts_of(WHOLE, replace(rules, since_us=5))
    assert doubt.span.to_us == 5
    assert "the log has no rules" in doubt.why
