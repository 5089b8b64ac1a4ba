"""Names: what a valid id looks like, and how an agent's identity stands in its certificate."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vedette.shared.limits import ID_CHARS_MAX

ID_EXPECTED: Final = (
    f"an id of 1 to {ID_CHARS_MAX} characters: lower-case letters, digits, '-', '_' and '.', "
    "starting with a letter or digit"
)
ID_PATTERN: Final = rf"^[a-z0-9][a-z0-9._-]{{0,{ID_CHARS_MAX - 1}}}$"
LABEL_VALUE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"
LABEL_VALUE_EXPECTED: Final = (
    "1 to 63 letters, digits, '.', '_', '/' and '-', starting with a letter or digit"
)
# Trailing metadata of a refusal that is for good: the agent is revoked, and need not come again.
REVOKED_METADATA: Final = "vedette-revoked"
# The stream of what agents saw of the anchors, which is of no service.
ANCHORS: Final = "@anchors"
_ID: Final = re.compile(ID_PATTERN)
_LABEL_VALUE: Final = re.compile(LABEL_VALUE_PATTERN)
_EPOCH: Final = re.compile(r"[0-9a-zA-Z]{1,32}")
_SPIFFE_AGENT: Final = re.compile(r"spiffe://([a-z0-9.-]{1,253})/agent/(.+)")


def is_id(text: str) -> bool:
    """`text` can be the id of a region, service, check, agent or contract."""
    return _ID.fullmatch(text) is not None


def label_problem(key: str, value: str) -> str | None:
    """What is wrong with a label of an agent, in words; None if it can be one."""
    if not is_id(key):
        return f"expected as key {ID_EXPECTED}, found {key[:80]!r}"
    if _LABEL_VALUE.fullmatch(value) is None:
        return f"expected as value {LABEL_VALUE_EXPECTED}, found {value[:80]!r}"
    return None


def labels_of(texts: Iterable[str]) -> dict[str, str]:
    """The labels that texts such as `rack=7` say. ValueError names the one that says none."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        problem = label_problem(key, value) if equals else f"expected key=value, found {text!r}"
        if problem:
            raise ValueError(problem)
        found[key] = value
    return found


def is_epoch(text: str) -> bool:
    """`text` can name an epoch of an agent."""
    return _EPOCH.fullmatch(text) is not None


def agent_uri(organisation: str, agent: str) -> str:
    """The SPIFFE id that stands as URI SAN in an agent's certificate (EVIDENCE section 4)."""
    return f"spiffe://{organisation}/agent/{agent}"


def agent_of_uri(uri: str, organisation: str) -> str | None:
    """The agent that `uri` names in `organisation`, or None if it names none."""
    match = _SPIFFE_AGENT.fullmatch(uri)
    if match is None or match[1] != organisation or not is_id(match[2]):
        return None
    return match[2]


def organisation_of_uri(uri: str) -> str | None:
    """The organisation of the agent that `uri` names, or None if it names none."""
    match = _SPIFFE_AGENT.fullmatch(uri)
    return match[1] if match is not None and is_id(match[2]) else None


@dataclass(frozen=True, slots=True, order=True)
class ResultId:
    """Identity of a result (S-2): two lines with the same one are the same result."""

    agent: str
    epoch: str
    stream: str
    seq: int
