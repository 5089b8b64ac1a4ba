"""Seals in the messages of a session."""

from collections.abc import Iterable

from controller.core.sealing import sha256_of
from controller.ports.seals import StoredSeal
from controller.services.evidence.seals import SealAnswer
from vedette.v1 import session_pb2 as pb


def seal_tips(seals: Iterable[StoredSeal]) -> list[pb.SealTip]:
    """The last seals that are kept, as the agent compares them with its own."""
    return [
        pb.SealTip(
            epoch=one.id.epoch,
            stream=one.id.stream,
            number=one.number,
            sha256=sha256_of(one.note),
        )
        for one in seals
    ]


def seal_answer(answer: SealAnswer) -> pb.ConnectResponse:
    """What the agent is told about a seal."""
    if answer.reason:
        return pb.ConnectResponse(
            seal_refusal=pb.SealRefusal(
                epoch=answer.epoch,
                stream=answer.stream,
                number=answer.number,
                reason=answer.reason,
            )
        )
    kept = pb.Position(epoch=answer.epoch, stream=answer.stream, seq=answer.number)
    return pb.ConnectResponse(seal_ack=pb.SealAck(durable=[kept]))
