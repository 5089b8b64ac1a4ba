"""`vedette agent`: agents, and the join files that make them."""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    DurationType,
    as_document,
    instant,
    length,
    shown,
    write_json,
    write_table,
)
from controller.cli.sources import refuse_existing
from controller.identity.files import write_private
from vedette.v1 import access_pb2, access_pb2_grpc

JOIN_FILE_VERSION = 1


@click.group()
def agent() -> None:
    """Agents and join tokens."""


@agent.command("list")
@shown
def list_(as_json: bool, zone: ZoneInfo) -> None:
    """List every agent that ever enrolled."""
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).ListAgents(
            access_pb2.ListAgentsRequest(), **connection.call
        )
    if as_json:
        write_json({"agents": [_document(item) for item in answer.agents]})
        return
    write_table(
        ["ID", "REGION", "HOST", "STATE", "SEEN", "VERSION", "CLOCK", "LINES", "LOST", "SPOOL"],
        [
            (
                item.id,
                item.region,
                item.hostname,
                _state(item),
                instant(item.seen_us if item.HasField("seen_us") else None, zone),
                item.version or NOTHING,
                _clock(item),
                str(item.lines),
                str(item.lost),
                str(item.spool_lines),
            )
            for item in answer.agents
        ],
    )


@agent.group("token")
def token() -> None:
    """One-use tokens with which a machine becomes an agent."""


@token.command("create")
@click.option("--region", required=True, help="The region that the agent will vote for.")
@click.option("--ttl", type=DurationType(), default="10m", show_default=True, help="Usable for.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The join file to write; - for stdout.",
)
@click.option(
    "--address", help="Where the agent enrols (host:port), if not where the controller says."
)
@as_document
def create(region: str, ttl: int, out: Path, address: str | None, as_json: bool) -> None:
    """Make a join file for `vedette-agent join`. It is a secret, and serves once."""
    to_stdout = str(out) == "-"
    if not to_stdout:
        refuse_existing(out)
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).CreateJoinToken(
            access_pb2.CreateJoinTokenRequest(region=region, ttl_us=ttl), **connection.call
        )
    join_file = _join_file(answer, address)
    if to_stdout:
        click.echo(join_file, nl=False)
        return
    write_private(out, join_file.encode())
    if as_json:
        write_json({"file": str(out), "token_id": answer.token_id, "region": region,
                    "expires_us": answer.expires_us})  # fmt: skip
        return
    click.echo(
        f"Wrote {out} for an agent in region {region}, usable once until"
        f" {instant(answer.expires_us, ZoneInfo('UTC'))}.\n"
        f"On the site: vedette-agent join {out.name}"
    )


def _join_file(answer: access_pb2.CreateJoinTokenResponse, address: str | None) -> str:
    expires = dt.datetime.fromtimestamp(answer.expires_us // 1_000_000, dt.UTC)
    document = {
        "version": JOIN_FILE_VERSION,
        "address": address or answer.enrol_address,
        "token_id": answer.token_id,
        "token_secret": answer.token_secret,
        "expires": expires.isoformat().removesuffix("+00:00") + "Z",
        "ca_certificate": answer.ca_certificate.decode(),
    }
    return json.dumps(document, indent=2) + "\n"


def _state(item: access_pb2.Agent) -> str:
    if not item.connected:
        return "away"
    return "connected" if item.assignment_current else "connected, old assignment"


def _clock(item: access_pb2.Agent) -> str:
    if not item.HasField("clock_offset_us"):
        return NOTHING
    sign = "-" if item.clock_offset_us < 0 else "+"
    return f"{sign}{length(abs(item.clock_offset_us))}"


def _document(item: access_pb2.Agent) -> dict[str, object]:
    return {
        "id": item.id,
        "region": item.region,
        "hostname": item.hostname,
        "enrolled_us": item.enrolled_us,
        "seen_us": item.seen_us if item.HasField("seen_us") else None,
        "connected": item.connected,
        "version": item.version,
        "clock_offset_us": item.clock_offset_us if item.HasField("clock_offset_us") else None,
        "clock_error_us": item.clock_error_us if item.HasField("clock_error_us") else None,
        "lines": item.lines,
        "lost": item.lost,
        "spool_lines": item.spool_lines,
        "certificate_ends_us": item.certificate_ends_us,
        "assignment_current": item.assignment_current,
    }
