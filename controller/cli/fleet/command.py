"""`vedette plan`, `apply` and `export`: the fleet file."""

from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import as_document, instant, write_json
from controller.cli.sources import read_file
from controller.errors import BadInput, Fatal
from vedette.shared.documents import Problem
from vedette.v1 import fleet_pb2, fleet_pb2_grpc

_SIGNS: Final = {
    fleet_pb2.CHANGE_ACTION_ADD: "+",
    fleet_pb2.CHANGE_ACTION_CHANGE: "~",
    fleet_pb2.CHANGE_ACTION_RETIRE: "-",
}
_WORDS: Final = {
    fleet_pb2.CHANGE_ACTION_ADD: "add",
    fleet_pb2.CHANGE_ACTION_CHANGE: "change",
    fleet_pb2.CHANGE_ACTION_RETIRE: "retire",
}
_FILE = click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path),
    default="fleet.yaml",
    show_default=True,
    help="The fleet file.",
)


@click.command()
@_FILE
@as_document
def plan(file: Path, as_json: bool) -> None:
    """Show what applying a fleet file would change, and change nothing.

    Exit code 0 whether or not there is something to change.
    """
    text = read_file(file)
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).Plan(
            fleet_pb2.PlanRequest(fleet=text, file_name=file.name), **connection.call
        )
    _refuse_problems(answer.problems, file)
    if as_json:
        write_json({"changes": _documents(answer.changes), "warnings": _said(answer.warnings)})
        return
    _write_changes(answer.changes)
    _write_warnings(answer.warnings, file)
    click.echo(_summary(answer.changes, "Nothing to change.", "to apply"))


@click.command()
@_FILE
@as_document
def apply(file: Path, as_json: bool) -> None:
    """Put a fleet file in force, whole or not at all. Applying it again changes nothing."""
    text = read_file(file)
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).Apply(
            fleet_pb2.ApplyRequest(fleet=text, file_name=file.name), **connection.call
        )
    _refuse_problems(answer.problems, file)
    if as_json:
        write_json(
            {
                "revision": answer.revision,
                "changes": _documents(answer.changes),
                "warnings": _said(answer.warnings),
            }
        )
        return
    _write_changes(answer.changes)
    _write_warnings(answer.warnings, file)
    summary = _summary(answer.changes, "Nothing changed.", "applied")
    click.echo(f"{summary} Revision {answer.revision} is in force.")


@click.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write it there, not to stdout.")
@as_document
def export(out: Path | None, as_json: bool) -> None:
    """Write the fleet file that is in force, byte for byte as it was applied."""
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).Export(
            fleet_pb2.ExportRequest(), **connection.call
        )
    if not answer.revision:
        raise BadInput("No fleet file is in force: apply one with `vedette apply -f fleet.yaml`.")
    if as_json:
        write_json(
            {
                "revision": answer.revision,
                "applied_us": answer.applied_us,
                "fleet": answer.fleet.decode(),
            }
        )
    elif out is None:
        click.echo(answer.fleet, nl=False)
    else:
        try:
            out.write_bytes(answer.fleet)
        except OSError as error:
            raise Fatal(f"Cannot write {out}: {error.strerror}.") from error
        applied = instant(answer.applied_us, ZoneInfo("UTC"))
        click.echo(f"Wrote revision {answer.revision}, applied at {applied}, to {out}.")


def _refuse_problems(problems: Any, file: Path) -> None:
    """BadInput with every problem on a line of its own, under the name that the caller knows."""
    if problems:
        lines = (str(Problem(str(file), p.line, p.path, p.expected, p.found)) for p in problems)
        raise BadInput(f"{file} cannot be used, and nothing was changed:\n" + "\n".join(lines))


def _documents(changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "action": _WORDS[change.action],
            "noun": change.noun,
            "id": change.id,
            "details": list(change.details),
        }
        for change in changes
    ]


def _write_changes(changes: Any) -> None:
    for change in changes:
        click.echo(f"{_SIGNS[change.action]} {change.noun} {change.id}")
        for detail in change.details:
            click.echo(f"    {detail}")


def _said(warnings: Any) -> list[dict[str, Any]]:
    return [{"line": one.line, "text": one.text} for one in warnings]


def _write_warnings(warnings: Any, file: Path) -> None:
    """What somebody should think about, each on a line of its own; it stops nothing."""
    for one in warnings:
        where = f"{file}:{one.line}" if one.line else str(file)
        click.echo(f"! {where}: {one.text}.")


def _summary(changes: Any, none: str, done: str) -> str:
    if not changes:
        return none
    return f"{len(changes)} {'change' if len(changes) == 1 else 'changes'} {done}."
