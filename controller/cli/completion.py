"""`vedette completion`: a completion script for the shell."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script for SHELL.

    For bash: vedette completion bash > ~/.local/share/bash-completion/completions/vedette
    """
    from controller.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "vedette", "_VEDETTE_COMPLETE").source())
