"""Frames as they come from agents: what is refused before a line is looked at, and what is taken."""

from controller.ports import Segment
from vedette.shared.identity import is_epoch, is_id
from vedette.shared.limits import FRAME_BYTES_MAX, FRAME_LINES_MAX
from vedette.shared.result import ANCHORS
from vedette.v1 import session_pb2 as pb

_SEQ_MAX = 2**63 - 1


def refused_frame(frame: pb.Frame) -> str | None:
    """Why the frame cannot be taken whatever its lines say; None if it can."""
    if not is_epoch(frame.epoch):
        return "expected an epoch of 1 to 32 letters and digits"
    if frame.stream != ANCHORS and not is_id(frame.stream):
        return f"expected the stream to be a service id or {ANCHORS}"
    if len(frame.lines) > FRAME_BYTES_MAX:
        return f"expected at most {FRAME_BYTES_MAX} bytes of lines, found {len(frame.lines)}"
    if frame.count > FRAME_LINES_MAX:
        return f"expected at most {FRAME_LINES_MAX} lines, found {frame.count}"
    if frame.first_seq < 1 or frame.first_seq + frame.count > _SEQ_MAX:
        return f"expected lines numbered from 1 up, found first_seq {frame.first_seq}"
    if frame.lost >= frame.first_seq:
        return f"expected fewer than {frame.first_seq} lost lines before, found {frame.lost}"
    found = frame.lines.count(b"\n")
    if found != frame.count or (frame.lines and not frame.lines.endswith(b"\n")):
        return f"expected {frame.count} lines, each ending in a newline, found {found}"
    return None


def segment_of(frame: pb.Frame, agent: str, received_us: int) -> Segment:
    """The frame as lines of `agent`, whatever else they may claim."""
    return Segment(
        agent=agent,
        epoch=frame.epoch,
        stream=frame.stream,
        first_seq=frame.first_seq,
        count=frame.count,
        lines=frame.lines,
        received_us=received_us,
        lost=frame.lost,
    )
