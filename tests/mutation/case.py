"""One attack: what is done to a bundle, by whom, and what the script leaves to the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# What verify.sh says that it does not check: heads of the log, places in it, and the leaves that say what was in force.
LEFT: Final = ("config/", "checkpoints/", "consistency/")
PROOF: Final = ".tlog-proof"


@dataclass(frozen=True, slots=True)
class Case:
    """Files of a bundle as an attacker leaves them: others' bytes, new ones, or None for one that is gone.

    `is_signed`: the insider signs a manifest of what came of it. `is_left`: the script may take it, because it says
    that it did not look there. `is_void`: both may take the bundle, and what was forged counts for nothing.
    """

    kind: str
    name: str
    what: str
    files: Mapping[str, bytes | None]
    is_signed: bool = False
    is_left: bool = False
    is_void: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}: {self.what}"


def is_proof(name: str) -> bool:
    """A file that verify.sh says it does not check, beyond that it is the one that was signed for."""
    return name.startswith(LEFT) or name.endswith(PROOF)
