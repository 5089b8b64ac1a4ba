"""Where agents are posted: their places, labels and modes, what they report, and everything about one of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from controller.errors import BadInput, NotFound
from controller.ports.agents import AgentRecord
from controller.ports.custody import Actor, Standing
from controller.ports.postings import AgentReport, Mode, Notice, Posting
from controller.ports.storage import Storage, Transaction
from vedette.shared.identity import label_problem
from vedette.shared.limits import CLOCK_OFFSET_US_MAX, LABELS_MAX, REASON_CHARS_MAX, SILENT_US


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of every agent besides its record, each by agent."""

    postings: Mapping[str, Posting]
    reports: Mapping[str, AgentReport]
    silent: Mapping[str, Notice]


class Postings:
    """Posts agents. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us

    def overview(self) -> Overview:
        """Everything about all agents."""
        with self._storage.transaction() as tx:
            return overview(tx)

    def report(self, agent: str) -> AgentReport:
        """What an agent said of itself last."""
        with self._storage.transaction() as tx:
            return tx.report(agent)

    def label(
        self, agent: str, changes: Mapping[str, str], remove: Sequence[str], by: Actor
    ) -> Mapping[str, str]:
        """Set and remove labels; all that the agent has now. BadInput names the one that cannot be."""
        for key, value in changes.items():
            if problem := label_problem(key, value):
                raise BadInput(f"Label {key[:80]!r}: {problem}.")
        with self._storage.transaction() as tx:
            posting = posted(tx, _known(tx, agent))
            labels = {**posting.labels, **changes}
            for key in remove:
                if labels.pop(key, None) is None:
                    raise BadInput(f"Agent {agent} has no label {key[:80]!r}.")
            if len(labels) > LABELS_MAX:
                raise BadInput(f"Expected at most {LABELS_MAX} labels, found {len(labels)}.")
            if labels != posting.labels:
                tx.put_posting(replace(posting, labels=labels))
                said = [f"{k}={v}" for k, v in sorted(changes.items())] + [f"{k}-" for k in remove]
                tx.record(by.act(self._now_us(), "agent.label", agent, " ".join(said)))
        return labels

    def set_mode(self, agent: str, mode: Mode, reason: str, by: Actor) -> Sequence[str]:
        """Have an agent probe, or not; the agents of its region that probe now besides it."""
        reason = reason.strip()
        if len(reason) > REASON_CHARS_MAX or not reason.isprintable():
            raise BadInput(
                f"Expected a reason of at most {REASON_CHARS_MAX} printable characters: it stands in the ledger."
            )
        now = self._now_us()
        with self._storage.transaction() as tx:
            record = _known(tx, agent)
            posting = posted(tx, record)
            if posting.mode is not mode:
                tx.put_posting(
                    replace(
                        posting,
                        mode=mode,
                        mode_since_us=0 if mode is Mode.RUN else now,
                        mode_reason="" if mode is Mode.RUN else reason,
                    )
                )
                tx.record(by.act(now, f"agent.{_VERBS[mode]}", agent, reason))
            return others_of(tx, record, now)

    def others(self, agent: str) -> Sequence[str]:
        """The agents of its region that probe now besides it."""
        with self._storage.transaction() as tx:
            return others_of(tx, _known(tx, agent), self._now_us())

    def notices(self, *, include_ended: bool, limit: int = 1000) -> Sequence[Notice]:
        """What people should know of agents, the newest first."""
        with self._storage.transaction() as tx:
            return tx.notices(include_ended=include_ended, limit=limit)


_VERBS = {Mode.RUN: "resume", Mode.DRAIN: "drain", Mode.PAUSE: "pause"}


def posted(tx: Transaction, record: AgentRecord) -> Posting:
    """How an agent is posted. One that never was gets the first place in its region that is free.

    Places of revoked agents are free again; nobody else's changes.
    """
    known = tx.posting(record.id)
    if known is not None:
        return known
    standings = tx.standings()
    taken = set()
    regions = {one.id: one.region for one in tx.agents()}
    for other in tx.postings().values():
        standing = standings.get(other.agent)
        is_revoked = standing is not None and standing.standing is Standing.REVOKED
        if regions.get(other.agent) == record.region and not is_revoked:
            taken.add(other.place)
    place = next(p for p in range(len(taken) + 1) if p not in taken)
    posting = Posting(record.id, place)
    tx.put_posting(posting)
    return posting


def others_of(tx: Transaction, record: AgentRecord, now_us: int) -> Sequence[str]:
    """The agents of the same region that are heard, approved and to probe."""
    postings, standings = tx.postings(), tx.standings()
    found = []
    for one in tx.agents():
        posting, standing = postings.get(one.id), standings.get(one.id)
        is_to_run = posting is None or posting.mode is Mode.RUN
        is_approved = standing is None or standing.standing is Standing.APPROVED
        is_heard = one.seen_us is not None and now_us - one.seen_us <= SILENT_US
        is_other = one.region == record.region and one.id != record.id
        if is_other and is_to_run and is_approved and is_heard and not is_skewed(one):
            found.append(one.id)
    return found


def overview(tx: Transaction) -> Overview:
    """What is known of all agents."""
    silent = {one.agent: one for one in tx.notices(include_ended=False, limit=10_000)}
    return Overview(tx.postings(), tx.reports(), silent)


def is_skewed(record: AgentRecord) -> bool:
    """The agent's clock is so far off that none of its results is evidence (S-3)."""
    offset = record.clock_offset_us
    return offset is not None and abs(offset) > CLOCK_OFFSET_US_MAX


def _known(tx: Transaction, agent: str) -> AgentRecord:
    record = tx.agent(agent)
    if record is None:
        raise NotFound(f"There is no agent {agent[:80]}.")
    return record
