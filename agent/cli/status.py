"""`vedette-agent status`: what stands in the state directory. Needs neither a controller nor a running agent."""

import datetime as dt
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from agent.cli.main import state_option
from agent.config import ASSIGNMENT_FILE, POLICY_FILE, SPOOL_DIRECTORY, site_policy
from agent.link.cosigning import annex_line, witness_in, witness_name
from agent.link.identity import Identity
from agent.link.log_witness import LOG_DIRECTORY, refusals_in, seen_in
from agent.runtime.assignments import StoredAssignment
from agent.spool.census import census_of


@dataclass(frozen=True, slots=True)
class _Status:
    """What is shown."""

    state: Path
    identity: Identity
    now_us: int

    def plain(self) -> dict[str, Any]:
        """As JSON shows it."""
        facts, ends_us = self.identity.facts, self.identity.credential().ends_us
        assignment = StoredAssignment(self.state / ASSIGNMENT_FILE).load()
        census = census_of(self.state / SPOOL_DIRECTORY)
        policy = site_policy(self.state)
        seen = seen_in(self.state / LOG_DIRECTORY)
        witness = witness_in(self.state, witness_name(self.identity.organisation(), facts.agent))
        return {
            "state": str(self.state),
            "agent": facts.agent,
            "region": facts.region,
            "controller": facts.session_address,
            "revoked": self.identity.revocation(),
            "certificate": {
                "ends": _instant(ends_us),
                "expired": ends_us <= self.now_us,
                "candidate": self.identity.candidate() is not None,
            },
            "assignment": {
                "revision": assignment.revision if assignment else None,
                "checks": len(assignment.checks) if assignment else 0,
            },
            "log": {
                "leaves": seen.size if seen else 0,
                "refused": [str(one) for one in refusals_in(self.state / LOG_DIRECTORY)],
            },
            "witness": annex_line(witness) if witness else None,
            "spool": {"epoch": census.epoch, "lines": census.lines, "bytes": census.bytes},
            "policy": {
                "allow": [str(network) for network in policy.allowed],
                "deny": [str(network) for network in policy.denied],
                "paused": policy.terms.is_paused,
                "text": str(policy),
            },
        }


@click.command()
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(state: Path, as_json: bool) -> None:
    """Show who this agent is, and what it holds.

    Exit code 1 if the certificate has expired, or the agent is revoked.
    """
    found = _Status(state, Identity.load(state), time.time_ns() // 1000).plain()
    click.echo(json.dumps(found) if as_json else _text(found))
    if found["certificate"]["expired"] or found["revoked"]:
        raise SystemExit(1)


def _text(found: dict[str, Any]) -> str:
    certificate, assignment, spool = found["certificate"], found["assignment"], found["spool"]
    ends = f"valid until {certificate['ends']}"
    if certificate["expired"]:
        ends = f"EXPIRED at {certificate['ends']}: the agent gets a new one when it reaches its controller"
    elif certificate["candidate"]:
        ends += ", the next one is ready"
    running = (
        f"{assignment['checks']} checks, revision {assignment['revision'][:12]}"
        if assignment["revision"]
        else "none yet"
    )
    rows = [
        ("agent", found["agent"]),
        ("region", found["region"]),
        ("state", found["state"]),
        ("controller", found["controller"]),
        ("certificate", ends),
        ("assignment", running),
        ("spool", f"{spool['lines']} lines to send, {spool['bytes']} bytes on disk"),
        ("log", f"{found['log']['leaves']} leaves of the controller's log seen"),
        ("may probe", f"{found['policy']['text']} ({POLICY_FILE})"),
    ]
    if found["witness"]:
        rows.append(("annex", found["witness"]))
    log = found["log"]
    if log["refused"]:
        rows.insert(
            0,
            (
                "LOG REFUSED",
                f"the controller showed another history than before; the proof is kept: {log['refused'][0]}",
            ),
        )
    if found["revoked"]:
        rows.insert(0, ("REVOKED", found["revoked"]))
    return "\n".join(f"{name:<12} {value}" for name, value in rows)


def _instant(at_us: int) -> str:
    return f"{dt.datetime.fromtimestamp(at_us // 1_000_000, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
