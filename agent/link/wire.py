"""Messages of the session stream, to and from the agent's own words."""

from typing import Final

from agent.ports import (
    SEALS_SUFFIX,
    AssignedCheck,
    Assignment,
    Batch,
    SealedSecret,
    SealTip,
    SpoolDepth,
    Unrunnable,
)
from vedette.shared.result import ClockReading, Trigger
from vedette.v1 import session_pb2 as pb

Key = tuple[str, str]

TRIGGERS: Final = {
    pb.PROBE_TRIGGER_CONFIRM: Trigger.CONFIRM,
    pb.PROBE_TRIGGER_MANUAL: Trigger.MANUAL,
}


def frame_message(batch: Batch) -> pb.ConnectRequest:
    """Lines to send."""
    return pb.ConnectRequest(
        frame=pb.Frame(
            epoch=batch.epoch,
            stream=batch.stream,
            first_seq=batch.first_seq,
            count=len(batch.lines),
            lines=b"".join(batch.lines),
            lost=batch.lost,
        )
    )


def seal_message(epoch: str, stream: str, number: int, note: bytes) -> pb.ConnectRequest:
    """A signed seal to send."""
    seal = pb.Seal(epoch=epoch, stream=stream, number=number, note=note)
    return pb.ConnectRequest(seal=seal)


def tips_of(message: pb.Welcome) -> dict[Key, SealTip]:
    """The last seal that the controller holds of each stream."""
    return {(t.epoch, t.stream): SealTip(t.number, t.sha256) for t in message.tips}


def seal_positions(message: pb.SealAck) -> dict[Key, int]:
    """The seals that are held, as positions of the streams that they stand in here."""
    return {(p.epoch, p.stream + SEALS_SUFFIX): p.seq for p in message.durable}


def positions(message: pb.Ack | pb.Welcome) -> dict[Key, int]:
    """The durable positions that a message names."""
    return {(p.epoch, p.stream): p.seq for p in message.durable}


def assignment_of(message: pb.Assignment) -> Assignment:
    """An assignment as the probing side takes it."""
    checks = tuple(AssignedCheck(c.definition, c.digest) for c in message.checks)
    secrets = tuple(SealedSecret(s.name, s.version, s.sealed) for s in message.secrets)
    return Assignment(message.revision, checks, secrets)


def stored_message(revision: str, unrunnable: list[Unrunnable]) -> pb.ConnectRequest:
    """The assignment is on disk; these checks of it will not be run."""
    refused = [pb.Unrunnable(check=u.check, reason=u.reason) for u in unrunnable]
    return pb.ConnectRequest(assignment_ack=pb.AssignmentAck(revision=revision, unrunnable=refused))


def health_message(depth: SpoolDepth, missed: int, reading: ClockReading) -> pb.ConnectRequest:
    """The agent's own condition."""
    health = pb.Health(
        spool_lines=depth.lines,
        spool_bytes=depth.bytes,
        missed_slots=missed,
        clock_offset_us=reading.offset,
        clock_error_us=reading.error if reading.offset is not None else None,
    )
    return pb.ConnectRequest(health=health)


def clock_message(sent_us: int) -> pb.ConnectRequest:
    """A question for the controller's clock."""
    return pb.ConnectRequest(clock_probe=pb.ClockProbe(agent_sent_us=sent_us))


def hello_message(
    *, version: str, epoch: str, revision: str, can_probe: tuple[str, ...], instance: str
) -> pb.ConnectRequest:
    """The first words."""
    return pb.ConnectRequest(
        hello=pb.Hello(
            version=version,
            epoch=epoch,
            assignment_revision=revision,
            can_probe=can_probe,
            instance=instance,
        )
    )
