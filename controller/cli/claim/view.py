"""Claims as people read them."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.output import NOTHING, instant, plain, write_table
from controller.core.sla.claims.claims import worth
from vedette.v1 import claim_pb2 as pb


def write_claims(documents: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """A line for each claim."""
    write_table(
        ["CLAIM", "CONTRACT", "PERIOD", "OBJECTIVES", "STATE", "CLAIMED", "ACCEPTED", "SETTLED",
         "LAST DAY", "CHANGED"],
        [
            (
                str(one["claim"]),
                str(one["contract"]),
                str(one["label"]),
                ", ".join(one["objectives"]),
                str(one["state"]),
                worth(one["amount"], one["unit"]),
                _amount(one["accepted"], one["unit"]),
                _amount(one["settled"], one["unit"]),
                one["last_day"] or NOTHING,
                instant(one["history"][-1]["at"], zone),
            )
            for one in documents
        ],
    )  # fmt: skip


def write_claim(one: dict[str, Any], files: Sequence[pb.ClaimFile], zone: ZoneInfo) -> None:
    """A claim with its history and its pack."""
    title = f" ({one['title']})" if one["title"] else ""
    party = f", with {one['party']}" if one["party"] else ""
    said = [
        f"{one['claim']} {one['state']}: {worth(one['amount'], one['unit'])} claimed",
        f"  under {one['contract']}{title}, revision {one['revision']}{party}",
        f"  for {one['label']} ({one['tz']}), {', '.join(one['objectives'])}",
        f"  period {instant(one['from_us'], zone)} to {instant(one['to_us'], zone)}",
        f"  by what was known at {instant(one['as_of_us'], zone)}; {_basis(one)}",
        f"  last day to claim: {one['last_day'] or 'the contract names none'}",
    ]
    said += [
        f"  {what} {_amount(one[what], one['unit'])}"
        for what in ("accepted", "settled")
        if one[what]
    ]
    said += [
        f"  {what.replace('_', ' ')} {one[what]}"
        for what in ("supersedes", "superseded_by")
        if one[what]
    ]
    for line in said:
        click.echo(plain(line))
    for act in one["history"]:
        click.echo(plain(f"  {instant(act['at'], zone)} {_act(act, one['unit'])}"))
    if files:
        write_table(["FILE", "BYTES", "SHA-256"], [(f.name, str(f.size), f.sha256) for f in files])


def _basis(one: dict[str, Any]) -> str:
    if not one["seal"]:
        return "the period is not sealed"
    outdated = ", and late facts say otherwise by now" if one["is_outdated"] else ""
    return f"sealed report {one['seal']}{outdated}"


def _act(act: dict[str, Any], unit: str) -> str:
    parts = [f"{act['action']} by {act['who']} ({act['role']})"]
    if act["amount"] is not None:
        parts.append(worth(act["amount"], unit))
    if act["by_claim"]:
        parts.append(act["by_claim"])
    parts += [text for text in (act["reason"], act["late"] and f"late: {act['late']}") if text]
    return ": ".join(parts)


def _amount(amount: str | None, unit: str) -> str:
    return NOTHING if amount is None else worth(amount, unit)
