"""What decided an outage, shown."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.outage.facts import outage_document, write_facts
from controller.cli.output import NOTHING, instant, write_table
from vedette.v1 import outage_pb2 as pb


def write_explanation(answer: pb.GetOutageResponse, zone: ZoneInfo) -> None:
    """The page that explains an outage."""
    write_facts(answer.outage, zone)
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


def _counts_as(item: pb.Sample) -> str:
    """What became of a result: a label, or why it has none."""
    if item.overruled:
        return "conflict"
    return "void" if item.voided else item.label


def explanation_document(answer: pb.GetOutageResponse) -> dict[str, Any]:
    """The same for programs."""
    return {
        "outage": outage_document(answer.outage),
        "rule": answer.rule,
        "ballots": [_ballot(item) for item in answer.ballots],
        "samples": [_sample(item) for item in answer.samples],
    }


def _ballot(item: pb.Ballot) -> dict[str, Any]:
    return {
        "from_us": item.from_us,
        "to_us": item.to_us,
        "verdict": item.verdict,
        "votes": {vote.region: vote.label for vote in item.votes},
    }


def _sample(item: pb.Sample) -> dict[str, Any]:
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
