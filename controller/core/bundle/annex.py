"""The annex: the keys that the parties agreed on, given from outside. Keys in a bundle count only if they stand here.

One key a line: `log NAME KEY`, `agent ID KEY`, `witness NAME KEY`, with the raw Ed25519 public key in hexadecimal; or,
of an agent, `sha256:` and the SHA-256 of it. What stands behind a `#` is a remark.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_LINE: Final = re.compile(r"(log|agent|witness) (\S+) ((?:sha256:)?[0-9a-f]{64})")


class BadAnnex(ValueError):
    """A text that is no annex. The message says which line, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class Annex:
    """The log's name and public key, the keys (or their hashes) of agents, and the keys of witnesses."""

    origin: str
    log_key: bytes
    agents: Mapping[str, str]
    witnesses: Mapping[str, bytes] = field(default_factory=dict)

    def names(self, agent: str, public_key: bytes) -> bool:
        """The annex has that key for that agent."""
        said = self.agents.get(agent)
        return said in (public_key.hex(), f"sha256:{hashlib.sha256(public_key).hexdigest()}")


def parsed_annex(text: str) -> Annex:
    """The annex in `text`. BadAnnex says what is wrong with it."""
    logs: dict[str, str] = {}
    agents: dict[str, str] = {}
    witnesses: dict[str, str] = {}
    kinds = {"log": logs, "agent": agents, "witness": witnesses}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _LINE.fullmatch(said)
        if match is None or (match[1] != "agent" and match[3].startswith("sha256:")):
            raise BadAnnex(
                f"line {number}: expected `log NAME KEY`, `agent ID KEY` or `witness NAME KEY` with 64"
                f" hexadecimal digits, found {said[:120]!r}"
            )
        known = kinds[match[1]]
        if match[2] in known:
            raise BadAnnex(
                f"line {number}: expected one key of {match[1]} {match[2]}, found another"
            )
        known[match[2]] = match[3]
    if len(logs) != 1:
        raise BadAnnex(f"expected one line `log NAME KEY`, found {len(logs)}")
    ((origin, key),) = logs.items()
    keys = {name: bytes.fromhex(one) for name, one in witnesses.items()}
    return Annex(origin, bytes.fromhex(key), agents, keys)
