"""Downtimes over problems and over silence, to the digit of their vectors: a window of a thousand seconds."""

from typing import Any

import pytest

from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import exclusions_of, records
from tests.unit.core.sla.contracting import SECOND, fleet, seconds

UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def told(
    mode: str, spans: list[tuple[int, int, Verdict]], *downtimes: tuple[int, int]
) -> dict[str, Any]:
    """The record of [1000, 2000) s, all of whose downtimes have this mode."""
    declared = "".join(
        f"  - {{id: x{n}, type: scheduled, from: {a * SECOND}, to: {b * SECOND}, declared_at: 0, by: ada}}\n"
        for n, (a, b) in enumerate(downtimes)
    )
    file = fleet(
        "period: {kind: rolling, length: 1000s}",
        'objectives: [{id: a, target: "60", min_coverage: "0"}]',
        f"exclusions: {{scheduled: {{mode: {mode}}}}}",
        more=f"exclusions:\n{declared}",
    )
    agreement = file.contracts["k"]
    stretches = [Stretch(a * SECOND, b * SECOND, *(verdict,) * 3) for a, b, verdict in spans]
    outages = [OutageTimes(a * SECOND, b * SECOND) for a, b, verdict in spans if verdict is DOWN]
    observed = Observed(stretches, outages, exclusions=exclusions_of(file, agreement.scope))
    period = agreement.period.at(2000 * SECOND)
    (found,) = records(agreement, period, observed, period.to_us)
    return found


@pytest.mark.parametrize(
    ("mode", "eligible", "downtime", "shown"),
    [("as_up", 1000, 100, "90.000"), ("drop", 600, 100, "83.333")],
)
def test_x57_a_problem_between_two_downtimes(
    mode: str, eligible: int, downtime: int, shown: str
) -> None:
    spans = [(1000, 1200, UP), (1200, 1500, DOWN), (1500, 2000, UP)]
    found = told(mode, spans, (1100, 1300), (1400, 1600))
    assert seconds(found, "eligible", "downtime") == [eligible, downtime]
    assert found["attainment_shown"] == shown


@pytest.mark.parametrize("mode", ["as_up", "drop"])
def test_x58_a_downtime_in_time_of_which_nothing_is_known(mode: str) -> None:
    spans = [(1000, 1500, UNKNOWN), (1500, 1700, DOWN), (1700, 2000, UP)]
    found = told(mode, spans, (1200, 1300))
    assert seconds(found, "eligible", "downtime") == [500, 200]
    assert found["attainment_shown"] == "60.000"
    assert found["verdict"] == "met"
