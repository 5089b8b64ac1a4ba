"""Reports as rows of CSV, for spreadsheets and programs: names of columns are the same in every language.

Lengths are whole microseconds and instants RFC 3339 in UTC: nothing is rounded but what is called a percent.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from controller.core.instants import instant_text
from controller.core.sla.reports.report_document import Report, ReportedOutage

_LENGTHS: Final = (
    "up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule", "eligible", "downtime",
    "downtime_min", "downtime_max", "budget", "budget_left", "mttr", "mtbf", "mtbsi", "mttd", "mtta",
)  # fmt: skip
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def records_csv(reports: Iterable[Report]) -> str:
    """A row for each record: an objective, and a segment of a period."""
    return _csv([_record(report, one) for report in reports for one in report.records])


def outages_csv(reports: Iterable[Report]) -> str:
    """A row for each outage of each report."""
    return _csv([_outage(report, one) for report in reports for one in report.outages], _OUTAGE)


def _record(report: Report, record: Mapping[str, Any]) -> dict[str, str]:
    period, credit = record["period"], record.get("credits") or {}
    return {
        "contract": record["contract"],
        "title": _text(report.contract.title),
        "party": _text(report.contract.party),
        "revision": str(record["revision"]),
        "period": report.period.label,
        "tz": report.period.tz,
        "objective": record["objective"],
        "metric": str(record["clauses"].get("metric", "")),
        "from": instant_text(period["from"]),
        "to": instant_text(period["to"]),
        "ends": instant_text(period["ends"]),
        "as_of": instant_text(report.made.as_of),
        "target": str(record["target"]),
        "verdict": record["verdict"],
        "robustness": record["robustness"],
        "attained_percent": record["attainment_shown"] or "",
        **_ratio("attained", record["attainment"]),
        **_ratio("coverage", record["coverage"]),
        **{f"{name}_us": _number(record.get(name)) for name in _LENGTHS},
        "outages": _number(record.get("outages")),
        "credit": str(credit.get("amount", "")),
        "currency": str(credit.get("currency") or ""),
        "grades": " ".join(record.get("grades") or ()),
        "code": report.made.code,
        "tzdata": report.made.tzdata,
    }


_OUTAGE: Final = (
    "contract", "period", "outage", "check", "severity", "started_at", "ended_at", "downtime_us",
    "downtime_min_us", "downtime_max_us", "unknown_us", "counted_us", "regions", "kinds", "detected_at",
    "notified_at", "acknowledged_at", "acknowledged_by",
)  # fmt: skip


def _outage(report: Report, one: ReportedOutage) -> dict[str, str]:
    counted = (f"{name}:{us}" for name, us in one.counted.items())
    values = (
        report.contract.id, report.period.label, one.handle, one.check, one.severity,
        instant_text(one.started_at), _instant(one.ended_at), str(one.downtime),
        _number(one.downtime_min), _number(one.downtime_max), str(one.unknown), " ".join(counted),
        " ".join(one.regions), " ".join(f"{kind}:{count}" for kind, count in one.kinds),
        _instant(one.detected_at), _instant(one.notified_at), _instant(one.acknowledged_at),
        _text(one.acknowledged_by),
    )  # fmt: skip
    return dict(zip(_OUTAGE, values, strict=True))


def _csv(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = ()) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or list(rows[0] if rows else ()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _ratio(name: str, ratio: Mapping[str, int] | None) -> dict[str, str]:
    return {
        f"{name}_num": _number(ratio and ratio["num"]),
        f"{name}_den": _number(ratio and ratio["den"]),
    }


def _number(value: Any) -> str:
    return "" if value is None else str(value)


def _instant(at_us: int | None) -> str:
    return "" if at_us is None else instant_text(at_us)


def _text(text: str) -> str:
    """What people wrote, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
