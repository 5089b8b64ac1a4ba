"""Draws contracts with what happened to them: every clause, at every edge, by a seed."""

from datetime import UTC, datetime, timedelta
from random import Random

from tests.property.sla_oracle.calendar import DAY, MINUTE, SECOND, period
from tests.property.sla_oracle.samples import is_sampled
from tests.property.sla_oracle.scene import Case
from tests.property.sla_oracle.terms import TYPES, Plain
from tests.property.sla_oracle.timelines import document

HOUR = 60 * MINUTE
ZONES = (
    "UTC", "Europe/Warsaw", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
)  # fmt: skip
LABELS = {
    "day": ("2026-03-29", "2026-10-25", "2026-11-01", "2026-06-10", "2026-04-05"),
    "week": ("2026-W13", "2026-W43", "2026-W01"),
    "month": ("2026-03", "2026-10", "2026-11", "2026-04", "2027-02", "2028-02", "2011-12"),
    "quarter": ("2026-Q1", "2026-Q4"),
}
TARGETS = ("99.9", "99.95", "99", "95.5", "50", "100", "0.1", "99.99999")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = ("00:00-24:00", "08:00-18:00", "01:00-05:00", "22:00-24:00", "00:00-02:30", "02:15-03:45")


def case(seed: int) -> Case:
    """The case of a seed."""
    lot = Random(seed)
    kind = lot.choices(list(LABELS), [3, 3, 5, 1])[0]
    label, tz = lot.choice(LABELS[kind]), lot.choice(ZONES)
    when = period(label, tz)
    names = ["c", "d", "e"][: lot.choices([1, 2, 3], [6, 2, 2])[0]]
    fleet: Plain = {
        "version": 1,
        "regions": [{"id": "a"}, {"id": "b"}],
        "services": [{"id": "s"}, {"id": "t"}],
        "checks": _checks(lot, names),
        "contracts": _contracts(lot, names, kind, tz, when),
        "exclusions": [_exclusion(lot, n, names, when) for n in range(lot.choice([0, 1, 2, 4, 7]))],
    }
    as_of = None
    if lot.random() < 0.4:
        as_of = instant_in(lot, when[0] + 1, when[1] + (lot.random() < 0.2) * DAY)
    return Case(fleet, document(lot, names, when), "k", label, as_of)


def instant_in(lot: Random, from_us: int, to_us: int) -> int:
    """An instant, often a round one."""
    at = lot.randrange(from_us, to_us)
    grain = lot.choice([1, SECOND, MINUTE, 30 * MINUTE])
    return max(from_us, at // grain * grain)


def span_in(lot: Random, from_us: int, to_us: int, longest: int) -> tuple[int, int]:
    """A time that begins between two instants."""
    start = instant_in(lot, from_us, to_us)
    grain = lot.choice([1, SECOND, MINUTE, 30 * MINUTE])
    return start, start + max(lot.randrange(1, longest) // grain * grain, grain)


def _checks(lot: Random, names: list[str]) -> list[Plain]:
    weight = lot.choice(["0", "0", "1"])
    return [
        {
            "id": name, "service": lot.choice("st"), "every": "60s", "quorum": {"partial_weight": weight},
            "http": {"url": "http://x.example/"},
        }
        for name in names
    ]  # fmt: skip


def _contracts(
    lot: Random, names: list[str], kind: str, tz: str, when: tuple[int, int]
) -> list[Plain]:
    inside = lot.random() < 0.3
    start = instant_in(lot, *when) if inside else when[0] - lot.randrange(3 * DAY)
    denominators = ["actual", "nominal_days", "full_period"]
    denominators += ["fixed_30d"] if kind == "month" else []
    scope: Plain = {"checks": names}
    if len(names) > 1:
        scope = lot.choice(
            [{"parallel": names}, {"series": names}, {"k_of_n": {"k": lot.randint(1, len(names)), "of": names}}]
        )  # fmt: skip
    first: Plain = {
        "id": "k",
        "effective_from": moment(lot, start),
        "scope": scope,
        "period": {"kind": kind, "tz": tz, "denominator": lot.choice(denominators)},
        "acknowledge_unmeasurable": True,
        "objectives": _objectives(lot, may_sample=len(names) == 1 or "series" in scope),
        "amendments": lot.choice(["segmented", "blended", "next_period"]),
        **_clauses(lot, start, when),
    }
    found, at = [first], start
    for _ in range(lot.choice([0, 0, 1, 2])):
        at = max(at + 1, instant_in(lot, *when))
        found.append({"id": "k", "effective_from": moment(lot, at), **_changes(lot, at, when)})
    for one in found:
        objectives = one["objectives"] if "objectives" in one else first["objectives"]
        sampled = any(is_sampled(objective) for objective in objectives)
        if sampled and not {"tiers", "at_risk"} & set(one.get("credits", {})):
            one["credits"] = {
                "fee": "10",
                "currency": "EUR",
                "tiers": [{"below": "99", "percent": "5"}],
            }
    return found


def _changes(lot: Random, at: int, when: tuple[int, int]) -> Plain:
    """What an amendment says: often nothing that counts."""
    if lot.random() < 0.2:
        return {"title": "new"}
    own = _clauses(lot, at, when)
    kept = {name: said for name, said in own.items() if lot.random() < 0.4 and name != "overlays"}
    return kept | {"objectives": _objectives(lot), "overlays": own.get("overlays", [])}


def moment(lot: Random, at_us: int) -> str | int:
    """An instant as a file may say it."""
    if lot.random() < 0.5:
        return at_us
    offset = timedelta(hours=lot.choice([0, 2, -5]))
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    local = (at + offset).replace(tzinfo=None)
    hours = int(offset / timedelta(hours=1))
    return f"{local.isoformat()}{hours:+03}:00"


SAMPLED: list[Plain] = [
    {"metric": "latency", "threshold": "3s"},
    {"formula": "request"},
    {"formula": "interval"},
    {"formula": "interval", "slice": "1h", "empty": "zero"},
    {"formula": "ratio_timeslices", "slice": "1h"},
    {"formula": "timeslices", "slice": "6h", "slice_target": "75"},
    {"formula": "heartbeat", "at_least": 1},
    {"formula": "heartbeat", "at_least": 2},
]


def _objectives(lot: Random, *, may_sample: bool = False) -> list[Plain]:
    found: list[Plain] = []
    for name in ("a", "b")[: lot.choice([1, 1, 2])]:
        if may_sample and lot.random() < 0.3:
            plain = {
                "id": name,
                "target": lot.choice(TARGETS),
                "min_coverage": lot.choice(["0", "95"]),
            }
            found.append(plain | lot.choice(SAMPLED))
            continue
        one: Plain = {
            "id": name, "target": lot.choice(TARGETS), "unknown": lot.choice(["exclude", "as_up", "as_down", "carry(15m)", "carry(6h)"]),
            "min_coverage": lot.choice(["0", "50", "95"]),
        }  # fmt: skip
        if lot.random() < 0.3:
            one |= {
                "formula": "minute",
                "mode": lot.choice(["whole", "any"]),
                "n": lot.choice([1, 2, 5]),
            }
        found.append(one)
    return found


def _clauses(lot: Random, start: int, when: tuple[int, int]) -> Plain:
    found: Plain = {}
    if lot.random() < 0.4:
        found["service_hours"] = _hours(lot)
    if lot.random() < 0.3:
        found["outage"] = {"min_duration": lot.choice(["60s", "300s", "1h"])}
    if lot.random() < 0.7:
        found["exclusions"] = {kind: _rules(lot, kind) for kind in TYPES if lot.random() < 0.6}
    if lot.random() < 0.3:
        found["overlays"] = _seasons(lot, max(start, when[0]), when[1])
    if lot.random() < 0.6:
        found["credits"] = _credits(lot)
    if lot.random() < 0.3:
        found["grades"] = [{"below": "95", "action": "warn"}, {"below": "90", "action": "legal"}]
    if lot.random() < 0.3:
        found["cost"] = {
            "per_day": "5000000", "currency": lot.choice(["EUR", "JPY", "KWD"]),
            "hours": lot.choice(["always", _hours(lot)]),
        }  # fmt: skip
    return found


def _hours(lot: Random) -> Plain:
    weekly = {day: lot.sample(HOURS, lot.choice([0, 1, 2])) for day in DAYS if lot.random() < 0.8}
    weekly["sun"] = ["01:00-05:00"]
    holidays = [day for day in ("2026-03-02", "2026-10-26", "2026-12-25") if lot.random() < 0.5]
    return {"weekly": weekly, "holidays": holidays}


def _rules(lot: Random, kind: str) -> Plain:
    found: Plain = {"mode": lot.choice(["drop", "as_up", "drop", "as_up", "ignore"])}
    if lot.random() < 0.3:
        found["drop_scope"] = "downtime_only"
    if lot.random() < 0.3:
        found["cap"] = lot.choice(["30m", "4h", "90s"])
    if lot.random() < 0.2 and kind == "scheduled":
        found["notice"] = "24h"
    if lot.random() < 0.2:
        found["approvals"] = 1
    return found


def _seasons(lot: Random, from_us: int, to_us: int) -> list[Plain]:
    edges = sorted({instant_in(lot, from_us, to_us) for _ in range(lot.choice([2, 4]))})
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    return [
        {"from": moment(lot, a), "to": moment(lot, b), "objective": "a", "target": lot.choice(TARGETS)}
        for a, b in spans
    ]  # fmt: skip


def _credits(lot: Random) -> Plain:
    schemes: list[Plain] = [
        {"tiers": [{"below": "99.9", "percent": "10"}, {"below": "99", "percent": "25.5"}, {"below": "50", "percent": "100"}]},
        {"per_minute": {"rate": "1.25", "multiplier": lot.choice(["1", "100"]), "rounding": lot.choice(["floor", "ceil", "exact"])}},
        {"blocks": {"percent": "5", "per": "30m", "over": lot.choice(["0s", "60m"]), **lot.choice([{}, {"a_day_max": 1}])}},
        {"day_bands": [{"over": "1h", "percent": "3"}, {"over": "4h", "percent": "10"}]},
        {"at_risk": {"percent": "10", "allocations": {"a": "60"}}},
    ]  # fmt: skip
    if lot.random() < 0.1:
        tiers = [{"below": "99.9", "days": 3}, {"below": "95", "days": 14}]
        return {"extension": {"tiers": tiers, **lot.choice([{}, {"days_max": 5}])}}
    return {
        "fee": lot.choice(["1000.00", "43200", "999.99"]), "currency": lot.choice(["EUR", "JPY", "KWD"]),
        "cap": lot.choice(["100%", "25%"]), "minimum": lot.choice(["0", "5"]), **lot.choice(schemes),
    }  # fmt: skip


def _exclusion(lot: Random, number: int, names: list[str], when: tuple[int, int]) -> Plain:
    longest = lot.choice([10 * MINUTE, 5 * HOUR, 3 * DAY])
    start, end = span_in(lot, when[0] - HOUR, when[1], longest)
    scope = lot.choice(["all", "all", {"services": ["s"]}, {"checks": lot.sample(names, 1)}])
    declared = start + lot.choice([-2 * DAY, -DAY, 1 - DAY, 0, 1, 3 * DAY])
    return {
        "id": f"x{number}", "type": lot.choice(TYPES), "from": moment(lot, start), "to": moment(lot, end),
        "scope": scope, "declared_at": moment(lot, declared), "by": "ada",
        "approved_by": lot.choice([[], ["bo"], ["bo", "cy"], ["bo", "bo"]]),
    }  # fmt: skip
