"""`vedette evidence streams`: what of every stream is sealed, what was missed, and what is wrong."""

from typing import Final
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import NOTHING, instant, shown, write_json, write_table
from vedette.v1 import evidence_pb2, evidence_pb2_grpc

_COLUMNS: Final = (
    "AGENT", "STREAM", "EPOCH", "LAST SEAL", "AT", "SEALED", "UNSEALED", "LOST", "MISSED SLOTS", "ALARMS",
)  # fmt: skip


@click.command()
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
