"""Options that declaring and importing share: the type of exclusions, and what they are about."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from controller.core.sla.terms.exclusions import ExclusionType
from controller.errors import BadInput
from vedette.v1 import exclusion_pb2 as pb

F = TypeVar("F", bound=Callable[..., Any])


def scoped(function: F) -> F:
    """Give a command --type (type), --check (checks), --service (services) and --all (is_for_all)."""
    for option in (
        click.option("--all", "is_for_all", is_flag=True, help="All checks."),
        click.option("--service", "services", multiple=True, help="All checks of this service."),
        click.option("--check", "checks", multiple=True, help="This check. May be repeated."),
        click.option(
            "--type",
            type=click.Choice([kind.value for kind in ExclusionType]),
            required=True,
            help="Why the time does not count.",
        ),
    ):
        function = option(function)
    return function


def scope_of(
    checks: Sequence[str], services: Sequence[str], *, is_for_all: bool
) -> pb.ExclusionScope:
    """What was asked for. BadInput unless it is one thing."""
    if is_for_all == bool(checks or services):
        raise BadInput("Expected --check and --service, or --all, and not both.")
    return pb.ExclusionScope(all=is_for_all, checks=checks, services=services)
