"""What people said of outages, shown."""

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.output import instant, length, plain
from vedette.v1 import outage_pb2 as pb

_DONE: Final = {"ack": "acknowledged", "pause": "paused", "resume": "resumed"}


def remark_document(item: pb.Remark) -> dict[str, Any]:
    """A remark for programs."""
    return {
        "kind": item.kind,
        "at_us": item.at_us,
        "who": item.who,
        "role": item.role,
        "peer": item.peer,
        "text": item.text,
        "from_us": item.from_us if item.HasField("from_us") else None,
    }


def write_remark(handle: str, item: pb.Remark) -> None:
    """What was just recorded."""
    did = _DONE.get(item.kind, "annotated")
    click.echo(f"{item.who} has {did} OUT-{handle.upper().removeprefix('OUT-')}.")


def remark_lines(items: Iterable[pb.Remark], zone: ZoneInfo) -> list[str]:
    """Remarks for people, a line each; what is below the first line of one is indented."""
    found: list[str] = []
    for item in items:
        did = _DONE.get(item.kind, "noted")
        head = f"{instant(item.at_us, zone)} {plain(item.who)} ({item.role}) {did}"
        if item.HasField("from_us"):
            later = length(item.at_us - item.from_us)
            head += f" from {instant(item.from_us, zone)} on (said {later} later)"
        first, *rest = item.text.split("\n") if item.text else [""]
        found.append(f"{head}: {plain(first)}" if first else head)
        found += [f"  {plain(line)}" for line in rest]
    return found
