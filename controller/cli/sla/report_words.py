"""What two reports say differently, in words."""

import json
from collections.abc import Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.output import NOTHING, instant, length, plain
from controller.core.sla.reports.report_diff import Change, Difference, FieldChange, Side, What

_LENGTHS: Final = frozenset(
    ["up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule", "eligible", "downtime", "downtime_min", "downtime_max", "budget", "budget_left", "mttr", "mtbf", "mtbsi", "mttd", "mtta"]
)  # fmt: skip
_INSTANTS: Final = frozenset(
    [
        "from",
        "to",
        "ends",
        "until",
        "effective_from",
        "started_at",
        "ended_at",
        "detected_at",
        "notified_at",
        "acknowledged_at",
        "said_at",
        "declared_at",
        "logged_at",
        "withdrawn_at",
    ]
)
_FRACTIONS: Final = (".num", ".den")
# What follows from other things that are told, or is too long for a line.
_SKIPPED: Final = frozenset(
    {"counted", "exclusions", "timers", "clauses", "steps", "wording", "why"}
)
_OTHERS: Final = {"counted": "times that count"}
_LINES_MAX: Final = 40


def write_difference(found: Difference, tz: str) -> None:
    """Print a difference: times in the contract's zone."""
    zone = ZoneInfo(tz)
    click.echo(
        f"{found.contract} {found.period}: {_side(found.old, zone)} and {_side(found.new, zone)}"
    )
    if not found.changes:
        click.echo("They say the same.")
        return
    days = [one for one in found.changes if one.kind == "day"]
    for one in found.changes:
        if one.kind != "day":
            for line in _lines(one, zone):
                click.echo(plain(line))
    if days:
        names = ", ".join(dict.fromkeys(one.id.rsplit(" ", 1)[-1] for one in days))
        click.echo(f"days that differ: {names}")


def _side(side: Side, zone: ZoneInfo) -> str:
    name = f"revision {side.revision}" if side.revision else "not issued"
    digest = f", sha256 {side.sha256[:12]}" if side.sha256 else ""
    return f"{name} as of {instant(side.as_of, zone)}{digest}"


def _lines(change: Change, zone: ZoneInfo) -> Iterator[str]:
    name = _name(change, zone)
    if change.what is not What.CHANGED:
        yield f"{name} {change.what.value}{_about(change, zone)}"
        return
    told = [one for one in change.fields if _is_told(one)]
    for one in told[:_LINES_MAX]:
        yield f"{name}: {_field(one, zone)}"
    if len(told) > _LINES_MAX:
        yield f"{name}: and {len(told) - _LINES_MAX} more; --json has all of them"
    if not told:
        others = dict.fromkeys(one.name.split(".", 1)[0] for one in change.fields)
        yield f"{name}: other {', '.join(_OTHERS.get(one, one) for one in others)}"


def _name(change: Change, zone: ZoneInfo) -> str:
    if change.kind == "record":
        objective, from_us = change.id.rsplit(" ", 1)
        return f"{objective} from {instant(int(from_us), zone)}"
    if change.kind == "terms":
        return f"terms from {instant(int(change.id), zone)}"
    return change.id if change.kind == "outage" else f"{change.kind} {change.id}"


def _about(change: Change, zone: ZoneInfo) -> str:
    """When it was, of a thing that is in one report only."""
    values = {one.name: one.new if one.old is None else one.old for one in change.fields}
    first = values.get("started_at", values.get("from"))
    last = values.get("ended_at", values.get("to"))
    if not isinstance(first, int):
        return ""
    until = instant(last, zone) if isinstance(last, int) else "now"
    return f": {instant(first, zone)} to {until}"


def _is_told(change: FieldChange) -> bool:
    """It says something by itself: a ratio is told by its shown form."""
    last = change.name.rsplit(".", 1)[-1]
    return last not in _SKIPPED and not change.name.endswith(_FRACTIONS)


def _field(change: FieldChange, zone: ZoneInfo) -> str:
    name = change.name
    words = f"{name.replace('_', ' ')} {_value(name, change.old, zone)} -> {_value(name, change.new, zone)}"
    if change.delta is None:
        return words
    if name.rsplit(".", 1)[-1] in _LENGTHS | _INSTANTS:
        sign = "-" if change.delta < 0 else "+"
        return f"{words} ({sign}{length(abs(change.delta))})"
    return f"{words} ({change.delta:+})"


def _value(name: str, value: Any, zone: ZoneInfo) -> str:
    last = name.rsplit(".", 1)[-1]
    if value is None or value == []:
        return NOTHING
    if last == "outcomes":
        return _outcomes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if last in _INSTANTS:
            return instant(value, zone)
        if last in _LENGTHS:
            return f"-{length(-value)}" if value < 0 else length(value)
    if last == "attainment_shown":
        return f"{value}%"
    # Clauses, as they are written in YAML and JSON.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _outcomes(value: Any) -> str:
    """What came of an exclusion, objective by objective."""
    told = (
        f"{one['objective']} {one['status'].replace('_', ' ')} {length(one['applied'])}"
        for one in value
    )
    return ", ".join(dict.fromkeys(told))
