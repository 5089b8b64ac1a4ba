"""Draws what happened to checks, as a replay document with the timelines of least and most downtime."""

from itertools import pairwise
from random import Random
from typing import Any

from tests.property.sla_oracle.calendar import DAY, MINUTE, SECOND

HOUR = 60 * MINUTE
VERDICTS = ("UP", "DOWN", "PARTIAL", "DEGRADED", "UNKNOWN")
MERGE_GAP = 120 * SECOND
Plain = dict[str, Any]


def document(lot: Random, names: list[str], when: tuple[int, int]) -> Plain:
    """A replay document of these checks around a period."""
    from_us = when[0] + lot.choice([-HOUR, -MINUTE, 0, 0, DAY // 3])
    to_us = max(when[1] + lot.choice([-DAY // 4, 0, 0, MINUTE, HOUR]), from_us + HOUR)
    checks = {name: _check(lot, from_us, to_us) for name in names}
    return {"version": 1, "from": from_us, "to": to_us, "horizon": to_us, "checks": checks}


def _check(lot: Random, from_us: int, to_us: int) -> Plain:
    known = _intervals(lot, from_us, to_us)
    low, high = [], []
    for one in known:
        if one["verdict"] == "DOWN":
            low += _split(lot, one, "UP")
        else:
            low.append(one)
        if one["verdict"] in ("UP", "DEGRADED", "PARTIAL"):
            high += _split(lot, one, "DOWN")
        else:
            high.append(one)
    down, least, most = (
        sum(o["to"] - o["from"] for o in each if o["verdict"] == "DOWN")
        for each in (known, low, high)
    )
    return {
        "intervals": known, "downtime": down, "downtime_min": least, "downtime_max": most,
        "outages": _outages(lot, known), "intervals_min": merged(low), "intervals_max": merged(high),
        "samples": _samples(lot, from_us, to_us),
    }  # fmt: skip


def _intervals(lot: Random, from_us: int, to_us: int) -> list[Plain]:
    weights = lot.choice([[8, 6, 1, 1, 1], [8, 8, 3, 2, 5], [20, 6, 0, 0, 0], [1, 10, 4, 0, 4]])
    edges = {from_us, to_us}
    at = from_us
    for _ in range(lot.choice([3, 8, 16])):
        longest = lot.choice([MINUTE, HOUR, (to_us - from_us) // 5])
        grain = lot.choice([1, SECOND, MINUTE])
        at += max(lot.randrange(longest) // grain * grain, grain)
        if at < to_us:
            edges.add(at)
        if lot.random() < 0.3:
            at = lot.randrange(from_us, to_us) // grain * grain
    line = sorted(edges)
    found = [
        {"from": a, "to": b, "verdict": lot.choices(VERDICTS, weights)[0]}
        for a, b in pairwise(line)
        if a >= from_us
    ]
    return merged(found)


def _samples(lot: Random, from_us: int, to_us: int) -> list[list[Any]]:
    """Results here and there, in heaps and at round instants too; of some nobody knows how long they took."""
    found: list[list[Any]] = []
    at = from_us
    for _ in range(lot.choice([0, 5, 60])):
        at = lot.choice([at + MINUTE, lot.randrange(from_us, to_us) // MINUTE * MINUTE])
        took = lot.choice([None, 1_000_000, 3_000_000, 3_000_001])
        if from_us <= at < to_us:
            found.append([at, lot.choice(["up", "up", "degraded", "down"]), took])
    return sorted(found, key=lambda one: one[0])


def _split(lot: Random, one: Plain, other: str) -> list[Plain]:
    """An interval of which, by lot, the first part is something else in this timeline."""
    if lot.random() < 0.5:
        return [one]
    at = one["from"] + lot.choice(
        [0, 1, min(MINUTE, one["to"] - one["from"]), (one["to"] - one["from"]) // 2]
    )
    parts = [{"from": one["from"], "to": at, "verdict": other}, {**one, "from": at}]
    return [part for part in parts if part["from"] < part["to"]]


def merged(intervals: list[Plain]) -> list[Plain]:
    """Neighbours that say the same as one."""
    found: list[Plain] = []
    for one in intervals:
        if found and found[-1]["verdict"] == one["verdict"] and found[-1]["to"] == one["from"]:
            found[-1] = {**found[-1], "to": one["to"]}
        else:
            found.append(dict(one))
    return found


def _outages(lot: Random, known: list[Plain]) -> list[Plain]:
    """Outages that hold every DOWN time: over short gaps of something known, and over UNKNOWN (S-15)."""
    found: list[Plain] = []
    gap, is_dark = 0, True
    for one in known:
        length = one["to"] - one["from"]
        if one["verdict"] != "DOWN":
            is_dark = is_dark and one["verdict"] == "UNKNOWN" and length < DAY
            gap += 0 if one["verdict"] == "UNKNOWN" else length
            if found and gap:
                found[-1]["is_over"] = True
            continue
        if found and (is_dark or gap < MERGE_GAP):
            found[-1] |= {"ended_at": one["to"], "is_over": False}
            found[-1]["downtime"] += length
        else:
            found.append(
                {
                    "started_at": one["from"],
                    "ended_at": one["to"],
                    "downtime": length,
                    "unknown": 0,
                    "is_over": False,
                }
            )
        gap, is_dark = 0, True
    return [
        {"started_at": o["started_at"], "ended_at": o["ended_at"] if o["is_over"] else None, "downtime": o["downtime"], "unknown": 0}
        for o in found
    ]  # fmt: skip
