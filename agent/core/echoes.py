"""Statistics of echo requests. A lost one has no time: it is None and never 0."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def echo_variables(rtts_us: Sequence[int | None]) -> dict[str, Any]:
    """`sent`, `received`, `loss` and, if anything came back, `rtt_ms` of requests in sending order.

    Percentiles are the nearest rank: a value that was measured. Jitter is the mean difference between
    neighbouring replies, absent where there are fewer than two.
    """
    replies = [rtt for rtt in rtts_us if rtt is not None]
    sent, received = len(rtts_us), len(replies)
    values: dict[str, Any] = {"sent": sent, "received": received}
    if sent:
        values["loss"] = (sent - received) / sent
    if not replies:
        return values
    ordered = sorted(replies)
    rtt_ms = {
        "min": ordered[0] / 1000,
        "avg": sum(ordered) / received / 1000,
        "max": ordered[-1] / 1000,
        "p50": _percentile(ordered, 50) / 1000,
        "p95": _percentile(ordered, 95) / 1000,
    }
    if received > 1:
        steps = [abs(b - a) for a, b in pairwise(replies)]
        rtt_ms["jitter"] = sum(steps) / len(steps) / 1000
    return {**values, "rtt_ms": rtt_ms}


def _percentile(ordered: Sequence[int], percent: int) -> int:
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]
