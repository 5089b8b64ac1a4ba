"""The witness's own key, and what it signs: that this agent saw a head of the log, at a time (C2SP tlog-cosignature).

witness.key    the key, made once; it signs nothing else
witness.used   it has signed: from then on it needs the memory of what it signed
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from agent.core.log_view import LogView
from agent.errors import Fatal
from agent.files import replace
from agent.ports import Clock
from vedette.shared.note import KeyKind, Verifier, cosignature, parsed_note

KEY_FILE: Final = "witness.key"
USED_FILE: Final = "witness.used"
_DAMAGED: Final = "Expected the Ed25519 key of this witness (PEM) in {};"
_ANEW: Final = f"restore it, or remove it and {USED_FILE} to begin anew with another key, which the contract's annex must name."
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A signature under the head of `size` leaves: the line to stand there, exact bytes, and the key."""

    size: int
    public_key: bytes
    line: bytes


class Cosigner:
    """Signs heads as `<organisation>/witness/<agent>`. Whoever calls has remembered the head before."""

    def __init__(self, state: Path, name: str, key: Ed25519PrivateKey, clock: Clock) -> None:
        self._used = state / USED_FILE
        self._key = key
        self._clock = clock
        self.verifier = _verifier(name, key)
        self.is_used = self._used.exists()

    @classmethod
    def opened(cls, state: Path, name: str, clock: Clock) -> "Cosigner":
        """With the key in that state directory, which is made if there is none. Fatal if it cannot be used."""
        path = state / KEY_FILE
        key = _kept(path)
        if key is None:
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            try:
                replace(path, pem)
            except OSError as error:
                raise Fatal(f"Cannot write {path}: {error.strerror or error}.") from error
        return cls(state, name, key, clock)

    async def cosigned(self, view: LogView) -> Cosigned:
        """The signature under a head that was remembered. OSError if it cannot be noted that the key was used."""
        if not self.is_used:
            await asyncio.to_thread(replace, self._used, b"")
            self.is_used = True
        text = parsed_note(view.note).text
        at_s = self._clock.wall_us() // _SECOND_US
        line = cosignature(text, self.verifier.name, self._key, at_s)
        return Cosigned(view.size, self.verifier.public_key, line)


def witness_name(organisation: str, agent: str) -> str:
    """The name of a witness's key."""
    return f"{organisation}/witness/{agent}"


def witness_in(state: Path, name: str) -> Verifier | None:
    """The witness whose key is in that state directory; None if it is none. Fatal if the key cannot be read."""
    key = _kept(state / KEY_FILE)
    return None if key is None else _verifier(name, key)


def annex_line(witness: Verifier) -> str:
    """The line by which the annex of a contract names it."""
    return f"witness {witness.name} {witness.public_key.hex()}"


def _verifier(name: str, key: Ed25519PrivateKey) -> Verifier:
    return Verifier(name, key.public_key().public_bytes_raw(), KeyKind.COSIGNATURE)


def _kept(path: Path) -> Ed25519PrivateKey | None:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Fatal(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Fatal(f"{_DAMAGED.format(path)} it is damaged: {_ANEW}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Fatal(f"{_DAMAGED.format(path)} found another kind of key: {_ANEW}")
    return key
