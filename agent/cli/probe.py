"""`vedette-agent probe`: one check, once, here, with the code that an agent runs."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from agent.capture.failure import FailureCapture
from agent.cli.check_file import read_check
from agent.cli.page import page
from agent.config import default_state, site_policy
from agent.core.assignment import unrunnable_reason
from agent.core.policy import Policy, network_of
from agent.errors import BadInput, Rejected
from agent.ports import Capture, Prober
from agent.probers.network.admission import Admission
from agent.probers.registry import probers_of
from agent.runtime.captures import captured
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from agent.runtime.line import Finding, Place, encoded_line
from vedette.shared.definitions import Check, canonical_bytes, digest_of
from vedette.shared.result import ClockReading, Outcome, Trigger

EXIT_CODES: Final = {
    Outcome.UP: 0,
    Outcome.DEGRADED: 0,
    Outcome.DOWN: 1,
    Outcome.AGENT_ERROR: 3,
}
_LOCAL: Final = "local"
_SEQ: Final = 1


@click.command("probe", short_help="Run one check once, here, without a controller.")
@click.argument("check", metavar="CHECK.yaml", type=click.Path(path_type=Path))
@click.option(
    "--allow",
    metavar="CIDR",
    multiple=True,
    help="Also probe these networks, besides what the site's policy allows.",
)
@click.option(
    "--capture",
    "wants_capture",
    is_flag=True,
    help="If it is down, look around as an agent does at a first failure; takes up to 4 s more.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result line.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory whose policy.yaml says what this site agrees to probe.",
)
def probe(
    check: Path, allow: tuple[str, ...], wants_capture: bool, as_json: bool, state: Path | None
) -> None:
    """Run the check in CHECK.yaml once and print what was seen.

    The file holds one check as it stands in a fleet file; id, service and regions may be left out. The
    exit code is 0 when the check is up or degraded, 1 when it is down, 2 when the definition is wrong, and
    3 when this agent is the reason that nothing can be said.
    """
    definition = read_check(check)
    finding, capture = _found(definition, _policy(allow, state), wants_capture)
    if as_json:
        place = _place(definition, capture)
        click.echo(encoded_line(finding, definition, place), nl=False)
    else:
        Console().print(page(definition, finding, capture))
    sys.exit(EXIT_CODES[finding.outcome])


def _policy(allow: tuple[str, ...], state: Path | None) -> Policy:
    try:
        networks = tuple(network_of(text) for text in allow)
    except ValueError as error:
        raise BadInput(f"--allow: {error}.") from error
    policy = site_policy(state or default_state())
    return replace(policy, allowed=(*policy.allowed, *networks))


def _found(
    check: Check, policy: Policy, wants_capture: bool
) -> tuple[Finding, dict[str, Any] | None]:
    admission = Admission(policy)
    probers = probers_of(admission)
    reason = unrunnable_reason(check, tuple(probers))
    if reason is not None:
        raise Rejected(f"This agent cannot run the check: {reason}.")
    capture = FailureCapture(probers, admission) if wants_capture else None
    return asyncio.run(_run(check, probers[check.kind], capture))


async def _run(
    check: Check, prober: Prober, capture: Capture | None
) -> tuple[Finding, dict[str, Any] | None]:
    """What was found, and what was captured of it if it is down and that is wanted."""
    finding = await run_once(check, prober, SystemClock())
    if capture is None or finding.outcome is not Outcome.DOWN:
        return finding, None
    return finding, await captured(capture, check, finding, seq=_SEQ)


def _place(check: Check, capture: dict[str, Any] | None) -> Place:
    """A line of nobody's stream: no agent, no measured clock, and therefore no evidence."""
    return Place(
        agent=_LOCAL,
        region=_LOCAL,
        epoch=_LOCAL,
        stream=check.service,
        seq=_SEQ,
        rev=digest_of(canonical_bytes(check)),
        trigger=Trigger.MANUAL,
        clock=ClockReading(offset=None),
        capture=capture,
    )
