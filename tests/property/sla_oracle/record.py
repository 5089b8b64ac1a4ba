"""The records of a contract over a period, as plain data: what is compared with those of the program."""

from dataclasses import dataclass
from fractions import Fraction

from tests.property.sla_oracle.calendar import day_of, period
from tests.property.sla_oracle.course import burn_of, outages_of, sampled_share, worst_of
from tests.property.sla_oracle.money import Loss, cost, credit, days, shown
from tests.property.sla_oracle.samples import is_sampled
from tests.property.sla_oracle.scene import Case, Scene, ratio, scene_of
from tests.property.sla_oracle.sums import NAMES, Sums, policy_of
from tests.property.sla_oracle.terms import (
    Part,
    Plain,
    instant,
    parts,
    share,
    versions,
)

POLICIES = ("exclude", "as_up", "as_down", "carry")


@dataclass(frozen=True)
class Given:
    """What a period was credited so far: money as shown, and days."""

    money: Fraction = Fraction(0)
    days: int = 0


def records(case: Case) -> list[Plain]:
    """A record for each objective and each part of the period."""
    contracts = [one for one in case.fleet["contracts"] if one["id"] == case.contract]
    when = period(case.label, contracts[0]["period"].get("tz", "UTC"))
    held = versions(case.fleet, case.contract, when)
    as_of = when[1] if case.as_of is None else case.as_of
    names = dict.fromkeys(one["id"] for c in contracts for one in c.get("objectives", ()))
    found: list[Plain] = []
    spent = Given()
    for name in names:
        listed = parts(held, name)
        scenes = [scene_of(case, held, when, as_of, part, listed) for part in listed]
        shares = [
            s.sums(p, p.pieces, when[1]).eligible("as_up")
            for s, p in zip(scenes, listed, strict=True)
        ]
        for scene, part, own in zip(scenes, listed, shares, strict=True):
            if part.spans[0][0] >= as_of and part is not listed[0]:
                continue
            fee_share = Fraction(own, sum(shares)) if sum(shares) else Fraction(0)
            record, worth = _record(scene, part, fee_share, spent)
            found.append(record)
            spent = Given(spent.money + worth.money, spent.days + worth.days)
    return found


def _target(scene: Scene, part: Part) -> tuple[Fraction, str]:
    """The target and how it is written; of several pieces the mean by eligible time (S-32)."""
    plain = share(part.pieces[0].target)
    if len(part.pieces) == 1:
        return plain, part.pieces[0].target
    policy = policy_of(part.objective)
    each = [
        (share(p.target), scene.sums(part, (p,), scene.as_of).eligible(policy)) for p in part.pieces
    ]
    total = sum(eligible for _, eligible in each)
    found = sum((t * e for t, e in each), Fraction(0)) / total if total else plain
    return found, ""


def blended_text(target: Fraction, figure: Fraction | None) -> str:
    """A target of several pieces: nine digits, or as many as tell it from a figure below it (P8)."""
    digits = 9
    while (
        figure is not None
        and figure < target
        and percent(figure, "." + "0" * digits) == percent(target, "." + "0" * digits)
    ):
        digits += 1
    return str(percent(target, "." + "0" * digits)).rstrip("0").rstrip(".")


def percent(figure: Fraction | None, target: str) -> str | None:
    """A share cut to three decimals or as many as the target has (S-42)."""
    if figure is None:
        return None
    digits = max(3, len(target.split(".")[1]) if "." in target else 0)
    text = str(int(figure * 100 * 10**digits)).rjust(digits + 1, "0")
    return text[:-digits] + "." + text[-digits:]


def _given(terms: Plain, loss: Loss, spent: Given) -> tuple[Given, Plain]:
    """What a breach is worth, in money or in days, and how it stands in a record."""
    if "extension" in terms:
        added = days(terms["extension"], loss, spent.days)
        return Given(days=added), {"amount": "0", "currency": None, "days": added}
    amount = credit(terms, loss, spent.money)
    currency = terms["currency"]
    return Given(amount), {"amount": shown(amount, currency), "currency": currency}


def _record(scene: Scene, part: Part, fee_share: Fraction, spent: Given) -> tuple[Plain, Given]:
    sums, whole = (scene.sums(part, part.pieces, end) for end in (scene.as_of, scene.period[1]))
    policy = policy_of(part.objective)
    target, text = _target(scene, part)
    figure, down = sums.attainment("figure", policy), sums.down("figure", policy)
    variants = {p: sums.attainment("figure", p) for p in POLICIES}
    standing, is_robust, lost = (
        sums.standing("figure", target),
        sums.is_robust(target),
        Fraction(down),
    )
    if is_sampled(part.objective):
        figure = sampled_share(scene, part, sums)
        variants, standing = _of_samples(figure, sums, target)
        is_robust = True
        lost = (1 - figure) * sums.eligible(policy) if figure is not None else Fraction(0)
    budget = (1 - target) * whole.eligible(policy, unknown=sums.unknown(policy))
    outages = outages_of(scene, part, sums)
    terms, hull = part.version.terms, (part.spans[0][0], part.spans[-1][1])
    is_breached = standing == "breached"
    worth, money = Given(), None
    if "credits" in terms:
        days_lost = [(day_of(start, scene.tz), downtime) for start, _, downtime in outages]
        loss = Loss(
            part.objective["id"], figure, is_breached, down, fee_share, days_lost, sums.counted("figure"), scene.tz
        )  # fmt: skip
        worth, money = _given(terms["credits"], loss, spent)
    lengths = [end - start for start, end, _ in outages if end is not None]
    count = len(outages)
    eligible = sums.eligible(policy)
    ends = [min(b, scene.as_of) for a, b in part.spans if a < scene.as_of]
    to_us = max(ends, default=hull[0])
    text = text or blended_text(target, figure)
    return {
        "contract": scene.case.contract, "revision": part.version.number, "objective": part.objective["id"],
        "period": {"from": hull[0], "to": to_us, "ends": hull[1]},
        "target": text,
        **{name.lower(): sums.verdict(name) for name in NAMES},
        "excluded": sums.excluded, "out_of_schedule": sums.out_of_schedule,
        "eligible": eligible, "downtime": down,
        "downtime_min": sums.down("low", policy), "downtime_max": sums.down("high", policy),
        "attainment": ratio(figure), "attainment_shown": percent(figure, text),
        "coverage": ratio(sums.coverage),
        "verdict": standing,
        "robustness": "robust" if is_robust else "marginal",
        "budget": budget // 1, "budget_left": (budget - lost) // 1,
        "variants": {
            p: {"attainment": ratio(f), "attainment_shown": percent(f, text)} for p, f in variants.items()
        },
        "outages": count,
        "mttr": sum(lengths) // len(lengths) if lengths else None,
        "mtbf": max(eligible - down, 0) // count if count else None,
        "mtbsi": eligible // count if count else None,
        "worst": worst_of(sums),
        "burn": None if to_us >= hull[1] or not ends else burn_of(scene, part, target, budget),
        "exclusions": [
            {"id": one["id"], "status": scene.said[one["id"]], "applied": _applied(sums, one["id"])}
            for one in scene.case.fleet["exclusions"]
            if one["id"] in scene.said and instant(one["from"]) < hull[1] and instant(one["to"]) > hull[0]
        ],
        "credits": money,
        "cost": None if "cost" not in terms else cost(
            terms["cost"], sums.counted("figure"), sums.total(lambda _: True), scene.tz
        ),
        "grades": [g["action"] for g in terms.get("grades", ()) if figure is not None and figure < share(g["below"])],
    }, worth  # fmt: skip


def _of_samples(
    figure: Fraction | None, sums: Sums, target: Fraction
) -> tuple[dict[str, Fraction | None], str]:
    """The variants, and the verdict: silence has no samples, which may all have been good, or none (S-40)."""
    coverage = sums.coverage
    least = None if figure is None or coverage is None else figure * coverage
    most = None if least is None or coverage is None else least + 1 - coverage
    standing = "insufficient_evidence"
    if coverage is None:
        standing = "no_eligible_time"
    elif coverage >= share(sums.objective.get("min_coverage", "95")) and figure is not None:
        standing = "met" if figure >= target else "breached"
    return {"exclude": figure, "as_up": most, "as_down": least}, standing


def _applied(sums: Sums, name: str) -> int:
    """What an exclusion took: of everything, or of downtime only."""
    own = [bit for bit in sums.bits if bit.taker is not None and bit.taker["id"] == name]
    return sum(b.length for b in own if sums.is_wholly_dropped(b) or sums.is_forgiven(b))
