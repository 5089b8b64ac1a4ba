"""Which agents may still hold results of a contract's checks over a period, and how far each was heard (S-22)."""

from collections.abc import Mapping, Sequence

from controller.core.calendars import Period
from controller.core.intervals import FOREVER_US
from controller.core.policy import PolicyRevision, in_force
from controller.core.sla.reports.period_life import Heard
from controller.ports.agents import AgentRecord
from controller.ports.custody import Standing
from controller.ports.postings import Mode
from controller.ports.storage import Transaction

_SOON_US = 86_400 * 1_000_000


def heard_of(
    tx: Transaction, checks: Mapping[str, Sequence[PolicyRevision]], when: Period
) -> list[Heard]:
    """The agents that are waited for, by id, each with the event time up to which it was heard.

    The lines of a stream come in their order, so a result of a check says that all before it have come. Waited
    for are agents of regions that have a vote when the period ends: those that gave results of a check in the
    period, until they gave a later one; and those that were never heard since it ended, whatever they gave. Who was
    revoked or drained is not waited for: somebody said that no more will come.
    """
    present = _present(tx, when)
    found: dict[str, int | None] = {}
    for check, revisions in checks.items():
        regions = _voting(revisions, when)
        own = [one for one in present if one.region in regions]
        later = dict(tx.heard(check, when.to_us, when.to_us + _SOON_US))
        if any(one.id not in later for one in own):
            later |= tx.heard(check, when.to_us, FOREVER_US)
        is_missing = any(one.id not in later for one in own)
        before = tx.heard(check, when.from_us, when.to_us) if is_missing else {}
        for one in own:
            heard_us = later.get(one.id, before.get(one.id))
            if heard_us is not None:
                known_us = found.get(one.id)
                found[one.id] = heard_us if known_us is None else min(heard_us, known_us)
            elif one.seen_us is None or one.seen_us < when.to_us:
                found.setdefault(one.id, None)
    return [Heard(agent, at_us) for agent, at_us in sorted(found.items())]


def _voting(revisions: Sequence[PolicyRevision], when: Period) -> set[str]:
    """The regions with a vote when the period ends; none, if the check was taken out before."""
    last = [policy for _, _, policy in in_force(revisions, when.to_us - 1, when.to_us)]
    return {region for policy in last if policy is not None for region in policy.regions}


def _present(tx: Transaction, when: Period) -> list[AgentRecord]:
    """The agents that were enrolled by the end of the period, and that nobody has given up."""
    standings, postings = tx.standings(), tx.postings()
    found: list[AgentRecord] = []
    for one in tx.agents():
        standing, posting = standings.get(one.id), postings.get(one.id)
        is_approved = standing is None or standing.standing is Standing.APPROVED
        is_drained = posting is not None and posting.mode is Mode.DRAIN
        if one.enrolled_us < when.to_us and is_approved and not is_drained:
            found.append(one)
    return found
