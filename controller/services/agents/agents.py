"""What the controller knows of each agent's condition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from controller.errors import NotFound
from controller.ports.agents import AgentRecord
from controller.ports.postings import AgentReport
from controller.ports.storage import Storage, Transaction


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

    def hello(
        self,
        agent: str,
        *,
        version: str,
        assignment_revision: str,
        protocol: int = 0,
        labels: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """The agent opened a stream and runs this assignment; its site claims these labels."""
        with self._storage.transaction() as tx:
            self._note(tx, agent, version=version, assignment_revision=assignment_revision)
            report = replace(tx.report(agent), protocol=protocol, claimed=dict(labels))
            tx.put_report(report)

    def assignment_stored(
        self, agent: str, revision: str, unrunnable: Sequence[tuple[str, str]] = ()
    ) -> None:
        """The agent has stored an assignment and runs it, except for these checks."""
        with self._storage.transaction() as tx:
            self._note(tx, agent, assignment_revision=revision)
            report = tx.report(agent)
            tx.put_report(replace(report, unrunnable=unrunnable, unrunnable_count=len(unrunnable)))

    def health(
        self,
        agent: str,
        *,
        spool_lines: int,
        clock_offset_us: int | None,
        clock_error_us: int | None,
        report: AgentReport | None = None,
    ) -> None:
        """The agent reported its own condition. What it said in its first words stays as it was."""
        with self._storage.transaction() as tx:
            self._note(
                tx,
                agent,
                spool_lines=spool_lines,
                clock_offset_us=clock_offset_us,
                clock_error_us=clock_error_us,
            )
            if report is not None:
                before = tx.report(agent)
                told = replace(report, protocol=before.protocol, claimed=before.claimed)
                if told != before:
                    tx.put_report(told)

    def _note(self, tx: Transaction, agent: str, **changes: str | int | None) -> None:
        record = tx.agent(agent)
        if record is None:
            raise NotFound(f"There is no agent {agent}.")
        tx.put_agent(replace(record, seen_us=self._now_us(), **changes))  # type: ignore[arg-type]  # checked by the callers above
