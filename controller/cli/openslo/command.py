"""The commands that import and export service level objectives."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import yaml

from controller.cli.openslo.documents import Note, read_things
from controller.cli.openslo.exporting import Number, exported
from controller.cli.openslo.importing import imported
from controller.cli.output import InstantType, as_document, write_json
from controller.cli.sources import read_file
from controller.clock import wall_us
from controller.core.fleet import Fleet, read_fleet
from controller.core.instants import instant_text
from controller.errors import NotFound


@click.group("import")
def import_() -> None:
    """Read objectives of other tools as contracts."""


@click.group("export")
def export() -> None:
    """Write contracts for other tools."""


@import_.command("openslo")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The fleet file, which knows the checks of services.",
)
@click.option(
    "--effective-from",
    "effective_us",
    type=InstantType(),
    help="When contracts begin that do not say it.  [default: today]",
)
@as_document
def import_openslo(
    file: Path, config: Path | None, effective_us: int | None, as_json: bool
) -> None:
    """Print the contracts that OpenSLO v1 documents in FILE make (- for stdin), as part of a fleet file.

    What has no equal in a contract is listed on standard error, by document and field.
    """
    fleet = None if config is None else read_fleet(read_file(config), str(config))
    begins_us = _today_us() if effective_us is None else effective_us
    made = imported(read_things(read_file(file), str(file)), fleet, instant_text(begins_us))
    _tell({"contracts": made.contracts}, made.notes, as_json=as_json, is_many=False)


@export.command("openslo")
@click.option("--contract", "name", help="Only this contract.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="A fleet file.  [default: the one that is in force]",
)
@as_document
def export_openslo(name: str | None, config: Path | None, as_json: bool) -> None:
    """Print contracts as OpenSLO v1 documents.

    What OpenSLO cannot say is listed on standard error, by contract and clause.
    """
    fleet = _in_force() if config is None else read_fleet(read_file(config), str(config))
    if name is not None and name not in fleet.contracts:
        known = ", ".join(fleet.contracts) or "none"
        raise NotFound(f"Expected a contract of the fleet file ({known}), found {name!r}.")
    chosen = fleet.contracts.values() if name is None else [fleet.contracts[name]]
    made = exported(fleet, chosen)
    _tell({"documents": made.documents}, made.notes, as_json=as_json, is_many=True)


class _Dumper(yaml.SafeDumper):
    """Writes exact decimals as numbers, and no aliases, which not every reader follows."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    Number,
    lambda dumper, data: dumper.represent_scalar(
        f"tag:yaml.org,2002:{'float' if '.' in data else 'int'}", str(data)
    ),
)


def _tell(
    parts: dict[str, list[dict[str, Any]]], notes: Sequence[Note], *, as_json: bool, is_many: bool
) -> None:
    if as_json:
        unmapped = [{"where": one.where, "what": one.what} for one in notes]
        write_json({**parts, "unmapped": unmapped})
        return
    (found,) = parts.values()
    data: Any = found if is_many else [parts]
    if found:
        text = yaml.dump_all(
            data,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=110,
            explicit_start=is_many,
        )
        click.echo(text, nl=False)
    for note in notes:
        click.echo(str(note), err=True)
    if not found:
        click.echo("Nothing to write.", err=True)


def _today_us() -> int:
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_us())
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (day - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _in_force() -> Fleet:
    # Here, because files are exported where gRPC is not installed.
    from controller.cli.openslo.fetching import fetched_fleet

    text, file = fetched_fleet()
    return read_fleet(text, file)
