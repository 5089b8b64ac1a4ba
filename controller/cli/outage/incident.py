"""`vedette incident`: outages that belong together, and what may have caused them."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import NOTHING, instant, length, shown, write_json, write_table
from vedette.v1 import incident_pb2 as pb
from vedette.v1.incident_pb2_grpc import IncidentServiceStub

_INDENT = "  "


@click.group()
def incident() -> None:
    """Outages that belong together, and what may have caused them."""


@incident.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those with an outage that is open.")
@click.option("--joined", "joined_only", is_flag=True, help="Only those of two outages or more.")
@click.option("--limit", type=click.IntRange(1, 1000), default=1000, show_default=True)
@shown
def list_(open_only: bool, joined_only: bool, limit: int, as_json: bool, zone: ZoneInfo) -> None:
    """List incidents, newest first."""
    request = pb.ListIncidentsRequest(open_only=open_only, joined_only=joined_only, limit=limit)
    with connected() as connection:
        answer = IncidentServiceStub(connection.channel).ListIncidents(request, **connection.call)
    if as_json:
        write_json({"incidents": [_document(item) for item in answer.incidents]})
        return
    write_table(
        ["ID", "FROM", "UNTIL", "OUTAGES", "ROOT CAUSE", "CHECK", "SERVICES"],
        [
            (
                item.handle,
                instant(item.started_us, zone),
                _until(item, zone),
                str(item.outages),
                f"{item.root}?",
                item.root_check,
                " ".join(item.services),
            )
            for item in answer.incidents
        ],
    )


@incident.command("show")
@click.argument("handle")
@shown
def show(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show one incident, such as INC-12: its outages, each under what it hangs on."""
    request = pb.GetIncidentRequest(handle=handle)
    with connected() as connection:
        answer = IncidentServiceStub(connection.channel).GetIncident(request, **connection.call)
    if as_json:
        write_json(_page(answer))
    elif answer.incident.HasField("gone_us"):
        _write_gone(answer.incident, zone)
    else:
        _write(answer, zone)


def _write_gone(item: pb.Incident, zone: ZoneInfo) -> None:
    where = (
        f"most of its outages are in {item.merged_into} since then"
        if item.merged_into
        else ("late evidence made its outages vanish")
    )
    click.echo(f"{item.handle} is none any more: {where}, {instant(item.gone_us, zone)}.")


def _write(answer: pb.GetIncidentResponse, zone: ZoneInfo) -> None:
    item = answer.incident
    by_service = ", ".join(f"{one.service} {length(one.downtime_us)}" for one in answer.services)
    for name, fact in (
        ("Incident", item.handle),
        ("Started", instant(item.started_us, zone)),
        ("Ended", _until(item, zone)),
        ("Recorded", instant(item.recorded_us, zone)),
        ("Root cause", f"{item.root} of check {item.root_check}, it seems"),
        ("Down for", f"{length(answer.downtime_us)} ({by_service})"),
        ("Outages", f"{item.outages}, {item.explained} of them explained by others"),
    ):
        click.echo(f"{name + ':':<13}{fact}")
    click.echo()
    write_table(
        ["OUTAGE", "CHECK", "SERVICE", "REGION", "FROM", "UNTIL", "WHY HERE"],
        [
            (
                f"{_INDENT * one.level}{one.handle}",
                one.check,
                one.service,
                one.region or "all",
                instant(one.started_us, zone),
                _until(one, zone),
                _why(one, zone),
            )
            for one in answer.outages
        ],
    )


def _why(item: pb.IncidentOutage, zone: ZoneInfo) -> str:
    """What makes an outage a part of the incident, and whether another explains it."""
    if not item.parent:
        return "candidate for the cause" if item.root else f"shares {item.shares or NOTHING}"
    if not item.explained:
        return (
            f"{item.reason}; not explained by {item.parent}: it began long before, or lasts longer"
        )
    over = item.HasField("explained_until_us")
    until = f" until {instant(item.explained_until_us, zone)}" if over else ""
    return f"{item.reason}; explained by {item.parent}{until}"


def _until(item: pb.Incident | pb.IncidentOutage, zone: ZoneInfo) -> str:
    return instant(item.ended_us, zone) if item.HasField("ended_us") else "open"


def _document(item: pb.Incident) -> dict[str, Any]:
    is_gone = item.HasField("gone_us")
    return {
        "id": item.handle,
        "started_us": None if is_gone else item.started_us,
        "ended_us": item.ended_us if item.HasField("ended_us") else None,
        "recorded_us": item.recorded_us,
        "root": item.root or None,
        "root_check": item.root_check or None,
        "services": list(item.services),
        "outages": item.outages,
        "explained": item.explained,
        "gone_us": item.gone_us if is_gone else None,
        "merged_into": item.merged_into or None,
    }


def _page(answer: pb.GetIncidentResponse) -> dict[str, Any]:
    return {
        "incident": _document(answer.incident),
        "downtime_us": answer.downtime_us,
        "services": {one.service: one.downtime_us for one in answer.services},
        "outages": [_outage(item) for item in answer.outages],
    }


def _outage(item: pb.IncidentOutage) -> dict[str, Any]:
    is_over = item.HasField("explained_until_us")
    return {
        "id": item.handle,
        "check": item.check,
        "service": item.service,
        "region": item.region or None,
        "started_us": item.started_us,
        "ended_us": item.ended_us if item.HasField("ended_us") else None,
        "level": item.level,
        "parent": item.parent or None,
        "reason": item.reason or None,
        "shares": item.shares or None,
        "explained": item.explained,
        "explained_until_us": item.explained_until_us if is_over else None,
        "root": item.root,
    }
