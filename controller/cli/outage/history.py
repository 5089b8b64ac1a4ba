"""What was learnt of an outage, shown event by event."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.evidence.counter import counter_lines
from controller.cli.outage.facts import outage_document
from controller.cli.outage.remarks import remark_lines
from controller.cli.output import NOTHING, instant, length, plain
from vedette.v1 import outage_pb2 as pb

_INSTANTS: Final = frozenset({"started_us", "ended_us", "confirmed_us"})
_NAMES: Final = {
    "started_us": "started",
    "ended_us": "ended",
    "confirmed_us": "confirmed",
    "downtime_us": "down for",
    "downtime_min_us": "at least",
    "downtime_max_us": "at most",
    "unknown_us": "unknown for",
    "kinds": "failures",
    "content_id": "content id",
}
_HASHES: Final = frozenset({"definition", "content_id"})
_HASH_CHARS: Final = 12


def write_history(answer: pb.GetOutageHistoryResponse, zone: ZoneInfo) -> None:
    """Every event, the oldest first, then what people said."""
    item = answer.outage
    click.echo(f"{item.handle} of check {item.check}, service {item.service}")
    for event in answer.events:
        write_event(event, zone)
    if item.remarks:
        click.echo("\nRemarks:")
        for line in remark_lines(item.remarks, zone):
            click.echo(f"  {line}")
    if item.counters:
        click.echo("\nSaid against it:")
        for line in counter_lines(item.counters, zone):
            click.echo(f"  {line}")


def write_event(event: pb.OutageEvent, zone: ZoneInfo) -> None:
    """One event: what it is, what it changed, what came with it."""
    click.echo(f"\n{event.revision}. {instant(event.recorded_us, zone)}  {plain(event.words)}")
    for change in event.changes:
        click.echo(f"   {change_text(change, zone)}")
    click.echo(f"   {event.why}")
    for line in event.lines:
        click.echo(f"     {line_text(line, zone)}")
    if more := event.line_count - len(event.lines):
        click.echo(f"     and {more} more")


def change_text(change: pb.FieldChange, zone: ZoneInfo) -> str:
    """`name: before -> after`."""
    name = _NAMES.get(change.field, change.field)
    before = _value(change.field, change.before if change.HasField("before") else None, zone)
    after = _value(change.field, change.after if change.HasField("after") else None, zone)
    return plain(f"{name}: {before} -> {after}")


def _value(field: str, value: str | None, zone: ZoneInfo) -> str:
    if value is None or not value:
        return "open" if field == "ended_us" else NOTHING
    if field in _INSTANTS:
        return instant(int(value), zone)
    if field.endswith("_us"):
        return length(int(value))
    return value[:_HASH_CHARS] if field in _HASHES else value


def line_text(line: pb.CauseLine, zone: ZoneInfo) -> str:
    """Which line, what it said, and how late it came."""
    late = f", {length(line.late_us)} after its time" if line.HasField("late_us") else ""
    name = f"{line.agent} line {line.epoch}/{line.stream}/{line.seq}"
    return plain(f"{name} of {instant(line.at_us, zone)}: {line.said}{late}")


def history_document(answer: pb.GetOutageHistoryResponse) -> dict[str, Any]:
    """The same for programs."""
    return {
        "outage": outage_document(answer.outage),
        "events": [event_document(one) for one in answer.events],
    }


def event_document(event: pb.OutageEvent) -> dict[str, Any]:
    """One event for programs."""
    return {
        "sequence": event.sequence,
        "revision": event.revision,
        "kind": event.kind,
        "recorded_us": event.recorded_us,
        "words": event.words,
        "cause": event.cause,
        "why": event.why,
        "changes": [
            {
                "field": one.field,
                "before": one.before if one.HasField("before") else None,
                "after": one.after if one.HasField("after") else None,
            }
            for one in event.changes
        ],
        "lines": [_line_document(one) for one in event.lines],
        "line_count": event.line_count,
        "carried_from": event.carried_from or None,
        "absorbed_by": event.absorbed_by or None,
    }


def _line_document(line: pb.CauseLine) -> dict[str, Any]:
    return {
        "agent": line.agent,
        "epoch": line.epoch,
        "stream": line.stream,
        "seq": line.seq,
        "at_us": line.at_us,
        "said": line.said,
        "late_us": line.late_us if line.HasField("late_us") else None,
    }
