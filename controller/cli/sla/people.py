"""What people did, for computing offline: the list of outages that a controller gave."""

from pathlib import Path
from typing import Final

import click

from controller.cli.sources import read_file
from controller.core.replay import Replay
from controller.core.severity import Severity
from controller.core.sla.figures.downtime_start import DowntimeStart
from controller.core.sla.figures.timing import NEVER_REGIONAL
from controller.core.sla.reports.outage_list import OutageList, decode_outages, with_clocks
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.objectives import Timed
from controller.errors import BadInput

_HOW: Final = "`vedette outage list --scope all --json`"


def with_people(document: Replay, path: Path, contract: Agreement) -> Replay:
    """The timeline with what a list of outages says of people. BadInput if it cannot be all of them."""
    try:
        listed = decode_outages(read_file(path))
    except ValueError as error:
        raise BadInput(f"{path} is not what {_HOW} prints: {error}.") from error
    _require_whole(path, listed, contract)
    try:
        return with_clocks(document, listed, contract.scope.members)
    except ValueError as error:
        raise BadInput(
            f"{path} and the timeline do not belong together: {error}. Make the list without filters,"
            " after the results of the timeline had come."
        ) from error


def _require_whole(path: Path, listed: OutageList, contract: Agreement) -> None:
    if listed.is_cut:
        raise BadInput(f"{path} is cut off by its --limit: make it again with a greater one.")
    severities = frozenset[Severity]().union(*(one.severities for one in _timed(contract)))
    if listed.regional_not_shown and not severities <= NEVER_REGIONAL:
        raise BadInput(
            f"{path} leaves out {listed.regional_not_shown} outages of single regions, and"
            f" {contract.first.id} promises something for those: make it by {_HOW}."
        )


def require_people(document: Replay, contract: Agreement) -> None:
    """BadInput where downtime depends on what the timeline does not say; a word where only a promise does."""
    if all(document.checks[name].clocks is not None for name in contract.scope.members):
        return
    for version in contract.versions:
        start = version.outage.downtime_start
        if start is not DowntimeStart.FIRST_FAILURE:
            raise BadInput(
                f"Downtime of {version.id} begins with the {start}, which no timeline says: give --outages,"
                f" what {_HOW} prints."
            )
    is_quiet = not any(document.checks[name].outages for name in contract.scope.members)
    unsure = (o for o in _timed(contract) if not (is_quiet and o.severities <= NEVER_REGIONAL))
    if names := list(dict.fromkeys(one.id for one in unsure)):
        click.echo(
            f"The timeline does not say what people did, and these objectives are about that:"
            f" {', '.join(names)}. --outages takes what {_HOW} prints.",
            err=True,
        )


def _timed(contract: Agreement) -> list[Timed]:
    objectives = [one for version in contract.versions for one in version.objectives]
    return [one for one in objectives if isinstance(one, Timed)]
