"""The letter of a claim (S-50): everything that the other side needs to agree, or to say where it does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from controller.core.calendars import zone
from controller.core.instants import instant_text, length_text
from controller.core.sla.claims.claim_reckoning import ratio_text, reckoned, target_text
from controller.core.sla.claims.claims import ClaimFacts, worth
from controller.reporting.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Listing,
    Page,
    Paragraph,
    Table,
    Tone,
    Verdict,
    cell,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ClaimedOutage:
    """An outage in the period: when, where, how it failed, how much of it counts, and its lines."""

    handle: str
    check: str
    started_us: int
    ended_us: int | None
    counted_us: int
    regions: Sequence[str]
    kinds: Sequence[str]
    lines: int
    left_out: int
    file: str


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What a letter is written from. `steps` are those that go beyond single records, `files` what is attached."""

    handle: str
    organisation: str
    made_us: int
    claim: ClaimFacts
    records: Sequence[Mapping[str, Any]]
    steps: Sequence[str]
    outages: Sequence[ClaimedOutage]
    files: Sequence[tuple[str, str]]
    command: str
    clause: Mapping[str, Any]
    late: str = ""


def claim_letter(facts: LetterFacts) -> Page:
    """The letter."""
    claim = facts.claim
    blocks: tuple[Block, ...] = (
        *_head(facts),
        Heading("What was promised, and what was kept"),
        *_figures(facts),
        Heading("Outages"),
        *_outages(facts),
        Heading("Exclusions"),
        _exclusions(facts),
        Heading("The clause on credits"),
        _clause(facts.clause),
        Heading("Computation"),
        *_computation(facts),
        Heading("How to recompute it"),
        Paragraph(
            "The attached timeline holds the verdict on every instant of the period, with the least and the"
            " most downtime that the evidence allows. With the attached excerpt of the fleet file it gives"
            " the attached figures, byte for byte. `sh recompute.sh` says nothing if it does; it runs:"
        ),
        Paragraph(facts.command, Tone.MUTED),
        Heading("Attached"),
        _table(
            "Files",
            ("file", 2),
            ("what it is", 3),
            rows=[(f"{n}", what) for n, what in facts.files],
        ),
        Paragraph("MANIFEST lists the SHA-256 of each file: `sha256sum -c MANIFEST` checks them."),
    )
    return Page(
        "en",
        f"Claim {facts.handle}: {worth(claim.amount, claim.unit)}",
        f"Contract {claim.contract}, period {claim.label} ({claim.tz})",
        f"Claim {facts.handle}, made at {instant_text(facts.made_us)}",
        facts.made_us,
        blocks,
    )


def _head(facts: LetterFacts) -> Iterator[Block]:
    claim = facts.claim
    to = claim.party or "the other party of the contract"
    rows = [
        ("From", (facts.organisation,)),
        ("To", (to,)),
        ("Date", _both(facts.made_us, claim.tz)),
        ("Contract", (f"{claim.contract}{f', {claim.title}' if claim.title else ''}",)),
        ("Its revision", (str(claim.revision),)),
        ("Objectives", (", ".join(claim.objectives),)),
        ("Period", (f"{claim.label} ({claim.tz})",)),
        ("It begins", _both(claim.from_us, claim.tz)),
        ("It ends", _both(claim.to_us, claim.tz)),
        ("Last day to claim", (claim.last_day or "the contract names none",)),
    ]
    if claim.supersedes:
        rows.append(("In place of", (f"CLM-{claim.supersedes}",)))
    yield Facts(tuple(rows))
    yield Verdict(
        worth(claim.amount, claim.unit),
        f"{facts.organisation} claims this from {to}: over the period {claim.label} the contract"
        f" {claim.contract} was breached, as is shown below.",
        Tone.BAD,
    )
    yield Paragraph(_basis(claim))
    if facts.late:
        yield Paragraph(f"The claim is made after the last day to claim, because: {facts.late}")


def _basis(claim: ClaimFacts) -> str:
    """On what state of the facts the figures rest."""
    if claim.seal:
        said = f"The figures are those of the sealed report, {claim.seal}, which is attached."
        later = " What became known since says otherwise, and a revision of the report follows."
        return said + (later if claim.is_outdated else "")
    return (
        "The report on the period is not sealed. The figures rest on the evidence that was known at"
        f" {' which is '.join(_both(claim.as_of_us, claim.tz))}, and are pinned to that instant; evidence that comes"
        " later makes a claim of its own, which names this one."
    )


def _figures(facts: LetterFacts) -> Iterator[Block]:
    rows = [
        (
            (str(one["objective"]),),
            _both(one["period"]["from"], facts.claim.tz),
            (target_text(one),),
            (f"{one['attainment_shown']} %", f"exactly {ratio_text(one['attainment'])}"),
            (
                length_text(_ceiled(one["downtime"])),
                (
                    f"between {length_text(_ceiled(one['downtime_min']))} and"
                    f" {length_text(_ceiled(one['downtime_max']))}"
                ),
            ),
            (f"{_percent(one['coverage'])} %",),
            (f"{one['verdict']}, {one['robustness']}",),
        )
        for one in facts.records
    ]
    columns = (
        ("objective", 2), ("from", 4), ("target", 1), ("attained", 3), ("downtime", 4), ("coverage", 2), ("verdict", 2),
    )  # fmt: skip
    yield _table("Figures", *columns, rows=rows)
    if any(one["robustness"] != "robust" for one in facts.records):
        yield Paragraph(
            "A verdict is marginal where it would be another one at the least or the most downtime that the"
            " evidence allows."
        )


def _outages(facts: LetterFacts) -> Iterator[Block]:
    tz = facts.claim.tz
    if not facts.outages:
        yield Paragraph("No outage under a handle lies in the period.")
        return
    rows = [
        (
            (one.handle, one.check),
            _both(one.started_us, tz),
            ("not over",) if one.ended_us is None else _both(one.ended_us, tz),
            (length_text(one.counted_us),),
            ", ".join(one.regions),
            ", ".join(one.kinds),
        )
        for one in facts.outages
    ]
    columns = (
        ("outage", 2), ("from", 4), ("to", 4), ("down in the period", 2), ("regions", 2), ("how it failed", 3),
    )  # fmt: skip
    yield _table("Outages that touch the period", *columns, rows=rows)


def _exclusions(facts: LetterFacts) -> Block:
    rows = [
        (
            (str(one["id"]),),
            (str(record["objective"]),),
            (one["status"].replace("_", " "), *([one["why"]] if one["why"] else [])),
            (length_text(one["applied"]),),
        )
        for record in facts.records
        for one in record["exclusions"]
    ]
    if not rows:
        return Paragraph("None is declared for this time.")
    columns = (("exclusion", 2), ("objective", 2), ("what came of it", 4), ("time taken", 2))
    return _table("Exclusions, applied and rejected", *columns, rows=rows)


def _clause(clause: Mapping[str, Any]) -> Facts:
    """A clause as it stands in the contract, with what holds where it says nothing."""
    return Facts(tuple((name, tuple(_said(value))) for name, value in clause.items() if value))


def _said(value: Any) -> Iterator[str]:
    """A value of a clause, a line for each part of a list."""
    if isinstance(value, list):
        for one in value:
            yield from _said(one)
    elif isinstance(value, dict):
        yield ", ".join(
            f"{key} {' '.join(_said(own))}" for key, own in value.items() if own is not None
        )
    else:
        yield str(value)


def _computation(facts: LetterFacts) -> Iterator[Block]:
    for one in facts.records:
        local, utc = _both(one["period"]["from"], facts.claim.tz)
        yield Paragraph(f"{one['objective']}, target {target_text(one)}, from {local} ({utc}):")
        yield Listing(tuple(reckoned(one)), is_numbered=True)
    if facts.steps:
        yield Paragraph("All together:")
        yield Listing(tuple(facts.steps), is_numbered=True)


def _table(
    caption: str, *columns: tuple[str, int], rows: Sequence[Sequence[str | Sequence[str]]]
) -> Table:
    """A table of columns with their shares of the width; a cell is a line, or several."""
    return Table(
        caption,
        tuple(Column(head, share=share) for head, share in columns),
        tuple(tuple(_cell(one) for one in row) for row in rows),
    )


def _cell(lines: str | Sequence[str]) -> Cell:
    return cell(lines) if isinstance(lines, str) else cell(*lines)


def _both(at_us: int, tz: str) -> tuple[str, str]:
    """An instant in the contract's zone, and in UTC."""
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone(tz))
    fine = "seconds" if at_us % _SECOND_US == 0 else "microseconds"
    text = local.replace(tzinfo=None).isoformat(" ", timespec=fine)
    return f"{text} {local.tzname()}", instant_text(at_us)


def _ceiled(micros: int) -> int:
    """Downtime in whole seconds, rounded up (S-42)."""
    return -(-micros // _SECOND_US) * _SECOND_US


def _percent(share: Mapping[str, int] | None) -> str:
    if share is None:
        return "0.00"
    hundredths = share["num"] * 10_000 // share["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}"
