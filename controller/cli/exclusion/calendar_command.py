"""`vedette exclusion import`: maintenance from a calendar."""

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.exclusion.calendar_file import ReadCalendar, Window, read_calendar
from controller.cli.exclusion.options import scope_of, scoped
from controller.cli.output import (
    NOTHING,
    InstantType,
    ZoneType,
    instant,
    shown,
    write_json,
    write_table,
)
from controller.cli.sources import read_file
from controller.clock import wall_us
from controller.errors import BadInput
from vedette.v1 import exclusion_pb2 as pb
from vedette.v1.exclusion_pb2_grpc import ExclusionServiceStub

_YEAR_US: Final = 366 * 24 * 3600 * 1_000_000
_PAST: Final = {"declare": "declared", "replace": "replaced", "withdraw": "withdrawn"}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@scoped
@click.option(
    "--from", "from_us", type=InstantType(), help="Occurrences from then on.  [default: now]"
)
@click.option(
    "--until", "until_us", type=InstantType(), help="And before that.  [default: a year later]"
)
@click.option(
    "--zone",
    "local",
    type=ZoneType(),
    default="UTC",
    show_default=True,
    help="Zone of days and times that name none, where the calendar names none either.",
)
@click.option(
    "--reason", default="", help="For events without a summary.  [default: the name of the file]"
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@shown
def import_(
    file: Path,
    type: str,
    checks: tuple[str, ...],
    services: tuple[str, ...],
    is_for_all: bool,
    from_us: int | None,
    until_us: int | None,
    local: ZoneInfo,
    reason: str,
    dry_run: bool,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Declare what an iCalendar FILE has (- for stdin), and bring in line what was imported from it before.

    New occurrences are declared, changed ones replaced, cancelled ones withdrawn; both the old and the new stay to be
    seen. What has begun is left as it is. Importing the same file again changes nothing.
    """
    first_us = wall_us() if from_us is None else from_us
    last_us = first_us + _YEAR_US if until_us is None else until_us
    if first_us >= last_us:
        raise BadInput("Expected --until after --from, found it before.")
    read = read_calendar(read_file(file), str(file), Window(first_us, last_us, local))
    request = pb.ImportExclusionsRequest(
        type=type,
        scope=scope_of(checks, services, is_for_all=is_for_all),
        reason=reason or file.name,
        evidence="",
        from_us=first_us,
        until_us=last_us,
        events=[
            pb.CalendarEvent(
                uid=one.uid,
                recurrence=one.recurrence,
                from_us=one.from_us,
                to_us=one.to_us,
                summary=one.summary,
                cancelled=one.is_cancelled,
            )
            for one in read.found
        ],
        uids=sorted(read.uids),
        dry_run=dry_run,
    )
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).ImportExclusions(
            request, **connection.call
        )
    if as_json:
        write_json({"dry_run": dry_run, "done": [_document(one) for one in answer.done]})
    else:
        _write(answer, read, zone, is_dry=dry_run)


def _write(
    answer: pb.ImportExclusionsResponse, read: ReadCalendar, zone: ZoneInfo, *, is_dry: bool
) -> None:
    write_table(
        ["STEP", "ID", "FROM", "TO", "WHAT", "WHY"],
        [
            (
                one.step,
                one.id or NOTHING,
                instant(one.from_us, zone),
                instant(one.to_us, zone),
                one.summary or NOTHING,
                f"in place of {one.replaces}" if one.replaces else one.why or NOTHING,
            )
            for one in answer.done
        ],
    )
    counts = {
        step: sum(one.step == step for one in answer.done)
        for step in ("declare", "replace", "withdraw")
    }
    verb = "to " if is_dry else ""
    parts = ", ".join(
        f"{count} {verb}{_PAST[step] if not is_dry else step}" for step, count in counts.items()
    )
    click.echo(
        f"{_counted(len(read.uids), 'event')}: {parts}, {len(answer.done) - sum(counts.values())} left as they are."
    )
    if read.empty:
        click.echo(f"{_counted(read.empty, 'occurrence')} without a length passed over.")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _document(one: pb.ImportedExclusion) -> dict[str, object]:
    return {
        "step": one.step,
        "id": one.id or None,
        "from": one.from_us,
        "to": one.to_us,
        "summary": one.summary,
        "why": one.why,
        "replaces": one.replaces or None,
    }
