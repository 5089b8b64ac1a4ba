"""The annex of a contract: the keys that bundles of this controller are checked by."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.bundle.manifest import sha256_hex
from controller.ports.agents import AgentRecord
from controller.ports.witnesses import WitnessKey
from vedette.shared.note import Verifier

_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD: Final = """\
# Keys to check bundles of evidence by. Compare them with those that the other party was shown, and put
# them into the contract. Who runs an agent says its label `party`; without one it is taken to be the
# controller's operator: change ` by WHO` (letters, digits, '.', '_' and '-') where that is not so.
"""


class Pinned(Protocol):
    """An authority outside, and the root certificates that are pinned for it."""

    @property
    def name(self) -> str:
        """Which one."""
        ...

    @property
    def roots(self) -> Sequence[x509.Certificate]:
        """What its timestamps must lead to."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Agents, who runs those that the provider does not run, and the keys of witnesses, the oldest of each first."""

    agents: Sequence[AgentRecord]
    parties: Mapping[str, str]
    witnesses: Sequence[WitnessKey]


def annex_text(log: Verifier, known: Known, authorities: Iterable[Pinned]) -> str:
    """As `controller.core.bundle.annex` reads it. The provider is taken to run every agent without the label."""
    organisation = log.name.removesuffix("/log")
    lines = [f"log {log.name} {log.public_key.hex()}"]
    lines += [
        f"agent {one.id} {one.evidence_key.hex()}{_by(known.parties.get(one.id, organisation))}"
        for one in known.agents
    ]
    newest = {one.name: one.public_key for one in known.witnesses}
    lines += [f"witness {name} {key.hex()}" for name, key in newest.items()]
    lines += [
        f"authority {one.name} sha256:{sha256_hex(root.public_bytes(Encoding.DER))}"
        for one in authorities
        for root in one.roots
    ]
    return _HEAD + "".join(f"{line}\n" for line in lines)


def _by(who: str) -> str:
    return f" by {who}" if _WORD.fullmatch(who) else ""
