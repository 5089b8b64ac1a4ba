"""EvidenceService: streams and their seals."""

from dataclasses import dataclass

from controller.rpc.status import Context
from controller.seals import StreamStanding
from controller.services.seals import Seals
from vedette.v1 import evidence_pb2 as pb
from vedette.v1 import evidence_pb2_grpc


@dataclass(frozen=True, slots=True)
class EvidenceServicer(evidence_pb2_grpc.EvidenceServiceServicer):
    """Shows what is kept, and how well it is attested."""

    seals: Seals

    async def ListStreams(  # noqa: N802 - gRPC's name
        self, request: pb.ListStreamsRequest, context: Context
    ) -> pb.ListStreamsResponse:
        """Every stream (of an agent), by agent, stream and epoch."""
        standings = await self.seals.standings(request.agent or None)
        return pb.ListStreamsResponse(streams=[_stream(one) for one in standings])


def _stream(one: StreamStanding) -> pb.EvidenceStream:
    return pb.EvidenceStream(
        agent=one.id.agent,
        epoch=one.id.epoch,
        stream=one.id.stream,
        seq=one.seq,
        lines=one.lines,
        lost=one.lost,
        sealed_lines=one.sealed_lines,
        seals=one.seals,
        last_seal=one.last_number,
        last_seal_us=one.last_end_us or 0,
        scheduled=one.scheduled,
        missed=one.missed,
        missing_seals=one.skipped,
        forked_seals=one.forked,
    )
