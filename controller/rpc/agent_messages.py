"""Agents, alarms and notices as messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller.errors import BadInput
from controller.ports.agents import AgentRecord
from controller.ports.custody import AgentStanding, Alarm, Standing
from controller.ports.postings import AgentReport, Mode, Notice, Posting
from controller.rpc.reports import COUNT_MAX
from controller.services.agents.postings import is_skewed
from vedette.v1 import access_pb2 as pb

_STANDINGS: Final[Mapping[Standing, "pb.AgentStanding.ValueType"]] = {
    Standing.PENDING: pb.AGENT_STANDING_PENDING,
    Standing.APPROVED: pb.AGENT_STANDING_APPROVED,
    Standing.REVOKED: pb.AGENT_STANDING_REVOKED,
}
_MODES: Final[Mapping[Mode, "pb.AgentMode.ValueType"]] = {
    Mode.RUN: pb.AGENT_MODE_RUN,
    Mode.DRAIN: pb.AGENT_MODE_DRAIN,
    Mode.PAUSE: pb.AGENT_MODE_PAUSE,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is known of an agent and shown of it in a list."""

    record: AgentRecord
    standing: AgentStanding
    report: AgentReport
    posting: Posting | None = None
    notice: Notice | None = None


def agent_message(seen: Seen) -> pb.Agent:
    """An agent as the list shows it; what hangs on streams and duties is left to the caller."""
    record, standing, posting, report = seen.record, seen.standing, seen.posting, seen.report
    return pb.Agent(
        id=record.id,
        region=record.region,
        hostname=record.hostname,
        enrolled_us=record.enrolled_us,
        seen_us=record.seen_us,
        version=record.version,
        clock_offset_us=record.clock_offset_us,
        clock_error_us=record.clock_error_us,
        lines=record.lines,
        lost=record.lost,
        spool_lines=record.spool_lines,
        certificate_ends_us=record.certificate_ends_us,
        standing=_STANDINGS[standing.standing],
        standing_since_us=standing.since_us,
        standing_reason=standing.reason,
        recoveries=standing.recoveries,
        labels=posting.labels if posting else {},
        mode=_MODES[posting.mode if posting else Mode.RUN],
        mode_since_us=posting.mode_since_us if posting else 0,
        mode_reason=posting.mode_reason if posting else "",
        silent_since_us=seen.notice.from_us if seen.notice else None,
        skewed=is_skewed(record),
        clock_synced=report.clock_synced,
        # Each is bounded; their sum need not be.
        refused=min(sum(report.refused.values()), COUNT_MAX),
        site_paused=report.is_paused,
    )


def mode_of(message: "pb.AgentMode.ValueType") -> Mode:
    """The mode that a message names. BadInput if it names none."""
    for mode, number in _MODES.items():
        if number == message:
            return mode
    raise BadInput("Expected a mode of run, drain or pause.")


def alarm_message(alarm: Alarm) -> pb.Alarm:
    """An alarm."""
    return pb.Alarm(
        agent=alarm.agent,
        kind=alarm.kind.value,
        first_us=alarm.first_us,
        last_us=alarm.last_us,
        count=alarm.count,
        detail=alarm.detail,
        peer=alarm.peer,
        cleared_us=alarm.cleared_us,
    )


def notice_message(notice: Notice) -> pb.Notice:
    """A notice."""
    return pb.Notice(
        agent=notice.agent,
        region=notice.region,
        kind=notice.kind.value,
        from_us=notice.from_us,
        to_us=notice.to_us,
        detail=notice.detail,
    )
