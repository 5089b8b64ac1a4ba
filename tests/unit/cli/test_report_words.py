"""What two reports say differently, as people read it."""

import click
import pytest

from controller.cli.sla.report_words import write_difference
from controller.cli.sla.wanted import AsOfType, Wanted, side, wanted
from controller.core.sla.reports.report_diff import Change, Difference, FieldChange, Side, What
from controller.errors import BadInput

HOUR = 3_600_000_000
FIRST, SECOND = Side(1_750_000_000_000_000, 1, "ab" * 32), Side(1_750_000_100_000_000, 0)


def told(capsys: pytest.CaptureFixture[str], *changes: Change) -> list[str]:
    write_difference(
        Difference(contract="acme", period="2026-06", old=FIRST, new=SECOND, changes=changes),
        "Europe/Warsaw",
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "acme 2026-06: revision 1 as of 2025-06-15T17:06:40+02:00, sha256 abababababab"
        " and not issued as of 2025-06-15T17:08:20+02:00"
    )
    return lines[1:]


def test_two_that_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == ["They say the same."]


def test_figures_are_told_with_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    fields = (
        FieldChange("downtime", 2 * HOUR, HOUR, -HOUR),
        FieldChange("unknown", 0, 430_000_000, 430_000_000),
        FieldChange("attainment.num", 1, 2, 1),
        FieldChange("attainment_shown", None, "99.999"),
        FieldChange("verdict", "insufficient_evidence", "met"),
        FieldChange("outages", 1, 2, 1),
        FieldChange("counted", [], [[1, 2]]),
        FieldChange("budget_left", HOUR, -HOUR, -2 * HOUR),
    )
    change = Change("record", "availability 1748728800000000", What.CHANGED, fields)
    name = "availability from 2025-06-01T00:00:00+02:00"
    assert told(capsys, change) == [
        f"{name}: downtime 2h -> 1h (-1h)",
        f"{name}: unknown 0s -> 7m 10s (+7m 10s)",
        f"{name}: attainment shown - -> 99.999%",
        f"{name}: verdict insufficient_evidence -> met",
        f"{name}: outages 1 -> 2 (+1)",
        f"{name}: budget left 1h -> -1h (-2h)",
    ]


def test_outages_exclusions_and_days(capsys: pytest.CaptureFixture[str]) -> None:
    at = 1_750_000_000_000_000
    outcome = {"objective": "availability", "status": "rejected_late_notice", "applied": 0}
    applied = {**outcome, "status": "applied", "applied": HOUR}
    lines = told(
        capsys,
        Change("day", "availability 10 2025-06-15", What.CHANGED),
        Change("day", "speed 10 2025-06-15", What.CHANGED),
        Change(
            "outage", "OUT-1", What.VANISHED,
            (FieldChange("started_at", at, None), FieldChange("ended_at", at + HOUR, None)),
        ),
        Change("outage", "OUT-2", What.APPEARED, (FieldChange("started_at", None, at),)),
        Change("outage", "OUT-3", What.CHANGED, (FieldChange("ended_at", at, at + HOUR, HOUR),)),
        Change(
            "exclusion", "work", What.CHANGED,
            (FieldChange("withdrawn_at", None, at), FieldChange("outcomes", [outcome], [applied])),
        ),
        Change("record", f"availability {at}", What.CHANGED, (FieldChange("counted", [], [[1, 2]]),)),
    )  # fmt: skip
    assert lines == [
        "OUT-1 vanished: 2025-06-15T17:06:40+02:00 to 2025-06-15T18:06:40+02:00",
        "OUT-2 appeared: 2025-06-15T17:06:40+02:00 to now",
        "OUT-3: ended at 2025-06-15T17:06:40+02:00 -> 2025-06-15T18:06:40+02:00 (+1h)",
        "exclusion work: withdrawn at - -> 2025-06-15T17:06:40+02:00",
        "exclusion work: outcomes availability rejected late notice 0s -> availability applied 1h",
        "availability from 2025-06-15T17:06:40+02:00: other times that count",
        "days that differ: 2025-06-15",
    ]


def test_clauses_are_told_as_they_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    tiers = [{"below": "99.9", "percent": "10"}]
    change = Change(
        "terms", str(FIRST.as_of), What.CHANGED, (FieldChange("clauses.tiers", None, tiers),)
    )
    (line,) = told(capsys, change)
    assert line.endswith('clauses.tiers - -> [{"below": "99.9", "percent": "10"}]')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", Wanted(is_fresh=True)),
        ("1", Wanted(revision=1)),
        ("12345", Wanted(revision=12345)),
        ("1750000000000000", Wanted(1_750_000_000_000_000)),
        ("2025-06-15T15:06:40Z", Wanted(1_750_000_000_000_000)),
    ],
)
def test_a_side_is_a_revision_an_instant_or_now(text: str, expected: Wanted) -> None:
    assert side("OLD", text) == expected


@pytest.mark.parametrize("text", ["0", "first", "", "2025-06-15", "²"])
def test_what_is_no_side(text: str) -> None:
    with pytest.raises(BadInput, match=r"OLD: expected .*revision from 1"):
        side("OLD", text)


def test_which_report_options_ask_for() -> None:
    assert wanted(None, None) == Wanted()
    assert wanted("now", None) == Wanted(is_fresh=True)
    assert wanted(5, None) == Wanted(5)
    assert wanted(None, 2) == Wanted(revision=2)
    with pytest.raises(BadInput, match="found both"):
        wanted(5, 2)


def test_as_of_what_is_no_instant() -> None:
    with pytest.raises(click.BadParameter, match=r"expected `now`, or an instant.*, found 'x'"):
        AsOfType().convert("x", None, None)
