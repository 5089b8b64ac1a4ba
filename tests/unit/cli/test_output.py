from zoneinfo import ZoneInfo

import pytest

from controller.cli.output import instant, length, write_table

UTC, WARSAW = ZoneInfo("UTC"), ZoneInfo("Europe/Warsaw")
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("micros", "zone", "text"),
    [
        (0, UTC, "1970-01-01T00:00:00Z"),
        (1_781_172_000 * SECOND, UTC, "2026-06-11T10:00:00Z"),
        (1_781_172_000 * SECOND, WARSAW, "2026-06-11T12:00:00+02:00"),
        (1_781_172_000 * SECOND + 5_000, UTC, "2026-06-11T10:00:00.005Z"),
        (-1 * SECOND, UTC, "1969-12-31T23:59:59Z"),
        (None, UTC, "-"),
    ],
)
def test_instants_are_rfc_3339_in_the_zone(micros: int | None, zone: ZoneInfo, text: str) -> None:
    assert instant(micros, zone) == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0s"),
        (80_000, "80ms"),
        (1_500, "1.5ms"),
        (12_500_000, "12.5s"),
        (60 * SECOND, "1m"),
        (250 * SECOND, "4m 10s"),
        (3600 * SECOND, "1h"),
        (3601 * SECOND, "1h 1s"),
        ((2 * 86400 + 3 * 3600 + 59) * SECOND, "2d 3h 59s"),
        (59_999_999, "59.999999s"),
        (60_500_000, "1m 0.5s"),
    ],
)
def test_lengths_are_exact(micros: int, text: str) -> None:
    """Downtime is a figure that people argue about: nothing is rounded away."""
    assert length(micros) == text


def test_a_table_shows_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(["ID", "TARGET"], [("a", "http://[::1]/"), ("b", "[red]x[/red]"), ("c", "\\[x]")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["ID", "TARGET"], ["a", "http://[::1]/"], ["b", "[red]x[/red]"], ["c", "\\[x]"],
    ]  # fmt: skip


def test_what_others_wrote_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(["ID"], [("a\x1b[31mb\nc",)])
    assert capsys.readouterr().out == "ID\na?[31mb?c\n"
