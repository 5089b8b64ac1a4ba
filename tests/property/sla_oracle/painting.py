"""Time cut at every instant at which anything changes; each bit of it is painted with all that holds there."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

from tests.property.sla_oracle.calendar import days, hours, midnight
from tests.property.sla_oracle.terms import TYPES, Part, Plain, Version, instant, micros

FROM_BEST = ("UP", "DEGRADED", "PARTIAL", "UNKNOWN", "DOWN")
KINDS = ("figure", "low", "high")
LISTS = {"figure": "intervals", "low": "intervals_min", "high": "intervals_max"}


@dataclass
class Bit:
    """A time over which nothing changes: its three verdicts, and what a version of a contract does to it."""

    from_us: int
    to_us: int
    verdicts: dict[str, str]
    is_in_hours: bool = True
    taker: Plain | None = None
    counts: dict[str, bool] = field(default_factory=dict)
    carried: dict[str, bool] | None = None

    @property
    def length(self) -> int:
        """How long it is."""
        return self.to_us - self.from_us

    def lies_in(self, spans: list[tuple[int, int]]) -> bool:
        """It is within one of these times."""
        return any(a <= self.from_us and self.to_us <= b for a, b in spans)


def members(scope: Plain) -> tuple[list[str], int]:
    """The checks of a scope, and how many of them have to be up."""
    if "k_of_n" in scope:
        return scope["k_of_n"]["of"], scope["k_of_n"]["k"]
    if "parallel" in scope:
        return scope["parallel"], 1
    own = scope.get("series") or scope["checks"]
    return own, len(own)


def verdict_at(document: Plain, scope: Plain, kind: str, at_us: int) -> str:
    """What a scope was at an instant: the k-th best of its members (S-49)."""
    names, needed = members(scope)
    ranks = []
    for name in names:
        listed = document["checks"][name][LISTS[kind]]
        said = [one["verdict"] for one in listed if one["from"] <= at_us < one["to"]]
        ranks.append(FROM_BEST.index(said[0] if said else "UNKNOWN"))
    return FROM_BEST[sorted(ranks)[needed - 1]]


def bits(document: Plain, scope: Plain, edges: set[int], as_of_us: int) -> list[Bit]:
    """The whole time cut at `edges` and wherever a verdict changes. After `as_of_us` nothing is known."""
    cuts = set(edges) | {as_of_us}
    for name in members(scope)[0]:
        for key in LISTS.values():
            for one in document["checks"][name][key]:
                cuts |= {one["from"], one["to"]}
    return [
        Bit(a, b, {k: verdict_at(document, scope, k, a) if a < as_of_us else "UNKNOWN" for k in KINDS})
        for a, b in pairwise(sorted(cuts))
    ]  # fmt: skip


def edges_of(
    fleet: Plain, held: list[Version], parts: list[Part], period: tuple[int, int]
) -> set[int]:
    """Every instant at which a clause changes anything."""
    found = {*period}
    tz = held[0].terms["period"]["tz"]
    for version in held:
        found |= {version.from_us, version.to_us}
        for a, b in hours(version.terms.get("service_hours", "always"), *period, tz):
            found |= {a, b}
        cost = version.terms.get("cost", {})
        for a, b in hours(cost.get("hours", "always"), *period, tz):
            found |= {a, b}
    for part in parts:
        found |= {edge for span in part.spans for edge in span}
    for one in fleet.get("exclusions", []):
        found |= {instant(one["from"]), instant(one["to"])}
    found |= {midnight(day, tz) for day in days(*period, tz)}
    return found


def paint(painted: list[Bit], version: Version, in_force: tuple[int, int], tz: str) -> None:
    """Say of every bit whether it is in the hours of a version, and whether its downtime is of the kind that counts."""
    spans = hours(version.terms.get("service_hours", "always"), *in_force, tz)
    for bit in painted:
        bit.is_in_hours, bit.taker = bit.lies_in(spans) and bit.lies_in([in_force]), None


def count(painted: list[Bit], version: Version, *, counts_partial: bool) -> None:
    """What counts as downtime: DOWN, and PARTIAL where the check says so, without a break for long enough (S-39)."""
    shortest = micros(version.terms.get("outage", {}).get("min_duration", "0s"))
    counting = {"DOWN", "PARTIAL"} if counts_partial else {"DOWN"}
    for bit in painted:
        costs = {kind: verdict in counting for kind, verdict in bit.verdicts.items()}
        # Of parallel members UNKNOWN may be better than what is DOWN: the bounds hold all the same (P6).
        if costs["low"] > costs["figure"]:
            bit.verdicts["low"] = bit.verdicts["figure"]
        if costs["high"] < costs["figure"]:
            bit.verdicts["high"] = bit.verdicts["figure"]
    for kind in KINDS:
        for place, bit in enumerate(painted):
            if bit.verdicts[kind] not in counting:
                bit.counts[kind] = False
                continue
            first = last = place
            while first and painted[first - 1].verdicts[kind] in counting:
                first -= 1
            while last + 1 < len(painted) and painted[last + 1].verdicts[kind] in counting:
                last += 1
            bit.counts[kind] = painted[last].to_us - painted[first].from_us >= shortest


def carry(painted: list[Bit], longest: int | None, period_from: int) -> list[Bit]:
    """UNKNOWN time into which what was last known is carried on, for so long at most (S-40).

    Where nobody says for how long: until something is known again, from what was known in the period.
    """
    found: list[Bit] = []
    since, before = 0, None
    for bit in painted:
        if bit.verdicts["figure"] != "UNKNOWN":
            since, before = bit.to_us, bit
            found.append(bit)
            continue
        until = bit.to_us if longest is None else since + longest
        begins = before is not None and (longest is not None or since > period_from)
        if before is None or not begins or until <= bit.from_us:
            found.append(bit)
        elif until < bit.to_us:
            found.append(replace(bit, to_us=until, carried=before.counts))
            found.append(replace(bit, from_us=until))
        else:
            found.append(replace(bit, carried=before.counts))
    return found


def covers(exclusion: Plain, fleet: Plain, scope: Plain) -> bool:
    """The exclusion is about all of the scope."""
    said = exclusion.get("scope", "all")
    if said == "all":
        return True
    services = {one["id"]: one["service"] for one in fleet["checks"]}
    return all(
        name in said.get("checks", []) or services[name] in said.get("services", [])
        for name in members(scope)[0]
    )


def status(exclusion: Plain, terms: Plain) -> str:
    """What comes of an exclusion before any time is taken (S-27)."""
    kind, from_us = exclusion["type"], instant(exclusion["from"])
    declared_us = instant(exclusion["declared_at"])
    people = len(set(exclusion.get("approved_by", [])))
    may_be_late = kind in ("force_majeure", "customer_fault")
    needed = terms.get("approvals", 0)
    if may_be_late and declared_us > from_us:
        needed = max(2, needed)
    if terms.get("mode", "drop") == "ignore":
        return "ignored"
    if kind == "scheduled" and declared_us > from_us - micros(terms.get("notice", "0s")):
        return "rejected_late_notice"
    if kind not in (*("force_majeure", "customer_fault"), "scheduled") and declared_us > from_us:
        return "rejected_declared_afterwards"
    return "applied" if people >= needed else "rejected_missing_approvals"


def take(painted: list[Bit], listed: list[Plain], clauses: Plain) -> tuple[list[Bit], Plain]:
    """Give each bit in the hours to the exclusion that takes it, in order of time; the status of each by id.

    A bit in which a cap ends is cut in two.
    """
    left = {k: micros(v["cap"]) for k, v in clauses.items() if "cap" in v}
    said = {one["id"]: status(one, clauses.get(one["type"], {})) for one in listed}
    valid = [one for one in listed if said[one["id"]] == "applied"]
    valid.sort(key=lambda one: (instant(one["from"]), instant(one["to"]), one["id"]))
    found: list[Bit] = []
    todo = sorted(painted, key=lambda one: one.from_us, reverse=True)
    while todo:
        bit = todo.pop()
        found.append(bit)
        for kind in TYPES if bit.is_in_hours else ():
            takers = [o for o in valid if o["type"] == kind and _holds(o, bit)]
            if not takers:
                continue
            if left.get(kind, bit.length) < bit.length:
                if left[kind] == 0:
                    said |= {one["id"]: "capped" for one in takers}
                    continue
                at = bit.from_us + left[kind]
                todo.append(replace(bit, from_us=at))
                bit.to_us = at
            bit.taker = takers[0]
            if kind in left:
                left[kind] -= bit.length
            break
    return found, said


def _holds(exclusion: Plain, bit: Bit) -> bool:
    return instant(exclusion["from"]) <= bit.from_us and bit.to_us <= instant(exclusion["to"])
