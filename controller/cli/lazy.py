"""Commands that are imported only when they are called, so that each needs no more installed than it uses."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and its line in --help."""

    module: str
    name: str
    help: str


class LazyGroup(click.Group):
    """Finds its commands in a table."""

    def __init__(self, *args: Any, table: Mapping[str, Lazy], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        lazy = self._table.get(cmd_name)
        if lazy is None:
            return None
        command = getattr(importlib.import_module(lazy.module), lazy.name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in self._table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete names of commands without importing them."""
        from click.shell_completion import CompletionItem

        return [
            CompletionItem(name, help=lazy.help)
            for name, lazy in self._table.items()
            if name.startswith(incomplete)
        ]
