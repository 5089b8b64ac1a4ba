"""What a simulation says, as a document for programs: integers of microseconds, shares as fractions."""

from fractions import Fraction
from typing import Any, Final

from controller.core.simulation.run import Result, RuleResult
from controller.core.simulation.score import Score, percentile

PERCENTILES: Final = (50, 99)


def document_of(result: Result) -> dict[str, Any]:
    """The document of a simulation, the same bytes for the same scenario and seed."""
    scenario = result.scenario
    return {
        "title": scenario.terms.title,
        "seed": scenario.seed,
        "from_us": scenario.start_us,
        "to_us": scenario.end_us,
        "agents": scenario.agents,
        "checks": len(scenario.checks),
        "scheduled_results": result.scheduled,
        "true_outages": result.rules[0].score.truths if result.rules else 0,
        "rules": [_rule(one) for one in result.rules],
    }


def _rule(one: RuleResult) -> dict[str, Any]:
    score = one.score
    return {
        "id": one.id,
        "title": one.title,
        "alarms": score.alarms,
        "right": score.right,
        "false": score.alarms - score.right,
        "withdrawn": score.withdrawn,
        "found": score.found,
        "precision": _fraction(score.precision),
        "recall": _fraction(score.recall),
        **_spread("delay", score.delays_us),
        **_spread("duration_error", score.errors_us),
        "played_results": one.played,
    }


def _spread(name: str, values: tuple[int, ...]) -> dict[str, int | None]:
    return {f"{name}_us_p{percent}": percentile(values, percent) for percent in PERCENTILES}


def _fraction(value: Fraction | None) -> dict[str, int] | None:
    return None if value is None else {"num": value.numerator, "den": value.denominator}


COLUMNS: Final = (
    "RULE", "ALARMS", "FALSE", "WITHDRAWN", "PRECISION", "FOUND", "RECALL",
    "DELAY P50", "DELAY P99", "ERROR P50", "ERROR P99",
)  # fmt: skip


def rows_of(result: Result) -> list[tuple[str, ...]]:
    """A row for each rule, in the order of `COLUMNS`: shares cut off, times rounded up to 0.1 s."""
    return [_row(one.id, one.score) for one in result.rules]


def _row(name: str, score: Score) -> tuple[str, ...]:
    times = [
        seconds(percentile(values, percent))
        for values in (score.delays_us, score.errors_us)
        for percent in PERCENTILES
    ]
    false, found = score.alarms - score.right, f"{score.found}/{score.truths}"
    counts = (str(score.alarms), str(false), str(score.withdrawn))
    return (name, *counts, share(score.precision), found, share(score.recall), *times)


def share(value: Fraction | None) -> str:
    """A share in per cent, cut off after two digits; - where there is none."""
    if value is None:
        return "-"
    hundredths = value.numerator * 10_000 // value.denominator
    return f"{hundredths // 100}.{hundredths % 100:02} %"


def seconds(micros: int | None) -> str:
    """A time in seconds, rounded up to a tenth; - where there is none."""
    if micros is None:
        return "-"
    tenths = -(-micros // 100_000)
    return f"{tenths // 10}.{tenths % 10} s"
