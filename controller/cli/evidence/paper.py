"""`vedette evidence paper`: the report of a bundle for people, made again from its files, offline."""

from pathlib import Path
from typing import Final

import click

from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.sla.report_output import fonts_at_hand, write_file
from controller.core.paper.gathering import BadPaper, Gathered
from controller.errors import BadInput
from controller.reporting.paper.page import paper as paper_of
from controller.reporting.rendering import Form

_FORMS: Final = {".html": Form.HTML, ".pdf": Form.PDF, ".txt": Form.TEXT}


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="A file that ends in .html, .pdf or .txt.",
)  # fmt: skip
def paper(bundle: Path, output: Path) -> None:
    """Make the report of a bundle (a folder or a zip) for people, with a certificate to be filled in.

    It is made from the files of the bundle alone, and verifies none of them: `vedette verify` does.
    """
    form = _FORMS.get(output.suffix.lower())
    if form is None:
        raise BadInput(f"Expected a file that ends in .html, .pdf or .txt, found {output}.")
    try:
        with opened_bundle(bundle) as files:
            made = paper_of(Gathered.of(files), form, fonts_at_hand())
    except BadPaper as error:
        raise BadInput(f"{bundle} is no bundle that a report can be made of. {error}") from error
    write_file(made, output)
    click.echo(f"{output}: for people, and no evidence. `vedette verify` checks the bundle.")
