"""English."""

from collections.abc import Mapping
from typing import Final

from controller.reporting.texts.en_clauses import CLAUSES
from controller.reporting.texts.en_paper import PAPER
from controller.reporting.texts.en_rights import RIGHTS

TEXTS: Final[Mapping[str, str | tuple[str, ...]]] = {
    **CLAUSES,
    **PAPER,
    **RIGHTS,
    # --- the whole
    "title": "SLA report: {contract}",
    "title.pack": "SLA reports for {period}",
    "subtitle": "{period}: {from_} to {to}, {tz}",
    "subtitle.pack": ("{n} contract", "{n} contracts"),
    "foot": "{contract}, {period}, as of {as_of}",
    "foot.pack": "{period}, as of {as_of}",
    # --- verdicts
    "verdict.met": "Met",
    "verdict.breached": "Breached",
    "verdict.insufficient_evidence": "Not judged: insufficient evidence",
    "verdict.no_eligible_time": "Not judged: no eligible time",
    "verdict.so_far": "{verdict} so far",
    "verdict.marginal": "{verdict}, marginal",
    "verdict.met.text": "{objective}: {attained} attained, at least {target} promised.",
    "verdict.breached.text": "{objective}: {attained} attained, at least {target} promised.",
    "verdict.insufficient_evidence.text": (
        "{objective}: neither met nor breached. Only {coverage} of the time is known, and the contract wants"
        " at least {least} to judge. What is known would come to {attained} of {target} promised."
    ),
    "verdict.no_eligible_time.text": "{objective}: no time counts yet, so there is no figure.",
    "verdict.timers.unjudged": (
        "{objective}: neither met nor breached. Only {coverage} of the time is known, and the contract wants at"
        " least {least} to judge: outages may have been that nobody saw."
    ),
    "verdict.timers.text": (
        "{objective}: people were too late for {late} of {n} outage.",
        "{objective}: people were too late for {late} of {n} outages.",
    ),
    "verdict.marginal.text": (
        "Marginal: probes see the service at intervals, and the verdict would be another with the least"
        " ({low}) or the most ({high}) downtime that fits what they saw."
    ),
    "verdict.from": "{text} From {from_} to {to}.",
    # --- parts
    "part.summary": "Summary",
    "part.objective": "Objective {objective}",
    "part.objective.from": "Objective {objective} from {from_}",
    "part.outages": "Outages",
    "part.exclusions": "Exclusions",
    "part.credits": "Credits",
    "part.clauses": "Clauses in force",
    "part.clauses.revision": "Revision {revision}, from {from_}",
    "part.method": "How the figures were made",
    "part.time": "Where the time went",
    "part.days": "Days that were not up throughout",
    "part.unknown": "Attainment by what unknown time is taken for",
    "part.reliability": "Reliability",
    "part.pace": "Pace",
    "part.overview": "All contracts and periods",
    "part.report": "{contract}, {period}",
    "note.brackets": "A figure in brackets is of what is known; nothing is judged by it.",
    # --- names of facts
    "fact.contract": "Contract",
    "fact.party": "Party",
    "fact.level": "Level",
    "fact.checks": "Measured by",
    "fact.period": "Period",
    "fact.length": "Length",
    "fact.as_of": "Facts as of",
    "fact.state": "State",
    "fact.sha256": "SHA-256",
    "fact.issued": "Issued",
    "fact.reason": "Reason",
    "fact.early": "Issued early",
    "fact.unheard": "Not heard to the end",
    "fact.program": "Program",
    "fact.zones": "Zone rules",
    "contract.revision": "{id}, revision {revision}",
    "check.of_service": "{check} of {service}",
    "program.version": "Vedette {version}",
    "period.until": "until {until}, the period is not over",
    "issue.revision": "{state}, revision {revision}",
    "issue.early": "before the period was final: late results may change it",
    "issue.heard": "{agent}, heard until {at}",
    "issue.never_heard": "{agent}, never heard",
    "issue.by": "{at} by {who}",
    # --- heads of columns
    "head.contract": "Period",
    "head.objective": "Objective",
    "head.target": "Target",
    "head.attained": "Attained",
    "head.coverage": "Coverage",
    "head.downtime": "Downtime",
    "head.budget": "Budget",
    "head.left": "Left",
    "head.verdict": "Verdict",
    "head.credit": "Credit",
    "head.day": "Day",
    "head.unknown": "Unknown",
    "head.excluded": "Excluded",
    "head.out_of_schedule": "Out of schedule",
    "head.due": "Due",
    "head.clock": "The clock ran",
    "head.elapsed": "Took",
    "head.state": "State",
    "head.check": "Check",
    "head.weight": "Weight",
    "head.kind": "What",
    "head.length": "Length",
    "head.share": "Share",
    "head.taken_for": "Unknown time",
    "head.outage": "Outage",
    "head.time": "From – to",
    "head.lasted": "Lasted",
    "head.counts": "Counts",
    "head.seen": "Seen as",
    "head.people": "People",
    "head.exclusion": "Exclusion",
    "head.declared": "Declared",
    "head.why": "Why",
    "head.outcome": "Outcome",
    "head.window": "Window",
    "head.worst": "Availability in the worst",
    "head.clause": "Clause",
    "head.name": "Figure",
    "head.value": "Value",
    # --- captions
    "caption.summary": "The objectives of the contract",
    "caption.overview": "Every objective of every period",
    "caption.time": "The time of the period, in full",
    "caption.days": "By local day",
    "caption.variants": "The same facts under each policy; the contract says {policy}",
    "caption.timers": "Timers of the outages that began in the period; promised are {target}",
    "caption.samples": "What was counted",
    "caption.members": "What each check adds",
    "caption.outages": "Outages that touch the period",
    "caption.exclusions": "Exclusions that touch the period, and what came of them",
    "caption.reliability": "Outages that began in the period and have downtime that counts",
    "caption.clauses": "Every clause, as it was written or holds without being written",
    "caption.worst": "The worst stretch of each length",
    "caption.calendar": "Availability calendar, by days of {tz}",
    "caption.burn_down": "Budget of {objective}: what was left of {budget}",
    "caption.timeline": "Outages and exclusions",
    # --- charts
    "alt.calendar": (
        "Availability calendar: {down} of {days} days with downtime, the most {most} on {worst}."
    ),
    "alt.calendar.clean": "Availability calendar: none of {days} days with downtime.",
    "alt.burn_down": "Burn-down of the budget: {left} left of {budget} at {at}.",
    "alt.timeline": ("Timeline with {n} row.", "Timeline with {n} rows."),
    "calendar.unknown": "? {length}",
    "calendar.signs": ". up   # downtime   ? unknown   = excluded",
    "chart.overspent": "overspent",
    "chart.more": ("and {n} more", "and {n} more"),
    "legend.up": "up",
    "legend.down": "downtime",
    "legend.unknown": "unknown",
    "legend.excluded": "excluded",
    "legend.out_of_schedule": "out of schedule",
    "weekday.mon": "Mon",
    "weekday.tue": "Tue",
    "weekday.wed": "Wed",
    "weekday.thu": "Thu",
    "weekday.fri": "Fri",
    "weekday.sat": "Sat",
    "weekday.sun": "Sun",
    # --- where the time went
    "time.up": "Up",
    "time.down": "Down",
    "time.partial": "Partly down: some regions, no quorum",
    "time.degraded": "Degraded: slow",
    "time.unknown": "Unknown: too little evidence",
    "time.excluded": "Excluded",
    "time.out_of_schedule": "Out of schedule",
    "time.total": "The period",
    "time.eligible": "Eligible: what attainment is a share of",
    "time.downtime": "Downtime that counts",
    "time.least": "Least and most downtime that fit the evidence",
    "time.budget": "Budget of the period",
    "time.left": "Left of it",
    "time.used": "Used of the budget",
    # --- samples
    "samples.valid": "Answers that count",
    "samples.good": "Good ones of them",
    "samples.slices": "Slices that count",
    "samples.silent": "Slices without an answer",
    "samples.slices_good": "Good slices",
    "samples.days": "Days that count",
    "samples.days_good": "Good days",
    "samples.p50": "Half took no more than (for display)",
    "samples.p95": "95 % took no more than (for display)",
    "samples.p99": "99 % took no more than (for display)",
    "samples.at_target": "As many as are promised took no more than (for display)",
    "samples.within": "{least} – {most}",
    "percentile.within": "within the promise",
    "percentile.beyond": "over the promise",
    "percentile.indeterminate": "cannot be told from this: the counts decide",
    # --- policies, shown side by side
    "policy.exclude": "excluded: it leaves the time that counts",
    "policy.as_up": "as up",
    "policy.as_down": "as down",
    "policy.carry": "as what was known before it, for a while",
    "policy.in_force": "{policy} (in force)",
    # --- outages
    "outages.none": "No outage touches the period.",
    "outage.open": "not over",
    "outage.unknown": "{length} unknown",
    "outage.regions": "in {regions}",
    "outage.kind": "{kind} ×{count}",
    "outage.detected": "recorded {at}",
    "outage.notified": "told {at}",
    "outage.acknowledged": "taken on {at} by {who}",
    "outage.counter": "against it, {who} {at}: {text}",
    "outage.counted": "{objective}: {length}",
    # --- timers
    "timers.none": "No outage of these severities began in the period, so nothing was asked of people.",
    "timers.unknown": "What people did is not known here, so it is not judged.",
    "timers.reopened": "reopened as {outages}",
    "timers.pause": "paused {from_} –",
    "timer.met": "in time",
    "timer.breached": "too late",
    "timer.running": "running",
    "timer.paused": "paused",
    # --- exclusions
    "exclusions.none": "No exclusion touches the period.",
    "exclusion.type.scheduled": "scheduled work",
    "exclusion.type.emergency": "emergency work",
    "exclusion.type.force_majeure": "force majeure",
    "exclusion.type.third_party": "third party",
    "exclusion.type.customer_fault": "customer's fault",
    "exclusion.type.suspension": "suspension",
    "exclusion.by": "by {who}",
    "exclusion.approved": "approved by {who}",
    "exclusion.logged": "known here since {at}",
    "exclusion.withdrawn": "withdrawn {at}",
    "exclusion.evidence": "evidence: {text}",
    "exclusion.of": "{objective}: {outcome}",
    "exclusion.outcome": "{status}, {length}",
    "exclusion.status.applied": "applied",
    "exclusion.status.capped": "applied up to the cap",
    "exclusion.status.ignored": "not recognised by the contract",
    "exclusion.status.rejected_late_notice": "rejected: announced too late",
    "exclusion.status.rejected_declared_afterwards": "rejected: declared afterwards",
    "exclusion.status.rejected_missing_approvals": "rejected: approvals are missing",
    "exclusion.status.withdrawn": "withdrawn",
    # --- reliability and pace
    "reliability.outages": "Outages that count",
    "reliability.mttr": "Mean time to restore (MTTR)",
    "reliability.mtbf": "Mean time between failures (MTBF)",
    "reliability.mtbsi": "Mean time between incidents (MTBSI)",
    "reliability.mttd": "Mean time to detect (MTTD)",
    "reliability.mtta": "Mean time to acknowledge (MTTA)",
    "window.5m": "5 minutes",
    "window.1h": "hour",
    "window.1d": "day",
    "window.7d": "week",
    "pace.course": "At the rate of the last 6 hours: {course}.",
    "pace.exhausted": "The budget would be used up at {at} ({utc}).",
    "pace.alert": (
        "{urgency}: over the last {long} and the last {short} the budget burns at least {rate} times too"
        " fast."
    ),
    "course.on_track": "on track",
    "course.at_risk": "at risk: faster than the target allows, though not used up before the end",
    "course.will_breach": "it will be breached",
    "course.irrecoverable": "irrecoverable: more downtime than the whole period allows",
    "urgency.page": "Page",
    "urgency.ticket": "Ticket",
    # --- money
    "credits.none": "No credit is due.",
    "credits.no_terms": "The contract gives no credits.",
    "credits.amount": "{objective}: {amount} {currency}",
    "credits.amount.days": "{days}d",
    "credits.days": "{objective}: {days} days of service",
    "credits.deadline": "To be claimed within {deadline} of the end of the period.",
    "deadline.days": ("{n} day", "{n} days"),
    "deadline.months": ("{n} calendar month", "{n} calendar months"),
    "cost.amount": "Cost of the downtime of {objective}: {amount} {currency}; a year like this: {year} {currency}",
    "grades": "{objective} is below the grades: {actions}.",
    # --- method
    "method.evidence": (
        "Agents in several regions probe the service. At every instant the regions with fresh evidence vote; a"
        " silent region has no vote, and where too few have one the time is unknown, neither up nor down."
    ),
    "method.down": (
        "Downtime is the time in which the vote says down, from the first failed probe to the first good one,"
        " counted in microseconds."
    ),
    "method.attainment": (
        "Attainment is (eligible time − downtime) / eligible time. Eligible is the time in schedule, without what"
        " exclusions take and what the contract says of unknown time."
    ),
    "method.exact": (
        "Everything is computed in whole microseconds and exact fractions, and compared with the target before"
        " anything is rounded. For display attainment is cut, downtime rounded up to seconds, and what is left of"
        " a budget rounded down, so that a breach never looks met."
    ),
    "method.bounds": (
        "Probes see the service at intervals. The least and the most downtime are those that fit everything that"
        " was seen; a verdict that would be another at one of them is marginal."
    ),
    "method.coverage": (
        "Coverage is the share of the time in schedule of which something is known. Below what the contract wants"
        " nothing is judged, whatever the figure."
    ),
    "method.repeat": (
        "The figures can be computed again from the evidence by whoever holds it: `vedette replay` makes the"
        " timeline, `vedette sla compute` the figures."
    ),
}  # fmt: skip
