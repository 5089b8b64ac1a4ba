"""The log's own key, and the notes that it signs.

The key is made when it is needed first, and stands in the state directory (0600). Its public half belongs into
the contract's annex: who holds that can check every note and every checkpoint.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from controller.errors import Fatal
from controller.identity.files import StateDirectory, write_private
from controller.ports.leaves import LeafKind
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import Verifier, signed_note

LOG_KEY: Final = "log.key"


class LogNotary:
    """Signs leaves and checkpoints as `<organisation>/log`."""

    def __init__(self, state: StateDirectory, organisation: str, now_us: Callable[[], int]) -> None:
        self.origin = f"{organisation}/log"
        self._key = _kept(state) or _new(state)
        self._now_us = now_us

    @property
    def verifier(self) -> Verifier:
        """What checks its signatures."""
        return Verifier(self.origin, self._key.public_key().public_bytes_raw())

    def note(self, kind: LeafKind, subject: str, data: Mapping[str, Any]) -> tuple[int, bytes]:
        """When it was signed, and the note that says `data` of `subject`."""
        now_us = self._now_us()
        text = leaf_text(kind, subject, now_us, data)
        return now_us, signed_note(text, self.origin, self._key, bytes_max=BUNDLE_NOTE_BYTES_MAX)

    def signed(self, text: str) -> bytes:
        """The note of a text of a bundle: its claim, its manifest."""
        return signed_note(text, self.origin, self._key, bytes_max=BUNDLE_NOTE_BYTES_MAX)

    def checkpoint(self, size: int, root: bytes) -> bytes:
        """The note of a tree head."""
        return signed_note(Checkpoint(self.origin, size, root).text(), self.origin, self._key)


def log_verifier(state: StateDirectory, organisation: str) -> Verifier | None:
    """What checks the log of that controller; None if it has no key yet."""
    key = _kept(state)
    if key is None:
        return None
    return Verifier(f"{organisation}/log", key.public_key().public_bytes_raw())


def leaf_text(kind: LeafKind, subject: str, at_us: int, data: Mapping[str, Any]) -> str:
    """The text of a leaf: kind, time, subject, and what is said of it as one line of JSON in ASCII."""
    said = json.dumps(data, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return f"vedette.{kind.value}/v1\ntime {at_us}\nsubject {json.dumps(subject)}\ndata {said}\n"


def _kept(state: StateDirectory) -> Ed25519PrivateKey | None:
    path = state.path / LOG_KEY
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Fatal(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Fatal(f"Expected an Ed25519 key (PEM) in {path}; it is damaged.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Fatal(f"Expected an Ed25519 key (PEM) in {path}, found another kind of key.")
    return key


def _new(state: StateDirectory) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(state.path / LOG_KEY, pem)
    return key
