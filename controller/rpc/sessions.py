"""The streams that are open now: one for each agent, found by its id."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from controller.errors import ControllerError, Unreachable
from vedette.shared.result import Trigger
from vedette.v1 import session_pb2 as pb

_TRIGGERS: Final[Mapping[Trigger, "pb.ProbeTrigger.ValueType"]] = {
    Trigger.SCHEDULE: pb.PROBE_TRIGGER_UNSPECIFIED,
    Trigger.CONFIRM: pb.PROBE_TRIGGER_CONFIRM,
    Trigger.MANUAL: pb.PROBE_TRIGGER_MANUAL,
}


class OpenSession(Protocol):
    """A stream to an agent."""

    @property
    def agent(self) -> str:
        """Who is at its other end."""
        ...

    @property
    def region(self) -> str:
        """The region that the agent votes for."""
        ...

    def send(self, message: pb.ConnectResponse) -> None:
        """Send this when the stream can take it."""
        ...

    def order(self, order: pb.ProbeOrder) -> None:
        """Ask for these runs when the stream can take it; what waits is asked for once."""
        ...

    def refresh_assignment(self) -> None:
        """The fleet changed: send what the agent has to probe now."""
        ...

    def tell_head(self) -> None:
        """The log was signed: send the agent its head."""
        ...

    def seal_now(self) -> None:
        """Ask the agent for a seal out of turn."""
        ...

    def end(self, error: ControllerError) -> None:
        """Close the stream at once; its agent is told why."""
        ...


class Sessions:
    """Who is connected. Lives in the event loop's thread."""

    def __init__(self) -> None:
        self._open: dict[str, OpenSession] = {}
        self._emptied = asyncio.Event()
        self._emptied.set()

    def connected(self) -> frozenset[str]:
        """The agents that have a stream open."""
        return frozenset(self._open)

    def regions(self) -> Mapping[str, str]:
        """The region of every agent that has a stream open."""
        return {agent: session.region for agent, session in self._open.items()}

    def open(self, session: OpenSession) -> None:
        """Count the session in. One that the same agent had before ends."""
        former = self._open.get(session.agent)
        if former is not None:
            former.end(Unreachable("The agent opened another stream."))
        self._open[session.agent] = session
        self._emptied.clear()

    def close(self, session: OpenSession) -> None:
        """Count the session out, unless another one took its place."""
        if self._open.get(session.agent) is session:
            del self._open[session.agent]
        if not self._open:
            self._emptied.set()

    def refresh_assignments(self) -> None:
        """The fleet changed: every agent gets its new assignment."""
        for session in self._open.values():
            session.refresh_assignment()

    def tell_heads(self) -> None:
        """The log was signed: every agent gets its head."""
        for session in self._open.values():
            session.tell_head()

    def seal_now(self) -> frozenset[str]:
        """Ask every connected agent for a seal out of turn; who was asked."""
        for session in self._open.values():
            session.seal_now()
        return self.connected()

    def refresh_assignment(self, agent: str) -> None:
        """What this agent has to probe changed."""
        if (session := self._open.get(agent)) is not None:
            session.refresh_assignment()

    def cut(self, agent: str, error: ControllerError) -> bool:
        """End the agent's stream at once with `error`; False if it has none."""
        session = self._open.get(agent)
        if session is not None:
            session.end(error)
        return session is not None

    def probe(self, checks: Sequence[str], regions: Iterable[str], trigger: Trigger) -> list[str]:
        """Ask the connected agents of these regions for one extra run of each check; who was asked."""
        wanted = set(regions)
        asked = [s.agent for s in self._open.values() if s.region in wanted]
        for agent in asked:
            self.order(agent, checks, trigger)
        return sorted(asked)

    def order(self, agent: str, checks: Sequence[str], trigger: Trigger) -> None:
        """Ask this agent, if it is connected, for one extra run of each check."""
        if (session := self._open.get(agent)) is not None:
            session.order(pb.ProbeOrder(checks=checks, trigger=_TRIGGERS[trigger]))

    async def drain(self, reason: str, seconds_max: float) -> None:
        """Ask all agents to finish and leave, and wait until they have, but not longer than that."""
        for session in self._open.values():
            session.send(pb.ConnectResponse(drain=pb.Drain(reason=reason)))
        try:
            async with asyncio.timeout(seconds_max):
                await self._emptied.wait()
        except TimeoutError:
            for session in list(self._open.values()):
                session.end(Unreachable(reason))
