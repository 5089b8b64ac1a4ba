"""Options that several commands on the controller's machine share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from controller.config import Address, default_state

F = TypeVar("F", bound=Callable[..., Any])


class AddressType(click.ParamType[Address]):
    """host:port to listen on."""

    name = "host:port"

    def convert(self, value: Any, param: Any, ctx: Any) -> Address:
        """The address."""
        if isinstance(value, Address):
            return value
        try:
            return Address.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def state_option(function: F) -> F:
    """Give a command `--state` (state)."""
    return click.option(
        "--state",
        type=click.Path(path_type=Path),
        default=default_state,
        help="The controller's folder.  [default: $VEDETTE_STATE or ~/.local/state/vedette]",
    )(function)


def database_option(function: F) -> F:
    """Give a command `--db` (database_url)."""
    return click.option(
        "--db",
        "database_url",
        envvar="VEDETTE_DB",
        help="sqlite:///PATH or postgresql://USER@HOST/NAME.  [default: vedette.db in the folder]",
    )(function)
