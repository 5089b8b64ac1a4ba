"""Where the agent keeps its state, and what its site agrees to probe."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import yaml

from agent.core.policy import Policy, network_of
from agent.errors import BadInput
from vedette.shared.documents import BadDocument, convert, parse

STATE_VARIABLE: Final = "VEDETTE_AGENT_STATE"
POLICY_FILE: Final = "policy.yaml"
SPOOL_DIRECTORY: Final = "spool"
ASSIGNMENT_FILE: Final = "assignment.json"
CLOCK_FILE: Final = "clock.json"

_HEAD: Final = b"""\
# What this site agrees to probe, besides public addresses. The controller cannot change it.
# `deny` is stronger than `allow`. The agent reads it when it starts.
"""


class _PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`policy.yaml`."""

    allow: list[str] = []
    deny: list[str] = []


def default_state() -> Path:
    """The state directory where none is named: $VEDETTE_AGENT_STATE, or one under the user's home."""
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named)
    try:
        return Path.home() / ".local" / "state" / "vedette-agent"
    except RuntimeError as error:
        raise BadInput(
            f"There is no home directory to keep the agent's state in: name a directory with --state or "
            f"${STATE_VARIABLE}."
        ) from error


def site_policy(state: Path) -> Policy:
    """The policy of the site whose state this is; without a file, public addresses only.

    BadInput names file, line and path of everything that is wrong: an agent must not run on a policy
    that its owner did not mean.
    """
    path = state / POLICY_FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        document = parse(text, str(path))
        written, problems = convert(document, (), document.data, _PolicyFile)
        for key in ("allow", "deny") if written is not None else ():
            for at, network in enumerate(getattr(written, key)):
                try:
                    network_of(network)
                except ValueError:
                    expected = "a network such as 10.0.0.0/8"
                    problems.append(document.problem((key, at), expected, repr(network)))
        if written is None or problems:
            raise BadDocument(problems)
    except BadDocument as error:
        raise BadInput(str(error)) from error
    return Policy.of(written.allow, written.deny)


def policy_text(allow: Sequence[str]) -> bytes:
    """A policy file that allows these networks. BadInput if one of them is none."""
    try:
        networks = [str(network_of(text)) for text in allow]
    except ValueError as error:
        raise BadInput(f"--allow: {error}.") from error
    return _HEAD + yaml.safe_dump({"allow": networks, "deny": []}, sort_keys=False).encode()
