"""EvidenceService: streams and their seals, and bundles of them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from controller.errors import BadInput
from controller.ports.seals import StreamStanding
from controller.ports.storage import Worker
from controller.rpc.attesting import Attesting
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.bundling.bundle import Bundles
from controller.services.bundling.handing import Part
from controller.services.bundling.held import HeldHead
from controller.services.bundling.paper import PaperMaker
from controller.services.contracts.foresight import Foresight
from controller.services.evidence.witnesses import WitnessStanding
from vedette.shared.limits import BUNDLE_PART_BYTES_MAX, COSIGN_SECONDS_MAX
from vedette.v1 import evidence_pb2 as pb
from vedette.v1 import evidence_pb2_grpc


@dataclass(frozen=True, slots=True)
class EvidenceServicer(evidence_pb2_grpc.EvidenceServiceServicer):
    """Shows what is kept, and how well it is attested."""

    worker: Worker
    attesting: Attesting
    bundles: Bundles

    async def GetAnnex(  # noqa: N802 - gRPC's name
        self, request: pb.GetAnnexRequest, context: Context
    ) -> pb.GetAnnexResponse:
        """The keys by which bundles are checked."""
        return pb.GetAnnexResponse(text=await self.worker.run(self.bundles.annex))

    async def ExportBundle(  # noqa: N802 - gRPC's name
        self, request: pb.ExportBundleRequest, context: Context
    ) -> AsyncIterator[pb.ExportBundleResponse]:
        """A bundle, some parts at a time; other work of the storage thread comes in between.

        Agents seal first, out of turn; and witnesses sign the head that the claim is in.
        """
        foresight = Foresight()
        made = self._parts(request, foresight)
        paper, total = PaperMaker(self.bundles.signer), 0
        is_more = bool(request.contract)
        while is_more:
            is_more = await self.worker.run(
                lambda: self.bundles.foresees(request.contract, request.period, foresight)
            )
        await self.attesting.fresh.arrived()
        parts = _cut(itertools.chain(await self.worker.run(lambda: [next(made)]), made))
        await self._witnessed()
        while some := await self.worker.run(lambda: _some(parts)):
            # Neither the thread of storage nor that of all calls waits for the paper.
            await asyncio.to_thread(paper.see, some)
            total = some[-1].total
            yield _response(some)
        files = await asyncio.to_thread(paper.files)
        beside = _cut(Part(one.name, one.content, total, total) for one in files)
        while some := _some(beside):
            yield _response(some)

    def _parts(self, request: pb.ExportBundleRequest, foresight: Foresight) -> Iterator[Part]:
        """BadInput unless it names one thing. A token's contracts are those of the request: it names no other."""
        actor = caller().actor
        since = [HeldHead(one.size, one.root) for one in request.since]
        if bool(request.outage) == bool(request.contract or request.period):
            raise BadInput("Expected a contract and a period, or an outage, and not both.")
        if request.outage:
            return self.bundles.of_outage(request.outage, actor, since)
        return self.bundles.of_period(request.contract, request.period, actor, since, foresight)

    async def _witnessed(self) -> None:
        """Have the newest head signed by the witnesses that are there, and wait for that a moment."""
        head = await self.worker.run(self.attesting.logbook.newest)
        if head is not None:
            await self.attesting.cosigning.until(head.size, COSIGN_SECONDS_MAX)

    async def ListTimestamps(  # noqa: N802 - gRPC's name
        self, request: pb.ListTimestampsRequest, context: Context
    ) -> pb.ListTimestampsResponse:
        """What authorities and witnesses vouched for."""
        found = await self.worker.run(self.attesting.stamping.timestamps)
        exposure = await self.worker.run(self.attesting.stamping.exposure)
        return pb.ListTimestampsResponse(
            timestamps=[
                pb.Timestamp(
                    authority=one.authority, size=one.size, at_us=one.at_us, response=one.response
                )
                for one in found
            ],
            leaves=exposure.leaves,
            fixed_leaves=exposure.size,
            fixed_since_us=exposure.at_us,
            witnesses=map(_witness, await self.worker.run(self.attesting.witnesses.listed)),
            told=[
                pb.ToldHead(channel=one.channel, size=one.size, at_us=one.at_us)
                for one in await self.worker.run(self.attesting.told)
            ],
        )

    async def ListStreams(  # noqa: N802 - gRPC's name
        self, request: pb.ListStreamsRequest, context: Context
    ) -> pb.ListStreamsResponse:
        """Every stream (of an agent), by agent, stream and epoch."""
        standings = await self.attesting.seals.standings(request.agent or None)
        return pb.ListStreamsResponse(streams=[_stream(one) for one in standings])


def _cut(parts: Iterator[Part]) -> Iterator[Part]:
    """The same in parts of a message's size at most."""
    for part in parts:
        for at in range(0, len(part.content) or 1, BUNDLE_PART_BYTES_MAX):
            yield part._replace(content=part.content[at : at + BUNDLE_PART_BYTES_MAX])


def _response(some: Sequence[Part]) -> pb.ExportBundleResponse:
    return pb.ExportBundleResponse(
        parts=[
            pb.BundlePart(name=one.name, content=one.content, joined=one.is_joined) for one in some
        ],
        done=some[-1].done,
        total=some[-1].total,
    )


def _some(parts: Iterator[Part]) -> list[Part]:
    """The next parts, of a message's size together; none at the end."""
    found: list[Part] = []
    size = 0
    for part in parts:
        found.append(part)
        size += len(part.content) + len(part.name)
        if size >= BUNDLE_PART_BYTES_MAX:
            break
    return found


def _witness(one: WitnessStanding) -> pb.Witness:
    return pb.Witness(
        name=one.key.name,
        agent=one.key.agent,
        public_key=one.key.public_key,
        party=one.party,
        size=one.newest.size if one.newest else 0,
        at_us=one.newest.at_us if one.newest else 0,
    )


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
