"""`vedette evidence`: the lines that are kept, the seals under them, and who vouches for the log."""

import base64
from typing import Final
from zoneinfo import ZoneInfo

import click

from controller.cli.authority import authority
from controller.cli.bundle_export import annex, export
from controller.cli.bundle_paper import paper
from controller.cli.channel import connected
from controller.cli.output import NOTHING, instant, shown, write_json, write_table
from vedette.v1 import evidence_pb2, evidence_pb2_grpc

_COLUMNS: Final = (
    "AGENT", "STREAM", "EPOCH", "LAST SEAL", "AT", "SEALED", "UNSEALED", "LOST", "MISSED SLOTS", "ALARMS",
)  # fmt: skip


@click.group()
def evidence() -> None:
    """Lines, and the seals under them."""


@evidence.command()
@click.option("--agent", default="", help="Only the streams of this agent.")
@shown
def streams(agent: str, as_json: bool, zone: ZoneInfo) -> None:
    """List every stream: what of it is sealed, what was missed, what is wrong."""
    with connected() as connection:
        answer = evidence_pb2_grpc.EvidenceServiceStub(connection.channel).ListStreams(
            evidence_pb2.ListStreamsRequest(agent=agent), **connection.call
        )
    if as_json:
        write_json({"streams": [_document(one) for one in answer.streams]})
        return
    write_table(
        _COLUMNS,
        [
            (
                one.agent,
                one.stream,
                one.epoch,
                str(one.last_seal) if one.last_seal else NOTHING,
                instant(one.last_seal_us or None, zone),
                str(one.sealed_lines),
                str(one.lines - one.sealed_lines),
                str(one.lost) if one.lost else NOTHING,
                f"{one.missed} of {one.scheduled}" if one.scheduled else NOTHING,
                _alarms(one),
            )
            for one in answer.streams
        ],
    )


@evidence.command()
@shown
def timestamps(as_json: bool, zone: ZoneInfo) -> None:
    """Say how much of the log authorities outside have fixed. Exit code 1 if it is nothing."""
    with connected() as connection:
        answer = evidence_pb2_grpc.EvidenceServiceStub(connection.channel).ListTimestamps(
            evidence_pb2.ListTimestampsRequest(), **connection.call
        )
    since_us = answer.fixed_since_us if answer.HasField("fixed_since_us") else None
    if as_json:
        write_json(
            {
                "leaves": answer.leaves,
                "fixed_leaves": answer.fixed_leaves,
                "fixed_since_us": since_us,
                "timestamps": [
                    {
                        "authority": one.authority,
                        "size": one.size,
                        "at_us": one.at_us,
                        "response": base64.b64encode(one.response).decode(),
                    }
                    for one in answer.timestamps
                ],
            }
        )
    else:
        write_table(
            ["AUTHORITY", "LEAVES", "AT"],
            [(one.authority, str(one.size), instant(one.at_us, zone)) for one in answer.timestamps],
        )
        click.echo(_exposure(answer, zone))
    if since_us is None:
        raise click.exceptions.Exit(1)


def _exposure(answer: evidence_pb2.ListTimestampsResponse, zone: ZoneInfo) -> str:
    """What of the log could still be rewritten, and by whom."""
    who = "whoever holds the log's key, but for what agents have seen"
    if not answer.HasField("fixed_since_us"):
        return (
            f"No authority has vouched for the log: all of its {answer.leaves} leaves could be rewritten by"
            f" {who}. `vedette evidence authority add` names one, on the controller's machine."
        )
    open_leaves = answer.leaves - answer.fixed_leaves
    return (
        f"The first {answer.fixed_leaves} of {answer.leaves} leaves are fixed since"
        f" {instant(answer.fixed_since_us, zone)}; {open_leaves} later ones could be rewritten by {who}."
    )


def _alarms(one: evidence_pb2.EvidenceStream) -> str:
    said = []
    if one.forked_seals:
        said.append(f"{one.forked_seals} forked")
    if one.missing_seals:
        said.append(f"{one.missing_seals} seals missing")
    return ", ".join(said) or NOTHING


def _document(one: evidence_pb2.EvidenceStream) -> dict[str, object]:
    return {
        "agent": one.agent,
        "stream": one.stream,
        "epoch": one.epoch,
        "seq": one.seq,
        "lines": one.lines,
        "lost": one.lost,
        "sealed_lines": one.sealed_lines,
        "unsealed_lines": one.lines - one.sealed_lines,
        "seals": one.seals,
        "last_seal": one.last_seal or None,
        "last_seal_us": one.last_seal_us or None,
        "scheduled_slots": one.scheduled,
        "missed_slots": one.missed,
        "missing_seals": one.missing_seals,
        "forked_seals": one.forked_seals,
    }


evidence.add_command(authority)
evidence.add_command(annex)
evidence.add_command(export)
evidence.add_command(paper)
