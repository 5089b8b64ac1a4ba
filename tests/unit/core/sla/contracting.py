"""A contract from clauses in YAML, a timeline from a few spans, and the records that they give."""

from collections.abc import Sequence
from typing import Any

from controller.core.calendars import period_named
from controller.core.fleet import Fleet, read_fleet
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import exclusions_of, records

SECOND = 1_000_000
HEAD = """\
version: 1
regions: [{id: a}, {id: b}]
services: [{id: s}]
checks: [{id: c, service: s, every: 60s, http: {url: "http://x.example/"}}]
contracts:
  - id: k
    effective_from: {effective}
    scope: {checks: [c]}
    acknowledge_unmeasurable: true
"""
TIME = 'objectives: [{id: a, target: "99.9"}]'


def fleet(*clauses: str, more: str = "", effective: str = "0", is_new: bool = False) -> Fleet:
    """A fleet whose contract has these clauses; `more` stands after it, at the left margin."""
    lines = "".join(f"    {clause}\n" for clause in clauses)
    head = HEAD.replace("{effective}", effective)
    return read_fleet((head + lines + more).encode(), "fleet.yaml", is_new=is_new)


def told(
    file: Fleet,
    label: str,
    *spans: tuple[str, str] | tuple[str, str, Verdict],
    as_of: str = "",
    times: Sequence[OutageTimes] | None = None,
    timed: Sequence[OutageTimes] | None = None,
    unknown: Sequence[tuple[str, str]] = (),
) -> list[dict[str, Any]]:
    """The records of a period in which the check was DOWN (or what is said) over these spans, else UP.

    `times` are its outages if they are more than the spans, `timed` what people were asked to see to.
    """
    spans = (*spans, *((first, last, Verdict.UNKNOWN) for first, last in unknown))
    agreement = file.contracts["k"]
    period = period_named(label, agreement.period.tz)
    margin_us = 3600 * SECOND
    stretches: list[Stretch] = []
    outages: list[OutageTimes] = []
    at = period.from_us - margin_us
    for first, last, *rest in spans:
        verdict = rest[0] if rest else Verdict.DOWN
        from_us, to_us = instant(first), instant(last)
        stretches.append(Stretch(at, from_us, *(Verdict.UP,) * 3))
        stretches.append(Stretch(from_us, to_us, *(verdict,) * 3))
        if verdict is Verdict.DOWN:
            outages.append(OutageTimes(from_us, to_us))
        at = to_us
    stretches.append(Stretch(at, period.to_us + margin_us, *(Verdict.UP,) * 3))
    observed = Observed(
        [one for one in stretches if one.from_us < one.to_us],
        outages if times is None else times,
        timed=timed,
        exclusions=exclusions_of(file, agreement.scope),
    )
    return records(agreement, period, observed, instant(as_of) if as_of else period.to_us)


def seconds(record: dict[str, Any], *names: str) -> list[int]:
    """Fields of a record in whole seconds."""
    assert all(record[name] % SECOND == 0 for name in names)
    return [record[name] // SECOND for name in names]
