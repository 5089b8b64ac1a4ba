"""What this machine lets an agent do: each thing looked at once; only the controller is sent anything."""

import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from agent.config import ASSIGNMENT_FILE, CLOCK_FILE, POLICY_FILE, SPOOL_DIRECTORY, site_policy
from agent.core.assignment import program_of
from agent.core.gate import Gate
from agent.errors import AgentError
from agent.link.identity import Identity
from agent.link.offset import MeasuredOffset
from agent.probers.dns.servers import own_servers
from agent.probers.icmp_socket import permission_problem
from agent.probers.network.fault import Fault
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.kernel_clock import kernel_clock
from agent.spool.census import census_of
from vedette.shared.definitions import KINDS, Check
from vedette.shared.limits import CLOCK_OFFSET_US_MAX, SPOOL_BYTES_MAX
from vedette.shared.probes import Family, IcmpProbe

# Connecting a datagram socket chooses a route and sends nothing.
_ROUTES: Final = {4: (socket.AF_INET, "192.0.2.1"), 6: (socket.AF_INET6, "2000::1")}
_REACH_SECONDS: Final = 3.0
_ROOM_BYTES_MIN: Final = 256 * 1024 * 1024
_SHOWN_MAX: Final = 10


class State(StrEnum):
    """How a finding is."""

    FINE = "fine"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at, and what about it."""

    name: str
    state: State
    detail: str


def diagnosis(state: Path) -> list[Seen]:
    """Everything about this machine, and the agent in `state` if there is one, in the order of a page."""
    icmp = {version: permission_problem(version) for version in (4, 6)}
    routes = {version: _route_problem(version) for version in (4, 6)}
    looks: tuple[Callable[[], Seen], ...] = (
        lambda: _icmp(icmp),
        lambda: _route(4, routes[4]),
        lambda: _route(6, routes[6]),
        _resolver,
        _clock,
        lambda: _offset(state),
        lambda: _controller(state),
        lambda: _policy(state),
        lambda: _spool(state),
        lambda: _checks(state, icmp, routes),
    )
    return [look() for look in looks]


def _icmp(problems: dict[int, str | None]) -> Seen:
    if problems[4] is None:
        return Seen("icmp", State.FINE, "echo requests can be sent")
    return Seen("icmp", State.BAD, f"ICMP checks cannot run: {problems[4]}")


def _route_problem(version: int) -> str | None:
    """Why this machine has no way to addresses of that family; None if it has one."""
    family, address = _ROUTES[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((address, 9))
    except OSError as error:
        return error.strerror or str(error)
    return None


def _route(version: int, problem: str | None) -> Seen:
    name = f"ipv{version}"
    if problem is None:
        return Seen(name, State.FINE, "there is a route")
    detail = f"no route ({problem}): checks of IPv{version} addresses give agent_error"
    return Seen(name, State.NOTE if version == 6 else State.BAD, detail)


def _resolver() -> Seen:
    try:
        servers = own_servers()
    except Fault as fault:
        return Seen("resolver", State.BAD, fault.detail)
    names = ", ".join(server.name for server in servers)
    if not servers:
        return Seen("resolver", State.BAD, "the system names no DNS servers")
    return Seen("resolver", State.FINE, f"names are asked of {names}")


def _clock() -> Seen:
    """Whether the kernel's clock is kept by something (NTP, PTP, a hypervisor), and how well."""
    if not sys.platform.startswith("linux"):
        return Seen("clock", State.NOTE, "whether it is synchronised can only be read on Linux")
    found = kernel_clock()
    if found.is_synced is None:
        return Seen("clock", State.NOTE, "whether it is synchronised cannot be read here")
    if not found.is_synced:
        detail = (
            "the system does not keep it synchronised: run chrony, ntpd or systemd-timesyncd. The controller measures "
            "its offset all the same, and results more than 60 s off are no evidence"
        )
        return Seen("clock", State.NOTE, detail)
    within = f", within {found.error_us / 1000:.0f} ms by its own account" if found.error_us else ""
    return Seen("clock", State.FINE, f"the system keeps it synchronised{within}")


def _offset(state: Path) -> Seen:
    """What was measured against the controller's clock the last time."""
    offset = MeasuredOffset(SystemClock(), state / CLOCK_FILE).reading()
    if offset.offset is None:
        return Seen("offset", State.NOTE, "not measured against the controller's clock yet")
    off, error = offset.offset / 1e6, (offset.error or 0) / 1e6
    said = f"{off:+.3f} s from the controller's clock, give or take {error:.3f} s, as last measured"
    if abs(offset.offset) > CLOCK_OFFSET_US_MAX:
        return Seen("offset", State.BAD, f"{said}: nothing that this agent sees is evidence")
    return Seen("offset", State.FINE, said)


def _controller(state: Path) -> Seen:
    """Whether the ports that this agent needs can be reached. The only look that sends something."""
    try:
        facts = Identity.load(state).facts
    except AgentError as error:
        return Seen("network", State.NOTE, str(error))
    problems, reached = [], []
    needed = {"agents": facts.session_address, "enrolment": facts.enrol_address}
    for purpose, address in needed.items():
        host, _, port = address.rpartition(":")
        if not host:
            continue
        try:
            socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()
            reached.append(f"{address} ({purpose})")
        except OSError as error:
            why = error.strerror or str(error)
            problems.append(f"{address} ({purpose}) cannot be reached: {why}")
    if problems:
        return Seen("network", State.BAD, "; ".join(problems))
    return Seen("network", State.FINE, f"the controller is reached at {' and '.join(reached)}")


def _policy(state: Path) -> Seen:
    try:
        policy = site_policy(state)
    except AgentError as error:
        return Seen("policy", State.BAD, str(error))
    source = POLICY_FILE if (state / POLICY_FILE).exists() else f"there is no {POLICY_FILE}"
    if policy.terms.is_paused:
        return Seen("policy", State.NOTE, f"all probing is PAUSED by {POLICY_FILE}: {policy}")
    return Seen("policy", State.FINE, f"may probe {policy} ({source})")


def _spool(state: Path) -> Seen:
    """Room for results that wait, on the disk where they would be."""
    place = next((p for p in (state, *state.parents) if p.exists()), Path("/"))
    try:
        free = shutil.disk_usage(place).free
        census = census_of(state / SPOOL_DIRECTORY)
    except OSError as error:
        return Seen("spool", State.BAD, f"{place} cannot be looked at: {error.strerror or error}")
    except AgentError as error:
        return Seen("spool", State.BAD, str(error))
    held = f"{census.lines:,} lines wait, {census.bytes:,} bytes; {free // 1024**2:,} MiB are free"
    if free < _ROOM_BYTES_MIN:
        least = _ROOM_BYTES_MIN // 1024**2
        return Seen("spool", State.BAD, f"{held}, and {least} MiB should be: make room at {place}")
    if free < SPOOL_BYTES_MAX - census.bytes:
        most = SPOOL_BYTES_MAX // 1024**3
        return Seen("spool", State.NOTE, f"{held}, less than the {most} GiB it may take")
    return Seen("spool", State.FINE, held)


def _checks(state: Path, icmp: dict[int, str | None], routes: dict[int, str | None]) -> Seen:
    """Which of the assigned checks this machine cannot run."""
    try:
        region = Identity.load(state).facts.region
        assignment = StoredAssignment(state / ASSIGNMENT_FILE).load()
        policy = site_policy(state)
    except AgentError as error:
        return Seen("checks", State.NOTE, str(error))
    if assignment is None:
        return Seen("checks", State.NOTE, "nothing is assigned yet")
    held = {secret.name for secret in assignment.secrets}
    program = program_of(assignment, region, KINDS, held)
    refused = [f"{one.check}: {one.reason}" for one in program.unrunnable]
    gate = Gate()
    gate.enforce(policy, (a.check for a in program.checks.values()))
    refused += [f"{check}: {one.detail}" for check, one in gate.refusals.items()]
    refused += _unable((a.check for a in program.checks.values()), icmp, routes)
    if not refused:
        return Seen("checks", State.FINE, f"all {len(program.checks)} assigned checks can run")
    more = f"; and {len(refused) - _SHOWN_MAX} more" if len(refused) > _SHOWN_MAX else ""
    detail = f"{len(refused)} of {len(assignment.checks)} assigned checks cannot run: "
    return Seen("checks", State.BAD, detail + "; ".join(refused[:_SHOWN_MAX]) + more)


def _unable(
    checks: Iterable[Check], icmp: dict[int, str | None], routes: dict[int, str | None]
) -> Iterator[str]:
    for check in checks:
        family = getattr(check.probe, "family", Family.ANY)
        version = 6 if family is Family.IPV6 else 4
        if isinstance(check.probe, IcmpProbe) and icmp[version] is not None:
            yield f"{check.id}: no right to send ICMP"
        elif family is not Family.ANY and routes[version] is not None:
            yield f"{check.id}: no IPv{version} route"
