"""What agents say of themselves, read: nothing in it is trusted, everything is bounded before it is kept."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from controller.ports.postings import AgentReport
from vedette.shared.identity import label_problem
from vedette.shared.limits import LABELS_MAX, POLICY_CHARS_MAX, UNRUNNABLE_SHOWN_MAX
from vedette.v1 import session_pb2 as pb

_CHECK_CHARS_MAX: Final = 80
_REASON_CHARS_MAX: Final = 500
_KINDS_MAX: Final = 32
COUNT_MAX: Final = 2**63 - 1


def claimed(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that a site claims, as far as they can be labels."""
    good = ((k, v) for k, v in sorted(labels.items()) if label_problem(k, v) is None)
    return dict(islice(good, LABELS_MAX))


def report_of(agent: str, health: pb.Health) -> AgentReport:
    """What a message of health says, besides what stands in the agent's record."""
    site = health.site
    refused = sorted((printable(k, 64), min(v, COUNT_MAX)) for k, v in site.refused.items())
    return AgentReport(
        agent,
        missed_slots=min(health.missed_slots, COUNT_MAX),
        spool_bytes=min(health.spool_bytes, COUNT_MAX),
        clock_synced=health.clock_synced if health.HasField("clock_synced") else None,
        clock_steps=min(health.clock_steps, COUNT_MAX),
        policy=printable(site.policy, POLICY_CHARS_MAX),
        is_paused=site.paused,
        refused=dict(refused[:_KINDS_MAX]),
        refused_orders=min(site.refused_orders, COUNT_MAX),
        unrunnable=unrunnable_of(site.unrunnable),
        unrunnable_count=max(site.unrunnable_count, 0),
    )


def unrunnable_of(items: Iterable[pb.Unrunnable]) -> list[tuple[str, str]]:
    """The first checks that an agent cannot or may not run, and why."""
    return [
        (printable(item.check, _CHECK_CHARS_MAX), printable(item.reason, _REASON_CHARS_MAX))
        for item in islice(items, UNRUNNABLE_SHOWN_MAX)
    ]


def printable(text: str, chars_max: int) -> str:
    """`text` as it may be shown and logged."""
    return "".join(c for c in text[:chars_max] if c.isprintable())
