"""The `vedette` command. Each noun is a module that is imported only when it is called.

So `replay` and `sla compute` need neither gRPC nor a database to be installed, and a missing extra is a
sentence rather than a traceback.
"""

from collections.abc import Mapping
from typing import Any, Final

import click

from controller.cli.lazy import Lazy, LazyGroup
from controller.cli.version import installed_version
from controller.errors import ControllerError
from vedette.shared.documents import BadDocument

COMMANDS: Final[Mapping[str, Lazy]] = {
    "demo": Lazy(
        "controller.cli.demo.command", "demo", "Show the whole way of a result on this machine."
    ),
    "init": Lazy("controller.cli.init", "init", "Make a controller's identity and database."),
    "serve": Lazy("controller.cli.serve", "serve", "Run the controller."),
    "login": Lazy(
        "controller.cli.people.login", "login", "Remember a controller and a token for it."
    ),
    "context": Lazy(
        "controller.cli.people.contexts", "context", "The controllers that are known here."
    ),
    "plan": Lazy(
        "controller.cli.fleet.command", "plan", "Show what applying a fleet file would change."
    ),
    "apply": Lazy("controller.cli.fleet.command", "apply", "Put a fleet file in force."),
    "export": Lazy(
        "controller.cli.fleet.command", "export", "Write the fleet file that is in force."
    ),
    "check": Lazy("controller.cli.fleet.check", "check", "Checks and how they do."),
    "agent": Lazy("controller.cli.agents.command", "agent", "Agents and join tokens."),
    "outage": Lazy("controller.cli.outage.command", "outage", "Outages and what decided them."),
    "incident": Lazy(
        "controller.cli.outage.incident",
        "incident",
        "Outages that belong together, and their cause.",
    ),
    "notify": Lazy("controller.cli.notify", "notify", "Messages to channels, and dead letters."),
    "sla": Lazy("controller.cli.sla.command", "sla", "Attainment of contracts."),
    "exclusion": Lazy(
        "controller.cli.exclusion.command", "exclusion", "Time that contracts do not count."
    ),
    "claim": Lazy("controller.cli.claim.command", "claim", "Claims for credits, and their packs."),
    "evidence": Lazy(
        "controller.cli.evidence.command",
        "evidence",
        "The lines that are kept, and the seals under them.",
    ),
    "verify": Lazy(
        "controller.cli.evidence.verify", "verify", "Check a bundle of evidence, offline."
    ),
    "replay": Lazy("controller.cli.replay", "replay", "Recompute a timeline from files, offline."),
    "simulate": Lazy(
        "controller.cli.simulation.command",
        "simulate",
        "Score rules of deciding in a made-up month.",
    ),
    "backtest": Lazy(
        "controller.cli.backtest", "backtest", "Judge the stored results by another rule."
    ),
    "token": Lazy("controller.cli.people.token", "token", "People's tokens."),
    "secret": Lazy("controller.cli.fleet.secret", "secret", "Secrets that checks name."),
    "doctor": Lazy("controller.cli.doctor", "doctor", "Look a running controller over."),
    "audit": Lazy("controller.cli.people.audit", "audit", "The ledger of privileged acts."),
    "ca": Lazy(
        "controller.cli.ca", "ca", "The certificate authority, on the controller's machine."
    ),
    "db": Lazy("controller.cli.db", "db", "The database, on the controller's machine."),
    "completion": Lazy("controller.cli.completion", "completion", "Print a completion script."),
}
# What belongs to which extra: anything else that cannot be imported is a fault of ours.
_EXTRAS: Final = dict.fromkeys(
    [
        "alembic", "apprise", "cel", "cryptography", "google", "grpc", "httpx", "icalendar", "psycopg",
        "rfc3161_client", "sqlalchemy", "sqlmodel",
    ],
    "controller",
) | {"typst": "pdf"}  # fmt: skip


class Complaint(click.ClickException):
    """An error of ours as click shows it: the sentences as they are; bad input."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Write it to standard error."""
        click.echo(f"Error: {self.message}", err=True, file=file)


class Refusal(Complaint):
    """The same where the other side is not there or says no."""

    exit_code = 3


class Root(LazyGroup):
    """The root: turns our errors into refusals."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        try:
            return super().get_command(ctx, cmd_name)
        except ModuleNotFoundError as error:
            raise _missing(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ControllerError as error:
            kind = Refusal if error.exit_code == Refusal.exit_code else Complaint
            raise kind(str(error)) from error
        except BadDocument as error:
            raise Complaint(str(error)) from error
        except ModuleNotFoundError as error:
            raise _missing(error) from error


def _missing(error: ModuleNotFoundError) -> Exception:
    extra = _EXTRAS.get((error.name or "").split(".")[0])
    if extra is None:
        return error
    return Complaint(
        f"This command needs {error.name}, which is not installed: install vedette[{extra}]."
    )


@click.group(cls=Root, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(installed_version(), prog_name="vedette", message="%(prog)s %(version)s")
def cli() -> None:
    """Vedette: probe services from many regions, and prove what was seen.

    Exit codes: 0 fine, 1 a negative finding, 2 bad input, 3 unreachable or refused.
    """
