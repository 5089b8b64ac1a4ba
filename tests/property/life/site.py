"""An agent of a life, and the lines it writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from controller.services.results.frames import IncomingFrame

STREAMS = ("shop", "@anchors")


@dataclass
class Line:
    """A line as it was sent."""

    stream: str
    seq: int
    data: dict[str, Any]

    @property
    def text(self) -> bytes:
        return json.dumps(self.data).encode()


@dataclass
class Site:
    """An agent: what it has not sent yet, until when it cannot, and until when it sees nothing right."""

    agent: str
    region: str
    seqs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    waiting: list[Line] = field(default_factory=list)
    away_until: int = 0
    silent_until: int = 0
    troubled_until: int = 0


def frame_of(lines: Sequence[Line], lost: int = 0) -> IncomingFrame:
    """These lines as a frame, and how many before them were lost."""
    body = b"".join(one.text + b"\n" for one in lines)
    return IncomingFrame("e", lines[0].stream, lines[0].seq, len(lines), body, lost)
