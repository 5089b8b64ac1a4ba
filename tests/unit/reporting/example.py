"""A month with something of everything, as a report document: March 2026 in Warsaw, of 743 hours."""

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.severity import Severity
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import exclusions_of
from controller.core.sla.reports.report import Facts, report_bytes
from controller.core.sla.reports.report_document import ReportedOutage

FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop, title: Web shop}]
checks: [{id: shop-home, service: shop, every: 60s, http: {url: "http://x.example/"}}]
contracts:
  - id: acme-gold
    title: ACME web shop, gold
    party: ACME GmbH
    effective_from: 2026-01-01T00:00:00+01:00
    scope: {checks: [shop-home]}
    period: {kind: month, tz: Europe/Warsaw}
    objectives:
      - {id: availability, target: "99.9"}
      - {id: office, target: "99.5", formula: minute, mode: any, unknown: as_down}
      - {id: answer-p1, metric: acknowledge, severity: P1, target: 10m}
    exclusions:
      scheduled: {mode: drop, notice: 24h, cap: 2h}
    credits:
      tiers: [{below: "99.9", percent: "10"}, {below: "99.0", percent: "25"}]
      fee: "1000.00"
      currency: EUR
      claim_deadline: P2M
    cost: {per_day: "5000", currency: EUR}
    grades: [{below: "99.95", action: warn}, {below: "95", action: legal}]
exclusions:
  - {id: spring-upgrade, type: scheduled, from: 2026-03-10T01:00:00+01:00, to: 2026-03-10T04:00:00+01:00,
     declared_at: 2026-03-01T12:00:00+01:00, by: Ada, reason: database upgrade}
  - {id: late-patch, type: scheduled, from: 2026-03-20T01:00:00+01:00, to: 2026-03-20T02:00:00+01:00,
     declared_at: 2026-03-19T20:00:00+01:00, by: Ada, reason: "patch <urgent> & | important"}
"""
# From, to, as attributed, with least and with most downtime.
SPANS = [
    ("2026-03-05T14:00:00+01:00", "2026-03-05T14:01:00+01:00", "PARTIAL", "PARTIAL", "DOWN"),
    ("2026-03-05T14:01:00+01:00", "2026-03-05T14:31:20+01:00", "DOWN", "DOWN", "DOWN"),
    ("2026-03-10T01:30:00+01:00", "2026-03-10T02:15:00+01:00", "DOWN", "DOWN", "DOWN"),
    ("2026-03-17T09:00:00+01:00", "2026-03-17T15:00:00+01:00", "UNKNOWN", "UNKNOWN", "UNKNOWN"),
    ("2026-03-28T23:40:00+01:00", "2026-03-29T00:10:00+01:00", "DOWN", "UP", "DOWN"),
    ("2026-03-29T12:00:00+02:00", "2026-03-29T13:00:00+02:00", "DEGRADED", "DEGRADED", "DEGRADED"),
]
OUTAGES = [
    ReportedOutage(
        handle="OUT-3", check="shop-home", started_at=instant("2026-03-05T14:01:00+01:00"),
        ended_at=instant("2026-03-05T14:31:20+01:00"), downtime=1_820_000_000, unknown=0,
        downtime_min=1_820_000_000, downtime_max=1_880_000_000, regions=("fra", "nyc"),
        kinds=(("http_status", 60), ("timeout", 4)), severity="P1",
        detected_at=instant("2026-03-05T14:02:12+01:00"),
        notified_at=instant("2026-03-05T14:02:14+01:00"),
        acknowledged_at=instant("2026-03-05T14:09:00+01:00"), acknowledged_by="Ben",
    ),
    ReportedOutage(
        handle="OUT-4", check="shop-home", started_at=instant("2026-03-10T01:30:00+01:00"),
        ended_at=instant("2026-03-10T02:15:00+01:00"), downtime=2_700_000_000, unknown=0,
        regions=("fra", "nyc", "sin"), severity="P1",
    ),
    ReportedOutage(
        handle="OUT-7", check="shop-home", started_at=instant("2026-03-28T23:40:00+01:00"),
        ended_at=instant("2026-03-29T00:10:00+01:00"), downtime=1_800_000_000, unknown=0,
        downtime_min=0, downtime_max=1_800_000_000, regions=("fra", "sin"), severity="P1",
        detected_at=instant("2026-03-28T23:41:00+01:00"),
        acknowledged_at=instant("2026-03-29T00:30:00+01:00"), acknowledged_by="Ada",
    ),
]  # fmt: skip


def observed_stretches() -> list[Stretch]:
    """The timeline: UP from February to May, but for the spans."""
    at_us, end_us = instant("2026-02-01T00:00:00Z"), instant("2026-05-01T00:00:00Z")
    found: list[Stretch] = []
    for first, last, *verdicts in SPANS:
        from_us, to_us = instant(first), instant(last)
        found.append(Stretch(at_us, from_us, *(Verdict.UP,) * 3))
        verdict, low, high = (Verdict(one) for one in verdicts)
        found.append(Stretch(from_us, to_us, verdict, low, high))
        at_us = to_us
    found.append(Stretch(at_us, end_us, *(Verdict.UP,) * 3))
    return [one for one in found if one.from_us < one.to_us]


def example_facts(fleet_text: bytes = FLEET) -> Facts:
    """All that the report is made from."""
    fleet = read_fleet(fleet_text, "fleet.yaml")
    agreement = fleet.contracts["acme-gold"]
    exclusions = exclusions_of(fleet, agreement.scope)
    times = [
        OutageTimes(
            one.started_at, one.ended_at, one.detected_at, one.notified_at, one.acknowledged_at,
            handle=one.handle, check=one.check, severity=Severity(one.severity),
        )
        for one in OUTAGES
    ]  # fmt: skip
    observed = Observed(observed_stretches(), times, exclusions=exclusions, timed=times)
    return Facts(agreement, fleet, observed, OUTAGES, revision=2, code="0.1.0")


def example_bytes(label: str = "2026-03", as_of: str = "2026-04-04T00:00:00Z") -> bytes:
    """The document of a period of it."""
    facts = example_facts()
    return report_bytes(facts, period_named(label, facts.agreement.period.tz), instant(as_of))
