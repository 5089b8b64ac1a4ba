"""Attainment records as people read them."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from controller.cli.output import NOTHING, instant, length, write_table

_SECOND_US: Final = 1_000_000


def is_breached(records: Sequence[dict[str, Any]]) -> bool:
    """An objective is breached."""
    return any(record["verdict"] == "breached" for record in records)


def write_records(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """Print records for people: one line each, the figure with its bounds.

    A period that is not over is judged so far, while its budget is that of the whole period.
    """
    write_table(
        ["CONTRACT", "OBJECTIVE", "FROM", "TO", "TARGET", "ATTAINED", "COVERAGE", "DOWN", "LEFT",
         "VERDICT"],
        [
            (
                str(record["contract"]),
                str(record["objective"]),
                instant(record["period"]["from"], zone),
                instant(record["period"]["to"], zone),
                f"{record['target']}%",
                _shown(record["attainment_shown"]),
                _percent(record.get("coverage")),
                _downtime(record),
                _budget(record.get("budget_left")),
                _verdict(record),
            )
            for record in records
        ],
    )  # fmt: skip


def _shown(attainment: str | None) -> str:
    return NOTHING if attainment is None else f"{attainment}%"


def _percent(fraction: dict[str, int] | None) -> str:
    """A share, floored to hundredths of a percent: it never looks better than it is."""
    if not fraction or not fraction["den"]:
        return NOTHING
    hundredths = fraction["num"] * 10_000 // fraction["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _downtime(record: dict[str, Any]) -> str:
    """Downtime in whole seconds, rounded up (S-42), and its bounds."""
    figure, low, high = (
        length(-(-record[key] // _SECOND_US) * _SECOND_US)
        for key in ("downtime", "downtime_min", "downtime_max")
    )
    return figure if low == high else f"{figure} ({low} to {high})"


def _budget(micros: int | None) -> str:
    """What is left of the budget, cut to whole seconds."""
    if micros is None:
        return NOTHING
    seconds = abs(micros) // _SECOND_US * _SECOND_US
    return f"-{length(seconds)}" if micros < 0 else length(seconds)


def _verdict(record: dict[str, Any]) -> str:
    """The verdict; whether it is final, and whether it hangs on what lies between two samples."""
    words = [str(record["verdict"])]
    if record["period"]["to"] < record["period"]["ends"]:
        words.append("so far")
    if record["robustness"] != "robust":
        words.append("(marginal)")
    return " ".join(words)
