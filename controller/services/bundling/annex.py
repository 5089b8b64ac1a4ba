"""The annex of a contract: the keys that bundles of this controller are checked by."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.bundle.manifest import sha256_hex
from controller.ports.agents import AgentRecord
from vedette.shared.note import Verifier

_WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEAD: Final = """\
# Keys to check bundles of evidence by. Compare them with those that the other party was shown, and put
# them into the contract. Who runs an agent is not known here: change ` by WHO` (letters, digits, '.',
# '_' and '-') at those that the other party runs.
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


def annex_text(log: Verifier, agents: Iterable[AgentRecord], authorities: Iterable[Pinned]) -> str:
    """As `controller.core.bundle.annex` reads it. The provider is taken to run every agent."""
    organisation = log.name.removesuffix("/log")
    by = f" by {organisation}" if _WORD.fullmatch(organisation) else ""
    lines = [f"log {log.name} {log.public_key.hex()}"]
    lines += [f"agent {one.id} {one.evidence_key.hex()}{by}" for one in agents]
    lines += [
        f"authority {one.name} sha256:{sha256_hex(root.public_bytes(Encoding.DER))}"
        for one in authorities
        for root in one.roots
    ]
    return _HEAD + "".join(f"{line}\n" for line in lines)
