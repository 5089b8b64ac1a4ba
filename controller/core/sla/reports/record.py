"""The record of one objective over one segment of a period: plain values, ready to be written as JSON."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import msgspec

from controller.core.calendars import tzdata_version
from controller.core.instants import instant
from controller.core.intervals import length
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import HIGH, LOW
from controller.core.sla.figures.applied import Applied
from controller.core.sla.figures.attainment import shown_percent
from controller.core.sla.figures.burn import alerts
from controller.core.sla.figures.downtime import Exact
from controller.core.sla.figures.judgement import Judgement
from controller.core.sla.figures.scoring import ratio
from controller.core.sla.figures.worst_windows import worst_windows
from controller.core.sla.money.cost import cost_of
from controller.core.sla.terms.contracts import Contract
from controller.core.sla.terms.objectives import Objective
from vedette.shared.definitions import written_out


def record_of(
    found: Judgement, credit: Mapping[str, Any] | None, *, revision: int = 1
) -> dict[str, Any]:
    """The record of a judgement; `credit` is what a breach is worth, where the contract says."""
    span, figures, segment = found.span, found.figures, found.segment
    sums, objective, contract = figures.account, segment.objective, segment.contract
    score = found.score
    share = score.share
    budget, reliability = found.budget, found.reliability
    text, begun_us = found.target_text, min(segment.hull.from_us, found.period.to_us)
    return {
        "contract": contract.id,
        "revision": revision,
        "objective": objective.id,
        "period": {
            "from": begun_us, "to": span[-1].to_us if span else begun_us,
            "ends": min(segment.hull.to_us, found.period.to_us), "tz": contract.period.tz, "label": found.period.label,
        },
        "target": text,
        **{v.name.lower(): sums.by_verdict[v] for v in (Verdict.UP, Verdict.DOWN, Verdict.PARTIAL, Verdict.DEGRADED, Verdict.UNKNOWN)},
        "excluded": sums.excluded_us,
        "out_of_schedule": sums.out_of_schedule_us,
        "eligible": figures.eligible_us() // 1,
        "downtime": _ceiled(figures.down_us()),
        "downtime_min": _ceiled(figures.down_us(LOW)),
        "downtime_max": _ceiled(figures.down_us(HIGH)),
        "attainment": ratio(share),
        "attainment_shown": shown_percent(share, text),
        "coverage": ratio(score.coverage),
        "verdict": score.standing,
        "robustness": "robust" if score.is_robust else "marginal",
        "budget": budget // 1,
        "budget_left": (budget - score.lost_us) // 1,
        "budget_used": ratio(Fraction(score.lost_us) / budget if budget else None),
        "variants": {
            policy: {"attainment": ratio(s), "attainment_shown": shown_percent(s, text)}
            for policy, s in score.variants.items()
        },
        "outages": len(found.counted),
        "mttr": reliability.mttr_us, "mtbf": reliability.mtbf_us, "mtbsi": reliability.mtbsi_us,
        "mttd": reliability.mttd_us, "mtta": reliability.mtta_us,
        "worst": {name: ratio(s) for name, s in worst_windows(sums.down, length(span)).items()},
        "burn": None if found.is_over else _burn(found),
        "exclusions": [
            _exclusion(one, _ceiled(sums.taken_us.get(one.exclusion.id, 0)))
            for one in found.exclusions
            if one.exclusion.touches(*segment.hull)
        ],
        "credits": credit,
        "cost": None if contract.cost is None else cost_of(
            contract.cost, contract.period.tz, sums.down, length(span)
        ),
        "grades": [one.action for one in contract.grades if one.is_reached(found.graded(one))],
        "clauses": _clauses(contract, objective),
        **score.detail,
    }  # fmt: skip


def _exclusion(found: Applied, taken_us: int) -> dict[str, Any]:
    """What was declared when and by whom, what came of it and why, and how much it took.

    `declared_at` is what was claimed, `logged_at` when the controller had it first: the later one counts.
    """
    exclusion, logged_us = found.exclusion, found.declaration.logged_us
    from_us, to_us = exclusion.interval
    return {
        "id": exclusion.id, "status": found.status, "applied": taken_us, "type": exclusion.type,
        "from": from_us, "to": to_us, "declared_at": instant(exclusion.declared_at), "logged_at": logged_us,
        "by": exclusion.by, "approved_by": found.declaration.approved_by, "source": found.declaration.source,
        "reason": exclusion.reason, "evidence": exclusion.evidence, "why": found.why,
    }  # fmt: skip


def _burn(found: Judgement) -> dict[str, Any]:
    """How fast a period that is not over burns its budget, and where it is going."""
    target, course = found.figures.target, found.projection
    return {
        "alerts": [
            {"urgency": one.urgency, "long": one.long_us, "short": one.short_us, "rate": ratio(one.rate)}
            for one in alerts(found.window, target)
        ],
        "course": course.course,
        "exhausted_at": course.exhausted_us,
    }  # fmt: skip


def _clauses(contract: Contract, objective: Objective) -> Mapping[str, Any]:
    """Every clause that the figure depends on, as it was applied."""
    return {
        **objective.clauses,
        "period": contract.period.kind,
        "denominator": contract.period.denominator,
        "service_hours": written_out(contract.service_hours),
        "outage": written_out(contract.outage),
        "exclusions": written_out(contract.exclusions),
        "amendments": contract.amendments,
        "effective_from": contract.effective_us,
        "scope": msgspec.to_builtins(contract.scope),
        "tzdata": tzdata_version(),
    }


def _ceiled(lasts_us: Exact) -> int:
    """A length in whole microseconds: downtime is never shown shorter than it is."""
    return -(-lasts_us // 1)
