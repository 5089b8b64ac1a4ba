"""Severity (S-17): a table, and its history."""

import pytest

from controller.core.severity import (
    GLOBAL,
    Criticality,
    Graded,
    Scope,
    Severity,
    Standing,
    severities,
    severity,
)

CRITICAL, NORMAL = Criticality.CRITICAL, Criticality.NORMAL


@pytest.mark.parametrize(
    ("scope", "criticality", "expected"),
    [
        pytest.param(GLOBAL, CRITICAL, Severity.P1, id="everybody, and it matters"),
        pytest.param(GLOBAL, NORMAL, Severity.P2, id="everybody"),
        pytest.param(Scope(False, 2, 4), CRITICAL, Severity.P2, id="half of the regions, and it matters"),
        pytest.param(Scope(False, 1, 3), CRITICAL, Severity.P3, id="fewer than half"),
        pytest.param(Scope(False, 3, 4), NORMAL, Severity.P3, id="most regions"),
        pytest.param(Scope(True, is_degraded=True), CRITICAL, Severity.P4, id="slow"),
    ],
)  # fmt: skip
def test_s17_severity_follows_scope_and_criticality(
    scope: Scope, criticality: Criticality, expected: Severity
) -> None:
    assert severity(scope, criticality) is expected


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        pytest.param([], [Graded(100, 200, Severity.P2)], id="nothing was declared"),
        pytest.param([Standing(0, CRITICAL)], [Graded(100, 200, Severity.P1)], id="long ago"),
        pytest.param([Standing(150, CRITICAL)], [Graded(100, 200, Severity.P1)], id="as the first says"),
        pytest.param(
            [Standing(0, NORMAL), Standing(150, CRITICAL)],
            [Graded(100, 150, Severity.P2), Graded(150, 200, Severity.P1)],
            id="it mattered more from then on",
        ),
        pytest.param(
            [Standing(0, NORMAL), Standing(150, NORMAL), Standing(200, CRITICAL)],
            [Graded(100, 200, Severity.P2)],
            id="what was declared afterwards changes nothing",
        ),
        pytest.param(
            [Standing(0, NORMAL), Standing(50, CRITICAL), Standing(100, NORMAL)],
            [Graded(100, 200, Severity.P2)],
            id="only what held at the time counts",
        ),
    ],
)  # fmt: skip
def test_s17_history_is_kept(standings: list[Standing], expected: list[Graded]) -> None:
    assert severities(GLOBAL, standings, 100, 200) == expected


def test_s17_an_instant_has_a_severity_too() -> None:
    """An outage that began just now has no length yet."""
    assert severities(GLOBAL, [Standing(0, CRITICAL)], 100, 100) == []
