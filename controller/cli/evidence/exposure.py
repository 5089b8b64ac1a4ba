"""`vedette evidence timestamps`: who holds the log to what it was, and how much of it could still be rewritten."""

import base64
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import NOTHING, instant, shown, write_json, write_table
from vedette.v1 import evidence_pb2 as pb
from vedette.v1.evidence_pb2_grpc import EvidenceServiceStub


@click.command()
@shown
def timestamps(as_json: bool, zone: ZoneInfo) -> None:
    """Say how much of the log others have fixed: authorities, witnesses, whoever was told of its heads.

    Exit code 1 if it is nothing.
    """
    with connected() as connection:
        stub = EvidenceServiceStub(connection.channel)
        answer = stub.ListTimestamps(pb.ListTimestampsRequest(), **connection.call)
    if as_json:
        write_json(_document(answer))
    else:
        write_table(["BY", "AS", "RUN BY", "LEAVES", "AT"], _rows(answer, zone))
        click.echo(_exposure(answer, zone))
    if not answer.HasField("fixed_since_us"):
        raise click.exceptions.Exit(1)


def _rows(answer: pb.ListTimestampsResponse, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    """Everybody who saw a head, the greatest first among each kind."""
    for stamp in answer.timestamps:
        at = instant(stamp.at_us, zone)
        yield stamp.authority, "authority", stamp.authority, str(stamp.size), at
    for one in answer.witnesses:
        size = str(one.size) if one.size else NOTHING
        at = instant(one.at_us or None, zone)
        yield one.name, "witness", one.party or "this controller's operator", size, at
    for told in answer.told:
        yield told.channel, "channel", NOTHING, str(told.size), instant(told.at_us, zone)


def _exposure(answer: pb.ListTimestampsResponse, zone: ZoneInfo) -> str:
    """What of the log could still be rewritten, and by whom."""
    who = "whoever holds the log's key, but for what agents have seen"
    if not answer.HasField("fixed_since_us"):
        return (
            f"No authority and no witness of another party has vouched for the log: all of its {answer.leaves} leaves"
            f" could be rewritten by {who}. `vedette evidence authority add` names an authority, on the controller's"
            " machine; a witness is an agent that another party runs with --witness, and that has the label party."
        )
    open_leaves = answer.leaves - answer.fixed_leaves
    return (
        f"The first {answer.fixed_leaves} of {answer.leaves} leaves are fixed since"
        f" {instant(answer.fixed_since_us, zone)}; {open_leaves} later ones could be rewritten by {who}."
    )


def _document(answer: pb.ListTimestampsResponse) -> dict[str, Any]:
    since_us = answer.fixed_since_us if answer.HasField("fixed_since_us") else None
    return {
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
        "witnesses": [
            {
                "name": one.name,
                "agent": one.agent,
                "key": one.public_key.hex(),
                "party": one.party or None,
                "size": one.size or None,
                "at_us": one.at_us or None,
            }
            for one in answer.witnesses
        ],
        "channels": [
            {"channel": one.channel, "size": one.size, "at_us": one.at_us} for one in answer.told
        ],
    }
