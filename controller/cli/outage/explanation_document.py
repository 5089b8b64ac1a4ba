"""The page that explains an outage, for programs."""

import json
from typing import Any

from controller.cli.outage.facts import outage_document
from controller.cli.outage.history import event_document
from vedette.v1 import outage_pb2 as pb


def explanation_document(answer: pb.GetOutageResponse) -> dict[str, Any]:
    """Everything that the page says, and every result that it leaves out for brevity."""
    return {
        "outage": outage_document(answer.outage),
        "from_us": answer.from_us,
        "to_us": answer.to_us,
        "skipped": {"from_us": answer.skipped.from_us, "to_us": answer.skipped.to_us}
        if answer.HasField("skipped")
        else None,
        "rule": answer.rule,
        "bounds": answer.bounds,
        "doubts": [
            {
                "from_us": one.from_us,
                "to_us": one.to_us,
                "down": one.down,
                "regions": list(one.regions),
            }
            for one in answer.doubts
        ],
        "ballots": [_ballot(item) for item in answer.ballots],
        "runs": [_run(item) for item in answer.runs],
        "samples": [_sample(item) for item in answer.samples],
        "samples_left_out": answer.samples_left_out,
        "troubles": [_trouble(item) for item in answer.troubles],
        "captures": [_capture(item) for item in answer.captures],
        "events": [event_document(item) for item in answer.events],
    }


def _ballot(item: pb.Ballot) -> dict[str, Any]:
    return {
        "from_us": item.from_us,
        "to_us": item.to_us,
        "verdict": item.verdict,
        "votes": {vote.region: vote.label for vote in item.votes},
        "voices": [
            {
                "region": vote.region,
                "label": vote.label,
                "sample_us": vote.sample_us if vote.HasField("sample_us") else None,
                "confirmed_us": vote.confirmed_us if vote.HasField("confirmed_us") else None,
                "why": vote.why or None,
            }
            for vote in item.votes
        ],
        "down": item.down,
        "voters": item.voters,
        "needed": item.needed if item.HasField("needed") else None,
    }


def _run(item: pb.Run) -> dict[str, Any]:
    certain = item.certain
    return {
        "region": item.region,
        "agent": item.agent,
        "down": item.down,
        "from_us": item.from_us,
        "to_us": item.to_us,
        "count": item.count,
        "certain": {
            "at_us": certain.at_us,
            "epoch": certain.epoch,
            "stream": certain.stream,
            "seq": certain.seq,
        }
        if item.HasField("certain")
        else None,
        "after_silence": item.after_silence,
        "older": item.older,
        "goes_on": item.goes_on,
    }


def _trouble(item: pb.Trouble) -> dict[str, Any]:
    return {
        "region": item.region,
        "agent": item.agent,
        "from_us": item.from_us,
        "to_us": item.to_us if item.HasField("to_us") else None,
        "ok": item.ok,
        "total": item.total,
    }


def _capture(item: pb.Capture) -> dict[str, Any]:
    return {
        "agent": item.agent,
        "region": item.region,
        "epoch": item.epoch,
        "stream": item.stream,
        "seq": item.seq,
        "at_us": item.at_us,
        "of_seq": item.of_seq if item.HasField("of_seq") else None,
        "capture": json.loads(item.document),
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
        "addr": item.addr or None,
        "attempts": item.attempts,
        "received_us": item.received_us if item.HasField("received_us") else None,
        "late_us": item.late_us if item.HasField("late_us") else None,
        "voided": item.voided,
        "overruled": item.overruled,
        "why_not": item.why_not or None,
    }
