"""`vedette outage`: outages, and what decided them."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    InstantType,
    instant,
    length,
    shown,
    write_json,
    write_table,
)
from vedette.v1 import outage_pb2, outage_pb2_grpc


@click.group()
def outage() -> None:
    """Outages and what decided them."""


@outage.command("list")
@click.option("--check", "check_id", default="", help="Only of this check.")
@click.option("--from", "from_us", type=InstantType(), help="Only those that end after this.")
@click.option("--to", "to_us", type=InstantType(), help="Only those that start before this.")
@click.option("--open", "open_only", is_flag=True, help="Only those that are open.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@shown
def list_(
    check_id: str,
    from_us: int | None,
    to_us: int | None,
    open_only: bool,
    limit: int,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """List outages, newest first."""
    request = outage_pb2.ListOutagesRequest(
        check=check_id, from_us=from_us, to_us=to_us, open_only=open_only, limit=limit
    )
    with connected() as connection:
        answer = outage_pb2_grpc.OutageServiceStub(connection.channel).ListOutages(
            request, **connection.call
        )
    if as_json:
        write_json({"outages": [_document(item) for item in answer.outages]})
        return
    write_table(
        ["ID", "CHECK", "FROM", "UNTIL", "DOWN", "REGIONS", "KINDS"],
        [
            (
                item.handle,
                item.check,
                instant(item.started_us, zone),
                instant(item.ended_us, zone) if item.HasField("ended_us") else "open",
                length(item.downtime_us),
                " ".join(item.regions),
                " ".join(item.kinds) or NOTHING,
            )
            for item in answer.outages
        ],
    )


@outage.command("show")
@click.argument("handle")
@shown
def show(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show one outage, such as OUT-12."""
    answer = _fetched(handle)
    if as_json:
        write_json({"outage": _document(answer.outage)})
    else:
        _write_facts(answer.outage, zone)


@outage.command("explain")
@click.argument("handle")
@shown
def explain(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show how the regions voted in an outage, and the results behind the votes."""
    answer = _fetched(handle)
    if as_json:
        write_json(
            {
                "outage": _document(answer.outage),
                "rule": answer.rule,
                "ballots": [_ballot(item) for item in answer.ballots],
                "samples": [_sample(item) for item in answer.samples],
            }
        )
        return
    _write_facts(answer.outage, zone)
    click.echo(f"\nRule: {answer.rule}\n\nThe vote:")
    write_table(
        ["FROM", "UNTIL", "VERDICT", "REGIONS"],
        [
            (
                instant(item.from_us, zone),
                instant(item.to_us, zone),
                item.verdict,
                " ".join(f"{vote.region}={vote.label}" for vote in item.votes),
            )
            for item in answer.ballots
        ],
    )
    click.echo("\nThe results behind it:")
    write_table(
        ["AT", "REGION", "AGENT", "LINE", "TRIGGER", "OUTCOME", "COUNTS AS", "KIND", "DETAIL"],
        [
            (
                instant(item.at_us, zone),
                item.region,
                item.agent,
                f"{item.epoch}/{item.stream}/{item.seq}",
                item.trigger or NOTHING,
                item.outcome,
                _counts_as(item),
                item.kind or NOTHING,
                item.detail or NOTHING,
            )
            for item in answer.samples
        ],
    )


def _counts_as(item: outage_pb2.Sample) -> str:
    """What became of a result: a label, or why it has none."""
    if item.overruled:
        return "conflict"
    return "void" if item.voided else item.label


def _fetched(handle: str) -> outage_pb2.GetOutageResponse:
    with connected() as connection:
        answer: outage_pb2.GetOutageResponse = outage_pb2_grpc.OutageServiceStub(
            connection.channel
        ).GetOutage(outage_pb2.GetOutageRequest(handle=handle), **connection.call)
    return answer


def _write_facts(item: outage_pb2.Outage, zone: ZoneInfo) -> None:
    ended = instant(item.ended_us, zone) if item.HasField("ended_us") else "open"
    bounds = f"between {length(item.downtime_min_us)} and {length(item.downtime_max_us)}"
    facts = [
        ("Outage", f"{item.handle} of check {item.check}, service {item.service}"),
        ("Started", instant(item.started_us, zone)),
        ("Ended", ended),
        ("Confirmed", f"{instant(item.confirmed_us, zone)} (the result that completed the vote)"),
        ("Recorded", instant(item.detected_us, zone)),
        ("Down for", f"{length(item.downtime_us)} ({bounds})"),
        ("Unknown for", length(item.unknown_us)),
        ("Regions", ", ".join(item.regions) or NOTHING),
        ("Failures", ", ".join(item.kinds) or NOTHING),
        ("Transients", str(item.transients)),
    ]
    for name, fact in facts:
        click.echo(f"{name + ':':<13}{fact}")


def _document(item: outage_pb2.Outage) -> dict[str, Any]:
    return {
        "id": item.handle,
        "content_id": item.content_id,
        "check": item.check,
        "service": item.service,
        "started_us": item.started_us,
        "ended_us": item.ended_us if item.HasField("ended_us") else None,
        "confirmed_us": item.confirmed_us,
        "detected_us": item.detected_us,
        "closed_known_us": item.closed_known_us if item.HasField("closed_known_us") else None,
        "downtime_us": item.downtime_us,
        "downtime_min_us": item.downtime_min_us,
        "downtime_max_us": item.downtime_max_us,
        "unknown_us": item.unknown_us,
        "regions": list(item.regions),
        "kinds": list(item.kinds),
        "transients": item.transients,
    }


def _ballot(item: outage_pb2.Ballot) -> dict[str, Any]:
    return {
        "from_us": item.from_us,
        "to_us": item.to_us,
        "verdict": item.verdict,
        "votes": {vote.region: vote.label for vote in item.votes},
    }


def _sample(item: outage_pb2.Sample) -> dict[str, Any]:
    return {
        "agent": item.agent,
        "epoch": item.epoch,
        "stream": item.stream,
        "seq": item.seq,
        "region": item.region,
        "at_us": item.at_us,
        "outcome": item.outcome,
        "label": item.label,
        "kind": item.kind or None,
        "detail": item.detail or None,
        "took_us": item.took_us,
        "trigger": item.trigger or None,
        "voided": item.voided,
        "overruled": item.overruled,
    }
