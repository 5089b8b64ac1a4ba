"""The annex: the keys that the parties agreed on, given from outside. Keys in a bundle count only if they stand here.

One key a line: `log NAME KEY`, `agent ID KEY`, `witness NAME KEY`, with the raw Ed25519 public key in hexadecimal; or,
of an agent, `sha256:` and the SHA-256 of it. Behind an agent's key ` by WHO` may say who runs it. `authority NAME
sha256:HASH` names a root certificate of a timestamp authority by the SHA-256 of its DER; there may be several of one
name. What stands behind a `#` is a remark.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_KEY: Final = re.compile(r"(log|witness) (\S+) ([0-9a-f]{64})")
_AGENT: Final = re.compile(
    r"(agent) (\S+) ((?:sha256:)?[0-9a-f]{64})(?: by ([A-Za-z0-9._-]{1,64}))?"
)
_AUTHORITY: Final = re.compile(r"(authority) (\S+) sha256:([0-9a-f]{64})")


class BadAnnex(ValueError):
    """A text that is no annex. The message says which line, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Annex:
    """The keys of the log, of agents (or the hashes of these) and of witnesses; who runs agents; roots of authorities."""

    origin: str
    log_key: bytes
    agents: Mapping[str, str]
    witnesses: Mapping[str, bytes] = field(default_factory=dict)
    run_by: Mapping[str, str] = field(default_factory=dict)
    authorities: frozenset[tuple[str, str]] = frozenset()

    @property
    def organisation(self) -> str:
        """Whose log it is: the provider."""
        return self.origin.removesuffix("/log")

    def names(self, agent: str, public_key: bytes) -> bool:
        """The annex has that key for that agent."""
        said = self.agents.get(agent)
        return said in (public_key.hex(), f"sha256:{hashlib.sha256(public_key).hexdigest()}")

    def has_root(self, authority: str, certificate_der: bytes) -> bool:
        """The annex has that root certificate for that authority."""
        return (authority, hashlib.sha256(certificate_der).hexdigest()) in self.authorities


def parsed_annex(text: str) -> Annex:
    """The annex in `text`. BadAnnex says what is wrong with it."""
    logs: dict[str, str] = {}
    agents: dict[str, str] = {}
    witnesses: dict[str, str] = {}
    kinds = {"log": logs, "agent": agents, "witness": witnesses}
    run_by: dict[str, str] = {}
    authorities: set[tuple[str, str]] = set()
    for number, line in enumerate(text.split("\n"), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _matched(number, said)
        kind, name, key = match[1], match[2], match[3]
        if match.re is _AUTHORITY:
            authorities.add((name, key))
            continue
        if name in kinds[kind]:
            raise BadAnnex(f"line {number}: expected one key of {kind} {name}, found another")
        kinds[kind][name] = key
        if match.re is _AGENT and match[4]:
            run_by[name] = match[4]
    if len(logs) != 1:
        raise BadAnnex(f"expected one line `log NAME KEY`, found {len(logs)}")
    ((origin, log_key),) = logs.items()
    seen_by = {name: bytes.fromhex(key) for name, key in witnesses.items()}
    return Annex(origin, bytes.fromhex(log_key), agents, seen_by, run_by, frozenset(authorities))


def _matched(number: int, said: str) -> re.Match[str]:
    for pattern in (_KEY, _AGENT, _AUTHORITY):
        if match := pattern.fullmatch(said):
            return match
    raise BadAnnex(
        f"line {number}: expected `log NAME KEY`, `agent ID KEY` (` by WHO` may follow), `witness NAME KEY` or"
        f" `authority NAME sha256:HASH`, with 64 hexadecimal digits, found {said[:120]!r}"
    )
