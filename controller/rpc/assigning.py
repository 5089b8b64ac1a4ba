"""What an agent is sent to probe: whole, or what changes against the assignment that it is known to run."""

from controller.ports.storage import Worker
from controller.services.agents.duties import Duties, Duty, Sent
from vedette.v1 import session_pb2 as pb

# From this version of the protocol on, agents understand changes to an assignment.
_CHANGES_SINCE = 1


class Assigning:
    """The assignments of one stream. Lives in the event loop's thread."""

    def __init__(self, agent: str, region: str, duties: Duties, worker: Worker) -> None:
        self._agent = agent
        self._region = region
        self._duties = duties
        self._worker = worker
        self._protocol = 0
        self._runs = ""
        self._sent: str | None = None

    def greeted(self, protocol: int, runs: str) -> None:
        """The agent understands this version, and runs that revision."""
        self._protocol, self._runs = protocol, runs
        if protocol >= _CHANGES_SINCE:
            self._sent = runs or None

    def acknowledged(self, runs: str, *, needs_whole: bool) -> None:
        """The agent says what it runs; and, if a change did not fit that, that it needs everything."""
        self._runs = runs
        if needs_whole:
            self._runs, self._sent = "", None

    async def due(self) -> pb.Assignment | None:
        """What to send now; None if the agent has it."""
        duty = await self._worker.run(lambda: self._duties.of(self._agent, self._region))
        if duty.revision == self._sent:
            return None
        self._sent = duty.revision
        base = self._runs if self._protocol >= _CHANGES_SINCE else ""
        sent = await self._worker.run(lambda: self._duties.sent(duty, base))
        return _message(duty, sent)


def _message(duty: Duty, sent: Sent) -> pb.Assignment:
    return pb.Assignment(
        revision=duty.revision,
        checks=[pb.AssignedCheck(definition=d, digest=h) for d, h in sent.checks],
        secrets=[
            pb.SealedSecret(name=copy.name, version=copy.version, sealed=copy.sealed)
            for copy in duty.secrets
        ],
        base=sent.base,
        removed=sent.removed,
        anchors=pb.Anchors(targets=duty.anchors, interval_us=duty.anchor_interval_us)
        if duty.anchors
        else None,
        place=duty.place,
    )
