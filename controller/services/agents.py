"""What the controller knows of each agent's condition."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from controller.errors import NotFound
from controller.ports import AgentRecord, Storage


class Agents:
    """Lists agents and notes what they say of themselves. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us

    def list(self) -> Sequence[AgentRecord]:
        """Every agent that ever enrolled, by id, with the lines taken from it."""
        with self._storage.transaction() as tx:
            return tx.agents()

    def get(self, agent: str) -> AgentRecord:
        """The agent of that id. NotFound if there is none."""
        with self._storage.transaction() as tx:
            record = tx.agent(agent)
        if record is None:
            raise NotFound(f"There is no agent {agent}.")
        return record

    def hello(self, agent: str, *, version: str, assignment_revision: str) -> None:
        """The agent opened a stream and runs this assignment."""
        self._note(agent, version=version, assignment_revision=assignment_revision)

    def assignment_stored(self, agent: str, revision: str) -> None:
        """The agent has stored an assignment and runs it."""
        self._note(agent, assignment_revision=revision)

    def health(
        self,
        agent: str,
        *,
        spool_lines: int,
        clock_offset_us: int | None,
        clock_error_us: int | None,
    ) -> None:
        """The agent reported its own condition."""
        self._note(
            agent,
            spool_lines=spool_lines,
            clock_offset_us=clock_offset_us,
            clock_error_us=clock_error_us,
        )

    def _note(self, agent: str, **changes: str | int | None) -> None:
        with self._storage.transaction() as tx:
            record = tx.agent(agent)
            if record is None:
                raise NotFound(f"There is no agent {agent}.")
            tx.put_agent(replace(record, seen_us=self._now_us(), **changes))  # type: ignore[arg-type]  # checked by the callers above
