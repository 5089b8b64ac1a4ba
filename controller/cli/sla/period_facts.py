"""Periods and issued reports as people and programs read them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.output import NOTHING, instant, write_table
from vedette.v1 import sla_pb2 as pb

_DIGEST_SHOWN = 12


def write_periods(listed: pb.ListPeriodsResponse, contract: str, zone: ZoneInfo) -> None:
    """Print periods (of one contract) for people, a line each, and what hinders them."""
    found: Sequence[pb.ContractPeriod] = listed.periods
    write_table(
        ["CONTRACT", "PERIOD", "FROM", "TO", "STATE", "REVISION", "SHA-256", "NEXT"],
        [
            (
                one.contract,
                one.label,
                instant(one.from_us, zone),
                instant(one.to_us, zone),
                one.state,
                str(len(one.issued)) if one.issued else NOTHING,
                one.issued[-1].sha256[:_DIGEST_SHOWN] if one.issued else NOTHING,
                _next(one, zone),
            )
            for one in found
        ],
    )
    for one in found:
        for remark in _remarks(one, zone):
            click.echo(f"{one.contract} {one.label}: {remark}")
    having = {one.contract for one in found}
    for name in listed.contracts:
        if name not in having and contract in ("", name):
            click.echo(f"{name}: judged over a rolling window, which has no periods to be sealed")


def period_document(found: Iterable[pb.ContractPeriod]) -> str:
    """Periods for programs."""
    periods = [
        {
            "contract": one.contract,
            "label": one.label,
            "from": one.from_us,
            "to": one.to_us,
            "state": one.state,
            "final_at": one.final_us,
            "seal_at": one.seal_us,
            "unheard": _heard(one.unheard),
            "issued": [_issued(each) for each in one.issued],
            "next_revision_at": _next_revision_us(one),
        }
        for one in found
    ]
    return _json({"periods": periods})


def issued_document(contract: str, label: str, made: pb.IssuedReport) -> str:
    """A report that was just issued, for programs."""
    return _json({"contract": contract, "label": label, **_issued(made)})


def write_issued(contract: str, label: str, made: pb.IssuedReport, zone: ZoneInfo) -> None:
    """Say what was issued."""
    click.echo(
        f"Sealed {contract} {label} as revision {made.revision}, as of {instant(made.as_of_us, zone)}:"
        f" sha256 {made.sha256}"
    )
    for line in _missing(made.unheard, zone):
        click.echo(line)


def _next(one: pb.ContractPeriod, zone: ZoneInfo) -> str:
    """What becomes of it by itself."""
    next_us = _next_revision_us(one)
    if next_us is not None:
        return f"revision {len(one.issued) + 1} on {instant(next_us, zone)}"
    if one.issued:
        return NOTHING
    return f"sealed on {instant(one.seal_us, zone)}"


def _next_revision_us(one: pb.ContractPeriod) -> int | None:
    return one.next_revision_us if one.HasField("next_revision_us") else None


def _remarks(one: pb.ContractPeriod, zone: ZoneInfo) -> Iterator[str]:
    for issued in one.issued:
        who = f" by {issued.issued_by}" if issued.issued_by else ""
        why = f": {issued.reason}" if issued.reason else ""
        early = ", before it was final" if issued.early else ""
        yield f"revision {issued.revision} as of {instant(issued.as_of_us, zone)}{who}{early}{why}"
    if one.state in ("provisional", "final"):
        yield from _missing(one.unheard, zone)
        if one.state == "provisional":
            yield f"final on {instant(one.final_us, zone)} at the earliest"
    if _next_revision_us(one) is not None:
        yield f"late facts say otherwise than revision {len(one.issued)}"


def _missing(unheard: Iterable[pb.HeardAgent], zone: ZoneInfo) -> Iterator[str]:
    for one in unheard:
        since = f"since {instant(one.heard_us, zone)}" if one.HasField("heard_us") else "ever"
        yield f"results may be missing: agent {one.agent} was not heard {since}"


def _issued(one: pb.IssuedReport) -> dict[str, Any]:
    return {
        "revision": one.revision,
        "as_of": one.as_of_us,
        "sha256": one.sha256,
        "issued_by": one.issued_by,
        "reason": one.reason,
        "early": one.early,
        "unheard": _heard(one.unheard),
    }


def _heard(agents: Iterable[pb.HeardAgent]) -> list[dict[str, Any]]:
    return [
        {"agent": one.agent, "heard_at": one.heard_us if one.HasField("heard_us") else None}
        for one in agents
    ]


def _json(document: dict[str, Any]) -> str:
    return json.dumps({"version": 1, **document}, indent=2, ensure_ascii=False)
