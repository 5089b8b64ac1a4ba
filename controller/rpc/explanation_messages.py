"""The page that explains an outage, as messages."""

from controller.core.runs import Run
from controller.rpc.outage_messages import event_message, outage_message
from controller.services.outages.explanation import (
    Ballot,
    Captured,
    Explanation,
    SampleView,
    Trouble,
    Voice,
)
from vedette.v1 import outage_pb2 as pb


def explanation_message(found: Explanation) -> pb.GetOutageResponse:
    """The whole page."""
    return pb.GetOutageResponse(
        outage=outage_message(found.outage),
        ballots=[_ballot(one) for one in found.ballots],
        samples=[_sample(one) for one in found.samples],
        rule=found.rule,
        bounds=found.bounds,
        doubts=[
            pb.Doubt(from_us=one.from_us, to_us=one.to_us, down=one.is_down, regions=one.regions)
            for one in found.doubts
        ],
        runs=[_run(one) for one in found.runs],
        samples_left_out=found.samples_left_out,
        troubles=[_trouble(one) for one in found.troubles],
        captures=[_capture(one) for one in found.captures],
        events=[event_message(one) for one in found.history],
        from_us=found.from_us,
        to_us=found.to_us,
        skipped=pb.Skipped(from_us=found.skipped[0], to_us=found.skipped[1])
        if found.skipped
        else None,
    )


def _ballot(ballot: Ballot) -> pb.Ballot:
    return pb.Ballot(
        from_us=ballot.from_us,
        to_us=ballot.to_us,
        verdict=ballot.verdict,
        votes=[_vote(one) for one in ballot.voices],
        down=ballot.down,
        voters=ballot.voters,
        needed=ballot.needed,
    )


def _vote(voice: Voice) -> pb.RegionVote:
    return pb.RegionVote(
        region=voice.region,
        label=voice.label,
        sample_us=voice.sample_us,
        confirmed_us=voice.confirmed_us,
        why=voice.why,
    )


def _run(run: Run) -> pb.Run:
    certain = run.certain
    return pb.Run(
        region=run.region,
        agent=run.agent,
        down=run.is_down,
        from_us=run.from_us,
        to_us=run.to_us,
        count=run.count,
        certain=pb.Confirmation(
            at_us=certain.at_us, epoch=certain.epoch, stream=certain.stream, seq=certain.seq
        )
        if certain
        else None,
        after_silence=run.is_after_silence,
        older=run.is_older,
        goes_on=run.goes_on,
    )


def _trouble(one: Trouble) -> pb.Trouble:
    return pb.Trouble(
        region=one.region,
        agent=one.agent,
        from_us=one.from_us,
        to_us=one.to_us,
        ok=one.ok,
        total=one.total,
    )


def _capture(one: Captured) -> pb.Capture:
    sample, capture = one.sample, one.capture
    return pb.Capture(
        agent=sample.agent,
        region=sample.region,
        epoch=sample.epoch,
        stream=sample.stream,
        seq=sample.seq,
        at_us=sample.at_us,
        of_seq=capture.of_seq,
        parts=[pb.CapturePart(title=part.title, lines=part.lines) for part in capture.parts],
        document=capture.document,
    )


def _sample(view: SampleView) -> pb.Sample:
    sample = view.sample
    return pb.Sample(
        agent=sample.agent,
        epoch=sample.epoch,
        stream=sample.stream,
        seq=sample.seq,
        region=sample.region,
        at_us=sample.at_us,
        outcome=sample.outcome.value,
        label=view.label,
        kind=sample.kind or "",
        detail=view.detail,
        took_us=sample.took_us or 0,
        voided=view.is_voided,
        trigger=view.trigger,
        overruled=view.is_overruled,
        why_not=view.why_not,
        received_us=view.received_us,
        late_us=view.late_us,
        addr=view.addr,
        attempts=view.attempts,
    )
