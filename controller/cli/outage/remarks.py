"""What people said of outages, shown."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.output import instant, plain
from vedette.v1 import outage_pb2 as pb

_ACK = "ack"


def remark_document(item: pb.Remark) -> dict[str, Any]:
    """A remark for programs."""
    return {
        "kind": item.kind,
        "at_us": item.at_us,
        "who": item.who,
        "role": item.role,
        "peer": item.peer,
        "text": item.text,
    }


def write_remark(handle: str, item: pb.Remark) -> None:
    """What was just recorded."""
    did = "acknowledged" if item.kind == _ACK else "annotated"
    click.echo(f"{item.who} has {did} OUT-{handle.upper().removeprefix('OUT-')}.")


def remark_lines(items: Iterable[pb.Remark], zone: ZoneInfo) -> list[str]:
    """Remarks for people, a line each; what is below the first line of one is indented."""
    found: list[str] = []
    for item in items:
        did = "acknowledged" if item.kind == _ACK else "noted"
        head = f"{instant(item.at_us, zone)} {plain(item.who)} ({item.role}) {did}"
        first, *rest = item.text.split("\n") if item.text else [""]
        found.append(f"{head}: {plain(first)}" if first else head)
        found += [f"  {plain(line)}" for line in rest]
    return found
