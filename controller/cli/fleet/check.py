"""`vedette check`: checks and how they do."""

from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    as_document,
    instant,
    length,
    shown,
    write_json,
    write_table,
)
from controller.errors import Unreachable
from vedette.v1 import fleet_pb2, fleet_pb2_grpc


@click.group()
def check() -> None:
    """Checks and how they do."""


@check.command("list")
@click.option("--all", "retired", is_flag=True, help="Also checks that are no longer in force.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a check is DOWN.")
@shown
def list_(retired: bool, exit_code: bool, as_json: bool, zone: ZoneInfo) -> None:
    """List the checks in force with their present verdict."""
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).ListChecks(
            fleet_pb2.ListChecksRequest(include_retired=retired), **connection.call
        )
    if as_json:
        write_json({"checks": [_document(item) for item in answer.checks]})
    else:
        write_table(
            ["ID", "SERVICE", "KIND", "TARGET", "EVERY", "VERDICT", "SINCE", "REGIONS"],
            [
                (
                    item.id,
                    item.service,
                    item.kind,
                    item.target,
                    length(item.interval_us),
                    _verdict(item),
                    instant(item.since_us if item.HasField("since_us") else None, zone),
                    " ".join(map(_label, item.labels)) or " ".join(item.regions),
                )
                for item in answer.checks
            ],
        )
    if exit_code and any(item.verdict == "DOWN" and not item.retired for item in answer.checks):
        raise click.exceptions.Exit(1)


@check.command("probe")
@click.argument("check_id", metavar="CHECK")
@as_document
def probe(check_id: str, as_json: bool) -> None:
    """Ask every connected agent of CHECK for one extra run now."""
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).ProbeNow(
            fleet_pb2.ProbeNowRequest(check=check_id), **connection.call
        )
    if not answer.agents:
        raise Unreachable(f"No agent of check {check_id} is connected; see `vedette agent list`.")
    if as_json:
        write_json({"check": check_id, "agents": list(answer.agents)})
    else:
        click.echo(f"Asked {', '.join(answer.agents)} to probe {check_id} now.")


def _verdict(item: fleet_pb2.Check) -> str:
    if item.retired:
        return "retired"
    return f"{item.verdict or NOTHING}{' (flapping)' if item.flapping else ''}"


def _label(label: fleet_pb2.RegionLabel) -> str:
    said = f"{label.region}={label.label}"
    return f"{said} ({label.reason})" if label.reason else said


def _document(item: fleet_pb2.Check) -> dict[str, object]:
    return {
        "id": item.id,
        "service": item.service,
        "kind": item.kind,
        "target": item.target,
        "interval_us": item.interval_us,
        "regions": list(item.regions),
        "digest": item.digest,
        "verdict": item.verdict,
        "since_us": item.since_us if item.HasField("since_us") else None,
        "labels": [
            {
                "region": label.region,
                "label": label.label,
                "sample_us": label.sample_us if label.HasField("sample_us") else None,
                "reason": label.reason or None,
            }
            for label in item.labels
        ],
        "retired": item.retired,
        "flapping": item.flapping,
        "flap_percent": item.flap_percent or None,
    }
