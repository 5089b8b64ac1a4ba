"""Why a region gives no evidence for a check: said of its agents, not of each check anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.labels import bad_intervals
from controller.core.samples import AnchorRound
from controller.ports.agents import AgentRecord
from controller.ports.custody import AgentStanding, Standing
from controller.ports.postings import Mode
from controller.ports.storage import Transaction
from controller.services.agents.postings import Overview, is_skewed, overview
from vedette.shared.definitions import Check
from vedette.shared.limits import ANCHOR_INTERVAL_US_MAX

# Trouble lasts until a good round, and rounds come this often at least.
_ROUNDS_BACK_US = 10 * ANCHOR_INTERVAL_US_MAX


@dataclass(frozen=True, slots=True)
class Absences:
    """What may keep regions silent, read once for all checks."""

    agents: dict[str, list[AgentRecord]]
    standings: dict[str, AgentStanding]
    overview: Overview
    trouble: dict[str, int]

    @classmethod
    def of(cls, tx: Transaction, now_us: int) -> "Absences":
        """How all agents stand at `now_us`."""
        agents: dict[str, list[AgentRecord]] = {}
        for record in tx.agents():
            agents.setdefault(record.region, []).append(record)
        names = [one.id for own in agents.values() for one in own]
        trouble = _trouble(tx, names, now_us) if names else {}
        return cls(agents, dict(tx.standings()), overview(tx), trouble)

    def reason(self, check: Check, region: str) -> str:
        """Why `region` gives no evidence for `check`, as far as its agents tell; empty if they do not."""
        said: list[str] = []
        for record in self.agents.get(region, []):
            standing = self.standings.get(record.id)
            if standing is not None and standing.standing is Standing.REVOKED:
                continue
            why = self._why(record, check)
            if why is None:
                return ""
            said.append(f"{record.id} {why}")
        return "; ".join(said) or "it has no agent"

    def _why(self, record: AgentRecord, check: Check) -> str | None:
        """What keeps one agent from giving evidence; None if nothing is known to."""
        name = record.id
        standing = self.standings.get(name)
        posting, report = self.overview.postings.get(name), self.overview.reports.get(name)
        refusal = dict(report.unrunnable).get(check.id) if report else None
        labels = posting.labels if posting else {}
        if standing is not None and standing.standing is Standing.PENDING:
            return "waits for approval"
        if name in self.overview.silent:
            return "is silent"
        if record.seen_us is None:
            return "has never reported"
        if posting is not None and posting.mode is not Mode.RUN:
            return "is drained" if posting.mode is Mode.DRAIN else "is paused"
        if any(labels.get(key) != value for key, value in check.agents.items()):
            return "has other labels than the check wants"
        if report is not None and report.is_paused:
            return "is paused by its site"
        if is_skewed(record):
            return "has a skewed clock"
        if refusal is not None:
            return f"may not run it: {refusal}"
        if name in self.trouble:
            return "has trouble with its own network"
        return None


def _trouble(tx: Transaction, agents: Sequence[str], now_us: int) -> dict[str, int]:
    """Since when each agent's own network is in trouble, of those where it is."""
    rounds: dict[str, list[AnchorRound]] = {}
    for one in tx.anchors(agents, now_us - _ROUNDS_BACK_US, now_us + 1):
        rounds.setdefault(one.agent, []).append(one)
    found: dict[str, int] = {}
    for agent, own in rounds.items():
        for start_us, end_us in bad_intervals(own):
            if start_us <= now_us < end_us:
                found[agent] = start_us
    return found
