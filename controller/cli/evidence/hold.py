"""`vedette evidence hold`: time of which nothing is pruned, because somebody may still have to show it."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    InstantType,
    instant,
    plain,
    shown,
    write_json,
    write_table,
)
from vedette.v1 import dispute_pb2 as pb
from vedette.v1.dispute_pb2_grpc import DisputeServiceStub


@click.group()
def hold() -> None:
    """Keep evidence from being pruned, as long as somebody may need it."""


@hold.command("place")
@click.option("--contract", default="", help="Id of a contract; with --period.")
@click.option("--period", default="", help="A period of it: 2026-06.")
@click.option("--outage", default="", help="Handle of an outage: OUT-3.")
@click.option("--check", default="", help="Id of a check; with --from and --to.")
@click.option("--from", "from_us", type=InstantType(), help="From when on.")
@click.option("--to", "to_us", type=InstantType(), help="Until when.")
@click.option("--reason", required=True, help="Why. It stands in the log.")
@shown
def place(as_json: bool, zone: ZoneInfo, **asked: Any) -> None:
    """Hold a period of a contract, an outage, or a check over some time."""
    with connected() as connection:
        answer = DisputeServiceStub(connection.channel).PlaceHold(
            pb.PlaceHoldRequest(**asked), **connection.call
        )
    if as_json:
        write_json({"hold": {**_document(answer.hold), "came_late": answer.hold.came_late}})
        return
    click.echo(f"{answer.hold.handle} holds {plain(answer.hold.subject)}: nothing of it is pruned.")
    if answer.hold.came_late:
        click.echo("Lines of it were pruned before: what is left is held.")


@hold.command("lift")
@click.argument("handle")
@click.option("--reason", required=True, help="Why. It stands in the log.")
@shown
def lift(handle: str, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Let what is held be pruned when its retention is over."""
    with connected() as connection:
        answer = DisputeServiceStub(connection.channel).LiftHold(
            pb.LiftHoldRequest(handle=handle, reason=reason), **connection.call
        )
    if as_json:
        write_json({"hold": _document(answer.hold)})
        return
    click.echo(
        f"{answer.hold.handle} is lifted: {plain(answer.hold.subject)} is pruned in its time."
    )


@hold.command("list")
@click.option("--all", "is_all", is_flag=True, help="Those that were lifted, too.")
@shown
def list_(is_all: bool, as_json: bool, zone: ZoneInfo) -> None:
    """List the holds in force, the newest first."""
    with connected() as connection:
        answer = DisputeServiceStub(connection.channel).ListHolds(
            pb.ListHoldsRequest(all=is_all), **connection.call
        )
    if as_json:
        write_json({"holds": [_document(one) for one in answer.holds]})
        return
    write_table(
        ["HOLD", "WHAT", "CHECKS", "SINCE", "BY", "WHY", "LIFTED"],
        [
            (
                one.handle, one.subject, " ".join(one.checks), instant(one.placed_us, zone),
                one.placed_by, one.reason, _lifted(one, zone),
            )
            for one in answer.holds
        ],
    )  # fmt: skip


def _lifted(one: pb.Hold, zone: ZoneInfo) -> str:
    if not one.HasField("lifted_us"):
        return NOTHING
    return f"{instant(one.lifted_us, zone)} {one.lifted_by}: {one.lifted_reason}"


def _document(one: pb.Hold) -> dict[str, Any]:
    return {
        "handle": one.handle,
        "subject": one.subject,
        "checks": list(one.checks),
        "from_us": one.from_us,
        "to_us": one.to_us if one.HasField("to_us") else None,
        "reason": one.reason,
        "placed_us": one.placed_us,
        "placed_by": one.placed_by,
        "role": one.role,
        "claim": one.claim or None,
        "lifted_us": one.lifted_us if one.HasField("lifted_us") else None,
        "lifted_by": one.lifted_by or None,
        "lifted_reason": one.lifted_reason or None,
    }
