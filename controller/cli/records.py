"""Attainment records as people read them."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from controller.cli.output import NOTHING, instant, length, write_table


def is_breached(records: Sequence[dict[str, Any]]) -> bool:
    """An objective is breached."""
    return any(record["verdict"] == "breached" for record in records)


def write_records(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """Print records for people: one line each, the figure with its bounds."""
    write_table(
        ["CONTRACT", "OBJECTIVE", "FROM", "TO", "TARGET", "ATTAINED", "COVERAGE", "DOWN", "LEFT",
         "VERDICT"],
        [
            (
                str(record["contract"]),
                str(record["objective"]),
                instant(record["period"]["from"], zone),
                instant(record["period"]["to"], zone),
                str(record["target"]),
                str(record.get("attainment_shown") or NOTHING),
                _percent(record.get("coverage")),
                _downtime(record),
                _budget(record.get("budget_left")),
                _verdict(record),
            )
            for record in records
        ],
    )  # fmt: skip


def _percent(fraction: dict[str, int] | None) -> str:
    """A share, floored to hundredths of a percent: it never looks better than it is."""
    if not fraction or not fraction["den"]:
        return NOTHING
    hundredths = fraction["num"] * 10_000 // fraction["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _downtime(record: dict[str, Any]) -> str:
    low, high = record["downtime_min"], record["downtime_max"]
    figure = length(record["downtime"])
    return figure if low == high else f"{figure} ({length(low)} to {length(high)})"


def _budget(micros: int | None) -> str:
    if micros is None:
        return NOTHING
    return f"-{length(-micros)}" if micros < 0 else length(micros)


def _verdict(record: dict[str, Any]) -> str:
    """The verdict, and that it hangs on what lies between two samples, if it does."""
    verdict = str(record["verdict"])
    return verdict if record["robustness"] == "robust" else f"{verdict}, marginal"
