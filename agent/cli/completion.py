"""`vedette-agent completion`: a completion script for the shell."""

import click
from click.shell_completion import get_completion_class

from agent.cli.main import cli


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script for SHELL.

    For bash: vedette-agent completion bash > ~/.local/share/bash-completion/completions/vedette-agent
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "vedette-agent", "_VEDETTE_AGENT_COMPLETE").source())
