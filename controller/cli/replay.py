"""`vedette replay`: recompute what happened from a fleet file and result lines, offline."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click

from controller.cli.output import InstantType, instant, length, shown, write_table
from controller.cli.sources import STDIN, read_file
from controller.core.fleet import read_fleet
from controller.core.replay import Evidence, Gathered, Replay, replay_bytes, sorted_out
from controller.core.replay import replay as replay_of
from controller.errors import BadInput
from vedette.shared.limits import LINE_BYTES_MAX, PROBLEMS_SHOWN_MAX


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    required=True,
    help="The fleet file to judge by.",
)
@click.option("--from", "from_us", type=InstantType(), required=True, help="Start of the window.")
@click.option("--to", "to_us", type=InstantType(), required=True, help="End of the window.")
@click.option(
    "--horizon",
    "horizon_us",
    type=InstantType(),
    help="Use evidence up to here only.  [default: the end of the window]",
)
@click.option(
    "--bounds",
    "with_bounds",
    is_flag=True,
    help="Add the timelines with the least and the most downtime, for `vedette sla compute`.",
)
@click.option(
    "--samples",
    "with_samples",
    is_flag=True,
    help="Add the results that are evidence, for objectives that count them.",
)
@click.argument("results", type=click.Path(path_type=Path), nargs=-1, required=True)
@shown
def replay(
    config: Path,
    from_us: int,
    to_us: int,
    horizon_us: int | None,
    with_bounds: bool,
    with_samples: bool,
    results: Sequence[Path],
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Recompute the timeline of every check from RESULTS, files of result lines (- for stdin).

    Needs no server and no database. Order, repetition and splitting of the lines do not matter. Times are
    RFC 3339 or integer microseconds.
    """
    if from_us >= to_us:
        raise BadInput(f"Expected --from before --to, found {from_us} and {to_us} (microseconds).")
    fleet = read_fleet(read_file(config), str(config))
    gathered = _gathered(results)
    evidence = sorted_out(fleet, gathered.items)
    _tell_left_out(gathered, evidence)
    document = replay_of(
        fleet,
        evidence,
        from_us=from_us,
        to_us=to_us,
        horizon_us=to_us if horizon_us is None else horizon_us,
        with_bounds=with_bounds,
        with_samples=with_samples,
    )
    if as_json:
        click.echo(replay_bytes(document), nl=False)
    else:
        _write_tables(document, zone)


def _gathered(paths: Sequence[Path]) -> Gathered:
    """The evidence of all files. BadInput names every line that cannot be read, with file and number."""
    gathered = Gathered()
    problems: list[str] = []
    for path in paths:
        for number, line in _numbered(path):
            try:
                if len(line) > LINE_BYTES_MAX:
                    raise ValueError(f"expected at most {LINE_BYTES_MAX} bytes")
                gathered.add(line)
            except ValueError as error:
                problems.append(f"{path}:{number}: not a result line: {error}")
            if len(problems) >= PROBLEMS_SHOWN_MAX:
                raise BadInput("\n".join([*problems, "... and perhaps more"]))
    if problems:
        raise BadInput("\n".join(problems))
    return gathered


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, counted from 1."""
    try:
        if str(path) == STDIN:
            yield from _lines(sys.stdin.buffer)
        else:
            with path.open("rb") as file:
                yield from _lines(file)
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}.") from error


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 2):
        number += 1
        while not line.endswith(b"\n") and (rest := file.readline(LINE_BYTES_MAX)):
            # Too long a line is read to its end piece by piece, so that the next number is right.
            line = line[: LINE_BYTES_MAX + 1] + rest[-1:]
        if line.strip():
            yield number, line.rstrip(b"\r\n")


def _tell_left_out(gathered: Gathered, evidence: Evidence) -> None:
    """Say on standard error what was not evaluated."""
    for check, count in sorted(evidence.unknown_checks.items()):
        click.echo(f"Left out {count} results of check {check!r}: not in the fleet file.", err=True)
    for (check, region), count in sorted(evidence.unknown_regions.items()):
        click.echo(
            f"Left out {count} results of check {check!r} from region {region!r}: "
            "not a region of that check.",
            err=True,
        )
    if gathered.set_aside:
        reasons = sorted({one.reason for one in gathered.set_aside})
        click.echo(f"Set aside {len(gathered.set_aside)} lines: {'; '.join(reasons)}.", err=True)


def _write_tables(document: Replay, zone: ZoneInfo) -> None:
    for name, check in document.checks.items():
        click.echo(f"{name}")
        write_table(
            ["FROM", "TO", "VERDICT", "LENGTH"],
            [
                (
                    instant(one.start, zone),
                    instant(one.end, zone),
                    one.verdict,
                    length(one.end - one.start),
                )
                for one in check.intervals
            ],
        )
        least, most = length(check.downtime_min), length(check.downtime_max)
        click.echo(f"downtime {length(check.downtime)} (between {least} and {most})")
        for outage in check.outages:
            end = (
                "still open" if outage.ended_at is None else f"to {instant(outage.ended_at, zone)}"
            )
            click.echo(
                f"outage from {instant(outage.started_at, zone)} {end}: "
                f"{length(outage.downtime)} down, {length(outage.unknown)} unknown inside"
            )
        click.echo()
