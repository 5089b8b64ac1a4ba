"""The `vedette-agent` command. Each command's module is imported only when it is called.

So `--help` needs nothing but click, and a missing extra is a sentence rather than a traceback.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem

from agent.errors import AgentError
from vedette.shared.documents import BadDocument


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is, and its line in --help."""

    module: str
    name: str
    help: str


COMMANDS: Final[Mapping[str, Lazy]] = {
    "join": Lazy("agent.cli.join", "join", "Make this machine an agent, by a join file."),
    "run": Lazy("agent.cli.run", "run", "Probe what the controller assigns, until stopped."),
    "probe": Lazy("agent.cli.probe", "probe", "Run one check once, without a controller."),
    "status": Lazy("agent.cli.status", "status", "Show who this agent is and what it holds."),
    "spool": Lazy("agent.cli.spool", "spool", "Count the results that wait to be sent."),
    "doctor": Lazy(
        "agent.cli.doctor", "doctor", "Say what this machine can probe, and what to set."
    ),
    "completion": Lazy("agent.cli.completion", "completion", "Print a completion script."),
}
# What the extra brings: anything else that cannot be imported is a fault of ours.
_EXTRA: Final = frozenset(
    {"cel", "cryptography", "dns", "google", "grpc", "httptools", "httpx", "icmplib"}
)


class Complaint(click.ClickException):
    """An error of ours as click shows it: the sentence as it is; bad input."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Write it to standard error."""
        click.echo(f"Error: {self.message}", err=True, file=file)


class Refusal(Complaint):
    """The same where the other side is not there or says no, or this process cannot go on."""

    exit_code = 3


class LazyGroup(click.Group):
    """The root: finds commands in the table, and turns our errors into refusals."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        try:
            command = getattr(importlib.import_module(lazy.module), lazy.name)
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands without importing them."""
        return [
            CompletionItem(name, help=lazy.help)
            for name, lazy in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AgentError as error:
            kind = Refusal if error.exit_code == Refusal.exit_code else Complaint
            raise kind(str(error)) from error
        except BadDocument as error:
            raise Complaint(str(error)) from error
        except ModuleNotFoundError as error:
            raise _missing(error) from error


def _missing(error: ModuleNotFoundError) -> Exception:
    if (error.name or "").split(".")[0] not in _EXTRA:
        return error
    return Complaint(
        f"This command needs {error.name}, which is not installed: install vedette[agent]."
    )


def installed_version() -> str:
    """The version of this distribution."""
    try:
        return version("vedette")
    except PackageNotFoundError:
        return "unknown"


def chosen_state(_: click.Context, __: click.Parameter, value: Path | None) -> Path:
    """The state directory: what was named, or the default."""
    from agent.config import default_state

    return (value or default_state()).absolute()


state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    callback=chosen_state,
    help="State directory. Default: $VEDETTE_AGENT_STATE, or ~/.local/state/vedette-agent.",
)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    installed_version(), prog_name="vedette-agent", message="%(prog)s %(version)s"
)
def cli() -> None:
    """Probe services from this site, for a Vedette controller.

    Exit codes: 0 fine, 1 a negative finding, 2 bad input, 3 unreachable or refused.
    """
