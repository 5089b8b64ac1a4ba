"""Laws of the accounts (S-24) that hold for whatever contract, in whatever zone, over whatever happened.

Contracts are drawn with every clause: zones with changes of the clock, hours, denominators, exclusions, seasons,
amendments, credits. A law that needs a clause to be absent says so, and why.
"""

from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.sla_oracle.agreement import program
from tests.property.sla_oracle.calendar import days, period
from tests.property.sla_oracle.lottery import case, instant_in
from tests.property.sla_oracle.scene import Case
from tests.property.sla_oracle.terms import instant

PARTS = ("up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule")
seeds = st.integers(0, 1 << 32)


def contracts(drawn: Case) -> list[dict[str, Any]]:
    """The versions of the contract, as they stand in the file."""
    listed: list[dict[str, Any]] = drawn.fleet["contracts"]
    return listed


def changed(drawn: Case) -> Case:
    """A copy that may be changed."""
    return deepcopy(drawn)


def totals(drawn: Case, *names: str) -> dict[str, list[int]]:
    """Fields of the records, summed up by objective."""
    found: dict[str, list[int]] = {}
    for record in program(drawn):
        before = found.get(record["objective"], [0] * len(names))
        found[record["objective"]] = [b + record[n] for b, n in zip(before, names, strict=True)]
    return found


def without_caps_and_minutes(drawn: Case) -> Case:
    """Without the clauses that look at a whole period: caps of exclusions, and minutes, which windows may cut."""
    plain = changed(drawn)
    for one in contracts(plain):
        for terms in one.get("exclusions", {}).values():
            terms.pop("cap", None)
        for objective in one.get("objectives", ()):
            for name in set(objective) - {"id", "target", "unknown", "min_coverage"}:
                del objective[name]
        one["amendments"] = "segmented"
    return replace(plain, as_of=None)


@given(seeds)
@settings(deadline=None, max_examples=25)
def test_p3_time_is_additive_over_adjacent_windows(seed: int) -> None:
    drawn = without_caps_and_minutes(case(seed))
    tz = contracts(drawn)[0]["period"]["tz"]
    from_us, to_us = period(drawn.label, tz)
    names = (*PARTS, "downtime", "downtime_min", "downtime_max")
    whole = totals(drawn, *names)
    summed = {objective: [0] * len(names) for objective in whole}
    parts = [day.isoformat() for day in days(from_us, to_us - 1, tz)]
    if "Q" in drawn.label:
        parts = sorted({day[:7] for day in parts})
    for label in parts:
        for objective, own in totals(replace(drawn, label=label), *names).items():
            before = summed.get(objective, [0] * len(names))
            summed[objective] = [a + b for a, b in zip(before, own, strict=True)]
    assert summed == whole


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p4_seven_parts_sum_to_the_time_exactly(seed: int) -> None:
    drawn = case(seed)
    listed = contracts(drawn)
    from_us, to_us = period(drawn.label, listed[0]["period"]["tz"])
    from_us = max(from_us, instant(listed[0]["effective_from"]))
    until_us = to_us if drawn.as_of is None else max(min(drawn.as_of, to_us), from_us)
    has = {o["id"] for one in listed for o in one.get("objectives", ())}
    is_in_all = [
        n
        for n in has
        if all(
            n in {o["id"] for o in one.get("objectives", ())} or "objectives" not in one
            for one in listed
        )
    ]
    found = totals(drawn, *PARTS)
    assert all(sum(found[name]) == until_us - from_us for name in is_in_all)


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p6_downtime_lies_within_its_bounds(seed: int) -> None:
    for record in program(case(seed)):
        assert record["downtime_min"] <= record["downtime"] <= record["downtime_max"]


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p7_one_more_exclusion_never_raises_downtime(seed: int) -> None:
    """Where its type has no cap: one that uses up a cap leaves less of it for those after it."""
    drawn = changed(case(seed))
    lot = Random(seed)
    when = period(drawn.label, contracts(drawn)[0]["period"]["tz"])
    types = [
        "force_majeure",
        "customer_fault",
        "third_party",
        "scheduled",
        "emergency",
        "suspension",
    ]
    kind = lot.choice(types)
    for one in contracts(drawn):
        one.get("exclusions", {}).get(kind, {}).pop("cap", None)
    before = program(drawn)
    at = instant_in(lot, *when)
    more = {
        "id": "more", "type": kind, "from": at, "to": at + lot.randrange(1, when[1] - when[0]), "by": "ada",
        "declared_at": at - 2 * 86_400_000_000, "approved_by": ["bo", "cy"],
    }  # fmt: skip
    drawn.fleet["exclusions"].append(more)
    for less, own in zip(program(drawn), before, strict=True):
        assert less["downtime"] <= own["downtime"]
        assert less["downtime_max"] <= own["downtime_max"]


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p8_what_is_shown_is_met_if_and_only_if_it_is(seed: int) -> None:
    for record in program(case(seed)):
        if record["verdict"] in ("met", "breached"):
            is_shown_met = Fraction(record["attainment_shown"]) >= Fraction(record["target"])
            assert is_shown_met == (record["verdict"] == "met")


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p11_an_amendment_that_changes_nothing_changes_nothing_when_blended(seed: int) -> None:
    drawn = changed(case(seed))
    listed = contracts(drawn)
    for one in listed:
        one["amendments"] = "blended"
    before = program(drawn)
    when = period(drawn.label, listed[0]["period"]["tz"])
    starts = [instant(one["effective_from"]) for one in listed]
    at = max(instant_in(Random(seed), *when), max(starts) + 1)
    listed.append({"id": "k", "effective_from": at, "title": "new"})
    for after, own in zip(program(drawn), before, strict=True):
        for said in (after, own):
            del said["revision"], said["clauses"]["effective_from"]
        assert after == own


@given(seeds)
@settings(deadline=None, max_examples=80)
def test_p12_a_longer_outage_is_never_worth_less(seed: int) -> None:
    """And attainment never rises by it.

    Where exclusions drop downtime only, it moves the fee between segments. Where a member's outage lasts longer,
    two of a composite can become one, which is worth no more a day than one.
    """
    drawn = changed(case(seed))
    for one in contracts(drawn):
        one.get("credits", {}).get("blocks", {}).pop("a_day_max", None)
        for terms in one.get("exclusions", {}).values():
            terms.pop("drop_scope", None)
    before = program(drawn)
    if not lengthened(drawn, Random(seed)):
        return
    for after, own in zip(program(drawn), before, strict=True):
        if own["attainment"] is not None:
            assert figure(after) <= figure(own)
    for name in ("amount", "days"):
        assert credited(program(drawn), name) >= credited(before, name)


def lengthened(drawn: Case, lot: Random) -> bool:
    """A DOWN time lasts longer, into a time that was UP; False if there is none that can."""
    check = lot.choice(list(drawn.document["checks"].values()))
    listed = check["intervals"]
    pairs = [
        n for n in range(len(listed) - 1)
        if listed[n]["verdict"] == "DOWN" and listed[n + 1]["verdict"] == "UP" and listed[n]["to"] == listed[n + 1]["from"]
    ]  # fmt: skip
    if not pairs:
        return False
    down, up = (listed[lot.choice(pairs) + step] for step in (0, 1))
    if listed.index(up) != listed.index(down) + 1:
        up = listed[listed.index(down) + 1]
    at = lot.randrange(up["from"], up["to"])
    for one in check["outages"]:
        if one["ended_at"] == down["to"]:
            one["ended_at"] = at
    down["to"] = up["from"] = at
    return True


def figure(record: dict[str, Any]) -> Fraction:
    """Its attainment."""
    return Fraction(record["attainment"]["num"], record["attainment"]["den"])


def credited(found: list[dict[str, Any]], name: str) -> Fraction:
    """All that records credit."""
    return sum((Fraction((one["credits"] or {}).get(name, 0)) for one in found), Fraction(0))
