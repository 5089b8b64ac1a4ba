"""Storage as a whole, and the one thread that touches it.

Storage is synchronous and has one writer: services run in one worker thread (`Worker`), so a
transaction is a plain `with` block and SQLite never sees two writers.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from controller.ports.agents import AgentStore
from controller.ports.claims import ClaimStore
from controller.ports.counters import CounterStore
from controller.ports.custody import CustodyStore
from controller.ports.deliveries import DeliveryStore
from controller.ports.events import EventStore
from controller.ports.evidence import EvidenceStore
from controller.ports.exclusions import ExclusionStore
from controller.ports.fleet import FleetStore
from controller.ports.holds import HoldStore
from controller.ports.incidents import IncidentStore
from controller.ports.issued import IssuedStore
from controller.ports.leaves import LogStore
from controller.ports.outcomes import OutcomeStore
from controller.ports.people import PersonStore
from controller.ports.postings import PostingStore
from controller.ports.pruned import PruneStore
from controller.ports.remarks import RemarkStore
from controller.ports.sampled import SampledStore
from controller.ports.seals import SealStore
from controller.ports.sla_events import SlaEventStore
from controller.ports.witnesses import WitnessStore

T = TypeVar("T")


class Worker(Protocol):
    """The one thread that touches storage."""

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, run in that thread."""
        ...


class Transaction(
    EvidenceStore,
    SampledStore,
    SealStore,
    LogStore,
    AgentStore,
    PersonStore,
    CustodyStore,
    PostingStore,
    FleetStore,
    OutcomeStore,
    IncidentStore,
    EventStore,
    DeliveryStore,
    RemarkStore,
    IssuedStore,
    SlaEventStore,
    ExclusionStore,
    ClaimStore,
    PruneStore,
    HoldStore,
    CounterStore,
    WitnessStore,
    Protocol,
):
    """Everything, inside one transaction."""


class Storage(Protocol):
    """A database."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed durably at the end of the block, rolled back on an exception."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
