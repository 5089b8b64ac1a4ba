"""OutageService: outages and what decided them."""

from dataclasses import dataclass

from controller.ports import Worker
from controller.rpc.status import Context
from controller.services.outages import Ballot, Outages, OutageView, SampleView
from vedette.v1 import outage_pb2, outage_pb2_grpc


@dataclass(frozen=True, slots=True)
class OutageServicer(outage_pb2_grpc.OutageServiceServicer):
    """Lists and explains."""

    worker: Worker
    outages: Outages

    async def ListOutages(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.ListOutagesRequest, context: Context
    ) -> outage_pb2.ListOutagesResponse:
        """Outages, newest first."""
        found = await self.worker.run(
            lambda: self.outages.list(
                check=request.check or None,
                from_us=request.from_us if request.HasField("from_us") else None,
                to_us=request.to_us if request.HasField("to_us") else None,
                open_only=request.open_only,
                limit=request.limit,
            )
        )
        return outage_pb2.ListOutagesResponse(outages=[_outage(view) for view in found])

    async def GetOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.GetOutageRequest, context: Context
    ) -> outage_pb2.GetOutageResponse:
        """One outage with its votes and samples."""
        found = await self.worker.run(lambda: self.outages.explain(request.handle))
        return outage_pb2.GetOutageResponse(
            outage=_outage(found.outage),
            ballots=[_ballot(ballot) for ballot in found.ballots],
            samples=[_sample(view) for view in found.samples],
            rule=found.rule,
        )


def _outage(view: OutageView) -> outage_pb2.Outage:
    body = view.body
    return outage_pb2.Outage(
        handle=view.handle,
        content_id=body.id,
        check=body.check,
        service=view.service,
        started_us=body.started_us,
        ended_us=body.ended_us,
        confirmed_us=body.confirmed_us,
        detected_us=view.detected_us,
        closed_known_us=view.closed_known_us,
        downtime_us=body.downtime_us,
        downtime_min_us=body.downtime_us_min,
        downtime_max_us=body.downtime_us_max,
        unknown_us=body.unknown_us,
        regions=body.regions,
        kinds=[kind for kind, _ in body.kinds],
        transients=body.transients,
    )


def _ballot(ballot: Ballot) -> outage_pb2.Ballot:
    return outage_pb2.Ballot(
        from_us=ballot.from_us,
        to_us=ballot.to_us,
        verdict=ballot.verdict,
        votes=[outage_pb2.RegionVote(region=r, label=label) for r, label in ballot.votes],
    )


def _sample(view: SampleView) -> outage_pb2.Sample:
    sample = view.sample
    return outage_pb2.Sample(
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
    )
