"""What late evidence changes of long ago: a stretch of time that is judged by itself, and patched.

Some time after late evidence everything is again as it was: labels forget what came before (S-6), and outages
are parted (S-15). So there is no need to judge the whole time until now.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from controller.core.intervals import FOREVER_US
from controller.core.outages import Outage
from controller.core.policy import PolicyRevision
from controller.core.regional import are_parted
from controller.core.resync import is_parted, sure_us
from controller.core.timeline import Segment, evidence_until
from controller.ports.outcomes import StoredOutage
from controller.ports.storage import Transaction
from controller.services.timeline.history import History

# Each attempt looks twice as far ahead as the one before it.
_ATTEMPTS_MAX: Final = 9


class Heard(NamedTuple):
    """Between which instants, both included, evidence came; without a last one, any after the first."""

    first_us: int
    last_us: int = FOREVER_US

    def and_(self, other: "Heard | None") -> "Heard":
        """Both."""
        if other is None:
            return self
        return Heard(min(self.first_us, other.first_us), max(self.last_us, other.last_us))


class Patch(NamedTuple):
    """What is so now of [from_us, to_us); what is outside of that is as it was, outages included."""

    from_us: int
    to_us: int
    segments: list[Segment]
    outages: tuple[Outage, ...]


def patch_of(
    tx: Transaction,
    check: str,
    revisions: Sequence[PolicyRevision],
    heard: Heard,
    limit_us: int,
) -> Patch | None:
    """What evidence that came makes of the time around it.

    None if that may reach until `limit_us`. The evidence is stored already.
    """
    policies = [one.policy for one in revisions if one.policy is not None]
    if not policies:
        return None
    first_us, last_us = heard
    margin_us = max(one.margin_us for one in policies)
    freshness_us = max(one.freshness_us for one in policies)
    ahead_us = 2 * margin_us + 4 * freshness_us + 2 * max(one.merge_gap_us for one in policies)
    for attempt in range(_ATTEMPTS_MAX):
        horizon_us = last_us + ahead_us * 2**attempt
        if horizon_us > limit_us:
            return None
        seen = History(tx, check, revisions, horizon_us)
        # What lies before depends on nothing later than the horizon.
        end_us = seen.certain_us()
        evidence = evidence_until(
            tx.samples(check, last_us + 1, horizon_us + 1),
            seen.rounds_since(last_us),
            horizon_us,
        )
        same_us = sure_us(evidence, policies, last_us + 1, end_us)
        to_us = end_us - freshness_us
        if same_us is None or same_us >= to_us:
            continue
        built = seen.engine(first_us - margin_us, horizon_us)
        after = built.engine.timeline_part(same_us, to_us)
        if is_parted(after, revisions) and are_parted(after, revisions):
            from_us = max(built.engine.settled_us, 0)
            outages = tuple(o for o in built.outages if from_us <= o.span.started_us < to_us)
            return Patch(from_us, to_us, built.engine.timeline_part(from_us, to_us), outages)
    return None


def gone_from(
    known: Mapping[str, StoredOutage], found: Sequence[Outage], from_us: int, to_us: int
) -> tuple[str, ...]:
    """The ids of known outages that started in [from_us, to_us) and are not found there any more."""
    ids = {outage.id for outage in found}
    return tuple(
        key for key, one in known.items() if from_us <= one.started_us < to_us and key not in ids
    )
