"""Where reports go: a file, a pipe or a terminal."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from controller.errors import BadInput
from controller.reporting.rendering import Form, Manner, rendered
from controller.reporting.story.context import Issue
from controller.reporting.story.page import Key

_FONTS: Final = "VEDETTE_FONTS"
_BINARY: Final = frozenset({Form.PDF})


def write_report(
    documents: Sequence[bytes],
    form: Form,
    output: Path | None,
    issues: Mapping[Key, Issue] | None = None,
) -> None:
    """Write documents in a form. BadInput for a PDF on a terminal, or a file that cannot be written."""
    require_place(form, output)
    is_coloured = output is None and sys.stdout.isatty()
    manner = Manner(issues=issues or {}, is_coloured=is_coloured, fonts=fonts_at_hand())
    write_file(rendered(documents, form, manner), output)


def fonts_at_hand() -> Path | None:
    """A folder with fonts for letters that the built-in ones do not have."""
    name = os.environ.get(_FONTS)
    if not name:
        return None
    if not Path(name).is_dir():
        raise BadInput(f"Expected {_FONTS} to name a folder with fonts, found {name!r}.")
    return Path(name)


def require_place(form: Form, output: Path | None) -> None:
    """BadInput if there is no place for that form."""
    if form in _BINARY and output is None and sys.stdout.isatty():
        raise BadInput(f"A {form.value} is nothing for a terminal: name a file with -o.")


def write_file(data: bytes, output: Path | None) -> None:
    """Write bytes to the file, or to standard output. BadInput if it cannot be written."""
    if output is None:
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise BadInput(f"Cannot write {output}: {error.strerror}.") from error
