"""Messages of the session stream, to and from the agent's own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.log_view import Offered
from agent.link.cosigning import Cosigned
from agent.ports import (
    SEALS_SUFFIX,
    AssignedCheck,
    Assignment,
    Batch,
    SealedSecret,
    SealTip,
    SiteReport,
    SpoolDepth,
    Unrunnable,
)
from vedette.shared.limits import PLACES_MAX, POLICY_CHARS_MAX, UNRUNNABLE_SHOWN_MAX
from vedette.shared.merkle import SIZE_MAX
from vedette.shared.result import ClockReading, Trigger
from vedette.v1 import session_pb2 as pb

Key = tuple[str, str]

# What this side understands: changes to an assignment, anchors, places.
PROTOCOL: Final = 1

TRIGGERS: Final = {
    pb.PROBE_TRIGGER_CONFIRM: Trigger.CONFIRM,
    pb.PROBE_TRIGGER_MANUAL: Trigger.MANUAL,
}


def frame_message(batch: Batch, *, is_backlog: bool) -> pb.ConnectRequest:
    """Lines to send; live ones go first at the controller too."""
    return pb.ConnectRequest(
        frame=pb.Frame(
            epoch=batch.epoch,
            stream=batch.stream,
            first_seq=batch.first_seq,
            count=len(batch.lines),
            lines=b"".join(batch.lines),
            lost=batch.lost,
            is_backlog=is_backlog,
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
    return Assignment(
        message.revision,
        checks,
        secrets,
        anchors=tuple(message.anchors.targets),
        anchor_interval_us=message.anchors.interval_us,
        place=min(message.place, PLACES_MAX),
        base=message.base,
        removed=tuple(message.removed),
    )


def stored_message(revision: str, unrunnable: list[Unrunnable]) -> pb.ConnectRequest:
    """The assignment is on disk; these checks of it will not be run."""
    ack = pb.AssignmentAck(revision=revision, unrunnable=_refused(unrunnable))
    return pb.ConnectRequest(assignment_ack=ack)


def incomplete_message(revision: str) -> pb.ConnectRequest:
    """What came changes an assignment that is not this agent's: it runs `revision`, and needs all of it."""
    ack = pb.AssignmentAck(revision=revision, needs_whole=True)
    return pb.ConnectRequest(assignment_ack=ack)


def _refused(unrunnable: Sequence[Unrunnable]) -> list[pb.Unrunnable]:
    return [
        pb.Unrunnable(check=one.check, reason=one.reason)
        for one in unrunnable[:UNRUNNABLE_SHOWN_MAX]
    ]


@dataclass(frozen=True, slots=True)
class Health:
    """What an agent says of itself now and then."""

    depth: SpoolDepth
    missed_slots: int
    reading: ClockReading
    is_synced: bool | None
    clock_steps: int
    site: SiteReport


def health_message(told: Health) -> pb.ConnectRequest:
    """The agent's own condition."""
    depth, reading, site = told.depth, told.reading, told.site
    health = pb.Health(
        spool_lines=depth.lines,
        spool_bytes=depth.bytes,
        missed_slots=told.missed_slots,
        clock_offset_us=reading.offset,
        clock_error_us=reading.error if reading.offset is not None else None,
        clock_synced=told.is_synced,
        clock_steps=told.clock_steps,
        site=pb.SiteReport(
            policy=site.policy[:POLICY_CHARS_MAX],
            paused=site.is_paused,
            refused=dict(site.refused),
            refused_orders=site.refused_orders,
            unrunnable=_refused(site.unrunnable),
            unrunnable_count=len(site.unrunnable),
        ),
    )
    return pb.ConnectRequest(health=health)


def offered_head(message: pb.TreeHead) -> Offered:
    """A head of the log as it is judged."""
    size = min(message.from_size, SIZE_MAX)
    return Offered(message.checkpoint, message.log_key, size, tuple(message.path))


def seen_message(size: int, refusal: str) -> pb.ConnectRequest:
    """So much of the log was seen by now; and why no more of it, if a head was refused."""
    return pb.ConnectRequest(tree_head_ack=pb.TreeHeadAck(size=size, refusal=refusal))


def cosignature_message(said: Cosigned) -> pb.ConnectRequest:
    """The signature under a head that was taken."""
    own = pb.Cosignature(size=said.size, public_key=said.public_key, line=said.line)
    return pb.ConnectRequest(cosignature=own)


def clock_message(sent_us: int) -> pb.ConnectRequest:
    """A question for the controller's clock."""
    return pb.ConnectRequest(clock_probe=pb.ClockProbe(agent_sent_us=sent_us))


def hello_message(
    *,
    version: str,
    epoch: str,
    revision: str,
    can_probe: tuple[str, ...],
    instance: str,
    labels: Mapping[str, str],
    log_size: int | None,
) -> pb.ConnectRequest:
    """The first words. `log_size` says how much of the log was seen; None: its heads are not taken."""
    return pb.ConnectRequest(
        hello=pb.Hello(
            version=version,
            epoch=epoch,
            assignment_revision=revision,
            can_probe=can_probe,
            instance=instance,
            protocol=PROTOCOL,
            labels=labels,
            log_size=log_size or 0,
            takes_tree_heads=log_size is not None,
        )
    )
