"""An agent as people and programs are shown it."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from controller.cli.output import NOTHING, instant, length
from vedette.v1 import access_pb2

STANDINGS: Final = {
    access_pb2.AGENT_STANDING_PENDING: "pending",
    access_pb2.AGENT_STANDING_APPROVED: "approved",
    access_pb2.AGENT_STANDING_REVOKED: "revoked",
}
MODES: Final = {
    access_pb2.AGENT_MODE_RUN: "run",
    access_pb2.AGENT_MODE_DRAIN: "drain",
    access_pb2.AGENT_MODE_PAUSE: "pause",
}
_NOT_RUNNING: Final = {
    access_pb2.AGENT_MODE_DRAIN: ("draining", "drained"),
    access_pb2.AGENT_MODE_PAUSE: ("pausing", "paused"),
}


def state_text(item: access_pb2.Agent, zone: ZoneInfo) -> str:
    """What an agent is at, in a word or a few: the first thing that somebody has to know."""
    if item.standing == access_pb2.AGENT_STANDING_REVOKED:
        return "REVOKED"
    if item.standing == access_pb2.AGENT_STANDING_PENDING:
        return "waits for approval"
    if item.HasField("silent_since_us"):
        return f"SILENT since {instant(item.silent_since_us, zone)}"
    if item.mode in _NOT_RUNNING:
        under_way, done = _NOT_RUNNING[item.mode]
        word = done if item.assignment_current else under_way
        return word if item.connected else f"{word}, away"
    if not item.connected:
        return "away"
    if item.skewed:
        return "SKEWED: its clock is too far off, nothing of it counts"
    if item.site_paused:
        return "paused by its site"
    return "connected" if item.assignment_current else "connected, old assignment"


def clock_text(item: access_pb2.Agent) -> str:
    """How far its clock is off; `!` where nothing keeps it."""
    if not item.HasField("clock_offset_us"):
        return NOTHING
    sign = "-" if item.clock_offset_us < 0 else "+"
    is_free = item.HasField("clock_synced") and not item.clock_synced
    skewed = " SKEWED" if item.skewed else ""
    return f"{sign}{length(abs(item.clock_offset_us))}{'!' if is_free else ''}{skewed}"


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels in a row."""
    return " ".join(f"{k}={v}" for k, v in sorted(labels.items())) or NOTHING


def agent_document(item: access_pb2.Agent) -> dict[str, object]:
    """As JSON shows it."""
    return {
        "id": item.id,
        "region": item.region,
        "hostname": item.hostname,
        "labels": dict(sorted(item.labels.items())),
        "enrolled_us": item.enrolled_us,
        "seen_us": _optional(item, "seen_us"),
        "silent_since_us": _optional(item, "silent_since_us"),
        "connected": item.connected,
        "mode": MODES.get(item.mode),
        "mode_since_us": item.mode_since_us or None,
        "mode_reason": item.mode_reason or None,
        "version": item.version,
        "clock_offset_us": _optional(item, "clock_offset_us"),
        "clock_error_us": _optional(item, "clock_error_us"),
        "clock_synced": item.clock_synced if item.HasField("clock_synced") else None,
        "skewed": item.skewed,
        "lines": item.lines,
        "lost": item.lost,
        "spool_lines": item.spool_lines,
        "certificate_ends_us": item.certificate_ends_us,
        "assignment_current": item.assignment_current,
        "site_paused": item.site_paused,
        "refused": item.refused,
        "standing": STANDINGS.get(item.standing),
        "standing_since_us": item.standing_since_us,
        "standing_reason": item.standing_reason or None,
        "alarms": item.alarms,
        "recoveries": item.recoveries,
    }


def _optional(item: access_pb2.Agent, name: str) -> int | None:
    value: int = getattr(item, name)
    return value if item.HasField(name) else None  # type: ignore[arg-type]  # the stubs know literals only
