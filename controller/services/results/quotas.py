"""Quotas: what one agent may send, so that a flood of one is no drought of the others.

Buckets belong to agents and not to connections: coming again does not fill them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from controller.core.quota import Bucket, Rate
from controller.errors import Rejected
from vedette.shared.limits import (
    AGENT_BYTES_BURST,
    AGENT_BYTES_PER_SECOND_MAX,
    AGENT_LINES_BURST,
    AGENT_LINES_PER_SECOND_MAX,
    AGENT_MESSAGES_BURST,
    AGENT_MESSAGES_PER_SECOND_MAX,
    AGENT_SEAL_REFUSED_COST,
    AGENT_SEALS_BURST,
    AGENT_SEALS_PER_SECOND_MAX,
    AGENT_STREAMS_BURST,
    AGENT_STREAMS_PER_SECOND_MAX,
    FRAME_LINES_MAX,
)

LINES: Final = Rate(AGENT_LINES_PER_SECOND_MAX, AGENT_LINES_BURST)
BYTES: Final = Rate(AGENT_BYTES_PER_SECOND_MAX, AGENT_BYTES_BURST)
MESSAGES: Final = Rate(AGENT_MESSAGES_PER_SECOND_MAX, AGENT_MESSAGES_BURST)
SEALS: Final = Rate(AGENT_SEALS_PER_SECOND_MAX, AGENT_SEALS_BURST)
STREAMS: Final = Rate(AGENT_STREAMS_PER_SECOND_MAX, AGENT_STREAMS_BURST)


@dataclass(frozen=True, slots=True)
class OverQuota:
    """A frame that is too much now; it may come again after `retry_after_us`."""

    retry_after_us: int
    reason: str


@dataclass(slots=True)
class _Buckets:
    lines: Bucket
    bytes: Bucket
    messages: Bucket
    seals: Bucket
    streams: Bucket


class Quotas:
    """The buckets of every agent. `now_us` is a clock that never steps."""

    def __init__(
        self,
        now_us: Callable[[], int],
        *,
        lines: Rate = LINES,
        size: Rate = BYTES,
        messages: Rate = MESSAGES,
        seals: Rate = SEALS,
        streams: Rate = STREAMS,
    ) -> None:
        self.refused = 0
        self._now_us = now_us
        self._rates = (lines, size, messages, seals, streams)
        self._agents: dict[str, _Buckets] = {}

    def frame(self, agent: str, lines: int, size: int) -> OverQuota | None:
        """Take a frame of that many lines and bytes out of the agent's quota; what stands against it, if any.

        `lines` is what the frame says: no more is charged than a frame can hold, since it is refused if it
        holds something else.
        """
        lines = min(lines, FRAME_LINES_MAX)
        own, now_us = self._of(agent), self._now_us()
        wait_us = max(own.lines.wait_us(lines, now_us), own.bytes.wait_us(size, now_us))
        if wait_us:
            self.refused += 1
            per_second, bytes_per_second = own.lines.rate.per_second, own.bytes.rate.per_second
            return OverQuota(
                wait_us,
                f"expected at most {per_second} lines and {bytes_per_second} bytes a second from one agent, "
                f"found {lines} lines and {size} bytes more; send again in {wait_us / 1e6:.1f} s",
            )
        own.lines.take(lines, now_us)
        own.bytes.take(size, now_us)
        return None

    def stream(self, agent: str) -> OverQuota | None:
        """Count a stream of which nothing came before; what stands against it, if any."""
        own, now_us = self._of(agent), self._now_us()
        wait_us = own.streams.wait_us(1, now_us)
        if wait_us:
            self.refused += 1
            return OverQuota(
                wait_us,
                f"expected at most {own.streams.rate.burst} new streams of one agent at once, and"
                f" {own.streams.rate.per_second} a second, found another; send again in {wait_us / 1e6:.1f} s",
            )
        own.streams.take(1, now_us)
        return None

    def seal_wait_us(self, agent: str) -> int:
        """Count a seal; how long to wait before it is looked at. It is not refused: seals only come too soon."""
        own, now_us = self._of(agent), self._now_us()
        own.seals.take(1, now_us)
        return own.seals.wait_us(0, now_us)

    def seal_refused(self, agent: str) -> None:
        """Count what a seal that did not verify cost."""
        self._of(agent).seals.take(AGENT_SEAL_REFUSED_COST - 1, self._now_us())

    def message(self, agent: str) -> None:
        """Count any other message. Rejected if there are too many of them."""
        own, now_us = self._of(agent), self._now_us()
        if own.messages.wait_us(1, now_us):
            self.refused += 1
            raise Rejected(
                f"Agent {agent} sends more than {own.messages.rate.per_second} messages a second that are"
                " no results: its version does not fit this controller, or it is not an agent of ours."
            )
        own.messages.take(1, now_us)

    def _of(self, agent: str) -> _Buckets:
        own = self._agents.get(agent)
        if own is None:
            now_us = self._now_us()
            own = self._agents[agent] = _Buckets(
                *(Bucket.full(rate, now_us) for rate in self._rates)
            )
        return own
