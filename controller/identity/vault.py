"""The controller's own sealing key: it opens the copies of secrets that are kept for agents yet to come.

It stands in the state directory (0600) and never in the database: a database dump opens nothing.
"""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from controller.errors import Fatal
from controller.identity.files import StateDirectory, write_private

VAULT_KEY: Final = "vault.key"


class Vault:
    """Opens what was sealed for the controller. The key is made when it is needed first."""

    def __init__(self, state: StateDirectory) -> None:
        self._path = state.path / VAULT_KEY
        self._key: X25519PrivateKey | None = None

    @property
    def key(self) -> X25519PrivateKey:
        """The private key. Fatal if it is there and cannot be read."""
        if self._key is None:
            self._key = self._kept() or self._new()
        return self._key

    @property
    def public_key(self) -> bytes:
        """The raw public key that is sealed to."""
        return self.key.public_key().public_bytes_raw()

    def _kept(self) -> X25519PrivateKey | None:
        try:
            key = load_pem_private_key(self._path.read_bytes(), None)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Fatal(f"Cannot read {self._path}: {error.strerror}.") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Fatal(f"Expected an X25519 key (PEM) in {self._path}; it is damaged.") from error
        if not isinstance(key, X25519PrivateKey):
            raise Fatal(f"Expected an X25519 key in {self._path}; it is of another kind.")
        return key

    def _new(self) -> X25519PrivateKey:
        key = X25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(self._path, pem)
        return key
