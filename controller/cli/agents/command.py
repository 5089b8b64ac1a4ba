"""`vedette agent`: agents, the join files that make them, approval, revocation, alarms."""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.agents.alarm import alarm
from controller.cli.agents.duty import COMMANDS
from controller.cli.agents.view import agent_document, clock_text, labels_text, state_text
from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    DurationType,
    as_document,
    instant,
    shown,
    until,
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


agent.add_command(alarm)
for _command in COMMANDS:
    agent.add_command(_command)


@agent.command("list")
@shown
def list_(as_json: bool, zone: ZoneInfo) -> None:
    """List every agent that ever enrolled."""
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).ListAgents(
            access_pb2.ListAgentsRequest(), **connection.call
        )
    if as_json:
        write_json({"agents": [agent_document(item) for item in answer.agents]})
        return
    write_table(
        [
            "ID",
            "REGION",
            "HOST",
            "LABELS",
            "STATE",
            "ALARMS",
            "SEEN",
            "VERSION",
            "CLOCK",
            "LINES",
            "LOST",
            "SPOOL",
            "REFUSED",
        ],
        [
            (
                item.id,
                item.region,
                item.hostname,
                labels_text(item.labels),
                state_text(item, zone),
                str(item.alarms) if item.alarms else NOTHING,
                instant(item.seen_us if item.HasField("seen_us") else None, zone),
                item.version or NOTHING,
                clock_text(item),
                str(item.lines),
                str(item.lost),
                str(item.spool_lines),
                str(item.refused) if item.refused else NOTHING,
            )
            for item in answer.agents
        ],
    )


@agent.command("approve")
@click.argument("id")
@as_document
def approve(id: str, as_json: bool) -> None:
    """Let the agent ID probe and vote.

    For agents that joined by a token made with --approve, and for those that recovered too often.
    """
    with connected() as connection:
        access_pb2_grpc.AgentServiceStub(connection.channel).ApproveAgent(
            access_pb2.ApproveAgentRequest(agent=id), **connection.call
        )
    if as_json:
        write_json({"agent": id, "standing": "approved"})
        return
    click.echo(f"Agent {id} is approved.")


@agent.command("revoke")
@click.argument("id")
@click.option("--reason", required=True, help="Stands in the ledger; the site is told.")
@as_document
def revoke(id: str, reason: str, as_json: bool) -> None:
    """Refuse the agent ID from now on, for good, and cut its stream.

    What it reported before stays as it is. Its machine can only come back as another agent, by a new
    join file.
    """
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).RevokeAgent(
            access_pb2.RevokeAgentRequest(agent=id, reason=reason), **connection.call
        )
    if as_json:
        write_json({"agent": id, "standing": "revoked", "revoked_us": answer.revoked_us,
                    "was_connected": answer.was_connected})  # fmt: skip
        return
    stream = "its stream was cut" if answer.was_connected else "it was not connected"
    click.echo(f"Agent {id} is revoked since {until(answer.revoked_us)}; {stream}.")


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
    "--approve",
    "needs_approval",
    is_flag=True,
    help="It probes only after `vedette agent approve`.",
)
@click.option(
    "--address", help="Where the agent enrols (host:port), if not where the controller says."
)
@as_document
def create(
    region: str, ttl: int, out: Path, needs_approval: bool, address: str | None, as_json: bool
) -> None:
    """Make a join file for `vedette-agent join`. It is a secret, and serves once."""
    to_stdout = str(out) == "-"
    if not to_stdout:
        refuse_existing(out)
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).CreateJoinToken(
            access_pb2.CreateJoinTokenRequest(
                region=region, ttl_us=ttl, needs_approval=needs_approval
            ),
            **connection.call,
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
